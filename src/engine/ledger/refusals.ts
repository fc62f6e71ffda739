// SPDX-License-Identifier: Apache-2.0
// Erasures and disposals that a hold ended after their intent: what was still there by then is kept.
import type { Leaf } from '../../shared/evidence/leaf.ts'
import { type SeqRange, seqsIn } from '../../shared/policy/ranges.ts'
import { bodyOf } from '../catalog/project-event.ts'
import type { AnyDb } from '../sqlite/open.ts'
import type { ContentSource } from '../vault/payload-reader.ts'

// Quotes inside JSON strings are escaped, so these bytes are a key and its value.
const ERASURE = Buffer.from('"type":"erasure.refused"', 'utf8')
const DISPOSAL = Buffer.from('"type":"disposal.refused"', 'utf8')

/** Leaves below `size` that refuse an erasure or a disposal; `id` is that of its intents, where it had any. */
function leavesIn(ledger: AnyDb, size: number): { readonly seq: number; readonly id: string }[] {
  const rows = ledger
    .prepare<[number, Buffer, Buffer], { seq: number; bytes: Buffer }>(
      'SELECT seq, bytes FROM leaf WHERE seq < ? AND (instr(bytes, ?) > 0 OR instr(bytes, ?) > 0) ORDER BY seq'
    )
    .all(size, ERASURE, DISPOSAL)
  return rows.flatMap(({ seq, bytes }) => {
    const { type, data } = JSON.parse(bytes.toString('utf8')) as Leaf
    const id = type === 'erasure.refused' ? data?.approval_id : type === 'disposal.refused' ? data?.disposal_id : undefined
    return typeof id === 'string' ? [{ seq, id }] : []
  })
}

/** By id of what was refused: the leaves whose content was gone by then, as the refusal says. An intent accounts for no others. */
export type Refusals = ReadonlyMap<string, ReadonlySet<number>>

export const NONE_REFUSED: Refusals = new Map()

/** The refusals of a ledger, read from the leaves themselves. */
export function refusalsIn(ledger: AnyDb, payloads: ContentSource, size: number): Refusals {
  return new Map(
    leavesIn(ledger, size).map(({ seq, id }) => {
      const { gone = [] } = bodyOf(payloads, seq) as { readonly gone?: readonly SeqRange[] }
      return [id, new Set(seqsIn(gone))]
    })
  )
}
