// SPDX-License-Identifier: Apache-2.0

import type { Baseline, DriftFeature, DriftVerdict, VerdictNumbers } from '../../shared/contract/drift.ts'
import { AffidavitError } from '../../shared/contract/errors.ts'
import { rateOf, tableOf } from '../../shared/drift/window.ts'
import type { BesideCounts, LookBody, ValueFeature, WindowBody } from '../../shared/event/drift-bodies.ts'
import type { LeafData } from '../../shared/evidence/leaf-data.ts'
import { formatFilter } from '../../shared/filter/format.ts'
import { type CountTable, countTableToJson, ecdf, upperBound } from '../../shared/stats/count-table.ts'
import { companions } from '../../shared/stats/distances.ts'
import { explainRate, explainValues } from '../../shared/stats/explain.ts'
import { falseDiscovery } from '../../shared/stats/fdr.ts'
import { INVESTIGATION_STEPS, ksTables } from '../../shared/stats/ks.ts'
import { quantileShift, quantileTable } from '../../shared/stats/quantile-table.ts'
import { bodyPart } from '../ledger/body-part.ts'
import { besideTest, tailOf } from './beside.ts'
import { storedFilter } from './windows.ts'

/** One feature of one series of a look, with what the look and its reference stored. */
export interface VerdictInput {
  readonly alertId: string | null
  readonly look: { readonly seq: number; readonly time: string; readonly data: LeafData<'drift.look'> }
  readonly body: LookBody
  readonly series: LookBody['series'][number]
  readonly baseline: Baseline
  readonly reference: WindowBody
  readonly feature: DriftFeature
}

/** Most points of one distribution function. */
export const MOST_POINTS = 2_000
/** Of these, the ones spread evenly over probability; the others are spread evenly over the distinct values, for the tails. */
const BY_SHARE = 1_500

const units: Record<DriftFeature, string> = {
  latency: 'ms',
  token_usage: 'tokens',
  response_length: 'characters',
  error_rate: 'share of requests'
}

/**
 * Steps (x, F(x)) of a distribution function, at most MOST_POINTS. Where there are more distinct values, no step that is left out
 * lies 1 / 1,500 or more above the kept one before it; first, last and the step at `keep` are always there.
 */
export function ecdfPoints(table: CountTable, keep: number): { x: number; y: number }[] {
  const size = table.values.length
  const every = Math.ceil(size / (MOST_POINTS - BY_SHARE - 4))
  const kept = upperBound(table.values, keep) - 1
  const out: { x: number; y: number }[] = []
  let share = -1
  for (let i = 0; i < size; i++) {
    const cumulative = table.cumulative[i] ?? 0
    const now = Math.floor((cumulative / table.total) * BY_SHARE)
    if (size <= MOST_POINTS || now !== share || i % every === 0 || i === size - 1 || i === kept)
      out.push({ x: table.values[i] ?? 0, y: cumulative / table.total })
    share = now
  }
  return out
}

const hashOf = (value: object): string => bodyPart(value).sha256
const side = (estimate: { readonly value: number; readonly low: number | undefined; readonly high: number | undefined }) => ({
  estimate: estimate.value,
  low: estimate.low ?? null,
  high: estimate.high ?? null
})

/**
 * The numbers with the p-value that the larger budget of a single investigation affords, and the q that belongs to it in the
 * family of the look. Whether it alarmed, and against which threshold, stays as the look decided.
 */
function refined(numbers: VerdictNumbers, test: { readonly p: number; readonly method: 'exact' | 'asymptotic' }, body: LookBody) {
  if (numbers.state !== 'tested' || numbers.method !== 'asymptotic' || test.method !== 'exact') return numbers
  const family = body.series.flatMap((series) => series.verdicts.map((verdict) => verdict.numbers)).filter((one) => one.p !== null)
  const q = falseDiscovery(
    family.map((one) => (one === numbers ? test.p : (one.p ?? 1))),
    1 / body.settings.looks_per_false_alarm,
    body.settings.procedure
  ).q[family.indexOf(numbers)]
  return { ...numbers, p: test.p, q: Math.min(1, q ?? 1), method: test.method }
}

/** A filter that shows the records of the current window; those of the baseline are left out of the window on top of it. */
function windowQuery(input: VerdictInput): string {
  const { series, body, look } = input
  const { terms } = storedFilter(body.query)
  const { from_seq, to_seq } = series.current
  return formatFilter({
    terms: [
      { kind: 'is', field: 'model', value: series.model, negated: false },
      { kind: 'is', field: 'source', value: series.source, negated: false },
      { kind: 'range', field: 'seq', min: from_seq ?? series.since, max: Math.max(0, (to_seq ?? look.data.to_seq) - 1), negated: false },
      ...terms
    ]
  })
}

