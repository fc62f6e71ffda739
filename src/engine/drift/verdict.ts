// SPDX-License-Identifier: Apache-2.0
import type { Baseline, DriftFeature, DriftVerdict, VerdictNumbers } from '../../shared/contract/drift.ts'
import type { BaselineBody, LookBody, ValueFeature } from '../../shared/event/drift-bodies.ts'
import { type CountTable, countTableToJson, ecdf } from '../../shared/stats/count-table.ts'
import { companions } from '../../shared/stats/distances.ts'
import { explainRate, explainValues } from '../../shared/stats/explain.ts'
import { INVESTIGATION_STEPS, ksTables } from '../../shared/stats/ks.ts'
import { quantileShift, quantileTable } from '../../shared/stats/quantile-table.ts'
import { bodyPart } from './look.ts'
import { rateOf, tableOf } from './windows.ts'

export interface VerdictInput {
  readonly alertId: string | null
  readonly look: {
    readonly seq: number
    readonly time: string
    readonly sha256: string
    readonly threshold: number
    readonly level: number
    readonly tests: number
    readonly fromSeq: number
    readonly toSeq: number
  }
  readonly body: LookBody
  readonly series: LookBody['series'][number]
  readonly baseline: Baseline
  readonly reference: BaselineBody
  readonly feature: DriftFeature
}

const MOST_POINTS = 2_000
const units: Record<DriftFeature, string> = {
  latency: 'ms',
  token_usage: 'tokens',
  response_length: 'characters',
  error_rate: 'share of requests'
}

/** Steps of a distribution function, thinned evenly in probability; the place of the gap is always kept. */
function steps(table: CountTable, keep: number): { x: number; y: number }[] {
  const size = table.values.length
  const every = Math.max(1, Math.ceil(size / (MOST_POINTS - 2)))
  const out: { x: number; y: number }[] = []
  for (let i = 0; i < size; i++) {
    const x = table.values[i] ?? 0
    if (i % every !== 0 && i !== size - 1 && x !== keep) continue
    out.push({ x, y: (table.cumulative[i] ?? 0) / table.total })
  }
  return out
}

const hashOf = (table: CountTable): string => bodyPart(countTableToJson(table)).sha256
const side = (estimate: { readonly value: number; readonly low: number | undefined; readonly high: number | undefined }) => ({
  estimate: estimate.value,
  low: estimate.low ?? null,
  high: estimate.high ?? null
})

/**
 * Everything the investigation shows of one feature, computed from the stored tables alone: the same input gives the same digits.
 * The p-value is exact here wherever the larger budget of a single investigation allows.
 */
export function driftVerdict(input: VerdictInput, numbers: VerdictNumbers): DriftVerdict {
  const { look, body, series, baseline, reference, feature } = input
  const base = {
    alert_id: input.alertId,
    look_seq: look.seq,
    look_time: look.time,
    model: series.model,
    source: series.source,
    unit: units[feature],
    reference: baseline,
    current: { from: series.current.from, to: series.current.to, from_seq: look.fromSeq, to_seq: look.toSeq, query: body.query },
    settings: {
      level: look.level,
      threshold: look.threshold,
      procedure: body.settings.procedure,
      tests: look.tests,
      looks_per_false_alarm: body.settings.looks_per_false_alarm
    }
  }
  if (feature === 'error_rate') {
    const before = rateOf(reference.window)
    const after = rateOf(series.current)
    const words =
      before.total > 0 && after.total > 0
        ? explainRate({ reference: before, current: after, lowerBound: numbers.l ?? 0 })
        : { headline: numbers.sentence, detail: '' }
    return {
      ...base,
      numbers,
      headline: words.headline,
      detail: words.detail,
      ecdf: { reference: [], current: [] },
      gap: null,
      quantiles: [],
      shift: [],
      counts: { reference_errors: before.errors, reference_total: before.total, current_errors: after.errors, current_total: after.total },
      companions: { psi: null, js: null, wasserstein_log: null },
      hashes: { reference_table: bodyPart(before).sha256, current_table: bodyPart(after).sha256, look_body: look.sha256 }
    }
  }
  const before = tableOf(reference.window, feature as ValueFeature)
  const after = tableOf(series.current, feature as ValueFeature)
  const hashes = { reference_table: hashOf(before), current_table: hashOf(after), look_body: look.sha256 }
  if (before.total === 0 || after.total === 0) {
    return {
      ...base,
      numbers,
      headline: numbers.sentence,
      detail: '',
      ecdf: { reference: [], current: [] },
      gap: null,
      quantiles: [],
      shift: [],
      counts: null,
      companions: { psi: null, js: null, wasserstein_log: null },
      hashes
    }
  }
  const test = ksTables(before, after, { maxSteps: INVESTIGATION_STEPS })
  const exact: VerdictNumbers = numbers.state === 'tested' ? { ...numbers, p: test.p, method: test.method } : numbers
  const words = explainValues({
    feature: feature as ValueFeature,
    reference: before,
    current: after,
    dLocation: test.dLocation,
    d: test.d,
    lowerBound: numbers.l ?? 0
  })
  const away = companions(before, after)
  return {
    ...base,
    numbers: exact,
    headline: words.headline,
    detail: words.detail,
    ecdf: { reference: steps(before, test.dLocation), current: steps(after, test.dLocation) },
    gap: { x: test.dLocation, reference: ecdf(before, test.dLocation), current: ecdf(after, test.dLocation) },
    quantiles: quantileTable(before, after).map((row) => ({ q: row.p, before: side(row.before), after: side(row.after) })),
    shift: quantileShift(before, after).map((row) => ({ q: row.p, ...side(row) })),
    counts: null,
    companions: { psi: away.psi, js: away.js, wasserstein_log: away.wassersteinLog },
    hashes
  }
}
