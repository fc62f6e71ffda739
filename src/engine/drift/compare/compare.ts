// SPDX-License-Identifier: Apache-2.0
import type { DriftFeature, VerdictNumbers } from '../../../shared/contract/drift.ts'
import { type DriftComparison, segmentFields } from '../../../shared/contract/drift-compare.ts'
import type { FilterExpression } from '../../../shared/filter/filter.ts'
import { formatFilter } from '../../../shared/filter/format.ts'
import {
  type CountTable,
  countTableToJson,
  EMPTY_COUNT_TABLE,
  ecdf,
  mergeCountTables,
  quantile
} from '../../../shared/stats/count-table.ts'
import { companions } from '../../../shared/stats/distances.ts'
import { requestsNeeded } from '../../../shared/stats/effect.ts'
import { explainRate, explainValues, formatNumber } from '../../../shared/stats/explain.ts'
import { falseDiscovery } from '../../../shared/stats/fdr.ts'
import { FEATURES } from '../../../shared/stats/features.ts'
import { sharedHistogram } from '../../../shared/stats/histogram.ts'
import { INVESTIGATION_STEPS, ksTables } from '../../../shared/stats/ks.ts'
import { runLook } from '../../../shared/stats/look.ts'
import type { LookResult, LookSettings, Series, Verdict } from '../../../shared/stats/look-types.ts'
import { quantileShift, quantileTable } from '../../../shared/stats/quantile-table.ts'
import { isoMs } from '../../catalog/rows.ts'
import { bodyPart } from '../../ledger/body-part.ts'
import type { AnyDb } from '../../sqlite/open.ts'
import { besideTest, tailOf } from '../beside.ts'
import { ecdfPoints } from '../verdict.ts'
import { comparedParameters } from './parameters.ts'
import { type Sample, type SegmentSample, sampleOf, type TokenBasis, tokenBasis } from './samples.ts'

/** What to compare. */
export interface CompareArgs {
  readonly a: FilterExpression
  readonly b: FilterExpression
  readonly feature: DriftFeature
  readonly apart: boolean
  /** Leaves before this one; the catalog has applied them. */
  readonly at: number
  readonly settings: LookSettings
}

const units: Record<DriftFeature, string> = {
  latency: 'ms',
  token_usage: 'tokens',
  response_length: 'characters',
  error_rate: 'share of requests'
}

const side = (estimate: { readonly value: number; readonly low: number | undefined; readonly high: number | undefined }) => ({
  estimate: estimate.value,
  low: estimate.low ?? null,
  high: estimate.high ?? null
})

const rate = (sample: Pick<Sample, 'errors' | 'ended'>) => ({ errors: sample.errors, total: sample.ended })

const seriesOf = (a: Sample, b: Sample): Series[] =>
  FEATURES.map(
    (feature): Series =>
      feature.kind === 'fisher'
        ? { model: '', source: '', kind: 'fisher', feature: feature.name, reference: rate(a), current: rate(b) }
        : { model: '', source: '', kind: 'ks', feature: feature.name, reference: a.tables[feature.name], current: b.tables[feature.name] }
  )

const sentence = (verdict: Verdict, a: Sample, b: Sample): string => {
  if (verdict.state === 'collecting') {
    return `Too few to judge: ${formatNumber(verdict.n)} in A and ${formatNumber(verdict.m)} in B.`
  }
  if (verdict.feature === 'error_rate')
    return explainRate({ sides: 'choices', reference: rate(a), current: rate(b), lowerBound: verdict.l }).headline
  const { feature, d, l } = verdict
  const tables = { reference: a.tables[feature], current: b.tables[feature] }
  return explainValues({ sides: 'choices', feature, ...tables, dLocation: verdict.dLocation ?? 0, d, lowerBound: l }).headline
}

const numbersOf = (look: LookResult, a: Sample, b: Sample): VerdictNumbers[] =>
  look.verdicts.map((verdict) => {
    const { feature, state, n, m, alarmed } = verdict
    const tested = verdict.state === 'tested' ? verdict : undefined
    return {
      feature,
      state,
      n,
      m,
      d: tested?.d ?? null,
      l: tested?.l ?? null,
      p: tested?.p ?? null,
      q: tested === undefined ? null : Math.min(1, tested.q),
      method: tested === undefined ? null : feature === 'error_rate' ? 'fisher' : tested.method,
      minimum_effect: verdict.minimumDetectable ?? null,
      alarmed,
      reasons: [...verdict.reasons],
      sentence: sentence(verdict, a, b)
    }
  })

