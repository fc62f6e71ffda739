// SPDX-License-Identifier: Apache-2.0
// What a look decides and the leaves that say so (DRIFT steps 4 to 7). Pure: the same input gives the same digits.
import { randomUUID } from 'node:crypto'
import type { Baseline, DriftLook, VerdictNumbers } from '../../shared/contract/drift.ts'
import type { Settings } from '../../shared/contract/workspace.ts'
import type {
  AlertBody,
  BaselineBody,
  HistoryBody,
  LookBody,
  LookSettingsBody,
  ValueFeature,
  WindowBody
} from '../../shared/event/drift-bodies.ts'
import { leafLabel } from '../../shared/event/parts.ts'
import { explainRate, explainValues, formatNumber } from '../../shared/stats/explain.ts'
import { FEATURES } from '../../shared/stats/features.ts'
import { DEFAULT_LOOK_SETTINGS, groupAlarms, runLook } from '../../shared/stats/look.ts'
import type { LookSettings, Series, SeriesHistory, Verdict } from '../../shared/stats/look-types.ts'
import { bodyPart } from '../ledger/body-part.ts'
import type { Actor, DraftPart, LeafDraft } from '../ledger/draft.ts'
import { rateOf, tableOf } from './windows.ts'

/** One series of a look before it is judged. `history` has one entry per feature that was tested before against this baseline. */
export interface LookInput {
  readonly model: string
  readonly source: string
  readonly baseline: Pick<Baseline, 'id' | 'seq' | 'hash'>
  readonly reference: BaselineBody
  /** Records from this leaf on are judged. */
  readonly since: number
  readonly current: WindowBody
  readonly history: Readonly<Record<string, HistoryBody | undefined>>
}

/** The alarmed features of one series. `baseline` is the id of its reference. */
export interface Alarm {
  readonly model: string
  readonly source: string
  readonly baseline: string
  /** The largest L of the alarmed features. */
  readonly score: number
  readonly features: readonly VerdictNumbers[]
}

/** A look with everything that its leaves hold; plain data, so that it can cross threads. */
export interface JudgedLook {
  readonly figures: Pick<DriftLook, 'tests' | 'collecting' | 'alarmed' | 'level' | 'threshold' | 'series'>
  readonly procedure: 'BH' | 'BY'
  /** Current records of all series together. */
  readonly records: number
  /** Records from the first of these leaves on, and before the second, were judged. */
  readonly fromSeq: number
  readonly toSeq: number
  readonly body: DraftPart
  readonly bodySha256: string
  /** In the order of the series. */
  readonly alarms: readonly Alarm[]
}

/** The decimal that reads back to the same double, as leaves hold it. */
export const decimal = (value: number): string => String(value)

/** The settings of a look as its body holds them. */
export const settingsBody = (settings: Settings): LookSettingsBody => ({
  alpha: DEFAULT_LOOK_SETTINGS.alpha,
  k: DEFAULT_LOOK_SETTINGS.k,
  step_budget: DEFAULT_LOOK_SETTINGS.stepBudget,
  looks_per_false_alarm: settings.looks_per_false_alarm,
  effect_floor: settings.effect_floor,
  error_rate_floor: settings.error_rate_floor,
  min_current: settings.min_current,
  min_reference: settings.min_reference,
  procedure: settings.procedure
})

