// SPDX-License-Identifier: Apache-2.0
import type { WritableDb } from '../sqlite/open.ts'
import { KEY_BYTES, openBlock, sealBlock } from './key-block.ts'

interface Block {
  readonly first_seq: number
  readonly count: number
  readonly kek_id: string
  readonly ct: Buffer
}

/** Replaces the keys of some leaves by zeros, the form of a destroyed key, in the blocks of this file; `seqs` ascending. One transaction. */
export function zeroKeys(db: WritableDb, keks: ReadonlyMap<string, Uint8Array>, seqs: readonly number[]): void {
  const find = db.prepare<[number], Block>(
    'SELECT first_seq, count, kek_id, ct FROM key_block WHERE first_seq <= ? ORDER BY first_seq DESC LIMIT 1'
  )
  const put = db.prepare('UPDATE key_block SET ct = ? WHERE first_seq = ?')
  db.transaction(() => {
    for (let i = 0; i < seqs.length; ) {
      const block = find.get(seqs[i] ?? 0)
      const key = block && keks.get(block.kek_id)
      if (!block || !key) {
        i++
        continue
      }
      const kek = { id: block.kek_id, key }
      const keys = openBlock(kek, block.first_seq, block.count, block.ct)
      const end = block.first_seq + block.count
      const from = i
      for (let seq = seqs[i]; seq !== undefined && seq < end; seq = seqs[++i])
        keys.fill(0, (seq - block.first_seq) * KEY_BYTES, (seq - block.first_seq + 1) * KEY_BYTES)
      const single = Array.from({ length: block.count }, (_, at) => keys.subarray(at * KEY_BYTES, (at + 1) * KEY_BYTES))
      put.run(sealBlock(kek, block.first_seq, single), block.first_seq)
      if (i === from) i++
    }
  })()
}
