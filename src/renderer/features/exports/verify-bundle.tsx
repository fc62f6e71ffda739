// SPDX-License-Identifier: Apache-2.0
// A bundle is verified first, its result always in sight; what is not invalid can then be looked through.
import { Button } from '@mantine/core'
import { type DragEvent, useEffect, useRef, useState } from 'react'
import type { BundleKey } from '../../../shared/contract/exports.ts'
import { pathOf, shell } from '../../client/bridge.ts'
import { useAction, useJob, useOperation } from '../../client/hooks.ts'
import { cx, Note, Panel } from '../../ui/parts.tsx'
import { Failed, Loading } from '../../ui/states.tsx'
import { ForeignEvidence } from './foreign-evidence.tsx'
import { LockedBundle } from './locked-bundle.tsx'
import { OpenReview } from './open-review.tsx'
import { AboutBundle, HeadsSeen, VerdictReport } from './verdict-report.tsx'
import { failureOf, Verifying } from './verifying.tsx'

const nameOf = (path: string): string => path.split(/[/\\]/).at(-1) ?? path

/** @param file a bundle to begin with: dropped on the window with `others`, or opened from the system */
export function VerifyBundle({ file, others = 0 }: { readonly file?: string | undefined; readonly others?: number | undefined }) {
  const [path, setPath] = useState<string | null>(null)
  const [trust, setTrust] = useState<string | null>(null)
  // Kept with the verdict, so that the bundle can be looked through without asking again.
  const [key, setKey] = useState<BundleKey | null>(null)
  const [jobId, setJobId] = useState<string | null>(null)
  const [dragging, setDragging] = useState(false)
  const [left, setLeft] = useState(0)
  const verify = useAction('verify.file')
  const job = useJob(jobId)
  const report = useOperation('verify.report', { job_id: jobId ?? '' }, { enabled: job?.state === 'done' })
  const run = (file: string, folder: string | null, opens: BundleKey | null = null) => {
    setPath(file)
    setKey(opens)
    setJobId(null)
    verify.mutate(
      { path: file, ...(folder === null ? {} : { trust: folder }), ...(opens === null ? {} : { key: opens }) },
      { onSuccess: ({ job_id }) => setJobId(job_id) }
    )
  }
  const latest = useRef(run)
  latest.current = run
  useEffect(() => {
    if (file === undefined) return
    latest.current(file, null)
    setLeft(others)
  }, [file, others])
  const pick = async () => {
    const { paths } = await shell('shell.pickFile', {
      title: 'Verify a bundle',
      filters: [{ name: 'Affidavit bundle, also encrypted', extensions: ['zip', 'affidavit', 'age'] }]
    })
    if (paths[0] === undefined) return
    setLeft(0)
    run(paths[0], trust)
  }
  /** Any of the confirmed files names the folder they lie in. */
  const pickTrust = async () => {
    const { paths } = await shell('shell.pickFile', { title: 'Choose log.vkey or allowed_signers confirmed outside the bundle' })
    const folder = paths[0]?.replace(/[/\\][^/\\]*$/, '')
    if (folder === undefined) return
    setTrust(folder)
    if (path !== null) run(path, folder, key)
  }
  const onDrop = (event: DragEvent) => {
    event.preventDefault()
    setDragging(false)
    const paths = [...event.dataTransfer.files].map(pathOf).filter((one) => one !== '')
    const [first] = paths
    if (first === undefined) return
    run(first, trust)
    setLeft(paths.length - 1)
  }
  const failure = failureOf(verify.error, job, key)
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
        {left > 0 && path !== null && (
          <Note is="attention">
            One bundle is verified at a time: this is {nameOf(path)}; {left === 1 ? 'the other file was' : `the other ${left} files were`}{' '}
            left alone.
          </Note>
        )}
        {path !== null && failure?.lock ? (
          <LockedBundle
            key={path}
            name={nameOf(path)}
            lock={failure.lock}
            problem={failure.problem}
            onKey={(opens) => run(path, trust, opens)}
          />
        ) : failure ? (
          <Note is="broken">
            <b>
              <span className="anywhere">{path === null ? 'This file' : nameOf(path)}</span> could not be verified.
            </b>{' '}
            {failure.problem} Nothing was decided about it. Ask who sent it for another copy, or choose another file.
          </Note>
        ) : job?.state === 'running' ? (
          <Verifying job={job} />
        ) : job?.state === 'cancelled' && path !== null ? (
          <Note is="plain">
            <div className="row">
              <span className="grow">Cancelled: nothing was decided about {nameOf(path)}.</span>
              <Button variant="default" size="compact-sm" onClick={() => run(path, trust, key)}>
                Verify again
              </Button>
            </div>
          </Note>
        ) : report.data ? (
          <>
            {path !== null && report.data.kind !== 'invalid' && <OpenReview path={path} trust={trust} bundleKey={key} />}
            <VerdictReport report={report.data} jobId={jobId} file={path === null ? null : nameOf(path)} />
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
      <div className="side-column">
        {report.data && (
          <>
            <AboutBundle report={report.data} />
            <HeadsSeen report={report.data} />
          </>
        )}
      </div>
    </div>
  )
}
