// SPDX-License-Identifier: Apache-2.0
import type { WorkspaceReport } from '../../shared/contract/exports.ts'
import { formatVkey, parseCheckpoint, verifyCheckpoint } from '../../shared/evidence/note.ts'
import { ed25519Verify, sha256 } from '../crypto.ts'
import type { AnyDb } from '../sqlite/open.ts'
import type { CheckpointRow } from './store.ts'
import { readOr } from './unreadable.ts'
import type { VerifyWorkspaceInput } from './verify-workspace.ts'

/** Signatures and sizes of all checkpoints; `roots` are those that may be relied on. */
export function checkpointRows(ledger: AnyDb, input: VerifyWorkspaceInput) {
  const vkeys = input.logPublicKeys.map((key) => formatVkey(sha256, input.origin, key))
  const roots = new Map<number, Uint8Array>()
  const faults: WorkspaceReport['faults'] = []
  let count = 0
  const bad = (code: string, message: string) => faults.push({ code, message, seq: null })
  const rows = ledger.prepare<[], CheckpointRow>('SELECT size, signed_us, note FROM checkpoint ORDER BY size')
  const check = (row: CheckpointRow): void => {
    count++
    let note: ReturnType<typeof parseCheckpoint>
    try {
      note = parseCheckpoint(row.note)
    } catch {
      return void bad('checkpoint_unreadable', `checkpoint ${row.size}: not a signed note`)
    }
    if (!vkeys.some((vkey) => verifyCheckpoint(sha256, ed25519Verify, row.note, vkey)))
      bad('checkpoint_signature', `checkpoint ${row.size}: the signature is not by the key of this log`)
    else if (note.size !== row.size) bad('checkpoint_size', `checkpoint ${row.size}: the signed note speaks of ${note.size} leaves`)
    // Signed while this runs: those are for the next time.
    else if (row.size <= input.size) roots.set(row.size, note.root)
  }
  readOr(
    undefined,
    (word) => void bad('checkpoint_unreadable', `the checkpoints cannot be read from disk (${word})`),
    () => {
      for (const row of rows.iterate()) check(row)
    }
  )
  return { roots, faults, count }
}
