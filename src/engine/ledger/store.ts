// SPDX-License-Identifier: Apache-2.0
import { leafHash, nodePosition } from '../../shared/evidence/merkle.ts'
import { sha256 } from '../crypto.ts'
import { type AnyDb, prepared, type Statement, type WritableDb } from '../sqlite/open.ts'
import { disposedHash } from './tiles.ts'

/** A signed tree head as stored. `note` is the C2SP signed note, byte for byte. */
export interface CheckpointRow {
  readonly size: number
  readonly signed_us: number
  readonly note: string
}

/** Number of leaves in the database. */
export const leafCount = (db: AnyDb): number => db.prepare<[], number>('SELECT ifnull(max(seq), -1) + 1 FROM leaf').pluck().get() ?? 0

/** Append time of the last leaf in milliseconds; undefined without one, or when it says none. */
export function lastLeafTime(db: AnyDb): number | undefined {
  const bytes = db.prepare<[], Buffer>('SELECT bytes FROM leaf ORDER BY seq DESC LIMIT 1').pluck().get()
  try {
    const ms = bytes && Date.parse((JSON.parse(bytes.toString('utf8')) as { ts: string }).ts)
    return Number.isFinite(ms) ? ms : undefined
  } catch {
    return undefined
  }
}

/** Number of inner nodes in the database. */
export const nodeCount = (db: AnyDb): number => db.prepare<[], number>('SELECT ifnull(max(pos), -1) + 1 FROM node').pluck().get() ?? 0

/** The newest checkpoint, or the newest of at most `size` leaves. */
export function lastCheckpoint(db: AnyDb, atMost = Number.MAX_SAFE_INTEGER): CheckpointRow | undefined {
  return prepared<[number], CheckpointRow>(
    db,
    'SELECT size, signed_us, note FROM checkpoint WHERE size <= ? ORDER BY size DESC LIMIT 1'
  ).get(atMost)
}

/** The oldest checkpoint that covers a leaf. */
export function checkpointOver(db: AnyDb, seq: number): CheckpointRow | undefined {
  return db.prepare<[number], CheckpointRow>('SELECT size, signed_us, note FROM checkpoint WHERE size > ? ORDER BY size LIMIT 1').get(seq)
}

/**
 * Hashes of complete subtrees, as merkle.ts asks for them: level 0 is re-hashed from the leaf's bytes, or read where the leaf was disposed of;
 * inner nodes are read.
 * Throws when a row is missing.
 */
export function nodeReader(db: AnyDb): (level: number, index: number) => Uint8Array {
  const leaf = db.prepare<[number], Buffer>('SELECT bytes FROM leaf WHERE seq = ?').pluck()
  const node = db.prepare<[number], Buffer>('SELECT hash FROM node WHERE pos = ?').pluck()
  return (level, index) => {
    if (level === 0) {
      const bytes = leaf.get(index)
      if (bytes !== undefined) return leafHash(sha256, bytes)
      const kept = disposedHash(db, index)
      if (kept === undefined) throw new Error(`leaf ${index} is missing`)
      return kept
    }
    const bytes = node.get(nodePosition(level, index))
    if (bytes === undefined) throw new Error(`node ${level}/${index} is missing`)
    return bytes
  }
}

/** Prepared writes of the one writer. */
export interface LedgerStatements {
  readonly leaf: Statement<[number, Buffer]>
  readonly node: Statement<[number, Uint8Array]>
  readonly payload: Statement<[number, Buffer]>
  readonly leafBytes: Statement<[number], Buffer>
  readonly checkpoint: Statement<[number, number, string]>
}

export const ledgerStatements = (db: WritableDb): LedgerStatements => ({
  leaf: db.prepare('INSERT INTO leaf (seq, bytes) VALUES (?, ?)'),
  node: db.prepare('INSERT INTO node (pos, hash) VALUES (?, ?)'),
  payload: db.prepare('INSERT INTO payload (seq, ct) VALUES (?, ?)'),
  leafBytes: db.prepare<[number], Buffer>('SELECT bytes FROM leaf WHERE seq = ?').pluck(),
  checkpoint: db.prepare('INSERT INTO checkpoint (size, signed_us, note) VALUES (?, ?, ?)')
})

/** Prepared writes of the vault. */
export interface VaultStatements {
  readonly block: Statement<[number, number, string, Buffer]>
  readonly dropFrom: Statement<[number]>
}

export const vaultStatements = (db: WritableDb): VaultStatements => ({
  block: db.prepare('INSERT INTO key_block (first_seq, count, kek_id, ct) VALUES (?, ?, ?, ?)'),
  dropFrom: db.prepare('DELETE FROM key_block WHERE first_seq >= ?')
})

/** One past the highest seq with a key. */
export const keysEnd = (db: AnyDb): number =>
  db.prepare<[], number>('SELECT first_seq + count FROM key_block ORDER BY first_seq DESC LIMIT 1').pluck().get() ?? 0
