// SPDX-License-Identifier: Apache-2.0
import { CompactRange } from '../../shared/evidence/merkle.ts'
import { parseCheckpoint, parseVkey } from '../../shared/evidence/note.ts'
import { sha256 } from '../crypto.ts'
import { lastCheckpoint } from '../ledger/store.ts'
import { openProjection, type WritableDb } from '../sqlite/open.ts'
import { missingKeyring } from '../vault/keyring.ts'
import { type Identity, refuseToSign } from '../workspace/identity.ts'
import { lockWorkspace, workspacePaths } from '../workspace/paths.ts'
import type { OpenWorkspace } from '../workspace/workspace.ts'
import { type ReviewFile, readReview } from './review-file.ts'

const NOTHING = new Uint8Array(32)

/** Opens contents with the key of the folder; signs nothing. */
function identityOf(review: ReviewFile): Identity {
  const { name, publicKey } = parseVkey(sha256, review.log_vkey)
  const kek = { id: review.kek.id, key: Buffer.from(review.kek.key, 'base64') }
  return {
    origin: name,
    log: { publicKey, sign: refuseToSign },
    export: { publicKey: NOTHING, sign: refuseToSign },
    exportSeed: NOTHING,
    publicKeys: (use) => (use === 'log' ? [publicKey] : []),
    dedupKey: Buffer.from(review.secret, 'base64'),
    keks: new Map([[kek.id, kek.key]]),
    kek,
    protection: 'missing'
  }
}

/**
 * Opens the folder of a review as the workspace it shows: read-only, with the keys of the log that made the bundle.
 * @throws AffidavitError workspace_locked, workspace_damaged
 */
export function openReview(folder: string, state: string): OpenWorkspace {
  const review = readReview(folder)
  const paths = workspacePaths(folder)
  const opened: WritableDb[] = [lockWorkspace(paths)]
  try {
    const ledgerDb = openProjection(paths.ledger)
    opened.push(ledgerDb)
    const keysDb = openProjection(paths.keys)
    opened.push(keysDb)
    const checkpoint = lastCheckpoint(ledgerDb)
    if (!checkpoint) throw new Error('a review has a checkpoint')
    const { size, root } = parseCheckpoint(checkpoint.note)
    const identity = identityOf(review)
    return {
      paths,
      state,
      description: {
        v: 1,
        id: review.id,
        name: review.report.file.name,
        created: review.report.bundle.written ?? new Date().toISOString(),
        sample: review.report.bundle.sample === true
      },
      identity,
      keyHolder: missingKeyring(identity.origin),
      created: false,
      start: {
        head: undefined,
        range: CompactRange.from(sha256, 0, []),
        nodes: 0,
        verified: { size, root, hashes: [] },
        checkpoint,
        secondCopy: 'none',
        recovered: 0,
        problem: undefined,
        tree: undefined
      },
      ledgerDb,
      keysDb,
      ledger: null,
      review,
      size,
      saveHead: () => undefined,
      close: () => {
        for (const db of opened.reverse()) db.close()
      }
    }
  } catch (error) {
    for (const db of opened.reverse()) db.close()
    throw error
  }
}
