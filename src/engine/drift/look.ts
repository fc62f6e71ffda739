// SPDX-License-Identifier: Apache-2.0
import { createHash, randomUUID } from 'node:crypto'
import type { Baseline, VerdictNumbers } from '../../shared/contract/drift.ts'
import type { Settings } from '../../shared/contract/workspace.ts'
import type { AlertBody, BaselineBody, LookBody, LookSettingsBody, ValueFeature, WindowBody } from '../../shared/event/drift-bodies.ts'
import { type JsonValue, jcs } from '../../shared/evidence/jcs.ts'
import { explainRate, explainValues } from '../../shared/stats/explain.ts'
import { FEATURES } from '../../shared/stats/features.ts'
import { DEFAULT_LOOK_SETTINGS, groupAlarms, runLook } from '../../shared/stats/look.ts'
import type { LookResult, LookSettings, Series, Verdict } from '../../shared/stats/look-types.ts'
import type { Actor, DraftPart, LeafDraft } from '../ledger/draft.ts'
import type { StoredHistory } from './listings.ts'
import { rateOf, tableOf } from './windows.ts'

/** One series of a look before it is judged. */
export interface LookInput {
  readonly model: string
  readonly source: string
  readonly baseline: Baseline
  readonly reference: BaselineBody
  readonly current: WindowBody
}

/** A look with everything that its leaves hold. */
export interface JudgedLook {
  readonly result: LookResult
  readonly body: LookBody
  readonly bodySha256: string
  /** Alarmed features by series, strongest first. */
  readonly alarms: readonly {
    readonly model: string
    readonly source: string
    readonly baseline: string
    readonly score: number
    readonly features: readonly VerdictNumbers[]
  }[]
}

/** The decimal that reads back to the same double, as leaves hold it. */
export const decimal = (value: number): string => String(value).replace('e+', 'e')

/** RFC 8785 bytes of a body and their SHA-256, as a part of a leaf. */
export function bodyPart(body: object): { readonly part: DraftPart; readonly sha256: string } {
  const data = Buffer.from(jcs(body as unknown as JsonValue), 'utf8')
  return { part: { name: 'body', media: 'application/json', data }, sha256: createHash('sha256').update(data).digest('hex') }
}

export const settingsBody = (settings: Settings): LookSettingsBody => ({
  looks_per_false_alarm: settings.looks_per_false_alarm,
  effect_floor: settings.effect_floor,
  error_rate_floor: settings.error_rate_floor,
  min_current: settings.min_current,
  min_reference: settings.min_reference,
  procedure: settings.procedure
})

const lookSettings = (settings: LookSettingsBody): LookSettings => ({
  ...DEFAULT_LOOK_SETTINGS,
  floor: settings.effect_floor,
  errorFloor: settings.error_rate_floor,
  looksPerFalseAlarm: settings.looks_per_false_alarm,
  procedure: settings.procedure,
  minCurrent: settings.min_current,
  minReference: settings.min_reference
})

function seriesOf(input: LookInput, history: readonly StoredHistory[]): Series[] {
  const { model, source, reference, current } = input
  return FEATURES.map((feature): Series => {
    const past = history.find((one) => one.model === model && one.source === source && one.feature === feature.name)
    const name = { model, source, ...(past ? { history: past } : {}) }
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
  if (verdict.state === 'collecting') return `Collecting: ${verdict.m} current and ${verdict.n} reference requests so far.`
  if (verdict.feature === 'error_rate')
    return explainRate({ reference: rateOf(input.reference.window), current: rateOf(input.current), lowerBound: verdict.l }).headline
  const feature = verdict.feature as ValueFeature
  const reference = tableOf(input.reference.window, feature)
  const current = tableOf(input.current, feature)
  return explainValues({ feature, reference, current, dLocation: verdict.dLocation ?? 0, d: verdict.d, lowerBound: verdict.l }).headline
}

/** A verdict in the form of the contract. */
export function numbersOf(verdict: Verdict, input: LookInput): VerdictNumbers {
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

/** Judges all series of a look (DRIFT steps 4 to 6). Pure: the same input gives the same digits. */
export function judge(
  inputs: readonly LookInput[],
  history: readonly StoredHistory[],
  settings: LookSettingsBody,
  query: string
): JudgedLook {
  const result = runLook(
    inputs.flatMap((input) => seriesOf(input, history)),
    lookSettings(settings)
  )
  const perSeries = FEATURES.length
  const series = inputs.map((input, i) => ({
    model: input.model,
    source: input.source,
    baseline_id: input.baseline.id,
    baseline_seq: input.baseline.seq,
    baseline_sha256: input.baseline.hash,
    current: input.current,
    verdicts: result.verdicts
      .slice(i * perSeries, (i + 1) * perSeries)
      .map((verdict) => ({ numbers: numbersOf(verdict, input), fired: verdict.fired }))
  }))
  const body: LookBody = { settings, query, series }
  const alarms = groupAlarms(result.verdicts).map((group) => {
    const found = series.find((one) => one.model === group.model && one.source === group.source)
    const features = (found?.verdicts ?? []).map((one) => one.numbers).filter((numbers) => numbers.alarmed)
    return { model: group.model, source: group.source, baseline: found?.baseline_id ?? '', score: group.driftScore, features }
  })
  return { result, body, bodySha256: bodyPart(body).sha256, alarms }
}

/** The leaf of a look. */
export function lookDraft(
  look: JudgedLook,
  actor: Actor,
  trigger: 'person' | 'schedule',
  span: { readonly from: number; readonly to: number }
): { readonly draft: LeafDraft; readonly id: string } {
  const id = randomUUID()
  const { part, sha256 } = bodyPart(look.body)
  const { result } = look
  return {
    id,
    draft: {
      type: 'drift.look',
      actor,
      data: {
        look_id: id,
        trigger,
        from_seq: span.from,
        to_seq: span.to,
        tests: result.tests,
        collecting: result.verdicts.length - result.tests,
        alarmed: result.alarms,
        level: decimal(result.level),
        threshold: decimal(result.threshold),
        procedure: look.body.settings.procedure,
        body_sha256: sha256
      },
      parts: [part]
    }
  }
}

/** The leaf that opens an alert. */
export function alertDraft(
  alarm: JudgedLook['alarms'][number],
  actor: Actor,
  lookSeq: number
): { readonly draft: LeafDraft; readonly id: string } {
  const id = randomUUID()
  const body: AlertBody = { features: alarm.features }
  return {
    id,
    draft: {
      type: 'drift.alert',
      actor,
      data: {
        alert_id: id,
        look: lookSeq,
        model: alarm.model,
        source: alarm.source,
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
