// SPDX-License-Identifier: Apache-2.0
import { effectLowerBound, minimumDetectableGap, minimumDetectableRise } from './effect.ts'
import { falseDiscovery } from './fdr.ts'
import { FEATURES } from './features.ts'
import { fisherExactP, newcombeLowerBound } from './fisher.ts'
import { ksTables } from './ks.ts'
import type { AlarmGroup, LookResult, LookSettings, Reason, Series, SeriesHistory, TestedVerdict, Verdict } from './look-types.ts'

/** Hourly looks, one false alarm a week at most. */
export const DEFAULT_LOOK_SETTINGS: LookSettings = {
  alpha: 0.05,
  k: 4,
  floor: 0.1,
  errorFloor: 0.02,
  looksPerFalseAlarm: 168,
  procedure: 'BH',
  minCurrent: 50,
  minReference: 200,
  stepBudget: 2e7
}

/** L from which one look is enough. */
export const LARGE_EFFECT = 0.3
/** Looks of history below which the gate is open. */
export const GATE_LOOKS = 14
/** Factor by which L must exceed what the series showed while it did not alarm. */
export const GATE_FACTOR = 1.25
/** D from which a gap beyond all earlier ones passes the gate. */
export const GATE_DISTANCE = 0.5
/** Exact p-values are computed where the asymptotic one is within this factor of the threshold. */
export const EXACT_FACTOR = 100

interface Measured {
  readonly series: Series
  readonly d: number
  readonly dLocation: number | undefined
  readonly direction: TestedVerdict['direction']
  readonly p: number
  readonly method: 'exact' | 'asymptotic'
  readonly l: number
  readonly n: number
  readonly m: number
}

const sizes = (series: Series): { readonly n: number; readonly m: number } => ({ n: series.reference.total, m: series.current.total })

const measure = (series: Series, settings: LookSettings): Measured => {
  const { n, m } = sizes(series)
  if (series.kind === 'fisher') {
    const { reference, current } = series
    const change = current.errors / m - reference.errors / n
    return {
      series,
      d: Math.abs(change),
      dLocation: undefined,
      direction: change > 0 ? 'higher' : change < 0 ? 'lower' : 'none',
      p: fisherExactP(reference, current),
      method: 'exact',
      l: newcombeLowerBound(reference, current, settings.alpha / settings.k),
      n,
      m
    }
  }
  const { d, dLocation, dSign, p, method } = ksTables(series.reference, series.current, { maxSteps: 0 })
  return {
    series,
    d,
    dLocation,
    direction: d === 0 ? 'none' : dSign === 1 ? 'higher' : 'lower',
    p,
    method,
    l: effectLowerBound(d, n, m, settings),
    n,
    m
  }
}

// Exact p-values go to the series nearest to the threshold first: there they can change the decision.
const refine = (measured: readonly Measured[], settings: LookSettings, level: number) => {
  const { threshold } = falseDiscovery(
    measured.map((one) => one.p),
    level,
    settings.procedure
  )
  const distance = measured.map((one) => Math.abs(Math.log(one.p / threshold)))
  const candidates = measured
    .map((_, index) => index)
    .filter((index) => measured[index]?.method === 'asymptotic' && (distance[index] ?? 0) <= Math.log(EXACT_FACTOR))
    .sort((a, b) => (distance[a] ?? 0) - (distance[b] ?? 0) || a - b)
  const refined = [...measured]
  let exactSteps = 0
  let exactTests = 0
  for (const index of candidates) {
    const one = measured[index]
    if (one === undefined || one.series.kind !== 'ks') continue
    const result = ksTables(one.series.reference, one.series.current, { maxSteps: settings.stepBudget - exactSteps })
    if (result.method !== 'exact') continue
    exactSteps += result.steps
    exactTests++
    refined[index] = { ...one, p: result.p, method: 'exact' }
  }
  return { refined, exactSteps, exactTests }
}

const gate = (history: SeriesHistory | undefined, d: number, l: number): Reason => {
  if (history === undefined || history.looks < GATE_LOOKS) return 'gate_short_history'
  if (l > GATE_FACTOR * history.maxUnalarmedL) return 'gate_beyond_usual'
  return d >= GATE_DISTANCE && d > history.maxD ? 'gate_record_gap' : 'gate_closed'
}

/** Least effects of one look. They hang on the sizes alone, which the features of a series, and often many series, share. */
class LeastEffects {
  readonly #settings: LookSettings
  readonly #pThreshold: number
  readonly #known = new Map<string, number | undefined>()
  constructor(settings: LookSettings, pThreshold: number) {
    this.#settings = settings
    this.#pThreshold = pThreshold
  }

