// SPDX-License-Identifier: Apache-2.0
import type { EngineStart } from '../../shared/contract/wire.ts'
import { toBase64, toHex } from '../../shared/evidence/bytes.ts'
import { rootAt } from '../../shared/evidence/merkle.ts'
import type { EngineEnvironment } from '../config.ts'
import { sha256 } from '../crypto.ts'
import { bodyPart } from '../ledger/body-part.ts'
import type { LeafDraft } from '../ledger/draft.ts'
import { headCopyOf, writeHeadCopy } from '../ledger/head-copy.ts'
import { leafCount, nodeReader } from '../ledger/store.ts'
import type { AnyDb } from '../sqlite/open.ts'
import type { Opening, OsKeyStore } from '../vault/key-file.ts'
import { loadKeyring } from '../vault/keyring.ts'
import { keyLeavesIn, lostLeaves } from '../vault/signing-record.ts'
import type { OpenWorkspace } from '../workspace/workspace.ts'
import { readManifest } from './manifest.ts'
import { restoreBackup } from './restore.ts'
import { forgetRestore, type RestoredNote, restoredNote } from './restored-note.ts'

const SYSTEM = { ref: 'engine', kind: 'system' } as const

/** Key-encryption keys of a workspace whose keyring is in the state folder; base64 by id. @throws AffidavitError keys_unavailable */
export async function keksOfWorkspace(
  state: string,
  workspaceId: string,
  store: OsKeyStore | null,
  given: Pick<Opening, 'passphraseFile' | 'passphrase'>
): Promise<Record<string, string>> {
  const { holder } = await loadKeyring({ state, workspaceId, store, ...given }, false)
  return Object.fromEntries(holder.ring.keks.map(({ id, key }) => [id, key]))
}

/** The passphrase that opens keyrings here: typed, or in a file. */
export const passphraseOf = (
  config: EngineStart['config'],
  environment: EngineEnvironment
): Pick<Opening, 'passphraseFile' | 'passphrase'> => ({
  passphraseFile: config.passphraseFile ?? environment.passphraseFile,
  passphrase: config.passphrase
})

/**
 * Restores a backup to the folder that the engine is about to open. Where a person accepted the loss of newer leaves, the head remembered
 * outside is set back with it; the restored log says so in its next leaf.
 */
export async function restoreFirst(config: EngineStart['config'], environment: EngineEnvironment, store: OsKeyStore | null): Promise<void> {
  if (!config.restore) return
  const { from, acceptLoss } = config.restore
  const manifest = readManifest(from)
  const keks = await keksOfWorkspace(config.state, manifest.workspace_id, store, passphraseOf(config, environment))
  const control = { cancelled: () => false, progress: () => {}, rest: () => {} }
  const by = { account: environment.osAccount }
  await restoreBackup({ kind: 'restore', path: from, to: config.workspace, state: config.state, keks, live: null, acceptLoss, by }, control)
}

/** Whether a log still begins with what was restored. */
function holds(ledger: AnyDb, note: RestoredNote): boolean {
  try {
    return leafCount(ledger) >= note.size && toBase64(rootAt(sha256, note.size, nodeReader(ledger))) === note.root
  } catch {
    return false
  }
}

/**
 * Sets the remembered head back to a restore whose loss a person accepted, so that the folder opens; before the start checks. Only for the very
 * leaves that were restored, and only from the head that the person was shown: what was recorded since was not given up.
 */
export function acceptRestoredHead(state: string, workspace: string, origin: string, ledger: AnyDb): void {
  const note = restoredNote(state, workspace)
  if (!note?.seen || note.origin !== origin || leafCount(ledger) !== note.size || !holds(ledger, note)) return
  const { copy } = headCopyOf(state, origin)
  if (copy === undefined || copy.size !== note.seen.size || toBase64(copy.root) !== note.seen.root) return
  writeHeadCopy(state, origin, { size: note.size, root: Buffer.from(note.root, 'base64') })
}

/**
 * Records in a restored workspace that it was restored, first of all a rollback that a person chose. Called before anything else is appended;
 * a crash in between records it at the next start, once.
 */
export async function recordRestore(
  { state, paths, identity, keyHolder, ledgerDb }: Pick<OpenWorkspace, 'state' | 'paths' | 'identity' | 'keyHolder' | 'ledgerDb'>,
  append: (drafts: readonly LeafDraft[]) => Promise<unknown>
): Promise<void> {
  const note = restoredNote(state, paths.root)
  if (!note || note.origin !== identity.origin || !holds(ledgerDb, note)) return
  const { backup_id, made, size, root, seen, reapplied, by, backups } = note
  const actor = by ? { ref: by.ref, kind: by.kind } : SYSTEM
  const key = `restore/${backup_id}/${size}`
  const rolledBack: LeafDraft = {
    type: 'rollback.detected',
    actor,
    data: { reason: 'restore', head_size: seen?.size ?? 0, found_size: size },
    parts: [],
    sourceKey: `${key}/rollback`
  }
  const data = {
    kind: 'restore',
    backup_id,
    made,
    size,
    root: toHex(Buffer.from(root, 'base64')),
    verdict: 'matches',
    missing: seen ? seen.size - size : 0,
    reapplied: reapplied.length
  }
  await append([
    ...(seen ? [rolledBack] : []),
    {
      type: 'restore.done',
      actor,
      data,
      parts: [
        bodyPart({
          reapplied: [...reapplied],
          ...(by?.origin ? { known_in: by.origin } : {}),
          ...(backups ? { backups: [...backups] } : {})
        }).part
      ],
      sourceKey: key
    },
    // The keyring is newer than the leaves: changes and revocations that it knows of hold on.
    ...lostLeaves(keyHolder.ring, keyLeavesIn(ledgerDb))
  ])
  forgetRestore(state, paths.root)
}
