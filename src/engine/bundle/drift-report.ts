// SPDX-License-Identifier: Apache-2.0
// The report of one drift alert: the verdict in words, the numbers, the plot they come from, what was done about it.
import type { DriftAlert, DriftVerdict } from '../../shared/contract/drift.ts'
import { type Markup, markup } from '../../shared/report/markup.ts'
import { bulletList, dataTable, factTable, paragraph, reportPage, section, together } from '../../shared/report/page.ts'
import { P_FLOOR, probability } from '../../shared/stats/kolmogorov.ts'

const count = (n: number): string => n.toLocaleString('en-US')
const second = (time: string | null): string => (time === null ? 'none' : `${time.slice(0, 10)} ${time.slice(11, 19)} UTC`)
const three = (value: number | null): string => (value === null ? '\u2013' : value.toFixed(3))
const figure = (value: number | null): string =>
  value === null ? 'open' : Math.abs(value) >= 100 ? count(Math.round(value)) : String(Number(value.toPrecision(3)))
const name = (feature: string): string => `${feature.charAt(0).toUpperCase()}${feature.slice(1).replaceAll('_', ' ')}`

const WIDE = 640
const HIGH = 240
const LEFT = 44
const BOTTOM = 30
const TOP = 12

type Steps = DriftVerdict['ecdf']['reference']

/** Round values between two powers of ten: 1, 2 and 5 of each decade, or whole decades where those are many. */
function roundTicks(low: number, high: number): number[] {
  const steps = high - low > 2.5 ? [1] : [1, 2, 5]
  const ticks: number[] = []
  for (let decade = Math.floor(low); decade <= high; decade++)
    for (const step of steps) {
      const x = step * 10 ** decade
      if (Math.log10(x) >= low - 1e-9 && Math.log10(x) <= high + 1e-9) ticks.push(x)
    }
  // A narrow range holds no round value: its ends say where it is.
  return ticks.length >= 2 ? ticks : [10 ** low, 10 ** high]
}

/** Both distribution functions on a logarithmic axis; dashes and words tell them apart, not colour. */
function plot({ ecdf, gap, unit }: DriftVerdict): Markup {
  const xs = [...ecdf.reference, ...ecdf.current].map((one) => one.x).filter((x) => x > 0)
  if (xs.length === 0) return markup``
  const low = Math.log10(Math.min(...xs))
  const high = Math.max(low + 1e-9, Math.log10(Math.max(...xs)))
  const at = (x: number): number => LEFT + ((Math.log10(Math.max(x, 10 ** low)) - low) / (high - low)) * (WIDE - LEFT - 8)
  const up = (y: number): number => TOP + (1 - y) * (HIGH - TOP - BOTTOM)
  const path = (steps: Steps): string => {
    let before = 0
    const parts = [`M${LEFT} ${up(0).toFixed(1)}`]
    for (const { x, y } of steps) {
      parts.push(`L${at(x).toFixed(1)} ${up(before).toFixed(1)}L${at(x).toFixed(1)} ${up(y).toFixed(1)}`)
      before = y
    }
    // To the edge: a curve that has reached the top stays there.
    return `${parts.join('')}L${WIDE - 8} ${up(before).toFixed(1)}`
  }
  const ticks = roundTicks(low, high)
  const marked =
    gap === null
      ? markup``
      : markup`<line x1="${at(gap.x).toFixed(1)}" x2="${at(gap.x).toFixed(1)}" y1="${up(gap.reference).toFixed(1)}" y2="${up(gap.current).toFixed(1)}" stroke="#191b1d" stroke-width="2"/>`
  return markup`<figure><svg viewBox="0 0 ${WIDE} ${HIGH}" width="${WIDE}" height="${HIGH}" role="img" aria-label="Share of calls up to each value, reference and current">
<g font-family="sans-serif" font-size="10" fill="#45494d">${[0, 0.25, 0.5, 0.75, 1].map((y) => markup`<line x1="${LEFT}" x2="${WIDE - 8}" y1="${up(y).toFixed(1)}" y2="${up(y).toFixed(1)}" stroke="#e3e3de"/><text x="${LEFT - 6}" y="${(up(y) + 3).toFixed(1)}" text-anchor="end">${Math.round(y * 100)} %</text>`)}
${ticks.map((x) => markup`<text x="${at(x).toFixed(1)}" y="${HIGH - 12}" text-anchor="${at(x) > WIDE - 40 ? 'end' : 'middle'}">${figure(x)}</text>`)}</g>
<path d="${path(ecdf.reference)}" fill="none" stroke="#62666a" stroke-width="1.4" stroke-dasharray="5 3"/>
<path d="${path(ecdf.current)}" fill="none" stroke="#1d4f91" stroke-width="1.8"/>${marked}</svg>
<figcaption>Share of calls up to each value${unit === '' ? '' : `, ${unit}`}, logarithmic axis. Dashed: reference. Solid: current. Upright bar: the largest gap.</figcaption></figure>
`
}

const range = ({ estimate, low, high }: { readonly estimate: number; readonly low: number | null; readonly high: number | null }): string =>
  `${figure(estimate)} (${figure(low)} to ${figure(high)})`

