// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto'
import { prepared, type Statement, type WritableDb } from '../sqlite/open.ts'

/** Keys in memory and in `dedup_new` before they are moved on. */
const GENERATION = 16_384
/** Keys moved on per key added: the older generation is gone when the newer one is half full. */
const MOVED_PER_ADDED = 2
/** Fewest keys moved in one group: a handful in key order touches few pages more than one. */
const LEAST_MOVED = 64
const BLOCK = 64

/** A source key as it is kept: `id` is the digest of 16 bytes, one character each. */
export interface KnownKey {
  readonly id: string
  /** The leaf that has it already. */
  readonly seq: number | undefined
}

/**
 * HMAC-SHA-256 (RFC 2104) under one key for many short texts, cut to 16 bytes of one character each.
 * From two one-shot hashes: the HMAC object of node:crypto costs four times as much for a text of this size.
 */
export function hmac16(key: Uint8Array): (text: string) => string {
  const short = key.length > BLOCK ? hash('sha256', key, 'buffer') : key
  const outer = Buffer.alloc(BLOCK + 32)
  let inner = Buffer.alloc(BLOCK + 1024)
  for (let i = 0; i < BLOCK; i++) {
    inner[i] = (short[i] ?? 0) ^ 0x36
    outer[i] = (short[i] ?? 0) ^ 0x5c
  }
  return (text) => {
    const most = BLOCK + text.length * 3
    if (most > inner.length) inner = Buffer.concat([inner.subarray(0, BLOCK)], most * 2)
    const end = BLOCK + inner.write(text, BLOCK, 'utf8')
    outer.write(hash('sha256', inner.subarray(0, end), 'binary'), BLOCK, 'latin1')
    return hash('sha256', outer, 'binary').slice(0, 16)
  }
}

/**
 * Which leaf has which source key. Digests are random, so a table in their order takes a page of its own for nearly every row; written with
 * each group, that was half of a commit. New ones go to `dedup_new` in order of arrival and are found in memory; a full generation moves to
 * `dedup` in key order, a slice with each group that follows (a log-structured merge; ADR 21).
 */
export class SourceKeys {
  readonly #digest: (sourceKey: string) => string
  readonly #find: Statement<[Buffer], number>
  readonly #add: Statement<[number, Buffer]>
  readonly #move: Statement<[Buffer, number]>
  readonly #drop: Statement<[number]>
  /** The generation that grows, and the one that is being moved. */
  #young = new Map<string, number>()
  #old = new Map<string, number>()
  /** What is left to move of the old generation, the next last. */
  #left: string[] = []
  /** Highest seq of the old generation. */
  #oldEnd = -1
  #end = -1

  constructor(db: WritableDb, secret: Uint8Array) {
    this.#digest = hmac16(secret)
    this.#find = prepared<[Buffer], number>(db, 'SELECT seq FROM dedup WHERE key = ?').pluck()
    this.#add = prepared(db, 'INSERT INTO dedup_new (seq, key) VALUES (?, ?)')
    // A generation that was being moved when the program ended is moved again from its beginning.
    this.#move = prepared(db, 'INSERT OR IGNORE INTO dedup (key, seq) VALUES (?, ?)')
    this.#drop = prepared(db, 'DELETE FROM dedup_new WHERE seq <= ?')
    this.reload(db)
  }

  /** Takes what is on disk for what is known: at the start, and after a group that was not committed. */
  reload(db: WritableDb): void {
    this.#young = new Map()
    this.#old = new Map()
    this.#left = []
    const rows = prepared<[], { seq: number; key: Buffer }>(db, 'SELECT seq, key FROM dedup_new ORDER BY seq').iterate()
    for (const { seq, key } of rows) {
      this.#young.set(key.toString('latin1'), seq)
      this.#end = seq
    }
  }

  /** The digest of a source key, and the leaf that has it. In a read transaction when there are many to ask for. */
  lookUp(sourceKey: string): KnownKey {
    const id = this.#digest(sourceKey)
    return { id, seq: this.#young.get(id) ?? this.#old.get(id) ?? this.#find.get(Buffer.from(id, 'latin1')) }
  }

  /** Writes new keys, and moves some older ones on: in the transaction of their leaves. */
  write(added: readonly { readonly id: string; readonly seq: number }[]): void {
    for (const { id, seq } of added) {
      this.#add.run(seq, Buffer.from(id, 'latin1'))
      this.#young.set(id, seq)
      this.#end = seq
    }
    if (added.length > 0) this.#moveOn(Math.max(LEAST_MOVED, added.length * MOVED_PER_ADDED))
  }

  #moveOn(most: number): void {
    if (this.#old.size === 0) {
      if (this.#young.size < GENERATION) return
      this.#old = this.#young
      this.#oldEnd = this.#end
      this.#young = new Map()
      this.#left = [...this.#old.keys()].sort().reverse()
    }
    for (let moved = 0; moved < most; moved++) {
      const id = this.#left.pop()
      if (id === undefined) break
      this.#move.run(Buffer.from(id, 'latin1'), this.#old.get(id) ?? 0)
    }
    if (this.#left.length > 0) return
    this.#drop.run(this.#oldEnd)
    this.#old = new Map()
  }
}