const lookSettings = (settings: LookSettingsBody): LookSettings => ({
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

function seriesOf(input: LookInput): Series[] {
  const { model, source, reference, current } = input
  return FEATURES.map((feature): Series => {
    const past = input.history[feature.name]
    const name = { model, source, ...(past ? { history: historyOf(past) } : {}) }
    if (feature.kind === 'fisher')
      return { ...name, kind: 'fisher', feature: feature.name, reference: rateOf(reference.window), current: rateOf(current) }
    return {
      ...name,
      kind: 'ks',
      feature: feature.name,
      reference: tableOf(reference.window, feature.name),
      current: tableOf(current, feature.name)
    }
  })
}

function sentenceOf(verdict: Verdict, input: LookInput): string {
  if (verdict.state === 'collecting')
    return `Collecting: ${formatNumber(verdict.m)} current and ${formatNumber(verdict.n)} reference requests so far.`
  if (verdict.feature === 'error_rate')
    return explainRate({ reference: rateOf(input.reference.window), current: rateOf(input.current), lowerBound: verdict.l }).headline
  const feature: ValueFeature = verdict.feature
  const reference = tableOf(input.reference.window, feature)
  const current = tableOf(input.current, feature)
  return explainValues({ feature, reference, current, dLocation: verdict.dLocation ?? 0, d: verdict.d, lowerBound: verdict.l }).headline
}

/** A verdict in the form of the contract. */
function numbersOf(verdict: Verdict, input: LookInput): VerdictNumbers {
  const common = {
    feature: verdict.feature,
    state: verdict.state,
    n: verdict.n,
    m: verdict.m,
    minimum_effect: verdict.minimumDetectable ?? null,
    alarmed: verdict.alarmed,
    reasons: [...verdict.reasons],
    sentence: sentenceOf(verdict, input)
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

/**
 * Judges all series of a look at once.
 * @param query the canonical filter that the current records had to meet, '' for none
 * @param toSeq records before this leaf were judged
 */
export function judge(inputs: readonly LookInput[], settings: LookSettingsBody, query: string, toSeq: number): JudgedLook {
  const result = runLook(inputs.flatMap(seriesOf), lookSettings(settings))
  const perSeries = FEATURES.length
  const series = inputs.map((input, i) => ({
    model: input.model,
    source: input.source,
    baseline_id: input.baseline.id,
    baseline_seq: input.baseline.seq,
    baseline_sha256: input.baseline.hash,
    since: input.since,
    current: input.current,
    verdicts: result.verdicts.slice(i * perSeries, (i + 1) * perSeries).map((verdict) => ({
      numbers: numbersOf(verdict, input),
      fired: verdict.fired,
      history: input.history[verdict.feature] ?? null
    }))
  }))
  const body: LookBody = { settings, query, series }
  const { part, sha256 } = bodyPart(body)
  const alarms = groupAlarms(result.verdicts).flatMap((group): Alarm[] => {
    const found = series.find((one) => one.model === group.model && one.source === group.source)
    if (!found) return []
    const features = found.verdicts.map((one) => one.numbers).filter((numbers) => numbers.alarmed)
    return [{ model: group.model, source: group.source, baseline: found.baseline_id, score: group.driftScore, features }]
  })
  return {
    figures: {
      tests: result.tests,
      collecting: result.verdicts.length - result.tests,
      alarmed: result.alarms,
      level: result.level,
      threshold: result.threshold,
      series: series.map((one) => ({
        model: one.model,
        source: one.source,
        baseline_id: one.baseline_id,
        numbers: one.verdicts.map((verdict) => verdict.numbers)
      }))
    },
    procedure: settings.procedure,
    records: inputs.reduce((sum, input) => sum + input.current.records, 0),
    fromSeq: inputs.length === 0 ? toSeq : Math.min(...inputs.map((input) => input.since)),
    toSeq,
    body: part,
    bodySha256: sha256,
    alarms
  }
}

/** The leaf of a look, with the id it gives the look. */
export function lookDraft(
  look: JudgedLook,
  actor: Actor,
  trigger: 'person' | 'schedule'
): { readonly draft: LeafDraft; readonly id: string } {
  const id = randomUUID()
  const { tests, collecting, alarmed, level, threshold } = look.figures
  return {
    id,
    draft: {
      type: 'drift.look',
      actor,
      data: {
        look_id: id,
        trigger,
        from_seq: look.fromSeq,
        to_seq: look.toSeq,
        tests,
        collecting,
        alarmed,
        level: decimal(level),
        threshold: decimal(threshold),
        procedure: look.procedure,
        body_sha256: look.bodySha256
      },
      parts: [look.body]
    }
  }
}

/** The leaf that opens an alert, with the id it gives the alert. Names that are no plain labels are in its body only. */
export function alertDraft(alarm: Alarm, actor: Actor, lookSeq: number): { readonly draft: LeafDraft; readonly id: string } {
  const id = randomUUID()
  const body: AlertBody = { model: alarm.model, source: alarm.source, features: alarm.features }
  return {
    id,
    draft: {
      type: 'drift.alert',
      actor,
      data: {
        alert_id: id,
        look: lookSeq,
        model: leafLabel(alarm.model),
        source: leafLabel(alarm.source),
        score: decimal(alarm.score),
        features: alarm.features.map((one) => ({
          feature: one.feature,
          d: decimal(one.d ?? 0),
          l: decimal(one.l ?? 0),
          p: decimal(one.p ?? 1),
          q: decimal(one.q ?? 1),
          n: one.n,
          m: one.m
        })),
        baseline: alarm.baseline
      },
      parts: [bodyPart(body).part]
    }
  }
}

/** The leaf that pins a baseline, with its id and the hash that looks name it by. */
export function baselineDraft(body: BaselineBody, actor: Actor, toSeq: number): { readonly draft: LeafDraft; readonly id: string } {
  const id = randomUUID()
  const { part, sha256 } = bodyPart(body)
  return {
    id,
    draft: {
      type: 'baseline.set',
      actor,
      data: {
        baseline_id: id,
        model: leafLabel(body.model),
        source: leafLabel(body.source),
        records: body.window.records,
        to_seq: toSeq,
        body_sha256: sha256
      },
      parts: [part]
    }
  }
}
