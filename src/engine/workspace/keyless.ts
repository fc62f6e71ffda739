// SPDX-License-Identifier: Apache-2.0
// A workspace whose keyring is not here: what can still be known of its log from the files beside it.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileDurably } from '../../node/durable-file.ts'
import { formatVkey, originOf, parseVkey } from '../../shared/evidence/note.ts'
import { sha256 } from '../crypto.ts'
import { type Identity, refuseToSign } from './identity.ts'
import type { WorkspacePaths } from './paths.ts'

const fileOf = (paths: WorkspacePaths): string => join(paths.anchors, 'log.vkey')

/** Keeps the public keys of the log beside it, the present one first, so that it can be verified without the keyring. */
export function rememberLogKey(paths: WorkspacePaths, identity: Identity): void {
  const vkeys = identity.publicKeys('log').map((key) => `${formatVkey(sha256, identity.origin, key)}\n`)
  const text = vkeys.join('')
  if (!existsSync(fileOf(paths)) || readFileSync(fileOf(paths), 'utf8') !== text) writeFileDurably(fileOf(paths), text)
}

/** The origin that the folder itself names; undefined when it does not. */
export function rememberedOrigin(paths: WorkspacePaths): string | undefined {
  return remembered(paths)?.origin
}

/** Public keys of a log of this origin that the folder names; none when it names another log. */
export function rememberedKeys(paths: WorkspacePaths, origin: string): readonly Uint8Array[] {
  const known = remembered(paths)
  return known?.origin === origin ? known.publicKeys : []
}

/** The origin is the hash of the log's first key: one of the keys must be that. */
function remembered(paths: WorkspacePaths): { readonly origin: string; readonly publicKeys: readonly Uint8Array[] } | undefined {
  try {
    const vkeys = readFileSync(fileOf(paths), 'utf8').trim().split('\n')
    const keys = vkeys.map((line) => parseVkey(sha256, line))
    const publicKeys = keys.map((key) => key.publicKey)
    const first = keys.find((key) => originOf(sha256, key.publicKey) === key.name)
    return first && keys.every((key) => key.name === first.name) ? { origin: first.name, publicKeys } : undefined
  } catch {
    return undefined
  }
}

/**
 * What is known of a log without its keyring: it can be verified, not written to, and no content opens.
 * Undefined when the folder does not name its public key either.
 */
export function keylessIdentity(paths: WorkspacePaths): Identity | undefined {
  const known = remembered(paths)
  if (!known) return undefined
  const none = new Uint8Array(32)
  const [present = none] = known.publicKeys
  return {
    origin: known.origin,
    log: { publicKey: present, sign: refuseToSign },
    export: { publicKey: none, sign: refuseToSign },
    exportSeed: none,
    publicKeys: (use) => (use === 'log' ? known.publicKeys : []),
    dedupKey: none,
    keks: new Map(),
    kek: { id: '0000000000000000', key: none },
    protection: 'missing'
  }
}
