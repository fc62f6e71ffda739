// SPDX-License-Identifier: Apache-2.0
import { bodyOf } from '../catalog/project-event.ts'
import { isoMs } from '../catalog/rows.ts'
import type { ReaderContext } from '../threads/reader-context.ts'

/** One leaf about a key. */
export interface KeyEvent {
  readonly seq: number
  readonly time: string
  readonly actor: string
  readonly what: 'added' | 'retired' | 'revoked'
  readonly use: 'log' | 'export' | 'key-encryption' | 'witness'
  readonly key_id: string
  /** Why it was revoked; empty otherwise. */
  readonly reason: string
}

/** Every leaf about keys, oldest first. */
export function keyHistory({ catalog, payloads }: ReaderContext): KeyEvent[] {
  const rows = catalog
    .prepare<[], { seq: number; time_us: number; type: string; actor: string; data: string }>(
      "SELECT seq, time_us, type, actor, data FROM event WHERE type IN ('key.added', 'key.retired', 'key.revoked') ORDER BY seq"
    )
    .all()
  return rows.map((row) => {
    const { use, key_id } = JSON.parse(row.data) as { readonly use: KeyEvent['use']; readonly key_id: string }
    const what = row.type.slice('key.'.length) as KeyEvent['what']
    const reason = what === 'revoked' ? String(bodyOf(payloads, row.seq).reason ?? '') : ''
    return { seq: row.seq, time: isoMs(row.time_us), actor: row.actor, what, use, key_id, reason }
  })
}
