// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import { createReadStream, existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, join, sep } from 'node:path'
import { z } from 'zod'
import type { BackupInfo } from '../../shared/contract/backup.ts'
import { AffidavitError } from '../../shared/contract/errors.ts'

const count = z.int().min(0)

/** manifest.json of a backup: what was copied, with the SHA-256 of every file, and the checkpoint it was held against. */
export const manifestSchema = z.strictObject({
  v: z.literal(1),
  id: z.uuid(),
  made: z.iso.datetime(),
  workspace_id: z.uuid(),
  name: z.string().min(1).max(200),
  origin: z.string().min(1).max(200),
  /** vkey of the log, to check the checkpoint with. */
  vkey: z.string().min(1).max(400),
  size: count,
  /** Root over all `size` leaves, base64. */
  root: z.base64(),
  checkpoint: z.string().min(1).max(4096),
  checkpoint_size: count,
  app: z.string().max(32),
  /** Ids of the key-encryption keys that wrap its keys. */
  keks: z.array(z.string().max(64)).max(1_000).optional(),
  files: z
    .array(
      z.strictObject({
        name: z.string().regex(/^(anchors\/)?[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/),
        bytes: count,
        sha256: z.string().length(64)
      })
    )
    .max(10_000)
})
export type BackupManifest = z.infer<typeof manifestSchema>

export const MANIFEST_NAME = 'manifest.json'
export const KEYS_NAME = 'keys.db'

/** @throws AffidavitError file_unreadable, not_this_format */
export function readManifest(folder: string): BackupManifest {
  let text: string
  try {
    text = readFileSync(join(folder, MANIFEST_NAME), 'utf8')
  } catch {
    throw new AffidavitError('file_unreadable', `there is no backup in ${folder}: ${MANIFEST_NAME} cannot be read`)
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    value = undefined
  }
  const parsed = manifestSchema.safeParse(value)
  if (!parsed.success) throw new AffidavitError('not_this_format', `the manifest in ${folder} is not that of a backup`)
  return parsed.data
}

/** The manifest as the contract shows it. */
export const infoOf = (folder: string, manifest: BackupManifest): BackupInfo => ({
  id: manifest.id,
  path: folder,
  made: manifest.made,
  name: manifest.name,
  origin: manifest.origin,
  size: manifest.size,
  checkpoint_size: manifest.checkpoint_size,
  root: manifest.root,
  bytes: manifest.files.reduce((sum, file) => sum + file.bytes, 0),
  keys: existsSync(join(folder, KEYS_NAME))
})

/** The backups in a folder, or the folder itself when it is one; newest first. */
export function backupsIn(folder: string): BackupInfo[] {
  if (existsSync(join(folder, MANIFEST_NAME))) return [infoOf(folder, readManifest(folder))]
  let names: string[]
  try {
    names = readdirSync(folder)
  } catch {
    throw new AffidavitError('file_unreadable', 'the folder cannot be read')
  }
  const found = names.flatMap((name) => {
    const path = join(folder, name)
    // One unreadable neighbour must not hide the others.
    try {
      return name.endsWith('.part') || !existsSync(join(path, MANIFEST_NAME)) ? [] : [infoOf(path, readManifest(path))]
    } catch {
      return []
    }
  })
  return found.sort((a, b) => (a.made < b.made ? 1 : -1))
}

/** SHA-256 of a file in hex, read in pieces. */
export async function fileSha256(path: string, onBytes: (bytes: number) => void = () => {}): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    hash.update(chunk as Buffer)
    onBytes((chunk as Buffer).length)
  }
  return hash.digest('hex')
}

const realOf = (path: string): string => {
  if (existsSync(path)) return realpathSync(path)
  const parent = dirname(path)
  return parent === path ? path : join(realOf(parent), basename(path))
}

/** Whether a path, links followed, is a folder or something below it. */
export function isInside(path: string, folder: string): boolean {
  const inner = realOf(path)
  const outer = realOf(folder)
  return inner === outer || inner.startsWith(outer.endsWith(sep) ? outer : outer + sep)
}

/** @throws AffidavitError bad_request: the folder is missing or is no folder, or lies in the workspace */
export function requireTarget(folder: string, workspace: string, state: string): void {
  if (isInside(folder, workspace))
    throw new AffidavitError(
      'bad_request',
      'the folder of the backups lies in the workspace: what destroys one would destroy both. Choose another, best on another disk'
    )
  if (isInside(folder, state))
    throw new AffidavitError(
      'bad_request',
      'the folder of the backups lies beside the keys: whoever takes it could open everything. Choose another, best on another disk'
    )
  let isFolder: boolean
  try {
    isFolder = statSync(folder).isDirectory()
  } catch {
    isFolder = false
  }
  if (!isFolder) throw new AffidavitError('file_unreadable', 'there is no such folder for the backups')
}
