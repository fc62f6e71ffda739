// SPDX-License-Identifier: Apache-2.0
// The verdict on a bundle: six steps in fixed wording; what it rests on, or what to do.
import type { VerifyReport } from '../../../shared/contract/exports.ts'
import { headline, stepWord, whatToDo } from '../../../shared/evidence/verdict-words.ts'
import { bytes, count, fixed, moment } from '../../ui/format.ts'
import { cx, Facts, Hash, Mark, type Meaning, Note, Panel } from '../../ui/parts.tsx'

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
export function VerdictReport({ report }: { readonly report: VerifyReport }) {
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

/** What the bundle says of itself, and its digests. */
export function AboutBundle({ report }: { readonly report: VerifyReport }) {
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
