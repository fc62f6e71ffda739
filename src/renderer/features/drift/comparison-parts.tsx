// SPDX-License-Identifier: Apache-2.0
// Parts that an alert and a comparison on demand share: both plots, the histogram, segments, what changed beside, the receipt.
import { Button, CopyButton } from '@mantine/core'
import { type ReactNode, useCallback } from 'react'
import type { VerdictNumbers } from '../../../shared/contract/drift.ts'
import type { DriftComparison } from '../../../shared/contract/drift-compare.ts'
import type { Sides } from '../../../shared/stats/explain.ts'
import type { Tokens } from '../../app/tokens.ts'
import { count, percent, probability } from '../../ui/format.ts'
import { LazyChart } from '../../ui/lazy-chart.tsx'
import { Masked } from '../../ui/masked.tsx'
import { cx, Panel } from '../../ui/parts.tsx'
import { ecdfOption, type PlottedFeature, shiftOption, valueText } from './charts.ts'
import { histogramOption } from './compare-charts.ts'

/** A probability with its exponent set high. */
export const Probability = ({ value }: { readonly value: number | null }) => {
  if (value === null) return <>–</>
  const { text, exponent } = probability(value)
  return (
    <>
      {text}
      {exponent !== null && <sup>{exponent}</sup>}
    </>
  )
}

export const three = (value: number | null): string => (value === null ? '–' : value.toFixed(3))
export const featureName = (feature: string): string => feature.replace('_', ' ')

const methodWords: Record<'exact' | 'asymptotic' | 'fisher', string> = {
  exact: 'p, exact',
  asymptotic: 'p, asymptotic',
  fisher: 'p, Fisher exact'
}

interface NumberStripProps {
  readonly numbers: VerdictNumbers
  /** Tests of the family that q belongs to. */
  readonly tests: number
  /** What n and m count, and the smallest effect is called. */
  readonly names: readonly [n: string, m: string, effect: string]
}

/** The numbers of one feature side by side. */
export function NumberStrip({ numbers, tests, names }: NumberStripProps) {
  const [n, m, effect] = names
  const cells: readonly (readonly [string, ReactNode])[] = [
    [numbers.method === null ? 'p' : methodWords[numbers.method], <Probability key="p" value={numbers.p} />],
    [`q, of ${count(tests)} tests`, <Probability key="q" value={numbers.q} />],
    ['D, gap seen', three(numbers.d)],
    ['L, lower bound', three(numbers.l)],
    [n, count(numbers.n)],
    [m, count(numbers.m)],
    [effect, numbers.minimum_effect === null ? '–' : numbers.minimum_effect.toFixed(2)]
  ]
  return (
    <div className="numbers">
      {cells.map(([name, value]) => (
        <div key={name}>
          <div className="name" title={name}>
            {name}
          </div>
          <div className="value">{value}</div>
        </div>
      ))}
    </div>
  )
}

/** Both distribution functions with the largest gap, and the shift of each quantile. */
export function Distributions({ plotted }: { readonly plotted: PlottedFeature }) {
  const ecdf = useCallback((tokens: Tokens) => ecdfOption(plotted)(tokens), [plotted])
  const shift = useCallback((tokens: Tokens) => shiftOption(plotted)(tokens), [plotted])
  const { numbers, gap, unit } = plotted
  if (!gap) return null
  return (
    <div className="plots">
      <Panel title={`Share of requests up to a ${featureName(numbers.feature)}`} flush level={3}>
        <LazyChart
          option={ecdf}
          label={`Distribution of ${featureName(numbers.feature)}, reference and current; largest gap ${three(numbers.d)} at ${valueText(gap.x, unit)}`}
        />
      </Panel>
      <Panel title="Change at each quantile" sub="with 95 % bands" flush level={3}>
        <LazyChart option={shift} label="Shift of each quantile of the reference with simultaneous 95 % bands" />
      </Panel>
    </div>
  )
}

/** Shares over the same bins, both sides. */
export function HistogramPanel({ found, names }: { readonly found: DriftComparison; readonly names: readonly [string, string] }) {
  const [first, second] = names
  const option = useCallback((tokens: Tokens) => histogramOption(found, [first, second])(tokens), [found, first, second])
  if (found.histogram.bins.length === 0) return null
  return (
    <Panel title="Histogram" sub="share of requests per bin" flush level={3} className="histogram-panel">
      <LazyChart
        option={option}
        label={`Histogram of ${featureName(found.feature)}: ${first} and ${second} over ${count(found.histogram.bins.length)} bins`}
      />
    </Panel>
  )
}

const fieldWords: Record<DriftComparison['segments'][number]['field'] | 'script', string> = {
  script: 'script of the answer',
  served: 'model served',
  finish: 'finish reason',
  status: 'status',
  error: 'error',
  operation: 'operation',
  provider: 'provider',
  model: 'model asked',
  source: 'source'
}

const noneWords = (value: string): string => (value === 'none' ? 'not given' : value)

const lowers = (found: DriftComparison): string => {
  const best = found.lowers_most === null ? undefined : found.segments[found.lowers_most]
  if (best?.d_without == null) return 'no single segment’s removal lowers D'
  return `without ${fieldWords[best.field]} ${noneWords(best.value)} D is ${three(best.d_without)}`
}

