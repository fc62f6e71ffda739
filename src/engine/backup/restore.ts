// SPDX-License-Identifier: Apache-2.0
// Restores a backup to a new folder, or into a temporary one as a test. Nothing is left behind unless everything in it was verified.
import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { syncFile, syncFolder } from '../../node/durable-file.ts'
import type { BackupInfo, RestoreReport } from '../../shared/contract/backup.ts'
import { AffidavitError } from '../../shared/contract/errors.ts'
import { equalBytes, toBase64 } from '../../shared/evidence/bytes.ts'
import { rootAt } from '../../shared/evidence/merkle.ts'
import { parseVkey } from '../../shared/evidence/note.ts'
import { sha256 } from '../crypto.ts'
import type { Actor } from '../ledger/draft.ts'
import { HeadFile } from '../ledger/head.ts'
import { type HeadCopy, readHeadCopy } from '../ledger/head-copy.ts'
import { leafCount, nodeReader } from '../ledger/store.ts'
import { verifyWorkspace } from '../ledger/verify-workspace.ts'
import { personWithAccount } from '../people/reading.ts'
import { openReadable, type ReadableDb } from '../sqlite/open.ts'
import type { ReaderControl } from '../threads/reader-context.ts'
import { PayloadReader } from '../vault/payload-reader.ts'
import { rememberedKeys } from '../workspace/keyless.ts'
import { workspacePaths } from '../workspace/paths.ts'
import { checkCopy } from './check-copy.ts'
import { type BackupManifest, backupsIn, fileSha256, infoOf, isInside, KEYS_NAME, readManifest } from './manifest.ts'
import { keysFor, reapply, trimKeys } from './restore-keys.ts'
import { type FoundBackups, type RestoredNote, rememberRestore } from './restored-note.ts'
import { toBackupError } from './write-backup.ts'

export interface RestoreInput {
  readonly kind: 'drill' | 'restore'
  /** Folder of the backup. */
  readonly path: string
  /** Where it goes: a folder that is not there yet, or is empty. For a test, a temporary one that is removed at the end. */
  readonly to: string
  readonly state: string
  /** Key-encryption keys of the workspace that was backed up, base64 by id. */
  readonly keks: Readonly<Record<string, string>>
  /** The running workspace, to hold the copy against it when it is the same log. */
  readonly live: string | null
  /** A person chose to go back although this machine has seen leaves that the backup does not hold. */
  readonly acceptLoss: boolean
  /** Who restores, and the log in which they are known; or the account of the system under which a command does. */
  readonly by: { readonly actor: Actor; readonly origin: string } | { readonly account: string }
}

/** Who restores, as the note of it names them. A command is the person of its account, if the restored log knows one. */
function restorerOf({ by }: RestoreInput, origin: string, ledger: ReadableDb, payloads: PayloadReader): RestoredNote['by'] {
  if ('actor' in by) return { ref: by.actor.ref, kind: by.actor.kind, origin: by.origin }
  const person = personWithAccount(ledger, payloads, by.account)
  return { ref: person ?? 'local', kind: 'human', origin: person === undefined ? null : origin }
}

const damaged = (message: string): AffidavitError =>
  new AffidavitError('workspace_damaged', `${message}. Nothing was restored: use another backup`)

/** Copies the files, each held against its hash in the manifest. The keys may come from elsewhere: see {@link keysFor}. */
async function copyFiles(input: RestoreInput, manifest: BackupManifest, part: string, control: ReaderControl): Promise<void> {
  mkdirSync(join(part, 'anchors'), { recursive: true, mode: 0o700 })
  const total = manifest.files.reduce((sum, file) => sum + file.bytes, 0)
  let done = 0
  for (const { name, sha256: expected } of manifest.files) {
    const from = join(input.path, name)
    if (!existsSync(from)) {
      if (name === KEYS_NAME) continue
      throw damaged(`The backup is incomplete: ${name} is missing`)
    }
    if (control.cancelled()) throw new AffidavitError('cancelled', 'cancelled')
    const to = join(part, name)
    copyFileSync(from, to)
    const actual = await fileSha256(to, (bytes) => {
      done += bytes
      control.progress(Math.floor(done / 2), total)
    })
    if (actual !== expected) throw damaged(`The backup was changed: ${name} has another SHA-256 than its manifest says`)
  }
}

