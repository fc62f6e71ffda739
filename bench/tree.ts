// SPDX-License-Identifier: Apache-2.0
// Re-hashing the leaves of a ledger into their root, as before each checkpoint, beside bare SHA-256 over the same bytes.
import { hash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sha256 } from '../src/engine/crypto.ts'
import { ledgerMigrations } from '../src/engine/ledger/migrations.ts'
import { reread } from '../src/engine/ledger/reread.ts'
import { migrate, openOfRecord, openReadable } from '../src/engine/sqlite/open.ts'
import { emptyRoot } from '../src/shared/evidence/merkle.ts'
import type { BenchRow } from './row.ts'

const LEAVES = 200_000
const LEAF = Buffer.from(JSON.stringify({ actor: { kind: 'service', ref: 'http' }, filler: 'x'.repeat(700) }))

export async function benchTree(): Promise<BenchRow[]> {
  const root = mkdtempSync(join(tmpdir(), 'affidavit-tree-'))
  try {
    const path = join(root, 'ledger.db')
    const db = openOfRecord(path)
    migrate(db, ledgerMigrations)
    const insert = db.prepare('INSERT INTO leaf (seq, bytes) VALUES (?, ?)')
    db.transaction(() => {
      for (let seq = 0; seq < LEAVES; seq++) insert.run(seq, LEAF)
    })()
    db.close()
    const readable = openReadable(path)
    const empty = { size: 0, root: emptyRoot(sha256), hashes: [] }
    reread(readable, empty, 20_000)
    let started = performance.now()
    for (let i = 0; i < LEAVES; i++) hash('sha256', LEAF, 'buffer')
    const bare = LEAVES / ((performance.now() - started) / 1000)
    started = performance.now()
    const tree = reread(readable, empty, LEAVES)
    const rate = LEAVES / ((performance.now() - started) / 1000)
    if (tree.size !== LEAVES) throw new Error('leaves are missing')
    readable.close()
    return [
      {
        name: 'tree verification from disk',
        value: Math.round(rate),
        unit: 'leaves/s',
        target: 200_000,
        limit: { name: 'bare SHA-256 over the same bytes', value: Math.round(bare) },
        ratio: rate / bare
      }
    ]
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}
