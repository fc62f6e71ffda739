// SPDX-License-Identifier: Apache-2.0
// The verdict on a bundle: six steps in fixed wording; what it rests on, or what to do.
import { Button } from '@mantine/core'
import { IconDownload } from '@tabler/icons-react'
import type { VerifyReport } from '../../../shared/contract/exports.ts'
import { headline, stepWord, whatToDo } from '../../../shared/evidence/verdict-words.ts'
import { call } from '../../client/bridge.ts'
import { usePrint } from '../../client/print.ts'
import { bytes, count, fixed, listTime, moment } from '../../ui/format.ts'
import { cx, Facts, Fingerprint, Hash, Mark, type Meaning, Note, Panel, State } from '../../ui/parts.tsx'

const meaning: Record<VerifyReport['steps'][number]['state'], Meaning> = {
  pass: 'holds',
  fail: 'broken',
  not_checked: 'pending',
  absent: 'none'
}
export const verdictMeaning: Record<VerifyReport['kind'], Meaning> = {
  valid: 'holds',
  consistent: 'attention',
  invalid: 'broken',
  unchecked: 'attention'
}

/** One verdict in colour, shape and words; the six steps; what it rests on, or what to do. */
export function VerdictReport({
  report,
  jobId,
  file = null
}: {
  readonly report: VerifyReport
  /** Null: of the review that is open. */
  readonly jobId: string | null
  /** The name of the file that was verified. */
  readonly file?: string | null
}) {
  const printing = usePrint()
  const { kind, verdict, steps, bundle } = report
  const [title, detail] = headline({ kind, verdict, steps, records: bundle.records, withheld: bundle.withheld })
  const failed = report.steps.filter((step) => step.state === 'fail').length
  const passed = report.steps.filter((step) => step.state === 'pass').length
  return (
    <>
      <section className={`verdict-box verdict-${report.kind}`} aria-label="Verdict" aria-live="polite">
        <Mark is={verdictMeaning[kind]} size={40} />
        <div>
          <h2>{title}</h2>
          <p>{detail}</p>
          <p className="soft small">
            {file !== null && (
              <>
                File: <span className="mono anywhere">{file}</span> ·{' '}
              </>
            )}
            Verdict: <span className="mono">{report.verdict}</span>
          </p>
        </div>
        <Button
          variant="default"
          size="compact-sm"
          leftSection={<IconDownload size={14} />}
          loading={printing.busy}
          onClick={() => printing.print(() => call('report.verification', { job_id: jobId }))}
        >
          {kind === 'invalid' ? 'Save findings…' : 'Save report…'}
        </Button>
      </section>
      {bundle.sample && (
        <Note is="attention">
          <b>SAMPLE.</b> Generated data, no evidence, whatever the verdict.
        </Note>
      )}
      {printing.saved !== null && (
        <Note is="plain">
          Saved to <span className="mono anywhere">{printing.saved}</span>
        </Note>
      )}
      {printing.error !== null && <Note is="broken">{printing.error}</Note>}
      <Panel
        title="Six steps"
        sub={`${passed} passed${failed === 0 ? '' : `, ${failed} failed`} · ${fixed(report.seconds, 1)} s · offline`}
        flush
      >
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

const recordsOf = ({ records, in_scope }: VerifyReport['bundle']): string =>
  records === null || in_scope === null ? 'not readable' : `${count(records)} of ${count(in_scope)} in scope`

/** What the bundle says of itself, and its digests. */
export function AboutBundle({ report }: { readonly report: VerifyReport }) {
  const { bundle, file } = report
  const known = (value: string | null) => value ?? 'not readable'
  return (
    <Panel title="Bundle">
      <p className="strong clip" title={file.name}>
        {file.name}
      </p>
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
          ['Records', recordsOf(bundle)],
          ...(bundle.range === null ? [] : [['Whole range', `${count(bundle.range.first)} to ${count(bundle.range.last)}`] as const]),
          ...(bundle.left_out ? [['Left out', `${count(bundle.left_out)} restricted`] as const] : []),
          ['Leaves', bundle.leaves === null ? 'not readable' : count(bundle.leaves)],
          ['Tree size', bundle.size === null ? 'not readable' : count(bundle.size)],
          ['Withheld', bundle.withheld === null ? 'not readable' : `${count(bundle.withheld)} parts`],
          ...(file.sha256 === null ? [] : [['SHA-256', <Hash key="s" value={file.sha256} label="bundle SHA-256" />] as const]),
          ...(file.encrypted_sha256 === null
            ? []
            : [['As encrypted', <Hash key="x" value={file.encrypted_sha256} label="SHA-256 of the encrypted file" />] as const]),
          [
            'Tag manifest',
            bundle.tag_manifest_sha256 === null ? (
              'not readable'
            ) : (
              <Hash key="t" value={bundle.tag_manifest_sha256} label="tag manifest SHA-256" />
            )
          ],
          ['Log key', bundle.log_key === null ? 'not readable' : <Fingerprint key="l" value={bundle.log_key} />],
          ['Export key', bundle.export_key === null ? 'not readable' : <Fingerprint key="e" value={bundle.export_key} />]
        ]}
      />
    </Panel>
  )
}

const consistency = (consistent: boolean | null): readonly [Meaning, string] =>
  consistent === null ? ['none', 'not comparable'] : consistent ? ['holds', 'yes'] : ['broken', 'no']

/** The heads of the same log that were seen on this machine, each held against that of the bundle. */
export function HeadsSeen({ report }: { readonly report: VerifyReport }) {
  const { heads } = report.memory
  if (heads.length === 0) return null
  return (
    <Panel title="Heads seen from this instance" flush>
      <table className="table">
        <thead>
          <tr>
            <th>When, UTC</th>
            <th className="right">Size</th>
            <th>Consistent</th>
          </tr>
        </thead>
        <tbody>
          {heads.map(({ seen, size, consistent }) => {
            const [is, word] = consistency(consistent)
            return (
              <tr key={`${seen} ${size}`}>
                <td className="nowrap">{listTime(seen)}</td>
                <td className="right num">{count(size)}</td>
                <td>
                  <State is={is}>{word}</State>
                </td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </Panel>
  )
}
