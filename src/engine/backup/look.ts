// SPDX-License-Identifier: Apache-2.0
// What the folders of the backups say: which backups open, and whether a copy of the keys can be made there. Runs on a reader thread: a folder on
// a network may answer late.
import { accessSync, constants, existsSync, statfsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { BackupContents } from '../../shared/contract/backup.ts'
import { keyCopiesIn } from './key-copy.ts'
import { MANIFEST_NAME, readManifest, requireTarget } from './manifest.ts'
import { keysOfBackup } from './restore-keys.ts'

export interface LookAtBackups {
  /** Folders of the backups on record. */
  readonly paths: readonly string[]
  /** Folders that hold backups, or are going to. */
  readonly folders: readonly string[]
  readonly origin: string
  readonly workspace: string
  readonly state: string
  /** Ids of the key-encryption keys that are here. */
  readonly keks: readonly string[]
  /** How much a copy of the keys takes, bytes. */
  readonly bytes: number
}

export interface LookedAt {
  /** In the order of `paths`. */
  readonly contents: readonly BackupContents[]
  /** In the order of `folders`; `problem` says why no copy of the keys can be made there. */
  readonly folders: readonly {
    readonly path: string
    readonly problem: string | null
    readonly copy: { readonly path: string; readonly made: string; readonly size: number } | null
  }[]
}

function contentsOf(path: string, { origin, keks }: LookAtBackups): BackupContents {
  if (!existsSync(dirname(path))) return 'not_connected'
  if (!existsSync(join(path, MANIFEST_NAME))) return 'removed'
  try {
    const manifest = readManifest(path)
    if (manifest.origin !== origin) return 'removed'
    const keys = keysOfBackup(path, manifest, keks)
    return keys === 'own' ? 'opens' : keys === 'newer' ? 'newer_keys' : 'closed'
  } catch {
    return 'closed'
  }
}

function problemOf(folder: string, { workspace, state, bytes }: LookAtBackups): string | null {
  try {
    requireTarget(folder, workspace, state)
    accessSync(folder, constants.W_OK)
    const { bavail, bsize } = statfsSync(folder)
    return bavail * bsize < bytes ? 'its disk is full' : null
  } catch {
    return existsSync(folder) ? 'it cannot be written' : 'it is not there: is its drive connected?'
  }
}

/** Looks at backups and their folders; changes nothing. */
export function lookAtBackups(args: LookAtBackups): LookedAt {
  return {
    contents: args.paths.map((path) => contentsOf(path, args)),
    folders: args.folders.map((path) => {
      const [copy] = keyCopiesIn(path, args.origin)
      return { path, problem: problemOf(path, args), copy: copy ? { path: copy.path, made: copy.made, size: copy.size } : null }
    })
  }
}
