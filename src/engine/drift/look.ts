// SPDX-License-Identifier: Apache-2.0
// What a look decided in the form of the engine, and the leaves that say so (DRIFT steps 4 to 7).
import { randomUUID } from 'node:crypto'
import type { DriftLook, VerdictNumbers } from '../../shared/contract/drift.ts'
import type { Settings } from '../../shared/contract/workspace.ts'
import { judgeSeries, type LookInput } from '../../shared/drift/judge.ts'
import type { AlertBody, BaselineBody, LookBody, LookSettingsBody } from '../../shared/event/drift-bodies.ts'
import { leafLabel } from '../../shared/event/parts.ts'
import { type JsonValue, jcs } from '../../shared/evidence/jcs.ts'
import { DEFAULT_LOOK_SETTINGS, groupAlarms } from '../../shared/stats/look.ts'
import { bodyPart, textPart } from '../ledger/body-part.ts'
import type { Actor, DraftPart, LeafDraft } from '../ledger/draft.ts'

/** The alarmed features of one series. `baseline` is the id of its reference. */
export interface Alarm {
  readonly model: string
  readonly source: string
  readonly baseline: string
  /** The largest L of the alarmed features. */
  readonly score: number
  readonly features: readonly VerdictNumbers[]
  /** What the leaf of its alert holds encrypted. */
  readonly body: DraftPart
}

/** An alarm with the body of its alert: made on the reader thread, where hundreds of them hold nobody up. */
export const alarmOf = (alarm: Omit<Alarm, 'body'>): Alarm => {
  const { model, source, features } = alarm
  return { ...alarm, body: bodyPart({ model, source, features } satisfies AlertBody).part }
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

/** What made a look happen. */
export type LookTrigger = DriftLook['trigger']

/** The decimal that reads back to the same double, as leaves hold it. */
export const decimal = (value: number): string => String(value)

/** The settings of a look as its body holds them. */
export const settingsBody = (
  settings: Pick<Settings, 'looks_per_false_alarm' | 'effect_floor' | 'error_rate_floor' | 'min_current' | 'min_reference' | 'procedure'>
): LookSettingsBody => ({
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

/**
 * RFC 8785 text of the body of a look. Its references are most of it and were written once already, to be hashed: their texts are taken
 * where they are given.
 */
export function lookText(body: LookBody, texts: ReadonlyMap<string, string>): string {
  const { query, references, series, settings, ...rest } = body
  rest satisfies Record<string, never>
  const json = (value: unknown): string => jcs(value as JsonValue)
  const held = Object.keys(references)
    .sort()
    .map((hash) => `${json(hash)}:${texts.get(hash) ?? json(references[hash])}`)
  return `{"query":${json(query)},"references":{${held.join(',')}},"series":${json(series)},"settings":${json(settings)}}`
}

/**
 * Judges all series of a look at once.
 * @param query the canonical filter that the current records had to meet, '' for none
 * @param toSeq records before this leaf were judged
 * @param texts RFC 8785 texts of fresh references by their hash, where they are at hand
 */
export function judge(
  inputs: readonly LookInput[],
  settings: LookSettingsBody,
  query: string,
  toSeq: number,
  texts: ReadonlyMap<string, string> = new Map()
): JudgedLook {
  const { result, body } = judgeSeries(inputs, settings, query)
  const { series } = body
  const { part, sha256 } = textPart(lookText(body, texts))
  const alarms = groupAlarms(result.verdicts).flatMap((group): Alarm[] => {
    const found = series.find((one) => one.model === group.model && one.source === group.source)
    if (!found) return []
    const features = found.verdicts.map((one) => one.numbers).filter((numbers) => numbers.alarmed)
    return [alarmOf({ model: group.model, source: group.source, baseline: found.reference.id, score: group.driftScore, features })]
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
        baseline_id: one.reference.id,
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
export function lookDraft(look: JudgedLook, actor: Actor, trigger: LookTrigger): { readonly draft: LeafDraft; readonly id: string } {
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
      parts: [alarm.body]
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