// The look spends its steps near the threshold; the feature that is looked at gets an exact p wherever the budget allows one.
const withExactP = (
  numbers: readonly VerdictNumbers[],
  feature: DriftFeature,
  a: Sample,
  b: Sample,
  look: LookResult,
  settings: LookSettings
): VerdictNumbers[] => {
  const own = numbers.find((one) => one.feature === feature)
  if (feature === 'error_rate' || own?.method !== 'asymptotic') return [...numbers]
  const test = ksTables(a.tables[feature], b.tables[feature], { maxSteps: INVESTIGATION_STEPS })
  if (test.method !== 'exact') return [...numbers]
  const family = numbers.filter((one) => one.p !== null)
  const { q } = falseDiscovery(
    family.map((one) => (one === own ? test.p : (one.p ?? 1))),
    look.level,
    settings.procedure
  )
  const exact = { ...own, p: test.p, q: Math.min(1, q[family.indexOf(own)] ?? 1), method: test.method }
  return numbers.map((one) => (one === own ? exact : one))
}

const medianOf = (table: CountTable): number | null => (table.total === 0 ? null : quantile(table, 0.5))
const gapOf = (x: CountTable, y: CountTable): number | null => (x.total === 0 || y.total === 0 ? null : ksTables(x, y, { maxSteps: 0 }).d)

/** Fewer values than these on a side of a segment: its D would be noise. */
const LEAST_INSIDE = 5

interface RatePart {
  readonly errors: number
  readonly ended: number
}
const rateGap = (x: RatePart, y: RatePart): number | null =>
  x.ended === 0 || y.ended === 0 ? null : Math.abs(x.errors / x.ended - y.errors / y.ended)

const NOTHING: SegmentSample = { records: 0, errors: 0, ended: 0, first: 0, table: EMPTY_COUNT_TABLE }

/** Every value of every field with few values, except fields in which nothing differs between records. */
function segmentsOf(a: Sample, b: Sample, feature: DriftFeature): DriftComparison['segments'] {
  return segmentFields.flatMap((field) => {
    const before = a.segments.get(field)
    const after = b.segments.get(field)
    if (!before || !after) return []
    const values = [...new Set([...before.keys(), ...after.keys()])].sort()
    if (values.length < 2) return []
    const rows = values.map((value) => {
      const x = before.get(value) ?? NOTHING
      const y = after.get(value) ?? NOTHING
      const others = (parts: ReadonlyMap<string, SegmentSample>): CountTable =>
        [...parts].filter(([name]) => name !== value).reduce((sum, [, part]) => mergeCountTables(sum, part.table), EMPTY_COUNT_TABLE)
      const isRate = feature === 'error_rate'
      const enough = isRate ? Math.min(x.ended, y.ended) >= LEAST_INSIDE : Math.min(x.table.total, y.table.total) >= LEAST_INSIDE
      const without = (all: RatePart, part: RatePart): RatePart => ({ errors: all.errors - part.errors, ended: all.ended - part.ended })
      return {
        field,
        value,
        before: x.records,
        after: y.records,
        share_before: a.records === 0 ? 0 : x.records / a.records,
        share_after: b.records === 0 ? 0 : y.records / b.records,
        median_before: medianOf(x.table),
        median_after: medianOf(y.table),
        d_inside: !enough ? null : isRate ? rateGap(x, y) : gapOf(x.table, y.table),
        d_without: isRate ? rateGap(without(a, x), without(b, y)) : gapOf(others(before), others(after))
      }
    })
    // Nothing is left without a value that one side consists of: such a field says only which records were chosen.
    return rows.some((row) => row.d_without !== null) ? rows : []
  })
}

function besideOf(a: Sample, b: Sample): DriftComparison['beside'] {
  return (['finish', 'served'] as const).flatMap((field) => {
    const before = a.segments.get(field)
    const after = b.segments.get(field)
    if (!before || !after) return []
    const counts = (parts: ReadonlyMap<string, SegmentSample>) => new Map([...parts].map(([value, part]) => [value, part.records]))
    return besideTest(field, counts(before), counts(after)) ?? []
  })
}

/** The value that most records have. */
const usual = (parts: ReadonlyMap<string, SegmentSample>) => [...parts].sort(([, x], [, y]) => y.records - x.records)[0]

/** The model served that most of b has and none of a had, and when the first of them began. */
function servedSwitch(a: Sample, b: Sample): DriftComparison['served_switch'] {
  const before = a.segments.get('served')
  const after = b.segments.get('served')
  const [from] = (before && usual(before)) ?? []
  const [to, { first } = { first: 0 }] = (after && usual(after)) ?? []
  if (from === undefined || to === undefined || to === 'none' || from === 'none' || before?.has(to)) return null
  return { from, to, at: isoMs(first) }
}

