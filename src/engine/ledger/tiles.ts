// SPDX-License-Identifier: Apache-2.0
// Leaves go only by whole tiles (EVIDENCE, Erasure, retention, holds). A tile is that of tlog-tiles: 256 leaves; what stays of it are its 256
// leaf hashes, so that every proof, to every size there ever was, can still be made.
import type { Leaf } from '../../shared/evidence/leaf.ts'
import { leafHash } from '../../shared/evidence/merkle.ts'
import { sha256 } from '../crypto.ts'
import { type AnyDb, prepared, type WritableDb } from '../sqlite/open.ts'
import { isRecord } from './is-record.ts'

/** Leaves of a tile. */
export const TILE = 256

/** Hash of a leaf that went with its tile; undefined when its tile is there. */
export function disposedHash(db: AnyDb, seq: number): Buffer | undefined {
  const tile = Math.floor(seq / TILE)
  return prepared<[number, number], Buffer>(db, 'SELECT substr(hashes, ?, 32) FROM disposed_tile WHERE tile = ?')
    .pluck()
    .get(1 + 32 * (seq - tile * TILE), tile) as Buffer | undefined
}

/** Tiles that were disposed of in [from, to), ascending. `records`: how many of their leaves were records. */
export const disposedTiles = (db: AnyDb, from: number, to: number): { readonly tile: number; readonly records: number }[] =>
  prepared<[number, number], { tile: number; records: number }>(
    db,
    'SELECT tile, records FROM disposed_tile WHERE tile >= ? AND tile <= ? ORDER BY tile'
  ).all(Math.floor(from / TILE), Math.floor((to - 1) / TILE))

/** Removes the payloads of some leaves in one transaction; those that are gone already are left out. */
export function removePayloads(db: WritableDb, seqs: readonly number[]): void {
  const list = prepared<[number], unknown>(db, 'INSERT OR IGNORE INTO removing (seq) VALUES (?)')
  const remove = prepared<[number], unknown>(db, 'DELETE FROM payload WHERE seq = ?')
  db.transaction(() => {
    for (const seq of seqs) {
      list.run(seq)
      remove.run(seq)
    }
    prepared<[], unknown>(db, 'DELETE FROM removing').run()
  })()
}

/** Removes the leaves of a whole tile and keeps their hashes, in one transaction. False when the tile is gone already or not complete. */
export function pruneTile(db: WritableDb, tile: number): boolean {
  const rows = prepared<[number, number], { bytes: Buffer }>(db, 'SELECT bytes FROM leaf WHERE seq >= ? AND seq < ? ORDER BY seq').all(
    tile * TILE,
    (tile + 1) * TILE
  )
  if (rows.length !== TILE) return false
  const hashes = Buffer.concat(rows.map((row) => leafHash(sha256, row.bytes)))
  const records = rows.filter((row) => isRecord(JSON.parse(row.bytes.toString('utf8')) as Leaf)).length
  const list = prepared<[number], unknown>(db, 'INSERT OR IGNORE INTO removing (seq) VALUES (?)')
  db.transaction(() => {
    for (let i = 0; i < TILE; i++) list.run(tile * TILE + i)
    prepared<[number, Buffer, number], unknown>(db, 'INSERT INTO disposed_tile (tile, hashes, records) VALUES (?, ?, ?)').run(
      tile,
      hashes,
      records
    )
    prepared<[number, number], unknown>(db, 'DELETE FROM payload WHERE seq >= ? AND seq < ?').run(tile * TILE, (tile + 1) * TILE)
    prepared<[number, number], unknown>(db, 'DELETE FROM leaf WHERE seq >= ? AND seq < ?').run(tile * TILE, (tile + 1) * TILE)
    prepared<[], unknown>(db, 'DELETE FROM removing').run()
  })()
  return true
}
