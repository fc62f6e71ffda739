// SPDX-License-Identifier: Apache-2.0
// What the start reads of people, on a reader thread.
import type { LeafData } from '../../shared/evidence/leaf-data.ts'
import { leavesOfType } from '../catalog/listings.ts'
import { bodyOf } from '../catalog/project-event.ts'
import type { AnyDb } from '../sqlite/open.ts'
import type { ReaderContext } from '../threads/reader-context.ts'
import type { ContentSource } from '../vault/payload-reader.ts'
import { Directory, type UserLeaf } from './directory.ts'

/** Leaves of some types, oldest first, as the ledger holds them: what a start replays. */
export const leavesOf = (context: ReaderContext, types: Parameters<typeof leavesOfType>[2][]) =>
  merged(context, types).flatMap((seq) => leafOf(context, seq) ?? [])

const merged = ({ catalog, ledger }: ReaderContext, types: Parameters<typeof leavesOfType>[2][]): number[] =>
  types.flatMap((type) => leavesOfType(catalog, ledger, type)).sort((a, b) => a - b)

const leafOf = (context: ReaderContext, seq: number) => {
  const bytes = context.ledger.prepare<[number], Buffer>('SELECT bytes FROM leaf WHERE seq = ?').pluck().get(seq)
  return bytes ? (JSON.parse(bytes.toString('utf8')) as { ts: string; type: string; actor: { ref: string }; data: never }) : null
}

/** Everything that was ever said of people, oldest first. */
export function userLeaves(context: ReaderContext): UserLeaf[] {
  return merged(context, ['user.added', 'user.changed']).flatMap((seq) => {
    const leaf = leafOf(context, seq)
    return leaf ? [{ seq, time: leaf.ts, actor: leaf.actor.ref, data: leaf.data, body: bodyOf(context.payloads, seq) }] : []
  })
}

// Quotes inside JSON strings are escaped, so these bytes are a key and its value.
const ADDED = Buffer.from('"type":"user.added"', 'utf8')
const CHANGED = Buffer.from('"type":"user.changed"', 'utf8')

/** Who signs in with an account of the operating system and may, read from the leaves of a log that is not open; undefined: nobody. */
export function personWithAccount(ledger: AnyDb, payloads: ContentSource, account: string): string | undefined {
  const directory = new Directory()
  const rows = ledger
    .prepare<[Buffer, Buffer], { seq: number; bytes: Buffer }>(
      'SELECT seq, bytes FROM leaf WHERE instr(bytes, ?) > 0 OR instr(bytes, ?) > 0 ORDER BY seq'
    )
    .all(ADDED, CHANGED)
  for (const { seq, bytes } of rows) {
    const { ts, type, actor, data } = JSON.parse(bytes.toString('utf8')) as {
      ts: string
      type: string
      actor: { ref: string }
      data: never
    }
    if (type === 'user.added' || type === 'user.changed')
      directory.apply({ seq, time: ts, actor: actor.ref, data, body: bodyOf(payloads, seq) })
  }
  return directory.byAccount(account)?.ref
}

/** Sign-ins looked at: enough for the longest pause. */
const LOOKED_AT = 200

/** Failures in a row on record, by person; those under no known name as `unknown`. */
export function failedSignIns(context: ReaderContext): Record<string, number> {
  const failures: Record<string, number> = {}
  for (const seq of merged(context, ['session.failed', 'session.opened']).slice(-LOOKED_AT)) {
    const leaf = leafOf(context, seq)
    if (!leaf) continue
    const { user } = leaf.data as LeafData<'session.failed'>
    if (leaf.type === 'session.opened' && user !== undefined) delete failures[user]
    else failures[user ?? 'unknown'] = (failures[user ?? 'unknown'] ?? 0) + 1
  }
  return failures
}
