// SPDX-License-Identifier: Apache-2.0
// Makes a backup on a reader thread: two snapshots taken at the same moment, so that the writer is never held and the copies fit each other.
import { randomUUID } from 'node:crypto'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import { syncFile, syncFolder, writeFileDurably } from '../../node/durable-file.ts'
import type { BackupInfo } from '../../shared/contract/backup.ts'
import { AffidavitError } from '../../shared/contract/errors.ts'
import { toBase64 } from '../../shared/evidence/bytes.ts'
import { leafCount } from '../ledger/store.ts'
import { openReadable, type ReadableDb, settleCopy } from '../sqlite/open.ts'
import type { ReaderContext, ReaderControl } from '../threads/reader-context.ts'
import { kekIdsIn } from '../vault/key-block.ts'
import { checkCopy } from './check-copy.ts'
import { type BackupManifest, fileSha256, infoOf, KEYS_NAME, MANIFEST_NAME } from './manifest.ts'

export interface WriteBackupInput {
  readonly workspace: string
  readonly target: string
  readonly workspaceId: string
  readonly name: string
  readonly origin: string
  readonly vkey: string
  readonly app: string
}

/** Pages of one step; a step reads on this thread only. */
const PAGES = 1_000

const cancelled = (): AffidavitError => new AffidavitError('cancelled', 'cancelled')

const bytesOf = (path: string): number => (existsSync(path) ? statSync(path).size : 0)

/** What went wrong, in words that say what to do. */
export function toBackupError(error: unknown): unknown {
  if (error instanceof AffidavitError) return error
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'ENOSPC' || code === 'SQLITE_FULL' || code === 'EDQUOT')
    return new AffidavitError('disk_full', 'the disk of the backup is full: no backup was made; free some space or choose another folder')
  if (
    ['EACCES', 'EROFS', 'EPERM', 'ENOENT', 'ENOTDIR'].includes(code) ||
    code.startsWith('SQLITE_CANTOPEN') ||
    code.startsWith('SQLITE_READONLY') ||
    code.startsWith('SQLITE_IOERR')
  )
    return new AffidavitError('file_unreadable', 'the folder of the backup cannot be written: no backup was made; choose another folder')
  return error
}

/** Copies a database in steps of a few pages, as it is in the snapshot of this connection. */
export async function copyDb(
  db: ReadableDb,
  to: string,
  done: (share: number) => void,
  isCancelled: () => boolean = () => false
): Promise<void> {
  await db.backup(to, {
    progress: ({ totalPages, remainingPages }) => {
      if (isCancelled()) throw cancelled()
      done(totalPages === 0 ? 1 : 1 - remainingPages / totalPages)
      return PAGES
    }
  })
  settleCopy(to)
}

/**
 * Writes a backup beside its final name and renames it when it is whole, verified and on disk: a crash or a cancel leaves no folder that looks
 * like a backup.
 * @throws AffidavitError disk_full, file_unreadable, workspace_damaged (the copy is not what was signed), cancelled
 */
export async function writeBackup(context: ReaderContext, input: WriteBackupInput, control: ReaderControl): Promise<BackupInfo> {
  const made = new Date().toISOString()
  const label = `affidavit-${input.origin.slice(-8)}-${made.replace(/[-:]/g, '').replace('.', '-')}`
  const final = join(input.target, label)
  const part = `${final}.part`
  try {
    const size =
      bytesOf(join(input.workspace, 'ledger.db')) +
      bytesOf(join(input.workspace, 'ledger.db-wal')) +
      bytesOf(join(input.workspace, KEYS_NAME))
    const { bavail, bsize } = statfsSync(input.target)
    if (bavail * bsize < size)
      throw new AffidavitError(
        'disk_full',
        `the backup takes about ${Math.ceil(size / 1e6)} MB, and ${Math.floor((bavail * bsize) / 1e6)} MB are free there: free some space or choose another folder`
      )
    // What an earlier process left when it was killed: never whole, and only this engine writes backups of this log.
    for (const name of readdirSync(input.target))
      if (name.startsWith(`affidavit-${input.origin.slice(-8)}-`) && name.endsWith('.part'))
        rmSync(join(input.target, name), { recursive: true, force: true })
    mkdirSync(part, { mode: 0o700 })
    const manifest = await fill(context, input, control, part, made)
    writeFileDurably(join(part, MANIFEST_NAME), `${JSON.stringify(manifest, null, 1)}\n`)
    syncFolder(part)
    renameSync(part, final)
    syncFolder(input.target)
    return infoOf(final, manifest)
  } catch (error) {
    rmSync(part, { recursive: true, force: true })
    throw toBackupError(error)
  }
}

async function fill(
  context: ReaderContext,
  input: WriteBackupInput,
  control: ReaderControl,
  part: string,
  made: string
): Promise<BackupManifest> {
  const { ledger, keys } = context
  const total = bytesOf(join(input.workspace, 'ledger.db')) * 2
  const share = (from: number, to: number) => (part: number) => control.progress(Math.floor(total * (from + (to - from) * part)), total)
  // The mark first: it may lag behind the copy, as after a crash, but never be ahead of it.
  const head = readFileSync(join(input.workspace, 'head'))
  ledger.exec('BEGIN')
  keys.exec('BEGIN')
  let size: number
  try {
    size = leafCount(ledger)
    keys.prepare('SELECT max(first_seq) FROM key_block').get()
    await copyDb(ledger, join(part, 'ledger.db'), share(0, 0.45), control.cancelled)
    await copyDb(keys, join(part, KEYS_NAME), share(0.45, 0.5), control.cancelled)
  } finally {
    ledger.exec('COMMIT')
    keys.exec('COMMIT')
  }
  writeFileSync(join(part, 'head'), head, { mode: 0o600 })
  copyFileSync(join(input.workspace, 'workspace.json'), join(part, 'workspace.json'))
  mkdirSync(join(part, 'anchors'), { mode: 0o700 })
  const anchors = readdirSync(join(input.workspace, 'anchors'), { withFileTypes: true }).filter(
    (entry) => entry.isFile() && !entry.name.endsWith('.tmp')
  )
  for (const { name } of anchors) copyFileSync(join(input.workspace, 'anchors', name), join(part, 'anchors', name))
  const copy = openReadable(join(part, 'ledger.db'))
  let checked: ReturnType<typeof checkCopy>
  try {
    checked = checkCopy(copy, input.vkey, { ...control, progress: (done, all) => share(0.5, 0.9)(all === 0 ? 1 : done / all) })
  } finally {
    copy.close()
  }
  if (checked.size !== size)
    throw new AffidavitError('workspace_damaged', 'the copy does not hold the leaves that were there: no backup was kept')
  const copiedKeys = openReadable(join(part, KEYS_NAME))
  const keks = kekIdsIn(copiedKeys)
  copiedKeys.close()
  const names = ['ledger.db', KEYS_NAME, 'head', 'workspace.json', ...anchors.map(({ name }) => `anchors/${name}`)]
  const files = []
  for (const name of names) {
    if (control.cancelled()) throw cancelled()
    const path = join(part, name)
    syncFile(path)
    files.push({ name, bytes: statSync(path).size, sha256: await fileSha256(path) })
  }
  syncFolder(join(part, 'anchors'))
  return {
    v: 1,
    id: randomUUID(),
    made,
    workspace_id: input.workspaceId,
    name: input.name,
    origin: input.origin,
    vkey: input.vkey,
    size,
    root: toBase64(checked.root),
    checkpoint: checked.checkpoint.note,
    checkpoint_size: checked.checkpoint.size,
    app: input.app,
    keks,
    files
  }
}
