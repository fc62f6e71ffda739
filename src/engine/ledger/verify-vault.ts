// SPDX-License-Identifier: Apache-2.0
import type { AnyDb } from '../sqlite/open.ts'
import type { PayloadReader } from '../vault/payload-reader.ts'

interface BlockRow {
  readonly first_seq: number
  readonly count: number
}

/** A block that does not open, or leaves without a key. `to` is one past the last. */
export interface VaultFault {
  readonly code: 'key_block_changed' | 'key_missing'
  readonly message: string
  readonly from: number
  readonly to: number
}

const span = (from: number, to: number): string => (to - from === 1 ? `leaf ${from}` : `leaves ${from} to ${to - 1}`)

/**
 * Holds every key block below `size` against its neighbours and opens it. One changed block is one fault, not one for each of its leaves. All from
 * one snapshot: blocks are merged while this reads, and a block that begins before the page would look like missing keys.
 */
export const checkVaultBlocks = (keys: AnyDb, payloads: PayloadReader, size: number): VaultFault[] =>
  keys.transaction(() => checkBlocks(keys, payloads, size))()

function checkBlocks(keys: AnyDb, payloads: PayloadReader, size: number): VaultFault[] {
  const faults: VaultFault[] = []
  const page = keys.prepare<[number, number], BlockRow>(
    'SELECT first_seq, count FROM key_block WHERE first_seq > ? AND first_seq < ? ORDER BY first_seq LIMIT 500'
  )
  /** First leaf whose key has not been met; undefined after a block whose own span cannot be relied on. */
  let next: number | undefined = 0
  let last = -1
  for (let rows = page.all(last, size); rows.length > 0; rows = page.all(last, size)) {
    for (const { first_seq, count } of rows) {
      last = first_seq
      if (payloads.key(first_seq) === undefined) {
        const from = next ?? first_seq
        const message = `the key block of ${span(from, Math.min(size, Math.max(from, first_seq) + count))} was changed: the content cannot be opened`
        faults.push({ code: 'key_block_changed', message, from, to: Math.min(size, Math.max(from, first_seq) + count) })
        next = undefined
        continue
      }
      if (next !== undefined && first_seq > next) {
        const message = `the keys of ${span(next, first_seq)} are missing: the content cannot be opened`
        faults.push({ code: 'key_missing', message, from: next, to: first_seq })
      }
      next = first_seq + count
    }
  }
  if (next !== undefined && next < size) {
    const message = `the keys of ${span(next, size)} are missing: the content cannot be opened`
    faults.push({ code: 'key_missing', message, from: next, to: size })
  }
  return faults
}
