// SPDX-License-Identifier: Apache-2.0
import { CompactRange, leafHash } from '../../shared/evidence/merkle.ts'
import { sha256 } from '../crypto.ts'
import type { AnyDb } from '../sqlite/open.ts'
import type { TreeState } from './group-writer.ts'

/** Re-hashes the leaves [from.size, toSize) as they are on disk, on top of the tree `from`. Runs on a reader's own connection. */
export function reread(ledger: AnyDb, from: TreeState, toSize: number): TreeState {
  const range = CompactRange.from(sha256, from.size, from.hashes)
  const rows = ledger.prepare<[number, number], Buffer>('SELECT bytes FROM leaf WHERE seq >= ? AND seq < ? ORDER BY seq').pluck()
  for (const bytes of rows.iterate(from.size, toSize)) range.push(leafHash(sha256, bytes))
  return { size: range.size, root: range.root(), hashes: [...range.hashes] }
}
