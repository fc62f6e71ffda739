// SPDX-License-Identifier: Apache-2.0
// One verdict in colour, shape and words; six steps in fixed wording; what it rests on, or what to do.
import { Button, Progress } from '@mantine/core'
import { type DragEvent, useState } from 'react'
import type { VerifyReport } from '../../../shared/contract/exports.ts'
import { headline, stepWord, whatToDo } from '../../../shared/evidence/verdict-words.ts'
import { pathOf, shell } from '../../client/bridge.ts'
import { messageOf, useAction, useJob, useOperation } from '../../client/hooks.ts'
import { bytes, count, fixed, moment } from '../../ui/format.ts'
import { cx, Facts, Hash, Mark, type Meaning, Note, Panel } from '../../ui/parts.tsx'
import { Failed, Loading } from '../../ui/states.tsx'

export function VerifyBundle() {
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
  const pick = async () => {
    const { paths } = await shell('shell.pickFile', {
      title: 'Verify a bundle',
      filters: [{ name: 'Affidavit bundle', extensions: ['zip'] }]
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
          <Button onClick={() => void pick()}>{path === null ? 'Choose a bundle…' : 'Another bundle…'}</Button>
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
          <Report report={report.data} />
        ) : report.isError ? (
          <Failed what="The verdict cannot be read" error={report.error} />
        ) : path === null ? (
          <Panel title="Nothing is opened yet">
            <p className="soft" style={{ maxWidth: '72ch' }}>
              Choose a bundle or drop one here. It is read, checked in six steps and not stored; nothing in it is executed. Verification
              works offline.
            </p>
          </Panel>
        ) : (
          <Loading what="Opening the bundle" />
        )}
      </div>
      <div className="side-column">{report.data && <About report={report.data} />}</div>
    </div>
  )
}

const meaning: Record<VerifyReport['steps'][number]['state'], Meaning> = {
  pass: 'holds',
  fail: 'broken',
  not_checked: 'pending',
  absent: 'none'
}
const verdictMeaning: Record<VerifyReport['kind'], Meaning> = {
  valid: 'holds',
  consistent: 'attention',
  invalid: 'broken',
  unchecked: 'attention'
}

function Report({ report }: { readonly report: VerifyReport }) {
  const { kind, verdict, steps, bundle } = report
  const [title, detail] = headline({ kind, verdict, steps, records: bundle.records, withheld: bundle.withheld })
  const passed = report.steps.filter((step) => step.state === 'pass').length
  return (
    <>
      <section className={`verdict-box verdict-${report.kind}`} aria-label="Verdict" aria-live="polite">
        <Mark is={verdictMeaning[kind]} size={40} />
        <div>
          <h2>{title}</h2>
          <p>{detail}</p>
          <p className="soft small">
            Verdict: <span className="mono">{report.verdict}</span>
          </p>
        </div>
      </section>
      <Panel title="Six steps" sub={`${passed} passed · ${fixed(report.seconds, 1)} s · offline`} flush>
        <ol>
          {report.steps.map((step) => (
            <li key={step.number} className={cx('verify-step', step.state === 'fail' && 'failed')}>
              <span className="dim">{step.number}</span>
              <Mark is={meaning[step.state]} />
              <span className="strong">{step.title}</span>
              <div>
                <span className="soft">{step.summary}</span>
                {step.reasons.slice(0, 10).map((reason) => (
                  <div key={`${reason.code} ${reason.subject} ${reason.message}`} className="reasons">
                    {reason.subject !== undefined && <span className="mono">{reason.subject} </span>}
                    {reason.message}
                  </div>
                ))}
                {step.reasons.length > 10 && <div className="reasons dim">and {count(step.reasons.length - 10)} more</div>}
              </div>
              <span className={`right strong state-${meaning[step.state]}`}>{stepWord[step.state]}</span>
            </li>
          ))}
        </ol>
      </Panel>
      {report.kind === 'invalid' ? (
        <Panel title="What to do">
          <ol className="numbered">
            {whatToDo.map((sentence) => (
              <li key={sentence}>{sentence}</li>
            ))}
          </ol>
        </Panel>
      ) : (
        <Panel title="What this verdict rests on">
          <ol className="numbered">
            {report.memory.state !== 'off' && <li>{report.memory.message}</li>}
            {report.rests_on.map((sentence) => (
              <li key={sentence}>{sentence}</li>
            ))}
          </ol>
        </Panel>
      )}
    </>
  )
}

function About({ report }: { readonly report: VerifyReport }) {
  const { bundle, file } = report
  const known = (value: string | null) => value ?? 'not readable'
  return (
    <Panel title="Bundle">
      <p className="strong clip" title={file.name}>
        {file.name}
      </p>
      {bundle.sample && <Note is="attention">SAMPLE: generated data, no evidence.</Note>}
      <Facts
        width={92}
        rows={[
          ['Size', bytes(file.bytes)],
          ['Written', bundle.written === null ? 'not readable' : moment(bundle.written)],
          [
            'From',
            <span key="o" className="mono">
              {known(bundle.origin)}
            </span>
          ],
          ['For', known(bundle.recipient)],
          ['Purpose', known(bundle.purpose)],
          ['Filter', bundle.query === '' ? 'everything' : known(bundle.query)],
          ['Records', bundle.records === null ? 'not readable' : count(bundle.records)],
          ['Leaves', bundle.leaves === null ? 'not readable' : count(bundle.leaves)],
          ['Tree size', bundle.size === null ? 'not readable' : count(bundle.size)],
          ['Withheld', bundle.withheld === null ? 'not readable' : `${count(bundle.withheld)} parts`],
          ['SHA-256', <Hash key="s" value={file.sha256} label="bundle SHA-256" />],
          ['Log key', bundle.log_key === null ? 'not readable' : <Hash key="l" value={bundle.log_key} label="log key fingerprint" />],
          [
            'Export key',
            bundle.export_key === null ? 'not readable' : <Hash key="e" value={bundle.export_key} label="export key fingerprint" />
          ]
        ]}
      />
    </Panel>
  )
}
