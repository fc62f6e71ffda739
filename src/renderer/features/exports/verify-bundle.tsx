// SPDX-License-Identifier: Apache-2.0
// A bundle is verified first, its result always in sight; what is not invalid can then be looked through.
import { Button, Progress } from '@mantine/core'
import { type DragEvent, useEffect, useRef, useState } from 'react'
import { pathOf, shell } from '../../client/bridge.ts'
import { messageOf, useAction, useJob, useOperation } from '../../client/hooks.ts'
import { cx, Note, Panel } from '../../ui/parts.tsx'
import { Failed, Loading } from '../../ui/states.tsx'
import { ForeignEvidence } from './foreign-evidence.tsx'
import { OpenReview } from './open-review.tsx'
import { AboutBundle, VerdictReport } from './verdict-report.tsx'

/** @param file a bundle to begin with: dropped on the window, or opened from the system */
export function VerifyBundle({ file }: { readonly file?: string | undefined }) {
  const [path, setPath] = useState<string | null>(null)
  const [trust, setTrust] = useState<string | null>(null)
  const [jobId, setJobId] = useState<string | null>(null)
  const [dragging, setDragging] = useState(false)
  const verify = useAction('verify.file')
  const job = useJob(jobId)
  const report = useOperation('verify.report', { job_id: jobId ?? '' }, { enabled: job?.state === 'done' })
  const run = (file: string, folder: string | null) => {
    setPath(file)
    setJobId(null)
    verify.mutate({ path: file, ...(folder === null ? {} : { trust: folder }) }, { onSuccess: ({ job_id }) => setJobId(job_id) })
  }
  const latest = useRef(run)
  latest.current = run
  useEffect(() => {
    if (file !== undefined) latest.current(file, null)
  }, [file])
  const pick = async () => {
    const { paths } = await shell('shell.pickFile', {
      title: 'Verify a bundle',
      filters: [{ name: 'Affidavit bundle', extensions: ['zip', 'affidavit'] }]
    })
    if (paths[0] !== undefined) run(paths[0], trust)
  }
  /** Any of the confirmed files names the folder they lie in. */
  const pickTrust = async () => {
    const { paths } = await shell('shell.pickFile', { title: 'Choose log.vkey or allowed_signers confirmed outside the bundle' })
    const folder = paths[0]?.replace(/[/\\][^/\\]*$/, '')
    if (folder === undefined) return
    setTrust(folder)
    if (path !== null) run(path, folder)
  }
  const onDrop = (event: DragEvent) => {
    event.preventDefault()
    setDragging(false)
    const file = event.dataTransfer.files[0]
    const dropped = file ? pathOf(file) : ''
    if (dropped !== '') run(dropped, trust)
  }
  const failed = verify.error ?? (job?.state === 'failed' ? new Error(job.error?.message ?? '') : null)
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is a second way to what the button does.
    <div
      className={cx('exports', dragging && 'drop-here')}
      onDragOver={(event) => {
        event.preventDefault()
        setDragging(true)
      }}
      onDragLeave={() => setDragging(false)}
      onDrop={onDrop}
    >
      <div className="main-column">
        <div className="row">
          <Button variant={path === null ? 'filled' : 'default'} onClick={() => void pick()}>
            {path === null ? 'Choose a bundle…' : 'Another bundle…'}
          </Button>
          <Button variant="default" onClick={() => void pickTrust()}>
            {trust === null ? 'Confirmed keys…' : 'Other confirmed keys…'}
          </Button>
          <span className="dim small clip">
            {trust === null ? 'Without keys confirmed outside the bundle the signer stays unconfirmed.' : `Keys from ${trust}`}
          </span>
        </div>
        {failed ? (
          <Note is="broken">
            <b>This file could not be verified.</b> {job?.error?.message ?? messageOf(failed)}
          </Note>
        ) : job?.state === 'running' ? (
          <Panel title="Verifying">
            <Progress value={job.total ? (100 * job.done) / job.total : 0} aria-label="Verification" />
          </Panel>
        ) : report.data ? (
          <>
            {path !== null && report.data.kind !== 'invalid' && <OpenReview path={path} trust={trust} />}
            <VerdictReport report={report.data} />
          </>
        ) : report.isError ? (
          <Failed what="The verdict cannot be read" error={report.error} />
        ) : path === null ? (
          <>
            <Panel title="Nothing is opened yet">
              <p className="soft" style={{ maxWidth: '72ch' }}>
                Choose a bundle or drop one here. It is read, checked in six steps and not stored; nothing in it is executed. Verification
                works offline. A bundle that is not invalid can then be looked through: records, proofs and drift verdicts in the same
                views.
              </p>
            </Panel>
            <ForeignEvidence />
          </>
        ) : (
          <Loading what="Opening the bundle" />
        )}
      </div>
      <div className="side-column">{report.data && <AboutBundle report={report.data} />}</div>
    </div>
  )
}
