// SPDX-License-Identifier: Apache-2.0

import type { Leaf } from '../../shared/evidence/leaf.ts'
import type { LeafData } from '../../shared/evidence/leaf-data.ts'
import { keyText } from '../../shared/price/price.ts'
import type { Statement, WritableDb } from '../sqlite/open.ts'
import type { ContentSource } from '../vault/payload-reader.ts'
import { type DriftStatements, driftStatements, projectDrift, projectSetting } from './project-drift.ts'

/** Writes for leaves that are no calls to a model. */
export function eventStatements(
  db: WritableDb
): Readonly<
  Record<'event' | 'asked' | 'decided' | 'anchor' | 'price' | 'noPrice' | 'done', Statement<unknown[]>> & { drift: DriftStatements }
> {
  return {
    event: db.prepare('INSERT INTO event (seq, time_us, type, actor, data) VALUES (?, ?, ?, ?, ?)'),
    drift: driftStatements(db),
    asked: db.prepare("INSERT INTO approval (id, seq, time_us, action, asked_by, title, state) VALUES (?, ?, ?, ?, ?, ?, 'asked')"),
    decided: db.prepare('UPDATE approval SET state = ?, decided_seq = ?, decided_us = ?, decided_by = ?, note = ? WHERE id = ?'),
    anchor: db.prepare('INSERT INTO anchor (seq, kind, size, root, said_us, authority, name, url) VALUES (?, ?, ?, ?, ?, ?, ?, ?)'),
    price: db.prepare(
      'INSERT OR REPLACE INTO price (name, seq, time_us, actor, model, provider, valid_from, prices) VALUES (?, ?, ?, ?, ?, ?, ?, ?)'
    ),
    noPrice: db.prepare('DELETE FROM price WHERE name = ?'),
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

/** Projects one leaf that is no call to a model: always into `event`, and into the table of its kind. */
export function projectEvent(write: EventStatements, payloads: ContentSource, seq: number, leaf: Leaf): void {
  const time = Date.parse(leaf.ts) * 1000
  const actor = leaf.actor.ref
  write.event.run(seq, time, leaf.type, actor, JSON.stringify(leaf.data ?? {}))
  switch (leaf.type) {
    case 'drift.look':
    case 'drift.alert':
    case 'drift.ack':
    case 'drift.resolve':
    case 'drift.snooze':
    case 'baseline.set':
      projectDrift(write.drift, seq, leaf, () => bodyOf(payloads, seq))
      return
    case 'setting.changed':
      projectSetting(write.drift, seq, leaf, () => bodyOf(payloads, seq))
      return
    case 'anchor.added': {
      const { kind, size, root, said_us, authority } = leaf.data as LeafData<'anchor.added'>
      const body = bodyOf(payloads, seq)
      write.anchor.run(seq, kind, size, root, said_us, authority, textOf(body.name), textOf(body.url))
      return
    }
    case 'price.set': {
      const data = leaf.data as LeafData<'price.set'>
      const { model, provider = null, valid_from } = data
      const name = keyText({ model, provider, valid_from })
      if (data.what === 'removed') write.noPrice.run(name)
      else write.price.run(name, seq, time, actor, model, provider, valid_from, JSON.stringify(data.usd_per_million))
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
