// SPDX-License-Identifier: Apache-2.0
import { AffidavitError } from '../../shared/contract/errors.ts'
import { type Ed25519Key, ed25519FromSeed } from '../crypto.ts'
import type { Kek } from '../vault/key-block.ts'
import type { KeyProtection } from '../vault/key-file.ts'
import type { KeyHolder, Keyring, SigningUse } from '../vault/keyring.ts'

/** The keys of a workspace, loaded. Keys change while it is open: ask for them where they are used. */
export interface Identity {
  readonly origin: string
  readonly log: Ed25519Key
  readonly export: Ed25519Key
  /** Seed of the export key: bundles are signed where they are written, on a reader thread. */
  readonly exportSeed: Uint8Array
  /** Public keys of a use, the present one first: what was signed before a rotation is held against the earlier ones. */
  publicKeys(use: SigningUse): readonly Uint8Array[]
  readonly dedupKey: Uint8Array
  /** All key-encryption keys by id, for reading. */
  readonly keks: ReadonlyMap<string, Uint8Array>
  /** The one that new blocks use. */
  readonly kek: Kek
  readonly protection: KeyProtection
}

/** Where the private keys are not: nothing can be signed. */
export const refuseToSign = (): never => {
  throw new AffidavitError('keys_unavailable', 'the keys of this workspace are not here')
}

const bytes = (text: string): Uint8Array => Buffer.from(text, 'base64')

/** The loaded keys of a holder, following its changes. */
export function identityOf(holder: KeyHolder): Identity {
  const signing = memo((seed: string) => ed25519FromSeed(bytes(seed)))
  const wrapping = memo((keks: Keyring['keks']) => new Map<string, Uint8Array>(keks.map((kek) => [kek.id, bytes(kek.key)])))
  return {
    get origin() {
      return holder.ring.origin
    },
    get log() {
      return signing(holder.ring.log.seed)
    },
    get export() {
      return signing(holder.ring.export.seed)
    },
    get exportSeed() {
      return bytes(holder.ring.export.seed)
    },
    publicKeys: (use) => [
      signing(holder.ring[use].seed).publicKey,
      ...holder.ring.past
        .filter((key) => key.use === use)
        .map((key) => bytes(key.public_key))
        .reverse()
    ],
    get dedupKey() {
      return bytes(holder.ring.dedup_key)
    },
    get keks() {
      return wrapping(holder.ring.keks)
    },
    get kek() {
      const newest = holder.ring.keks.at(-1)
      if (newest === undefined) throw new Error('a keyring has at least one key-encryption key')
      return { id: newest.id, key: bytes(newest.key) }
    },
    get protection() {
      return holder.protection
    }
  }
}

/** Remembers the last two results: the keys in use. */
function memo<K, V>(make: (key: K) => V): (key: K) => V {
  let known: readonly (readonly [K, V])[] = []
  return (key) => {
    const found = known.find(([one]) => one === key)
    if (found) return found[1]
    const value = make(key)
    known = [[key, value] as const, ...known.slice(0, 1)]
    return value
  }
}
