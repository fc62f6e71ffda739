// SPDX-License-Identifier: Apache-2.0

import type { LookBody } from '../../shared/event/drift-bodies.ts'
import type { Leaf } from '../../shared/evidence/leaf.ts'
import type { LeafData } from '../../shared/evidence/leaf-data.ts'
import type { Statement, WritableDb } from '../sqlite/open.ts'
import type { ContentSource } from '../vault/payload-reader.ts'

/** Writes for leaves that are no calls to a model. */
export function eventStatements(
  db: WritableDb
): Readonly<
  Record<'event' | 'alert' | 'alertState' | 'step' | 'look' | 'verdict' | 'baseline' | 'asked' | 'decided' | 'done', Statement<unknown[]>>
> {
  return {
    event: db.prepare('INSERT INTO event (seq, time_us, type, actor, data) VALUES (?, ?, ?, ?, ?)'),
    alert: db.prepare(`
INSERT INTO alert (id, seq, time_us, model, source, state, score, features, look, baseline, changed_seq)
VALUES (?, ?, ?, ?, ?, 'open', ?, ?, ?, ?, ?)`),
    alertState: db.prepare('UPDATE alert SET state = ?, changed_seq = ? WHERE id = ?'),
    step: db.prepare('INSERT INTO alert_step (seq, alert, time_us, what, actor, note) VALUES (?, ?, ?, ?, ?, ?)'),
    look: db.prepare('INSERT INTO look (seq, id, time_us, cause, to_seq) VALUES (?, ?, ?, ?, ?)'),
    verdict: db.prepare(`
INSERT INTO look_verdict (look, time_us, model, source, baseline, feature, state, d, l, fired, alarmed, numbers)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`),
    baseline: db.prepare(`
INSERT INTO baseline (id, seq, time_us, actor, model, source, records, to_seq, hash, name, query, from_us, to_us)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`),
    asked: db.prepare("INSERT INTO approval (id, seq, time_us, action, asked_by, title, state) VALUES (?, ?, ?, ?, ?, ?, 'asked')"),
    decided: db.prepare('UPDATE approval SET state = ?, decided_seq = ?, decided_us = ?, decided_by = ?, note = ? WHERE id = ?'),
    done: db.prepare('UPDATE approval SET done_seq = ? WHERE id = ?')
  } as const
}
export type EventStatements = ReturnType<typeof eventStatements>

/** The decoded `body` of a leaf; an empty object when it has none or it was erased. */
export function bodyOf(payloads: ContentSource, seq: number): Readonly<Record<string, unknown>> {
  const payload = payloads.open(seq)
  const body = payload.state === 'present' ? payload.parts.find((part) => part.name === 'body') : undefined
  return body ? (JSON.parse(Buffer.from(body.data).toString('utf8')) as Record<string, unknown>) : {}
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')
/** The full name in a body; what the leaf says where the body is gone. */
const nameOf = (value: unknown, label: string): string => (typeof value === 'string' ? value : label)
const microsOf = (value: unknown): number | null => (typeof value === 'string' ? Date.parse(value) * 1000 : null)

/** Projects one leaf that is no call to a model: always into `event`, and into the table of its kind. */
export function projectEvent(write: EventStatements, payloads: ContentSource, seq: number, leaf: Leaf): void {
  const time = Date.parse(leaf.ts) * 1000
  const actor = leaf.actor.ref
  write.event.run(seq, time, leaf.type, actor, JSON.stringify(leaf.data ?? {}))
  switch (leaf.type) {
    case 'drift.look': {
      const data = leaf.data as LeafData<'drift.look'>
      write.look.run(seq, data.look_id, time, data.trigger, data.to_seq)
      const body = bodyOf(payloads, seq) as Partial<LookBody>
      for (const series of body.series ?? []) {
        for (const { numbers, fired } of series.verdicts) {
          const { feature, state, d, l, alarmed } = numbers
          const { model, source, baseline_id } = series
          write.verdict.run(
            seq,
            time,
            model,
            source,
            baseline_id,
            feature,
            state,
            d,
            l,
            fired ? 1 : 0,
            alarmed ? 1 : 0,
            JSON.stringify(numbers)
          )
        }
      }
      return
    }
    case 'drift.alert': {
      const data = leaf.data as LeafData<'drift.alert'>
      const body = bodyOf(payloads, seq)
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
      write.alertState.run(state, seq, alert_id)
      write.step.run(seq, alert_id, time, state, actor, textOf(bodyOf(payloads, seq).note))
      return
    }
    case 'baseline.set': {
      const data = leaf.data as LeafData<'baseline.set'>
      const body = bodyOf(payloads, seq)
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
    case 'approval.asked': {
      const data = leaf.data as LeafData<'approval.asked'>
      write.asked.run(data.approval_id, seq, time, data.action, actor, textOf(bodyOf(payloads, seq).title))
      return
    }
    case 'approval.given':
    case 'approval.refused': {
      const { approval_id } = leaf.data as LeafData<'approval.given'>
      const state = leaf.type === 'approval.given' ? 'given' : 'refused'
      write.decided.run(state, seq, time, actor, textOf(bodyOf(payloads, seq).note), approval_id)
      return
    }
    default: {
      // Whatever two people decided names the approval it rests on.
      const approval = leaf.data?.approval_id
      if (typeof approval === 'string') write.done.run(seq, approval)
    }
  }
}
