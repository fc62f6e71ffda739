// SPDX-License-Identifier: Apache-2.0
import type { WritableDb } from '../sqlite/open.ts'
import { KEY_BYTES, openBlock, sealBlock } from './key-block.ts'

/** A row of `key_block`. */
export interface KeyBlock {
  readonly first_seq: number
  readonly count: number
  readonly kek_id: string
  readonly ct: Buffer
}

/**
 * Ends the vault at `size`, in one transaction. Blocks are merged, so one may begin below it and end above: its first keys stay as a block of
 * their own, because one that reaches into new blocks would take them along when it is rewritten. Of a block that does not open nothing stays.
 * @param aside told of each block before it goes
 */
export function cutKeys(
  db: WritableDb,
  size: number,
  keks: ReadonlyMap<string, Uint8Array>,
  aside: (block: KeyBlock) => void = () => {}
): void {
  const beyond = db.prepare<[number], KeyBlock>('SELECT first_seq, count, kek_id, ct FROM key_block WHERE first_seq + count > ?').all(size)
  const remove = db.prepare<[number]>('DELETE FROM key_block WHERE first_seq = ?')
  const keep = db.prepare<[number, number, string, Buffer]>('INSERT INTO key_block (first_seq, count, kek_id, ct) VALUES (?, ?, ?, ?)')
  db.transaction(() => {
    for (const block of beyond) {
      aside(block)
      remove.run(block.first_seq)
      const left = size - block.first_seq
      const ct = left > 0 ? firstKeys(block, left, keks) : undefined
      if (ct) keep.run(block.first_seq, left, block.kek_id, ct)
    }
  })()
}

function firstKeys({ first_seq, count, kek_id, ct }: KeyBlock, left: number, keks: ReadonlyMap<string, Uint8Array>): Buffer | undefined {
  const key = keks.get(kek_id)
  if (!key) return undefined
  const kek = { id: kek_id, key }
  try {
    const opened = openBlock(kek, first_seq, count, ct)
    const own = Array.from({ length: left }, (_, i) => opened.subarray(KEY_BYTES * i, KEY_BYTES * (i + 1)))
    return sealBlock(kek, first_seq, own)
  } catch {
    return undefined
  }
}
