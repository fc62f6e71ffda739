// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { syncFolder } from '../../node/durable-file.ts'
import type { EngineStart } from '../../shared/contract/wire.ts'
import { toHex } from '../../shared/evidence/bytes.ts'
import type { EngineEnvironment } from '../config.ts'
import { bodyPart } from '../ledger/body-part.ts'
import type { LeafDraft } from '../ledger/draft.ts'
import { writeHeadCopy } from '../ledger/head.ts'
import type { Opening, OsKeyStore } from '../vault/key-file.ts'
import { loadKeyring } from '../vault/keyring.ts'
import { readManifest } from './manifest.ts'
import { RESTORED_NAME, type RestoredNote, restoreBackup } from './restore.ts'

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
  await restoreBackup({ kind: 'restore', path: from, to: config.workspace, state: config.state, keks, live: null, acceptLoss }, control)
}

/** What a restored folder says of itself; null for any other. */
export const restoredNote = (workspace: string): RestoredNote | null => {
  const path = join(workspace, RESTORED_NAME)
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as RestoredNote) : null
}

/** Sets the remembered head back to a restore whose loss a person accepted, so that the folder opens; before the start checks. */
export function acceptRestoredHead(workspace: string, state: string, origin: string): void {
  const note = restoredNote(workspace)
  if (note === null || note.seen_size === 0) return
  writeHeadCopy(join(state, 'heads.json'), origin, { size: note.size, root: Buffer.from(note.root, 'base64') })
}

/**
 * Records in a restored workspace that it was restored, first of all a rollback that a person chose. Called before anything else is appended;
 * a crash in between records it at the next start, once.
 */
export async function recordRestore(workspace: string, append: (drafts: readonly LeafDraft[]) => Promise<unknown>): Promise<void> {
  const note = restoredNote(workspace)
  if (note === null) return
  const { backup_id, made, size, root, seen_size, reapplied } = note
  const key = `restore/${backup_id}/${size}`
  const rolledBack: LeafDraft = {
    type: 'rollback.detected',
    actor: SYSTEM,
    data: { reason: 'restore', head_size: seen_size, found_size: size },
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
    missing: Math.max(0, seen_size - size),
    reapplied: reapplied.length
  }
  await append([
    ...(seen_size > 0 ? [rolledBack] : []),
    { type: 'restore.done', actor: SYSTEM, data, parts: [bodyPart({ reapplied: [...reapplied] }).part], sourceKey: key }
  ])
  rmSync(join(workspace, RESTORED_NAME), { force: true })
  syncFolder(workspace)
}
