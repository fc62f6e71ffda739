// SPDX-License-Identifier: Apache-2.0
import type { ReactNode } from 'react'
import type { DriftFeature, DriftVerdict, VerdictNumbers } from '../../../shared/contract/drift.ts'
import { whyWords } from '../../../shared/drift/reason-words.ts'
import { count } from '../../ui/format.ts'
import { Panel } from '../../ui/parts.tsx'
import { AlertEvidence } from './alert-evidence.tsx'
import { valueText } from './charts.ts'
import { BesidePanel, Distributions, featureName, NumberStrip } from './comparison-parts.tsx'

interface VerdictViewProps {
  /** What the verdict belongs to, and in which state it is. */
  readonly head: ReactNode
  /** Numbers of the features that alarmed, at least. */
  readonly features: readonly VerdictNumbers[]
  readonly verdict: DriftVerdict
  readonly onFeature: (feature: DriftFeature) => void
}

/** The verdict in words, then the numbers, then the plots that the words come from. */
export function VerdictView({ head, features, verdict, onFeature }: VerdictViewProps) {
  const { numbers } = verdict
  return (
    <div className="verdict-view">
      <div>
        <div className="row soft" style={{ fontSize: 12 }}>
          {head}
        </div>
        <h2 className="headline">{verdict.headline}</h2>
        <p className="soft">{verdict.detail}</p>
        <p className="soft">{whyWords(numbers)}</p>
      </div>
      <fieldset className="feature-tabs" style={{ border: 0, margin: 0, padding: 0 }}>
        <legend className="hidden-text">Feature</legend>
        {(['latency', 'token_usage', 'response_length', 'error_rate'] as const).map((feature) => {
          const alarmed = features.some((one) => one.feature === feature && one.alarmed)
          return (
            <button
              key={feature}
              type="button"
              className="chip"
              aria-pressed={feature === numbers.feature}
              style={{
                paddingRight: 8,
                cursor: 'pointer',
                ...(feature === numbers.feature
                  ? { borderColor: 'var(--a-accent)', background: 'var(--a-accent-weak)', color: 'var(--a-accent)', fontWeight: 600 }
                  : { color: 'var(--a-ink2)' })
              }}
              onClick={() => onFeature(feature)}
            >
              {featureName(feature)}
              {alarmed && <span className="dim">alarmed</span>}
            </button>
          )
        })}
      </fieldset>
      <NumberStrip numbers={numbers} tests={verdict.settings.tests} names={['n, reference', 'm, current', 'Min. effect*']} />
      {verdict.gap ? <Distributions plotted={verdict} /> : verdict.counts && <Counts counts={verdict.counts} />}
      <BesidePanel found={verdict} sides="times" />
      <AlertEvidence key={`${verdict.look_seq} ${verdict.model} ${verdict.source} ${numbers.feature}`} verdict={verdict} />
      {verdict.gap && <Quantiles verdict={verdict} />}
    </div>
  )
}

const range = (estimate: DriftVerdict['quantiles'][number]['before'], unit: string): string => {
  const low = estimate.low === null ? 'open' : valueText(estimate.low, unit)
  const high = estimate.high === null ? 'open' : valueText(estimate.high, unit)
  return `${low} to ${high}`
}

const Quantiles = ({ verdict }: { readonly verdict: DriftVerdict }) => (
  <Panel title="Quantiles" sub="all intervals hold at once, 95 %" flush level={3} className="quantiles">
    <table className="table">
      <thead>
        <tr>
          <th>Quantile</th>
          <th className="right">Before</th>
          <th className="right">Interval</th>
          <th className="right">Now</th>
          <th className="right">Interval</th>
        </tr>
      </thead>
      <tbody>
        {verdict.quantiles.map((row) => (
          <tr key={row.q}>
            <td>p{Math.round(row.q * 100)}</td>
            <td className="right">{valueText(row.before.estimate, verdict.unit)}</td>
            <td className="right dim">{range(row.before, verdict.unit)}</td>
            <td className="right strong">{valueText(row.after.estimate, verdict.unit)}</td>
            <td className="right dim">{range(row.after, verdict.unit)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </Panel>
)

const Counts = ({ counts }: { readonly counts: NonNullable<DriftVerdict['counts']> }) => (
  <Panel title="Requests that failed" flush level={3}>
    <table className="table">
      <thead>
        <tr>
          <th>Window</th>
          <th className="right">Failed</th>
          <th className="right">Of</th>
          <th className="right">Share</th>
        </tr>
      </thead>
      <tbody>
        {(
          [
            ['Reference', counts.reference_errors, counts.reference_total],
            ['Current', counts.current_errors, counts.current_total]
          ] as const
        ).map(([name, errors, total]) => (
          <tr key={name}>
            <td>{name}</td>
            <td className="right">{count(errors)}</td>
            <td className="right">{count(total)}</td>
            <td className="right">{total === 0 ? '–' : `${((100 * errors) / total).toFixed(2)} %`}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </Panel>
)