/** What the windows count beside the features. */
const besideOf = (reference: WindowBody, current: WindowBody): DriftVerdict['beside'] => {
  const counts = (window: WindowBody, field: keyof BesideCounts) => new Map(Object.entries(window.beside[field]))
  return (['finish', 'served', 'script'] as const).flatMap(
    (field) => besideTest(field, counts(reference, field), counts(current, field)) ?? []
  )
}

/**
 * Everything the investigation shows of one feature, computed from the stored tables alone: the same input gives the same digits.
 * @throws AffidavitError not_found: the look has no such feature
 */
export function driftVerdict(input: VerdictInput): DriftVerdict {
  const { look, body, series, baseline, reference, feature } = input
  const numbers = series.verdicts.find((one) => one.numbers.feature === feature)?.numbers
  if (!numbers) throw new AffidavitError('not_found', 'there is no such verdict')
  const { data } = look
  const base = {
    alert_id: input.alertId,
    look_seq: look.seq,
    look_time: look.time,
    model: series.model,
    source: series.source,
    unit: units[feature],
    numbers,
    headline: numbers.sentence,
    detail: '',
    ecdf: { reference: [], current: [] },
    gap: null,
    quantiles: [],
    shift: [],
    counts: null,
    companions: { psi: null, js: null, wasserstein_log: null },
    tail: null,
    beside: besideOf(reference, series.current),
    reference: baseline,
    current: {
      from: series.current.from,
      to: series.current.to,
      from_seq: series.current.from_seq ?? series.since,
      to_seq: series.current.to_seq ?? data.to_seq,
      query: windowQuery(input)
    },
    settings: {
      level: Number(data.level),
      threshold: Number(data.threshold),
      procedure: body.settings.procedure,
      tests: data.tests,
      looks_per_false_alarm: body.settings.looks_per_false_alarm
    }
  } satisfies Omit<DriftVerdict, 'hashes'>
  if (feature === 'error_rate') {
    const before = rateOf(reference)
    const after = rateOf(series.current)
    const words =
      before.total > 0 && after.total > 0 ? explainRate({ reference: before, current: after, lowerBound: numbers.l ?? 0 }) : undefined
    return {
      ...base,
      // While it collects, the sentence says so; a comparison of too few requests would read like a finding.
      ...(words && numbers.state === 'tested' ? { headline: words.headline, detail: words.detail } : {}),
      counts: { reference_errors: before.errors, reference_total: before.total, current_errors: after.errors, current_total: after.total },
      hashes: { reference_table: hashOf(before), current_table: hashOf(after), look_body: data.body_sha256 }
    }
  }
  const before = tableOf(reference, feature)
  const after = tableOf(series.current, feature)
  const hashes = {
    reference_table: hashOf(countTableToJson(before)),
    current_table: hashOf(countTableToJson(after)),
    look_body: data.body_sha256
  }
  if (before.total === 0 || after.total === 0) return { ...base, hashes }
  return { ...base, ...comparison(feature, before, after, numbers, body), hashes }
}

/** The two distributions side by side; neither is empty. */
function comparison(feature: ValueFeature, before: CountTable, after: CountTable, numbers: VerdictNumbers, body: LookBody) {
  const test = ksTables(before, after, { maxSteps: INVESTIGATION_STEPS })
  const { headline, detail } = explainValues({
    feature,
    reference: before,
    current: after,
    dLocation: test.dLocation,
    d: test.d,
    lowerBound: numbers.l ?? 0,
    alpha: body.settings.alpha
  })
  const away = companions(before, after)
  return {
    numbers: refined(numbers, test, body),
    ...(numbers.state === 'tested' ? { headline, detail } : {}),
    ecdf: { reference: ecdfPoints(before, test.dLocation), current: ecdfPoints(after, test.dLocation) },
    gap: { x: test.dLocation, reference: ecdf(before, test.dLocation), current: ecdf(after, test.dLocation) },
    quantiles: quantileTable(before, after).map((row) => ({ q: row.p, before: side(row.before), after: side(row.after) })),
    shift: quantileShift(before, after).map((row) => ({ q: row.p, ...side(row) })),
    companions: { psi: away.psi, js: away.js, wasserstein_log: away.wassersteinLog },
    tail: tailOf(before, after)
  }
}
