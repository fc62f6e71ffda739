// SPDX-License-Identifier: Apache-2.0
import { originOf } from '../../shared/evidence/note.ts'
import { type Ed25519Key, ed25519FromSeed, sha256 } from '../crypto.ts'
import type { Kek } from '../vault/key-block.ts'
import type { KeyProtection, Keyring } from '../vault/keyring.ts'

/** The keys of a workspace, loaded. */
export interface Identity {
  readonly origin: string
  readonly log: Ed25519Key
  readonly export: Ed25519Key
  /** Seed of the export key: bundles are signed where they are written, on a reader thread. */
  readonly exportSeed: Uint8Array
  readonly dedupKey: Uint8Array
  /** All key-encryption keys by id, for reading. */
  readonly keks: ReadonlyMap<string, Uint8Array>
  /** The one that new blocks use. */
  readonly kek: Kek
  readonly protection: KeyProtection
}

const bytes = (text: string): Uint8Array => Buffer.from(text, 'base64')

export function identityOf(ring: Keyring, protection: KeyProtection): Identity {
  const log = ed25519FromSeed(bytes(ring.log_seed))
  const newest = ring.keks.at(-1)
  if (newest === undefined) throw new Error('a keyring has at least one key-encryption key')
  return {
    origin: originOf(sha256, log.publicKey),
    log,
    export: ed25519FromSeed(bytes(ring.export_seed)),
    exportSeed: bytes(ring.export_seed),
    dedupKey: bytes(ring.dedup_key),
    keks: new Map(ring.keks.map((kek) => [kek.id, bytes(kek.key)])),
    kek: { id: newest.id, key: bytes(newest.key) },
    protection
  }
}