const emptyPlots = {
  ecdf: { reference: [], current: [] },
  gap: null,
  histogram: { log: false, bins: [] },
  quantiles: [],
  shift: [],
  companions: { psi: null, js: null, wasserstein_log: null },
  tail: null
} satisfies Partial<DriftComparison>

/** The two distributions of a value feature; neither is empty. */
function plotsOf(before: CountTable, after: CountTable) {
  const { dLocation } = ksTables(before, after, { maxSteps: 0 })
  const away = companions(before, after)
  const histogram = sharedHistogram(before, after)
  return {
    ecdf: { reference: ecdfPoints(before, dLocation), current: ecdfPoints(after, dLocation) },
    gap: { x: dLocation, reference: ecdf(before, dLocation), current: ecdf(after, dLocation) },
    histogram: { log: histogram.log, bins: [...histogram.bins] },
    quantiles: quantileTable(before, after).map((row) => ({ q: row.p, before: side(row.before), after: side(row.after) })),
    shift: quantileShift(before, after).map((row) => ({ q: row.p, ...side(row) })),
    companions: { psi: away.psi, js: away.js, wasserstein_log: away.wassersteinLog },
    tail: tailOf(before, after)
  }
}

/**
 * Two selections of records side by side. Numbers are those of the rule with nothing remembered: one look over these four
 * series, the step budget of an investigation, no history and no second look. Pure apart from reading: the same records and
 * settings give the same digits.
 * @throws AffidavitError cancelled
 */
export function compareSelections(db: AnyDb, args: CompareArgs, cancelled: () => boolean): DriftComparison {
  const { feature, at } = args
  const basis: TokenBasis = tokenBasis(db, { filter: args.a, at })
  const a = sampleOf(db, { filter: args.a, at }, { feature, basis }, cancelled)
  const b = sampleOf(db, { filter: args.b, at, except: args.apart ? args.a : undefined }, { feature, basis }, cancelled)
  const look = runLook(seriesOf(a, b), { ...args.settings, immediate: true, stepBudget: INVESTIGATION_STEPS })
  const numbers = withExactP(numbersOf(look, a, b), feature, a, b, look, args.settings)
  const own = numbers.find((one) => one.feature === feature)
  const shown = (sample: Sample, filter: FilterExpression): DriftComparison['a'] => {
    const hashed = feature === 'error_rate' ? rate(sample) : countTableToJson(sample.tables[feature])
    const { records, from, to, errors, ended } = sample
    return {
      query: formatFilter(filter),
      records,
      from,
      to,
      values: feature === 'error_rate' ? ended : sample.tables[feature].total,
      errors,
      ended,
      table_sha256: bodyPart(hashed).sha256
    }
  }
  const segments = segmentsOf(a, b, feature)
  const d = own?.d ?? (feature === 'error_rate' ? rateGap(a, b) : gapOf(a.tables[feature], b.tables[feature]))
  const lowered = segments.map((one) => (one.d_without === null || d === null ? 0 : d - one.d_without))
  const most = Math.max(0, ...lowered)
  const tables = feature === 'error_rate' ? undefined : { before: a.tables[feature], after: b.tables[feature] }
  const plots = tables && tables.before.total > 0 && tables.after.total > 0 ? plotsOf(tables.before, tables.after) : emptyPlots
  const detail = (): string => {
    if (own?.state !== 'tested') return 'The windows are shown; no verdict is drawn from so few requests.'
    if (!tables) return explainRate({ sides: 'choices', reference: rate(a), current: rate(b), lowerBound: own.l ?? 0 }).detail
    const gap = { dLocation: plots.gap?.x ?? 0, d: own.d ?? 0, lowerBound: own.l ?? 0 }
    return explainValues({
      sides: 'choices',
      feature: feature as Exclude<DriftFeature, 'error_rate'>,
      reference: tables.before,
      current: tables.after,
      ...gap
    }).detail
  }
  const rule = { alpha: args.settings.alpha, k: args.settings.k, floor: args.settings.floor, pThreshold: look.threshold }
  return {
    feature,
    unit: units[feature],
    token_basis: basis,
    a: shown(a, args.a),
    b: shown(b, args.b),
    apart: args.apart,
    at,
    numbers,
    settings: {
      level: look.level,
      threshold: look.threshold,
      procedure: args.settings.procedure,
      tests: look.tests,
      looks_per_false_alarm: args.settings.looksPerFalseAlarm
    },
    headline: own?.sentence ?? '',
    detail: detail(),
    needed: tables && d !== null ? (requestsNeeded(d, tables.before.total, rule) ?? null) : null,
    ...plots,
    beside: besideOf(a, b),
    served_switch: servedSwitch(a, b),
    parameters: comparedParameters(a.parameters, b.parameters),
    segments,
    lowers_most: most > 0 ? lowered.indexOf(most) : null
  }
}