const keksOf = (input: RestoreInput): ReadonlyMap<string, Uint8Array> =>
  new Map(Object.entries(input.keks).map(([id, key]) => [id, Buffer.from(key, 'base64')]))

function requireNew(to: string, from: string): void {
  if (isInside(to, from)) throw new AffidavitError('bad_request', 'the new folder lies in the backup: choose another')
  if (existsSync(to) && readdirSync(to).length > 0)
    throw new AffidavitError('file_exists', 'the folder to restore to is not empty: name a new one')
}

/**
 * Verifies a backup from its hashes to every payload and restores it. A crash, a cancel or a fault leaves no folder behind.
 * @throws AffidavitError file_unreadable, not_this_format, workspace_damaged, keys_unavailable, conflict (leaves would be lost), file_exists, disk_full, cancelled
 */
export async function restoreBackup(input: RestoreInput, control: ReaderControl): Promise<RestoreReport> {
  const started = performance.now()
  const manifest = readManifest(input.path)
  requireNew(input.to, input.path)
  const checks: { text: string; holds: boolean }[] = []
  const holds = (text: string) => checks.push({ text, holds: true })
  const seen = readHeadCopy(input.state, manifest.origin)
  const lost = Math.max(0, (seen?.size ?? 0) - manifest.size)
  if (input.kind === 'restore' && lost > 0 && !input.acceptLoss) {
    throw new AffidavitError(
      'conflict',
      `This machine has seen ${seen?.size} leaves of this log, the backup holds ${manifest.size}: the last ${lost} would be gone. Restore only if they are lost anyway, and say so: it is recorded as a rollback that a person chose`,
      { lost }
    )
  }
  // What a crash left of an earlier attempt is made anew; the name is one that nobody else gives a folder.
  const part = `${input.to}.affidavit-restoring`
  try {
    rmSync(part, { recursive: true, force: true })
    mkdirSync(part, { recursive: true, mode: 0o700 })
    await copyFiles(input, manifest, part, control)
    holds(`${manifest.files.length} files have the SHA-256 that the manifest says`)
    const keysFrom = await keysFor(input.path, input.keks, manifest, part)
    if (keysFrom === 'newer') holds('The keys come from a newer copy beside it: a change of the key destroyed the older ones')
    trimKeys(part, manifest.size, keksOf(input))
    const copy = openReadable(join(part, 'ledger.db'))
    let report: ReturnType<typeof verifyWorkspace>
    try {
      const checked = checkCopy(copy, manifest.vkey, { ...control, progress: () => {} })
      if (checked.size !== manifest.size || Buffer.from(checked.root).toString('base64') !== manifest.root)
        throw damaged('The root of the leaves is not the one that the manifest says')
      holds(`The root of ${checked.checkpoint.size} leaves is the one that the checkpoint signed`)
      checkSeen(copy, seen, manifest)
      if (seen)
        holds(
          lost > 0 ? 'What this machine remembers of the log begins with the backup' : 'The head this machine remembers is in the backup'
        )
    } finally {
      copy.close()
    }
    const reapplied = reapply({ path: input.path, state: input.state, keks: keksOf(input) }, manifest, part)
    const ledger = openReadable(join(part, 'ledger.db'))
    const keys = openReadable(join(part, KEYS_NAME))
    let by: RestoredNote['by']
    let backups: FoundBackups = []
    try {
      const payloads = new PayloadReader(ledger, keys, keksOf(input))
      const { name: origin, publicKey } = parseVkey(sha256, manifest.vkey)
      // Checkpoints before a rotation are signed by earlier keys; the anchors of the copy name them.
      const earlier = rememberedKeys(workspacePaths(part), origin)
      report = verifyWorkspace(
        { ledger, keys, payloads },
        { size: manifest.size, origin, logPublicKeys: [publicKey, ...earlier], keys: true, reapplied, share: 1 },
        { cancelled: control.cancelled, progress: control.progress, rest: () => {} }
      )
      by = restorerOf(input, manifest.origin, ledger, payloads)
      if (report?.verdict === 'intact') backups = backupsHere(input.path, manifest, ledger)
    } finally {
      ledger.close()
      keys.close()
    }
    if (!report) throw new AffidavitError('cancelled', 'cancelled')
    if (report.verdict !== 'intact')
      throw damaged(`${report.faults_total} faults were found in the backup, the first: ${report.faults[0]?.message ?? ''}`)
    holds(`${report.checked.leaves} leaves, ${report.checked.payloads} payloads and ${report.checked.checkpoints} checkpoints verify`)
    const head = HeadFile.open(join(part, 'head'), 'r')
    const mark = head?.current
    head?.close()
    if (!mark || mark.size > manifest.size) throw damaged('The high-water mark in the backup is unreadable or ahead of its leaves')
    if (input.live !== null) checks.push(...compareLive(input.live, manifest))
    if (reapplied.length > 0) holds(`${reapplied.length} later erasures and disposals were carried out on the copy too`)
    const result: RestoreReport = {
      kind: input.kind,
      backup: infoOf(input.path, manifest),
      verdict: checks.every((check) => check.holds) ? 'matches' : 'damaged',
      checks,
      missing_after: lost,
      reapplied: reapplied.length,
      seconds: (performance.now() - started) / 1000
    }
    if (input.kind === 'drill') return result
    const takeBack = rememberRestore(input.state, part, {
      backup_id: manifest.id,
      made: manifest.made,
      origin: manifest.origin,
      size: manifest.size,
      root: manifest.root,
      by,
      backups,
      seen: seen && lost > 0 ? { size: seen.size, root: toBase64(seen.root) } : null,
      reapplied
    })
    try {
      syncTree(part)
      rmSync(input.to, { recursive: true, force: true })
      renameSync(part, input.to)
    } catch (error) {
      takeBack()
      throw error
    }
    syncFolder(dirname(input.to))
    return result
  } catch (error) {
    throw toBackupError(error)
  } finally {
    rmSync(part, { recursive: true, force: true })
  }
}