/** The p that the look itself decided by, where the report has an exact one. */
const atLook = (alert: DriftAlert, { numbers }: DriftVerdict): string => {
  const p = alert.features.find(({ feature }) => feature === numbers.feature)?.p ?? null
  return p === null || numbers.p === null || numbers.method !== 'exact' || probability(p, 3) === probability(numbers.p, 3)
    ? ''
    : ` The look, which has less time, decided by the asymptotic p = ${probability(p, 3)} that its leaf holds.`
}

function featureSection(alert: DriftAlert, verdict: DriftVerdict): Markup {
  const { numbers, counts, quantiles } = verdict
  const judged = together(
    markup`<h2>${name(numbers.feature)}</h2>`,
    paragraph(markup`<b>${verdict.headline}</b>`),
    paragraph(verdict.detail),
    dataTable(
      (['p', 'q', 'D, gap seen', 'L, lower bound', 'n, reference', 'm, current', 'least effect'] as const).map((one) => ({
        name: one,
        kind: 'number' as const
      })),
      [
        [
          numbers.p === null ? '\u2013' : probability(numbers.p, 3),
          numbers.q === null ? '\u2013' : `${numbers.p !== null && numbers.p <= P_FLOOR ? '\u2264 ' : ''}${numbers.q.toPrecision(3)}`,
          three(numbers.d),
          three(numbers.l),
          count(numbers.n),
          count(numbers.m),
          three(numbers.minimum_effect)
        ]
      ]
    ),
    plot(verdict)
  )
  const rest = [
    counts === null
      ? markup``
      : paragraph(
          `Errors: ${count(counts.reference_errors)} of ${count(counts.reference_total)} in the reference, ${count(counts.current_errors)} of ${count(counts.current_total)} now.`
        ),
    quantiles.length === 0
      ? markup``
      : dataTable(
          [
            { name: 'Quantile', kind: 'short' },
            { name: `Reference${verdict.unit === '' ? '' : `, ${verdict.unit}`}` },
            { name: `Current${verdict.unit === '' ? '' : `, ${verdict.unit}`}` }
          ],
          quantiles.map((one) => [`${Math.round(one.q * 100)} %`, range(one.before), range(one.after)])
        ),
    paragraph(
      markup`<span class="soft small">${numbers.method === 'exact' ? 'Exact two-sample Kolmogorov-Smirnov test on tied data' : numbers.method === 'fisher' ? 'Fisher\u2019s exact test' : 'Two-sample Kolmogorov-Smirnov test, asymptotic'}; ${count(verdict.settings.tests)} tests in the look, ${verdict.settings.procedure}, level ${verdict.settings.level.toPrecision(3)}.${atLook(alert, verdict)} Tables: reference <code>${verdict.hashes.reference_table}</code>, current <code>${verdict.hashes.current_table}</code>, look <code>${verdict.hashes.look_body}</code>.</span>`
    )
  ]
  return markup`${judged}${rest}`
}

/** @param verdicts one for each feature that was judged, in their order */
export function driftReportHtml(alert: DriftAlert, verdicts: readonly DriftVerdict[], origin: string, sample: boolean): string {
  const [first] = verdicts
  return reportPage({
    title: `Drift of ${alert.model} as called by ${alert.source}`,
    sub: `Alert of ${second(alert.timestamp)}, leaf ${count(alert.seq)}. Log ${origin}.`,
    notice: sample ? 'SAMPLE: generated data, no evidence.' : undefined,
    body: [
      section(
        'Verdict',
        bulletList(
          verdicts.map((one) => `${name(one.numbers.feature)}: ${one.numbers.alarmed ? 'alarmed' : 'not alarmed'}. ${one.headline}`)
        ),
        factTable([
          ['State', alert.state],
          ['Look', `leaf ${count(alert.look_seq)}${first ? `, ${second(first.look_time)}` : ''}`],
          [
            'Reference',
            first
              ? `\u201c${first.reference.name}\u201d, ${count(first.reference.records)} records, ${second(first.reference.from)} to ${second(first.reference.to)}`
              : ''
          ],
          [
            'Current window',
            first
              ? `${second(first.current.from)} to ${second(first.current.to)}, leaves ${count(first.current.from_seq)} to ${count(first.current.to_seq)}`
              : ''
          ]
        ])
      ),
      ...verdicts.map((one) => featureSection(alert, one)),
      section(
        'What was done',
        dataTable(
          [
            { name: 'Time', kind: 'short' },
            { name: 'Leaf', kind: 'number' },
            { name: 'What', kind: 'short' },
            { name: 'By', kind: 'short' },
            { name: 'Note' }
          ],
          alert.history.map((step) => [second(step.time), count(step.seq), step.what, step.actor, step.note])
        )
      ),
      section(
        'How to check',
        paragraph(
          'The verdict can be recomputed from the two count tables named by their hashes; they are in the bodies of the look and of the baseline, whose leaves a bundle of these records carries with their proofs. The record says what was measured, not why it changed.'
        ),
        paragraph(
          'The foot of a printed copy names what it was drawn from. A checkpoint: a bundle exported at that size holds it as proof/checkpoint, its second line the number of leaves, its third the root. A tag manifest: sha256sum tagmanifest-sha256.txt, in the bundle that was opened.'
        )
      )
    ]
  })
}
