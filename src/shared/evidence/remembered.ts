// SPDX-License-Identifier: Apache-2.0
// A reviewer's memory of the heads seen per log: it shows forks and rollbacks that no single bundle can show.
import { equalBytes, fromBase64 } from './bytes.ts'

/** A head that was seen in a checkpoint whose signature held. */
export interface SeenHead {
  readonly size: number
  /** Base64. */
  readonly root: string
  /** When it was seen here, ISO 8601 UTC, by the clock of this machine. */
  readonly seen: string
  /** When it was signed, by the clock of the log; absent where that was not kept. */
  readonly signed?: string | undefined
}

/** What is remembered of one log. */
export interface KnownLog {
  readonly heads: readonly SeenHead[]
  /** Public keys (base64) that a leaf of this log revoked. */
  readonly revoked: readonly { readonly key: string; readonly seq: number }[]
}

export const memoryStates = ['off', 'first', 'same', 'extends', 'earlier', 'not_comparable', 'fork', 'rollback'] as const
export type MemoryState = (typeof memoryStates)[number]

/** A head seen before, and whether the two are states of one tree; null where nothing at hand decides it. */
export interface HeadSeen {
  readonly seen: string
  readonly size: number
  readonly consistent: boolean | null
}

/** How a head stands to those seen before, with a sentence for people; the widest heads first. */
export interface Recollection {
  readonly state: MemoryState
  readonly message: string
  readonly heads: readonly HeadSeen[]
}

export interface HeadToCompare {
  readonly size: number
  readonly root: Uint8Array
  /** When the checkpoint was signed, as the bundle says; null when it does not. */
  readonly signed: string | null
  /** Root of the first `size` leaves of the tree that is compared, when proofs or nodes at hand give it. */
  readonly rootAt: (size: number) => Uint8Array | undefined
}

const moment = (time: string): string => `${time.slice(0, 19).replace('T', ' ')} UTC`
const leaves = (n: number): string => `${n.toLocaleString('en-US')} ${n === 1 ? 'leaf' : 'leaves'}`

/** Most heads that are listed one by one. */
const MOST_LISTED = 20

function standsTo(known: readonly SeenHead[], one: SeenHead, head: HeadToCompare): boolean | null {
  const root = one.size === head.size ? head.root : head.rootAt(one.size)
  if (root) return equalBytes(root, fromBase64(one.root))
  return wasCutOff(known, one, head) ? false : null
}

/**
 * Signed after more of the log was signed than it holds, all by the clock of the log: that of this machine may be wrong, and knows only when a
 * bundle was looked at. A clock that was set back says nothing before it has passed every time at which a head up to that size was signed.
 */
function wasCutOff(known: readonly SeenHead[], one: SeenHead, { size, signed }: HeadToCompare): boolean {
  if (signed === null || one.signed === undefined || one.size <= size) return false
  const before = known.flatMap((head) => (head.size <= one.size && head.signed !== undefined ? [Date.parse(head.signed)] : []))
  return Date.parse(signed) > Math.max(...before)
}

/** {@link compare}, with the heads one by one. */
export function recollect(known: readonly SeenHead[], head: HeadToCompare): Recollection {
  const widest = known.toSorted((a, b) => b.size - a.size).slice(0, MOST_LISTED)
  return {
    ...compare(known, head),
    heads: widest.map((one) => ({ seen: one.seen, size: one.size, consistent: standsTo(known, one, head) }))
  }
}

/**
 * Holds a head against those seen before. A fork or a rollback is certain where it is said; what proofs and nodes at hand cannot decide is
 * said to be not comparable.
 */
function compare(known: readonly SeenHead[], head: HeadToCompare): Omit<Recollection, 'heads'> {
  if (known.length === 0) return { state: 'first', message: 'The first checkpoint of this log seen here; it is remembered from now on.' }
  let best: Omit<Recollection, 'heads'> | undefined
  for (const one of known.toSorted((a, b) => b.size - a.size)) {
    const root = one.size === head.size ? head.root : one.size < head.size ? head.rootAt(one.size) : undefined
    if (root && !equalBytes(root, fromBase64(one.root)))
      return {
        state: 'fork',
        message: `On ${moment(one.seen)} another tree of the same ${leaves(one.size)} of this log was seen here: two histories were signed.`
      }
    if (one.size > head.size) {
      const cut = head.rootAt(one.size)
      if (cut && equalBytes(cut, fromBase64(one.root)))
        best ??= { state: 'earlier', message: `An earlier state of the tree of ${leaves(one.size)} seen here on ${moment(one.seen)}.` }
      else if (wasCutOff(known, one, head))
        return {
          state: 'rollback',
          message: `Signed on ${moment(head.signed ?? '')} over ${leaves(head.size)}, but ${leaves(one.size)} of this log were signed on ${moment(one.signed ?? '')} already, and seen here on ${moment(one.seen)}: its end was cut off.`
        }
      continue
    }
    if (!root) continue
    best ??=
      one.size === head.size
        ? { state: 'same', message: `The same checkpoint was seen here on ${moment(one.seen)}.` }
        : { state: 'extends', message: `It extends the tree of ${leaves(one.size)} seen here on ${moment(one.seen)}.` }
  }
  const widest = known.reduce((a, b) => (b.size > a.size ? b : a))
  return (
    best ?? {
      state: 'not_comparable',
      message: `Not comparable with what was seen here (${leaves(widest.size)} on ${moment(widest.seen)}): this bundle brings no proof between the two trees.`
    }
  )
}
