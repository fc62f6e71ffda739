// SPDX-License-Identifier: Apache-2.0
import type { Leaf } from '../../shared/evidence/leaf.ts'
import { type SeqRange, toRanges } from '../../shared/policy/ranges.ts'
import { disposalScope } from '../catalog/project-disposal.ts'
import type { AnyDb } from '../sqlite/open.ts'
import type { PayloadReader } from '../vault/payload-reader.ts'
import { NONE_REFUSED, refusalsIn } from './refusals.ts'
import { TILE } from './tiles.ts'

/** What the disposals on record took. */
export interface Disposals {
  /** Whether the content of a leaf was named by a disposal. */
  takes(seq: number): boolean
  /** Whether the leaves of a tile were named. */
  takesTile(tile: number): boolean
  /** Intents whose scope cannot be opened without the keyring: whatever is missing from before them is taken to be theirs. */
  readonly unread: number
}

/**
 * Reads every intent from the leaves themselves, not from a projection: what a table says was disposed of counts only when a leaf of the signed
 * tree says so. Intents that are appended while this is in use are found when they are asked for.
 * @param size how many leaves there are
 * @param keys false when the keyring is not here: the scopes are then not known, and nothing is appended
 */
export function disposalsIn(ledger: AnyDb, payloads: PayloadReader, size: number, keys: boolean): Disposals {
  // Quotes inside JSON strings are escaped, so these bytes are a key and its value.
  const intents = ledger.prepare<[number, number, Buffer], { seq: number; bytes: Buffer }>(
    'SELECT seq, bytes FROM leaf WHERE seq >= ? AND seq < ? AND instr(bytes, ?) > 0 ORDER BY seq'
  )
  const newest = ledger.prepare<[], number | null>('SELECT max(seq) FROM leaf').pluck()
  const ranges: SeqRange[] = []
  const tiles = new Set<number>()
  let next = 0
  let unread = 0
  let unreadBefore = 0
  const read = (end: number): void => {
    const found = intents.all(next, end, Buffer.from('"type":"disposal.intent"', 'utf8'))
    next = end
    const refused = keys && found.length > 0 ? refusalsIn(ledger, payloads, end) : NONE_REFUSED
    for (const { seq, bytes } of found) {
      const { type, data } = JSON.parse(bytes.toString('utf8')) as Leaf
      if (type !== 'disposal.intent') continue
      if (!keys) {
        unread++
        unreadBefore = seq
        continue
      }
      const gone = refused.get(String(data?.disposal_id))
      if (gone) {
        ranges.push(...toRanges([...gone].filter((one) => one < seq).sort((a, b) => a - b)))
        continue
      }
      const scope = disposalScope(payloads, seq)
      // An intent speaks of what was there before it.
      ranges.push(...scope.ranges.filter(([, last]) => last < seq))
      for (const tile of scope.tiles) if ((tile + 1) * TILE <= seq) tiles.add(tile)
    }
    ranges.sort(([a], [b]) => a - b)
  }
  /** Whether there were leaves that had not been read. */
  const readOn = (): boolean => {
    const end = (newest.get() ?? -1) + 1
    if (!keys || end <= next) return false
    read(end)
    return true
  }
  const namesTile = (tile: number): boolean => tiles.has(tile) || (tile + 1) * TILE <= unreadBefore
  const names = (seq: number): boolean => {
    if (seq < unreadBefore || tiles.has(Math.floor(seq / TILE))) return true
    let low = 0
    let high = ranges.length - 1
    while (low <= high) {
      const middle = (low + high) >> 1
      const [first, last] = ranges[middle] ?? [0, -1]
      if (seq < first) high = middle - 1
      else if (seq > last) low = middle + 1
      else return true
    }
    return false
  }
  read(size)
  return {
    takes: (seq) => names(seq) || (readOn() && names(seq)),
    takesTile: (tile) => namesTile(tile) || (readOn() && namesTile(tile)),
    unread
  }
}
