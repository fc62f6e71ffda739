// SPDX-License-Identifier: Apache-2.0
import type { LookBody } from '../../shared/event/drift-bodies.ts'
import type { Leaf } from '../../shared/evidence/leaf.ts'
import { type LeafData, WEBHOOK_SETTING } from '../../shared/evidence/leaf-data.ts'
import { leftToGate } from '../../shared/stats/series-history.ts'
import type { Statement, WritableDb } from '../sqlite/open.ts'

/** Microseconds of a UTC day: history is kept by day. */
export const DAY_US = 86_400_000_000

interface Waits {
  readonly waits_from: number
  readonly waits_for: string
}

/** Writes for the leaves of drift. */
export function driftStatements(
  db: WritableDb
): Readonly<
  Record<
    'alert' | 'alertState' | 'snooze' | 'step' | 'look' | 'history' | 'series' | 'reference' | 'baseline' | 'webhook' | 'noWebhook',
    Statement<unknown[]>
  > & { waits: Statement<unknown[], Waits> }
> {
  return {
    alert: db.prepare(`
INSERT INTO alert (id, seq, time_us, model, source, state, score, features, look, baseline, changed_seq)
VALUES (?, ?, ?, ?, ?, 'open', ?, ?, ?, ?, ?)`),
    alertState: db.prepare('UPDATE alert SET state = ?, changed_seq = ?, resolved_us = ?, snoozed_until_us = NULL WHERE id = ?'),
    snooze: db.prepare('UPDATE alert SET changed_seq = ?, snoozed_until_us = ? WHERE id = ?'),
    step: db.prepare('INSERT INTO alert_step (seq, alert, time_us, what, actor, note) VALUES (?, ?, ?, ?, ?, ?)'),
    look: db.prepare('INSERT INTO look (seq, id, time_us, cause, to_seq) VALUES (?, ?, ?, ?, ?)'),
    history: db.prepare(`
INSERT INTO look_history (model, source, reference, feature, day, looks, max_l, max_d, last, fired)
VALUES (?, ?, ?, ?, ?, 1, ?, ?, ?, ?)
ON CONFLICT (model, source, reference, feature, day) DO UPDATE SET looks = looks + 1, max_l = max(max_l, excluded.max_l),
  max_d = max(max_d, excluded.max_d), last = max(last, excluded.last), fired = max(fired, excluded.fired)`),
    series: db.prepare(`
INSERT INTO look_series (model, source, reference, look, time_us, judged_to, counted_to, waits_from, waits_for, numbers)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (model, source, reference) DO UPDATE SET look = excluded.look, time_us = excluded.time_us,
  judged_to = max(judged_to, excluded.judged_to), counted_to = max(counted_to, excluded.counted_to), waits_from = excluded.waits_from,
  waits_for = excluded.waits_for, numbers = excluded.numbers`),
    waits: db.prepare<unknown[], Waits>('SELECT waits_from, waits_for FROM look_series WHERE model = ? AND source = ? AND reference = ?'),
    reference: db.prepare('INSERT INTO reference (hash, seq) VALUES (?, ?) ON CONFLICT (hash) DO NOTHING'),
    baseline: db.prepare(`
INSERT INTO baseline (id, seq, time_us, actor, model, source, records, to_seq, hash, name, query, from_us, to_us)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`),
    webhook: db.prepare(`
INSERT INTO webhook (id, seq, time_us, actor, url, enabled)
VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET url = excluded.url, enabled = excluded.enabled`),
    noWebhook: db.prepare('DELETE FROM webhook WHERE id = ?')
  } as const
}
export type DriftStatements = ReturnType<typeof driftStatements>

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')
/** The full name in a body; what the leaf says where the body is gone. */
const nameOf = (value: unknown, label: string): string => (typeof value === 'string' ? value : label)
const microsOf = (value: unknown): number | null => (typeof value === 'string' ? Date.parse(value) * 1000 : null)

type Body = () => Readonly<Record<string, unknown>>