  of(series: Series): number | undefined {
    const { alpha, k, floor, errorFloor, minimumEffect } = this.#settings
    if (minimumEffect === false) return undefined
    const { n, m } = sizes(series)
    const key = series.kind === 'ks' ? `${n} ${m}` : `${n} ${m} ${series.reference.errors}`
    if (this.#known.has(key)) return this.#known.get(key)
    const rule = { alpha, k, pThreshold: this.#pThreshold }
    const least =
      series.kind === 'ks'
        ? minimumDetectableGap(n, m, { ...rule, floor })
        : minimumDetectableRise(series.reference, m, { ...rule, floor: errorFloor })
    this.#known.set(key, least)
    return least
  }
}

const decide = (one: Measured, q: number, threshold: number, settings: LookSettings, least: LeastEffects): TestedVerdict => {
  const { series, d, l, p } = one
  const floor = series.kind === 'ks' ? settings.floor : settings.errorFloor
  const unmet: Reason[] = []
  const met: Reason[] = []
  const note = (holds: boolean, yes: Reason, no: Reason): void => {
    if (holds) met.push(yes)
    else unmet.push(no)
  }
  note(p <= threshold, 'p_below_threshold', 'p_above_threshold')
  note(l >= floor, 'effect_at_floor', 'effect_below_floor')
  const passed = gate(series.history, d, l)
  note(passed !== 'gate_closed', passed, 'gate_closed')
  const fired = unmet.length === 0
  if (fired) {
    if (l >= LARGE_EFFECT) met.push('large_effect')
    else if (series.history?.previousFired === true) met.push('second_look')
    else if (settings.immediate === true) met.push('immediate')
    else unmet.push('waiting_for_second_look')
  }
  const alarmed = unmet.length === 0
  return {
    state: 'tested',
    model: series.model,
    source: series.source,
    feature: series.feature,
    n: one.n,
    m: one.m,
    d,
    dLocation: one.dLocation,
    direction: one.direction,
    p,
    q,
    method: one.method,
    l,
    minimumDetectable: least.of(series),
    fired,
    alarmed,
    reasons: alarmed ? met : unmet
  }
}

/**
 * One look: tests every series that has enough observations, adjusts over all of them and decides. Pure and deterministic:
 * the same input gives the same result. A series alarms when p is at or below the step-up threshold at level
 * 1 / looksPerFalseAlarm over the whole look, L reaches the floor, the gate is open (short history, or L beyond 1.25 times
 * what the series showed unalarmed, or a record gap of at least 0.5), and L is at least 0.3 or the look before fired too.
 * While nothing drifts at most one look in `looksPerFalseAlarm` alarms: with BH under positive dependence, with BY always.
 */
export function runLook(series: readonly Series[], settings: LookSettings = DEFAULT_LOOK_SETTINGS): LookResult {
  const level = 1 / settings.looksPerFalseAlarm
  const lacking = (one: Series): readonly Reason[] => {
    const { n, m } = sizes(one)
    const reasons: Reason[] = []
    if (m < Math.max(1, settings.minCurrent)) reasons.push('too_few_current')
    if (n < Math.max(1, settings.minReference)) reasons.push('too_few_reference')
    return reasons
  }
  const measured = series.filter((one) => lacking(one).length === 0).map((one) => measure(one, settings))
  const { refined, exactSteps, exactTests } = refine(measured, settings, level)
  const family = falseDiscovery(
    refined.map((one) => one.p),
    level,
    settings.procedure
  )
  const least = new LeastEffects(settings, family.threshold)
  const tested = refined.map((one, index) => decide(one, family.q[index] ?? 1, family.threshold, settings, least))
  let next = 0
  const verdicts = series.map((one): Verdict => {
    const reasons = lacking(one)
    const decision = reasons.length === 0 ? tested[next++] : undefined
    if (decision !== undefined) return decision
    return {
      state: 'collecting',
      model: one.model,
      source: one.source,
      feature: one.feature,
      ...sizes(one),
      minimumDetectable: least.of(one),
      fired: false,
      alarmed: false,
      reasons
    }
  })
  const alarms = verdicts.filter((one) => one.alarmed).length
  return { verdicts, level, threshold: family.threshold, tests: refined.length, alarms, exactSteps, exactTests }
}

/** The alarmed series gathered by (model, source), in the order of first appearance. */
export function groupAlarms(verdicts: readonly Verdict[]): readonly AlarmGroup[] {
  const groups = new Map<string, TestedVerdict[]>()
  for (const one of verdicts) {
    if (one.state !== 'tested' || !one.alarmed) continue
    const key = JSON.stringify([one.model, one.source])
    const list = groups.get(key)
    if (list === undefined) groups.set(key, [one])
    else list.push(one)
  }
  return [...groups.values()].flatMap((list) => {
    const [first] = list
    if (first === undefined) return []
    const features = FEATURES.map((feature) => feature.name).filter((name) => list.some((one) => one.feature === name))
    const driftScore = Math.max(...list.map((one) => one.l))
    return [{ model: first.model, source: first.source, driftScore, driftedFeatures: features.join(','), features }]
  })
}