/** Puts everything in a folder on disk, the folders too: it is renamed to its place only as a whole. */
function syncTree(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) syncTree(path)
    else syncFile(path)
  }
  syncFolder(folder)
}

/** The backup and those of the same log beside it, for the restored log: their leaves are not in it, or it has another in their place. */
function backupsHere(path: string, manifest: BackupManifest, ledger: ReadableDb): FoundBackups {
  const own = infoOf(resolve(path), manifest)
  const nodes = nodeReader(ledger)
  const beside = (): readonly BackupInfo[] => {
    try {
      return backupsIn(dirname(own.path)).filter(({ id, origin }) => id !== own.id && origin === own.origin)
    } catch {
      return []
    }
  }
  return [own, ...beside()].map(({ id, path: at, made, size, checkpoint_size, bytes, root }) => {
    const other = size > manifest.size || toBase64(rootAt(sha256, size, nodes)) !== root
    return { id, path: at, made, size, checkpoint_size, bytes, other }
  })
}

function checkSeen(copy: ReadableDb, seen: HeadCopy | undefined, manifest: BackupManifest): void {
  if (!seen || seen.size === 0 || seen.size > manifest.size) return
  if (!equalBytes(rootAt(sha256, seen.size, nodeReader(copy)), seen.root))
    throw damaged('This machine remembers another history of this log than the backup holds')
}

function compareLive(live: string, manifest: BackupManifest): { text: string; holds: boolean }[] {
  const ledger = openReadable(join(live, 'ledger.db'))
  try {
    if (leafCount(ledger) < manifest.size) return [{ text: 'The open workspace holds fewer leaves than the backup', holds: false }]
    const same = equalBytes(rootAt(sha256, manifest.size, nodeReader(ledger)), Buffer.from(manifest.root, 'base64'))
    return [
      { text: `The root of the first ${manifest.size} leaves is ${same ? 'the same' : 'another'} in the open workspace`, holds: same }
    ]
  } finally {
    ledger.close()
  }
}