/** Projects a leaf of drift. `bodyOf` decodes its body. */
export function projectDrift(write: DriftStatements, seq: number, leaf: Leaf, bodyOf: Body): void {
  const time = Date.parse(leaf.ts) * 1000
  const actor = leaf.actor.ref
  switch (leaf.type) {
    case 'drift.look':
      projectLook(write, seq, time, leaf.data as LeafData<'drift.look'>, bodyOf() as Partial<LookBody>)
      return
    case 'drift.alert': {
      const data = leaf.data as LeafData<'drift.alert'>
      const body = bodyOf()
      const model = nameOf(body.model, data.model)
      const source = nameOf(body.source, data.source)
      const features = data.features.map((feature) => feature.feature).join(',')
      write.alert.run(data.alert_id, seq, time, model, source, Number(data.score), features, data.look, data.baseline, seq)
      write.step.run(seq, data.alert_id, time, 'opened', actor, '')
      return
    }
    case 'drift.ack':
    case 'drift.resolve': {
      const { alert_id } = leaf.data as LeafData<'drift.ack'>
      const state = leaf.type === 'drift.ack' ? 'acknowledged' : 'resolved'
      write.alertState.run(state, seq, state === 'resolved' ? time : null, alert_id)
      write.step.run(seq, alert_id, time, state, actor, textOf(bodyOf().note))
      return
    }
    case 'drift.snooze': {
      const { alert_id, until, ended } = leaf.data as LeafData<'drift.snooze'>
      write.snooze.run(seq, ended ? null : Date.parse(until) * 1000, alert_id)
      write.step.run(seq, alert_id, time, ended ? 'returned' : 'snoozed', actor, ended ? '' : textOf(bodyOf().note))
      return
    }
    case 'baseline.set': {
      const data = leaf.data as LeafData<'baseline.set'>
      const body = bodyOf()
      write.baseline.run(
        data.baseline_id,
        seq,
        time,
        actor,
        nameOf(body.model, data.model),
        nameOf(body.source, data.source),
        data.records,
        data.to_seq,
        data.body_sha256,
        textOf(body.name),
        textOf(body.query),
        microsOf(body.from),
        microsOf(body.to)
      )
      return
    }
    default:
  }
}

const NOT_WAITING: Waits = { waits_from: 0, waits_for: '' }

/**
 * From where on a series waits for a second look. A person who looks at everything again before that is possible moves the place no further,
 * or looking often would put it off for ever; a look at a chosen time says nothing of it.
 */
function waitsAfter(
  before: Waits = NOT_WAITING,
  { trigger, to_seq }: LeafData<'drift.look'>,
  query: string | undefined,
  since: number,
  verdicts: LookBody['series'][number]['verdicts']
): Waits {
  if (query !== '') return before
  const waiting = verdicts.filter((one) => one.fired && !one.numbers.alarmed).map((one) => one.numbers.feature)
  if (waiting.length === 0) return NOT_WAITING
  const known = before.waits_for.split(',')
  if (trigger === 'person' && since === 0 && waiting.some((feature) => known.includes(feature))) return before
  const fired = verdicts.filter((one) => one.fired).map((one) => one.numbers.feature)
  return { waits_from: to_seq, waits_for: fired.join(',') }
}

function projectLook(write: DriftStatements, seq: number, time: number, data: LeafData<'drift.look'>, body: Partial<LookBody>): void {
  write.look.run(seq, data.look_id, time, data.trigger, data.to_seq)
  for (const hash of Object.keys(body.references ?? {})) write.reference.run(hash, seq)
  const day = Math.floor(time / DAY_US)
  for (const { model, source, reference, since, verdicts } of body.series ?? []) {
    // A window counts as judged by the schedule once it held enough requests to test; a person's look takes nothing away from it.
    const enough = verdicts.some(({ numbers }) => numbers.feature === 'error_rate' && numbers.state === 'tested')
    const judged = data.trigger !== 'person' && enough ? data.to_seq : 0
    const counted = data.trigger === 'count' ? data.to_seq : 0
    const numbers = JSON.stringify(verdicts.map((one) => one.numbers))
    const { waits_from, waits_for } = waitsAfter(write.waits.get(model, source, reference.id), data, body.query, since, verdicts)
    write.series.run(model, source, reference.id, seq, time, judged, counted, waits_from, waits_for, numbers)
    // Somebody who looks at the same records again and again makes no history of them.
    if (data.trigger === 'person') continue
    for (const { numbers, fired } of verdicts) {
      if (numbers.state !== 'tested') continue
      const { feature, alarmed } = numbers
      const { l, d } = leftToGate({ l: numbers.l ?? 0, d: numbers.d ?? 0, fired, alarmed })
      write.history.run(model, source, reference.id, feature, day, l, d, seq, fired ? seq : 0)
    }
  }
}

/** Projects a changed setting that is more than a value: a webhook, whose address is in the body. */
export function projectSetting(write: DriftStatements, seq: number, leaf: Leaf, bodyOf: Body): void {
  const { name, to } = leaf.data as LeafData<'setting.changed'>
  if (name !== WEBHOOK_SETTING) return
  const body = bodyOf() as { readonly url?: unknown; readonly enabled?: unknown; readonly id?: unknown }
  if (to === '') write.noWebhook.run(textOf(body.id))
  else write.webhook.run(textOf(body.id), seq, Date.parse(leaf.ts) * 1000, leaf.actor.ref, textOf(body.url), body.enabled === true ? 1 : 0)
}
