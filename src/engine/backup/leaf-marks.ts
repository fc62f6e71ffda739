// SPDX-License-Identifier: Apache-2.0
// By what a leaf that an entry of the register of erasures names is known again. After a restore that gave leaves up, their numbers are given
// anew: a number alone does not say which leaf was meant.
import { z } from 'zod'
import { type SeqRange, seqsIn } from '../../shared/policy/ranges.ts'
import { nodeReader } from '../ledger/store.ts'
import type { AnyDb } from '../sqlite/open.ts'

/** Of each leaf hash its first bytes: enough that no other leaf at that place has the same. */
const MARK_BYTES = 8

/** `intent`: the mark of the leaf of the intent; `leaves`: those of the leaves of the ranges, one after the other; base64. */
export const leafMarks = z.strictObject({ intent: z.base64(), leaves: z.base64() })
export type LeafMarks = z.infer<typeof leafMarks>

interface Marked {
  readonly intent: number
  readonly ranges: readonly SeqRange[]
}

/** The mark of a leaf of a ledger, also of one that went with its tile. Throws when the leaf is not there. */
function markIn(ledger: AnyDb): (seq: number) => Buffer {
  const node = nodeReader(ledger)
  return (seq) => Buffer.from(node(0, seq)).subarray(0, MARK_BYTES)
}

/** Marks for an entry, of the ledger that it is made in. */
export function marksOf(ledger: AnyDb, { intent, ranges }: Marked): LeafMarks {
  const mark = markIn(ledger)
  const leaves = Buffer.concat([...seqsIn(ranges)].map(mark))
  return { intent: mark(intent).toString('base64'), leaves: leaves.toString('base64') }
}

/** The marks by number; undefined when they are not one for each leaf of the ranges. */
function byNumber(ranges: readonly SeqRange[], { leaves }: LeafMarks): ReadonlyMap<number, Buffer> | undefined {
  const bytes = Buffer.from(leaves, 'base64')
  const marks = new Map([...seqsIn(ranges)].map((seq, i) => [seq, bytes.subarray(i * MARK_BYTES, (i + 1) * MARK_BYTES)] as const))
  return marks.size * MARK_BYTES === bytes.length ? marks : undefined
}

/** The marks of what is left of an entry; undefined when it has none for one of these leaves. */
export function marksLeft(ranges: readonly SeqRange[], marks: LeafMarks, left: readonly SeqRange[]): LeafMarks | undefined {
  const known = byNumber(ranges, marks)
  const kept = [...seqsIn(left)].map((seq) => known?.get(seq))
  if (!kept.every((mark) => mark !== undefined)) return undefined
  return { intent: marks.intent, leaves: Buffer.concat(kept).toString('base64') }
}

/**
 * Which leaves of a marked entry a ledger of `size` leaves holds, when it does not hold the intent; undefined when the marks do not fit the
 * ranges.
 */
export function foundWithoutIntent(
  ledger: AnyDb,
  size: number,
  { intent, ranges }: Marked,
  marks: LeafMarks
): readonly number[] | undefined {
  const mark = markIn(ledger)
  if (intent < size && mark(intent).toString('base64') === marks.intent) return []
  const known = byNumber(ranges, marks)
  return known && [...known].flatMap(([seq, bytes]) => (seq < size && mark(seq).equals(bytes) ? [seq] : []))
}
