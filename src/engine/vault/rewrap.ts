// SPDX-License-Identifier: Apache-2.0
// Rewriting the key blocks under another key-encryption key, with or without some of their keys.
import { inSlices } from '../sqlite/long-write.ts'
import type { AnyDb, WritableDb } from '../sqlite/open.ts'
import { BLOCK_KEYS, KEY_BYTES, type Kek, openBlock, sealBlock } from './key-block.ts'
import type { KekSource } from './payload-reader.ts'

/** How long one transaction collects blocks, looked at after each; it stays below 20 ms (EVIDENCE, Erasure). */
const SLICE_MS = 8
const ROWS = 32

interface BlockRow {
  readonly first_seq: number
  readonly count: number
  readonly kek_id: string
  readonly ct: Buffer
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

function openRow(row: BlockRow, keks: KekSource): Buffer | undefined {
  const key = keks.get(row.kek_id)
  if (!key) return undefined
  try {
    return openBlock({ id: row.kek_id, key }, row.first_seq, row.count, row.ct)
  } catch {
    return undefined
  }
}

const isLive = (keys: Buffer, at: number): boolean => keys.subarray(at * KEY_BYTES, (at + 1) * KEY_BYTES).some((byte) => byte !== 0)

/** Whether a key of these seqs is still there under `kek`. Gives others their turn. */
export async function anyLive(db: AnyDb, kek: Kek, seqs: readonly number[]): Promise<boolean> {
  const find = db.prepare<[number], BlockRow>(
    'SELECT first_seq, count, kek_id, ct FROM key_block WHERE first_seq <= ? ORDER BY first_seq DESC LIMIT 1'
  )
  const source = { get: (id: string) => (id === kek.id ? kek.key : undefined) }
  let started = performance.now()
  let row: BlockRow | undefined
  let keys: Buffer | undefined
  for (const seq of seqs) {
    if (performance.now() - started > SLICE_MS) {
      await nextTurn()
      started = performance.now()
      row = undefined
    }
    if (!row || seq >= row.first_seq + row.count) {
      row = find.get(seq)
      keys = row && openRow(row, source)
    }
    if (row && keys && seq < row.first_seq + row.count && isLive(keys, seq - row.first_seq)) return true
  }
  return false
}

/** What was asked stopped the destruction of keys: what is destroyed by then is on disk, the other blocks are as they were. */
export class DestructionStopped extends Error {}

export interface RewrapCounts {
  /** Blocks written under the new key. */
  blocks: number
  /** Keys destroyed by this run. */
  dropped: number
  /** Blocks that no key opens: damage from before, left as they are. */
  damaged: number
}

/**
 * Writes every block that another key wraps anew under `target`, neighbours merged to at most 64 keys, keys of `drop` replaced by zeros
 * (the form of a destroyed key). Many short transactions with turns for others in between; old and new blocks are mixed meanwhile, told apart
 * by their key id, so a crash loses nothing and the next run goes on.
 * @param mayDestroy asked before each block of which keys are destroyed, in the turn in which they are
 * @throws DestructionStopped it said no
 */
export async function rewriteBlocks(
  db: WritableDb,
  target: Kek,
  keks: KekSource,
  drop: ReadonlySet<number>,
  progress: (seq: number) => void,
  drain: () => Promise<void>,
  mayDestroy: () => boolean = () => true
): Promise<RewrapCounts> {
  const read = db.prepare<[number, number], BlockRow>(
    'SELECT first_seq, count, kek_id, ct FROM key_block WHERE first_seq >= ? ORDER BY first_seq LIMIT ?'
  )
  const remove = db.prepare<[number, number]>('DELETE FROM key_block WHERE first_seq >= ? AND first_seq < ?')
  const insert = db.prepare<[number, number, string, Buffer]>('INSERT INTO key_block (first_seq, count, kek_id, ct) VALUES (?, ?, ?, ?)')
  const counts: RewrapCounts = { blocks: 0, dropped: 0, damaged: 0 }
  let next = 0
  let stopped = false

  const slice = (): boolean => {
    const started = performance.now()
    let first = 0
    let waiting: Buffer[] = []
    let held = 0
    const flush = () => {
      if (held === 0) return
      remove.run(first, first + held)
      const keys = Buffer.concat(waiting)
      const single = Array.from({ length: held }, (_, i) => keys.subarray(i * KEY_BYTES, (i + 1) * KEY_BYTES))
      insert.run(first, held, target.id, sealBlock(target, first, single))
      keys.fill(0)
      counts.blocks++
      waiting = []
      held = 0
    }
    const take = (row: BlockRow) => {
      const keys = row.kek_id === target.id ? undefined : openRow(row, keks)
      const dropped = keys
        ? Array.from({ length: row.count }, (_, i) => i).filter((i) => drop.has(row.first_seq + i) && isLive(keys, i))
        : []
      stopped = dropped.length > 0 && !mayDestroy()
      if (stopped) {
        keys?.fill(0)
        return
      }
      next = row.first_seq + row.count
      if (!keys) {
        if (row.kek_id !== target.id) counts.damaged++
        flush()
        return
      }
      for (const i of dropped) keys.fill(0, i * KEY_BYTES, (i + 1) * KEY_BYTES)
      counts.dropped += dropped.length
      if (held > 0 && (first + held !== row.first_seq || held + row.count > BLOCK_KEYS)) flush()
      if (held === 0) first = row.first_seq
      waiting.push(keys)
      held += row.count
    }
    const inTime = () => performance.now() - started < SLICE_MS
    let more = true
    while (more && inTime()) {
      const rows = read.all(next, ROWS)
      for (const row of rows) {
        take(row)
        if (stopped || !inTime()) break
      }
      more = !stopped && (rows.length === ROWS || next < (rows.at(-1)?.first_seq ?? 0))
    }
    flush()
    progress(next)
    return more
  }

  await inSlices(db, drain, slice)
  if (stopped) throw new DestructionStopped()
  return counts
}

/**
 * Puts small neighbouring blocks under one key together, to at most 64 keys (EVIDENCE, Keys), from `from` up to `end`, as long as `goOn` agrees.
 * A damaged block stays as it is. Gives where to go on the next time: the last blocks may still get neighbours.
 */
export async function mergeBlocks(
  db: WritableDb,
  kek: Kek,
  range: { readonly from: number; readonly end: number },
  drain: () => Promise<void>,
  goOn: () => boolean
): Promise<number> {
  const read = db.prepare<[number, number], BlockRow>(
    'SELECT first_seq, count, kek_id, ct FROM key_block WHERE first_seq >= ? AND first_seq + count <= ? ORDER BY first_seq LIMIT 65'
  )
  const remove = db.prepare<[number, number]>('DELETE FROM key_block WHERE first_seq >= ? AND first_seq < ?')
  const insert = db.prepare<[number, number, string, Buffer]>('INSERT INTO key_block (first_seq, count, kek_id, ct) VALUES (?, ?, ?, ?)')
  const source = { get: (id: string) => (id === kek.id ? kek.key : undefined) }
  let next = range.from
  const slice = (): boolean => {
    for (const started = performance.now(); performance.now() - started < SLICE_MS; ) {
      const rows = read.all(next, range.end)
      const first = rows[0]?.first_seq ?? 0
      let end = first
      const group: BlockRow[] = []
      for (const row of rows) {
        if (group.length > 0 && (row.first_seq !== end || end - first + row.count > BLOCK_KEYS)) break
        group.push(row)
        end = row.first_seq + row.count
      }
      if (group.length > 1) {
        const keys = group.map((row) => openRow(row, source))
        const whole = keys.filter((one) => one !== undefined)
        if (whole.length === group.length) {
          const all = Buffer.concat(whole)
          const single = Array.from({ length: end - first }, (_, i) => all.subarray(i * KEY_BYTES, (i + 1) * KEY_BYTES))
          remove.run(first, end)
          insert.run(first, end - first, kek.id, sealBlock(kek, first, single))
          all.fill(0)
        }
        for (const one of whole) one.fill(0)
      }
      // Nothing follows: what is there may be joined by what comes.
      if (group.length === rows.length && end - first < BLOCK_KEYS) {
        next = rows.length === 0 ? next : first
        return false
      }
      next = end
    }
    return goOn()
  }
  await inSlices(db, drain, slice)
  return next
}