/** What the two sides are called: of an alert two times, of a comparison what somebody chose. */
const sideWords: Readonly<Record<Sides, readonly [first: string, second: string]>> = {
  times: ['before', 'now'],
  choices: ['in A', 'in B']
}

/** Every segment with its share, its median, and D inside and without it. The one whose removal lowers D most is marked in words. */
export function SegmentsPanel({ found, sides }: { readonly found: DriftComparison; readonly sides: Sides }) {
  if (found.segments.length === 0)
    return (
      <Panel title="Segments" level={3} className="segments-panel">
        <p className="dim">
          No field cuts the records of both windows into segments: each has one value, too many values, or no value on both sides.
        </p>
      </Panel>
    )
  const isRate = found.feature === 'error_rate'
  const [first, second] = sideWords[sides]
  const value = (median: number | null): string => (median === null ? '–' : valueText(median, found.unit))
  return (
    <Panel title="Segments" sub={lowers(found)} flush level={3} className="segments-panel">
      <table className="table">
        <thead>
          <tr>
            <th>Segment</th>
            <th className="right">Share {first}</th>
            <th className="right">Share {second}</th>
            {!isRate && <th className="right">Median {first}</th>}
            {!isRate && <th className="right">Median {second}</th>}
            <th className="right">D inside</th>
            <th className="right">D without it</th>
          </tr>
        </thead>
        <tbody>
          {found.segments.map((one, i) => (
            <tr key={`${one.field} ${one.value}`}>
              <td className={cx('anywhere', i === found.lowers_most && 'strong')}>
                <span className="dim">{fieldWords[one.field]}</span> <Masked text={noneWords(one.value)} />
              </td>
              <td className="right">{percent(one.share_before)}</td>
              <td className="right">{percent(one.share_after)}</td>
              {!isRate && <td className="right">{value(one.median_before)}</td>}
              {!isRate && <td className="right">{value(one.median_after)}</td>}
              <td className="right">
                {one.d_inside === null ? (
                  <span className="dim">{`${count(Math.min(one.before, one.after))} only`}</span>
                ) : (
                  three(one.d_inside)
                )}
              </td>
              <td className={i === found.lowers_most ? 'right strong' : 'right'}>{three(one.d_without)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Panel>
  )
}

/** Finish reasons, served models, script of the answers and the tail: shown, never deciding. */
export function BesidePanel({
  found,
  sides
}: {
  readonly found: Pick<DriftComparison, 'tail' | 'beside' | 'unit'>
  readonly sides: Sides
}) {
  const { tail, beside, unit } = found
  const [first, second] = sideWords[sides]
  if (tail === null && beside.length === 0) return null
  return (
    <Panel title="Beside it" sub="shown, never alarming" flush level={3} className="beside-panel">
      <table className="table">
        <thead>
          <tr>
            <th>What</th>
            <th>Largest change</th>
            <th className="right">p</th>
            <th>Method</th>
          </tr>
        </thead>
        <tbody>
          {beside.map((one) => (
            <tr key={one.field}>
              <td>{fieldWords[one.field]}</td>
              <td className="anywhere">
                {one.largest === null ? (
                  'the same shares on both sides'
                ) : (
                  <>
                    <Masked text={noneWords(one.largest.value)} />: {percent(one.largest.before)} {first}, {percent(one.largest.after)}{' '}
                    {second}
                  </>
                )}
              </td>
              <td className="right">
                <Probability value={one.p} />
              </td>
              <td className="dim">
                χ² {one.chi_square.toFixed(1)}, {one.method === 'exact' ? 'all tables counted' : '9,999 permutations'}
              </td>
            </tr>
          ))}
          {tail && (
            <tr>
              <td>tail</td>
              <td>
                {count(tail.exceeding)} above {valueText(tail.threshold, unit)}, the reference’s p99: {percent(tail.share)} of current
              </td>
              <td className="right">
                <Probability value={tail.p} />
              </td>
              <td className="dim">exceedances, exact</td>
            </tr>
          )}
        </tbody>
      </table>
    </Panel>
  )
}

/** All inputs and hashes as JSON, to copy and to run again. */
export const CopyReceipt = ({ receipt }: { readonly receipt: object }) => (
  <CopyButton value={JSON.stringify(receipt, null, 2)}>
    {({ copied, copy }) => (
      <Button variant="default" size="compact-sm" onClick={copy}>
        {copied ? 'Receipt copied' : 'Copy receipt'}
      </Button>
    )}
  </CopyButton>
)

/** The receipt of a comparison: the call that gives the same digits again, and what it gave. */
export const comparisonReceipt = (found: DriftComparison): object => ({
  operation: 'drift.compare',
  input: { a: found.a.query, b: found.b.query, feature: found.feature, apart: found.apart, at: found.at },
  tables: { a_sha256: found.a.table_sha256, b_sha256: found.b.table_sha256 },
  settings: found.settings,
  token_basis: found.token_basis,
  numbers: found.numbers.map(({ sentence: _, ...numbers }) => numbers)
})

/** How many requests a gap like this one needs. */
export const neededWords = (found: DriftComparison): string => {
  if (found.gap === null) return ''
  return found.needed === null
    ? 'A gap of this size stays below what this rule finds against this reference, at any number of requests.'
    : `A true gap of this size is found with 80 % power from ${count(found.needed)} current requests on.`
}
