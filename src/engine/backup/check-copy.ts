// SPDX-License-Identifier: Apache-2.0
import { AffidavitError } from '../../shared/contract/errors.ts'
import { equalBytes } from '../../shared/evidence/bytes.ts'
import { CompactRange, leafHash } from '../../shared/evidence/merkle.ts'
import { parseCheckpoint, verifyCheckpoint } from '../../shared/evidence/note.ts'
import { ed25519Verify, sha256 } from '../crypto.ts'
import { type CheckpointRow, lastCheckpoint, leafCount } from '../ledger/store.ts'
import { disposedHash } from '../ledger/tiles.ts'
import type { ReadableDb } from '../sqlite/open.ts'
import type { ReaderControl } from '../threads/reader-context.ts'

const STEP = 1_000

/**
 * Re-hashes every leaf of a copied ledger; the root at its newest checkpoint must be the one that was signed. Payloads are compared with the
 * hash their leaf holds.
 * @throws AffidavitError workspace_damaged: with what does not fit; cancelled
 */
export function checkCopy(
  ledger: ReadableDb,
  vkey: string,
  control: ReaderControl
): { readonly size: number; readonly root: Uint8Array; readonly checkpoint: CheckpointRow } {
  const damaged = (what: string) => new AffidavitError('workspace_damaged', `the copy is not what was signed: ${what}`)
  const checkpoint = lastCheckpoint(ledger)
  if (!checkpoint) throw damaged('it holds no checkpoint')
  if (!verifyCheckpoint(sha256, ed25519Verify, checkpoint.note, vkey)) throw damaged('the signature of its newest checkpoint does not hold')
  const signed = parseCheckpoint(checkpoint.note)
  const size = leafCount(ledger)
  if (size < checkpoint.size) throw damaged(`${checkpoint.size} leaves were signed, ${size} are there`)
  const range = CompactRange.from(sha256, 0, [])
  const rows = ledger.prepare<[number, number], { seq: number; bytes: Buffer; ct: Buffer | null }>(`
SELECT leaf.seq, leaf.bytes, payload.ct
FROM leaf LEFT JOIN payload ON payload.seq = leaf.seq
WHERE leaf.seq >= ? AND leaf.seq < ?
ORDER BY leaf.seq`)
  const push = (hash: Uint8Array) => {
    range.push(hash)
    if (range.size === checkpoint.size && !equalBytes(range.root(), signed.root))
      throw damaged(`the root of its first ${checkpoint.size} leaves is another`)
  }
  const fill = (to: number) => {
    while (range.size < to) {
      const hash = disposedHash(ledger, range.size)
      if (!hash) throw damaged(`leaf ${range.size} is missing`)
      push(hash)
    }
  }
  for (let from = 0; from < size; from += STEP) {
    if (control.cancelled()) throw new AffidavitError('cancelled', 'cancelled')
    for (const row of rows.all(from, Math.min(size, from + STEP))) {
      fill(row.seq)
      push(leafHash(sha256, row.bytes))
      if (row.ct === null) continue
      const { ct_sha256 } = JSON.parse(row.bytes.toString('utf8')) as { ct_sha256?: string }
      if (Buffer.from(sha256(row.ct)).toString('base64') !== ct_sha256) throw damaged(`the payload of leaf ${row.seq} was changed`)
    }
    fill(Math.min(size, from + STEP))
    control.progress(range.size, size)
  }
  return { size, root: range.root(), checkpoint }
}
