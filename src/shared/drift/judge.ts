// SPDX-License-Identifier: Apache-2.0
// What a look decides (DRIFT steps 4 to 7). Pure: the same input gives the same digits, in the engine, the command line and the page.
import type { VerdictNumbers } from '../contract/drift.ts'
import type {
  HistoryBody,
  LookBody,
  LookSettingsBody,
  ReferenceBody,
  SeriesBody,
  SeriesReference,
  ValueFeature,
  WindowBody
} from '../event/drift-bodies.ts'
import type { CountTable } from '../stats/count-table.ts'
import { explainRate, explainValues, formatNumber } from '../stats/explain.ts'
import { FEATURES } from '../stats/features.ts'
import { runLook } from '../stats/look.ts'
import type { LookResult, LookSettings, Series, SeriesHistory, Verdict } from '../stats/look-types.ts'
import { rateOf, tableOf } from './window.ts'

/** One series of a look before it is judged. `history` has one entry per feature that was tested before against this reference. */
export interface LookInput {
  readonly model: string
  readonly source: string
  readonly reference: SeriesReference
  /** The table of the reference. */
  readonly against: WindowBody
  /** The reference in full when no earlier leaf holds it. */
  readonly fresh: ReferenceBody | null
  /** Records from this leaf on are judged. */
  readonly since: number
  readonly current: WindowBody
  readonly history: Readonly<Record<string, HistoryBody | null | undefined>>
}

/** The settings of a stored look in the form of the statistics. */
export const lookSettings = (settings: LookSettingsBody): LookSettings => ({
  alpha: settings.alpha,
  k: settings.k,
  stepBudget: settings.step_budget,
  floor: settings.effect_floor,
  errorFloor: settings.error_rate_floor,
  looksPerFalseAlarm: settings.looks_per_false_alarm,
  procedure: settings.procedure,
  minCurrent: settings.min_current,
  minReference: settings.min_reference
})

const historyOf = (past: HistoryBody): SeriesHistory => ({
  looks: past.looks,
  maxUnalarmedL: past.max_unalarmed_l,
  maxD: past.max_d,
  previousFired: past.previous_fired
})

/** One table of a window is read once, however often it is asked for. */
class Tables {
  readonly #known = new Map<WindowBody, Map<ValueFeature, CountTable>>()
  of(window: WindowBody, feature: ValueFeature): CountTable {
    const tables = this.#known.get(window) ?? new Map<ValueFeature, CountTable>()
    this.#known.set(window, tables)
    const table = tables.get(feature) ?? tableOf(window, feature)
    tables.set(feature, table)
    return table
  }
}

function seriesOf(input: LookInput, tables: Tables): Series[] {
  const { model, source, against, current } = input
  return FEATURES.map((feature): Series => {
    const past = input.history[feature.name]
    const name = { model, source, ...(past ? { history: historyOf(past) } : {}) }
    if (feature.kind === 'fisher')
      return { ...name, kind: 'fisher', feature: feature.name, reference: rateOf(against), current: rateOf(current) }
    return {
      ...name,
      kind: 'ks',
      feature: feature.name,
      reference: tables.of(against, feature.name),
      current: tables.of(current, feature.name)
    }
  })
}

function sentenceOf(verdict: Verdict, input: LookInput, tables: Tables): string {
  if (verdict.state === 'collecting')
    return `Collecting: ${formatNumber(verdict.m)} current and ${formatNumber(verdict.n)} reference requests so far.`
  if (verdict.feature === 'error_rate')
    return explainRate({ reference: rateOf(input.against), current: rateOf(input.current), lowerBound: verdict.l }).headline
  const feature: ValueFeature = verdict.feature
  return explainValues({
    feature,
    reference: tables.of(input.against, feature),
    current: tables.of(input.current, feature),
    dLocation: verdict.dLocation ?? 0,
    d: verdict.d,
    lowerBound: verdict.l
  }).headline
}

/** A verdict in the form of the contract. */
function numbersOf(verdict: Verdict, sentence: string): VerdictNumbers {
  const common = {
    feature: verdict.feature,
    state: verdict.state,
    n: verdict.n,
    m: verdict.m,
    minimum_effect: verdict.minimumDetectable ?? null,
    alarmed: verdict.alarmed,
    reasons: [...verdict.reasons],
    sentence
  }
  if (verdict.state === 'collecting') return { ...common, d: null, l: null, p: null, q: null, method: null }
  return {
    ...common,
    d: verdict.d,
    l: verdict.l,
    p: verdict.p,
    q: Math.min(1, verdict.q),
    method: verdict.feature === 'error_rate' ? 'fisher' : verdict.method
  }
}

/** What was decided, and the body that says so. */
export interface Judgement {
  readonly result: LookResult
  readonly body: LookBody
}

/**
 * Judges all series of a look at once.
 * @param query the canonical filter that the current records had to meet, '' for none
 * @throws StatsError stats.bad_table: a stored table is none
 */
export function judgeSeries(inputs: readonly LookInput[], settings: LookSettingsBody, query: string): Judgement {
  const tables = new Tables()
  const result = runLook(
    inputs.flatMap((input) => seriesOf(input, tables)),
    lookSettings(settings)
  )
  const perSeries = FEATURES.length
  const references: Record<string, ReferenceBody> = {}
  const series = inputs.map((input, i): SeriesBody => {
    if (input.fresh) references[input.reference.sha256] = input.fresh
    return {
      model: input.model,
      source: input.source,
      reference: input.reference,
      since: input.since,
      current: input.current,
      verdicts: result.verdicts.slice(i * perSeries, (i + 1) * perSeries).map((verdict) => ({
        numbers: numbersOf(verdict, sentenceOf(verdict, input, tables)),
        fired: verdict.fired,
        history: input.history[verdict.feature] ?? null
      }))
    }
  })
  return { result, body: { settings, query, references, series } }
}
