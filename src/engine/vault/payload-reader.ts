// SPDX-License-Identifier: Apache-2.0
import type { AnyDb } from '../sqlite/open.ts'
import { KEY_BYTES, openBlock } from './key-block.ts'
import { type OpenPart, openPayload } from './payload.ts'

/**
 * What became of a leaf's content. `none`: the leaf never had any. `erased`: its key was destroyed in place.
 * `missing`: it should be there and cannot be opened (no row, no key block, or a changed byte).
 */
export type PayloadState =
  | { readonly state: 'present'; readonly parts: readonly OpenPart[] }
  | { readonly state: 'none' }
  | { readonly state: 'erased' }
  | { readonly state: 'missing' }

/** Where the content of a leaf comes from. */
export interface ContentSource {
  open(seq: number): PayloadState
}

/** Where key-encryption keys come from: asked at each new block, because they change while blocks are rewritten. */
export interface KekSource {
  get(id: string): Uint8Array | undefined
}

interface Block {
  readonly first: number
  readonly count: number
  readonly keys: Buffer
}

/** Opens payloads from read-only connections; keeps the last key block, because neighbours are read together. */
export class PayloadReader implements ContentSource {
  readonly #payload
  readonly #block
  readonly #keks: KekSource
  #last: Block | undefined

  constructor(ledger: AnyDb, keys: AnyDb, keks: KekSource) {
    this.#payload = ledger.prepare<[number], Buffer>('SELECT ct FROM payload WHERE seq = ?').pluck()
    this.#block = keys.prepare<[number], { first_seq: number; count: number; kek_id: string; ct: Buffer }>(
      'SELECT first_seq, count, kek_id, ct FROM key_block WHERE first_seq <= ? ORDER BY first_seq DESC LIMIT 1'
    )
    this.#keks = keks
  }

  /** Drops cached keys: called when blocks were rewritten. */
  forget(): void {
    this.#last = undefined
  }

  /** The 32-byte key of a leaf; undefined when its block is missing or does not open; all zero when destroyed. */
  key(seq: number): Buffer | undefined {
    let block = this.#last
    if (block === undefined || seq < block.first || seq >= block.first + block.count) {
      const row = this.#block.get(seq)
      const kek = row && this.#keks.get(row.kek_id)
      if (row === undefined || kek === undefined || seq >= row.first_seq + row.count) return undefined
      try {
        block = { first: row.first_seq, count: row.count, keys: openBlock({ id: row.kek_id, key: kek }, row.first_seq, row.count, row.ct) }
      } catch {
        return undefined
      }
      this.#last = block
    }
    const at = (seq - block.first) * KEY_BYTES
    return block.keys.subarray(at, at + KEY_BYTES)
  }

  /** The stored ciphertext of a leaf, for checks against `ct_sha256`. */
  ciphertext(seq: number): Buffer | undefined {
    return this.#payload.get(seq)
  }

  /** Decrypts the parts of a leaf. Never throws for damaged data: says `missing`. */
  open(seq: number): PayloadState {
    const ct = this.#payload.get(seq)
    const key = this.key(seq)
    const destroyed = key?.every((byte) => byte === 0) ?? false
    if (ct === undefined) return destroyed ? { state: 'erased' } : { state: 'none' }
    if (destroyed) return { state: 'erased' }
    if (key === undefined) return { state: 'missing' }
    try {
      return { state: 'present', parts: openPayload(key, ct) }
    } catch {
      return { state: 'missing' }
    }
  }
}
