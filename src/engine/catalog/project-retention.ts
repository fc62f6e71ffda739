// SPDX-License-Identifier: Apache-2.0
import type { Leaf } from '../../shared/evidence/leaf.ts'
import type { LeafData } from '../../shared/evidence/leaf-data.ts'
import { DEFAULT_CLASS } from '../../shared/policy/retention.ts'
import { isWrapper } from '../ledger/is-record.ts'
import type { Statement, WritableDb } from '../sqlite/open.ts'

/** Writes for holds, schedules and calls that are no records. */
export const retentionStatements = (
  db: WritableDb
): Readonly<Record<'hold' | 'released' | 'retention' | 'aside', Statement<unknown[]>>> => ({
  hold: db.prepare('INSERT INTO hold (id, seq, time_us, actor, scope, future) VALUES (?, ?, ?, ?, ?, ?)'),
  released: db.prepare('UPDATE hold SET released_seq = ?, released_us = ?, released_by = ? WHERE id = ?'),
  retention: db.prepare('INSERT INTO retention (seq, time_us, actor, what, data) VALUES (?, ?, ?, ?, ?)'),
  aside: db.prepare('INSERT INTO aside (seq, class, source, time_us, appended_us, wrapper, conversation) VALUES (?, ?, ?, ?, ?, ?, ?)')
})
export type RetentionStatements = ReturnType<typeof retentionStatements>

/** Projects what retention rests on. Records themselves carry their class in the table `record`. @param conversation of a wrapper */
export function projectRetention(write: RetentionStatements, seq: number, leaf: Leaf, conversation?: string): void {
  const time = Date.parse(leaf.ts) * 1000
  const actor = leaf.actor.ref
  if (leaf.type.startsWith('llm.')) {
    write.aside.run(
      seq,
      leaf.class ?? DEFAULT_CLASS,
      leaf.source ?? 'unknown',
      leaf.start_us ?? time,
      time,
      isWrapper(leaf) ? 1 : 0,
      conversation ?? null
    )
    return
  }
  if (leaf.type === 'hold.placed') {
    const data = leaf.data as LeafData<'hold.placed'>
    write.hold.run(data.hold_id, seq, time, actor, data.scope, data.future ? 1 : 0)
  } else if (leaf.type === 'hold.released') {
    write.released.run(seq, time, actor, (leaf.data as LeafData<'hold.released'>).hold_id)
  } else if (leaf.type === 'retention.set') {
    const data = leaf.data as LeafData<'retention.set'>
    write.retention.run(seq, time, actor, data.what, JSON.stringify(data))
  }
}
