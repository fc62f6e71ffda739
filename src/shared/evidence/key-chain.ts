// SPDX-License-Identifier: Apache-2.0
// How a log keeps its name while its keys change: each new key is on record in a leaf that the key before signed.
import { equalBytes, fromBase64, toBase64, toHex, utf8 } from './bytes.ts'
import type { Leaf } from './leaf.ts'
import type { LeafData } from './leaf-data.ts'
import type { Sha256 } from './merkle.ts'
import { type Ed25519Verify, keyHash } from './note.ts'

/** The keys whose chain can be followed. */
export type ChainUse = 'log' | 'export'

/** The text that the key before signs: `size` is the tree at that moment, so that the statement cannot be moved to an earlier history. */
export const keyStatement = (origin: string, use: ChainUse, previous: Uint8Array, next: Uint8Array, size: number): Uint8Array =>
  utf8(`affidavit/v1/key.added\n${origin}\n${use}\n${toBase64(previous)}\n${toBase64(next)}\n${size}\n`)

/** Short id of a signing key: the key hash of its verifier key, hex. */
export const signingKeyId = (sha256: Sha256, origin: string, publicKey: Uint8Array): string => toHex(keyHash(sha256, origin, publicKey))

interface Link {
  readonly previous: Uint8Array
  readonly next: Uint8Array
  readonly seq: number
}

/** What the key leaves of a log say, so far as their signatures hold. */
export interface KeyChain {
  /** The key and those before it that lead to it, newest first. */
  before(use: ChainUse, key: Uint8Array): readonly Uint8Array[]
  /** The leaf that revokes a key. */
  revokedAt(key: Uint8Array): { readonly seq: number } | undefined
  /** All revoked keys, base64. */
  readonly revoked: readonly { readonly key: string; readonly seq: number }[]
}

/** Reads key leaves. A link whose signature does not hold is no link. */
export function keyChain(verify: Ed25519Verify, origin: string, leaves: readonly Leaf[]): KeyChain {
  const links: Record<ChainUse, Link[]> = { log: [], export: [] }
  const revoked: { readonly key: string; readonly seq: number }[] = []
  for (const leaf of leaves) {
    if (leaf.type === 'key.revoked') {
      const data = leaf.data as LeafData<'key.revoked'>
      revoked.push({ key: data.public_key, seq: leaf.seq })
    }
    if (leaf.type !== 'key.added') continue
    const { use, public_key, previous_key, size, signature, again } = leaf.data as LeafData<'key.added'>
    if ((use !== 'log' && use !== 'export') || !public_key || !previous_key || size === undefined || !signature) continue
    const [previous, next] = [fromBase64(previous_key), fromBase64(public_key)]
    // A restore to an earlier size may have lost the leaf: the key before said it all the same, of a larger tree.
    if ((size <= leaf.seq || again === true) && verify(previous, keyStatement(origin, use, previous, next, size), fromBase64(signature)))
      links[use].push({ previous, next, seq: leaf.seq })
  }
  return {
    before: (use, key) => {
      const keys = [key]
      for (let at = key, below = Number.MAX_SAFE_INTEGER; keys.length <= links[use].length; ) {
        const link = links[use].findLast((one) => one.seq < below && equalBytes(one.next, at))
        if (!link) break
        keys.push(link.previous)
        at = link.previous
        below = link.seq
      }
      return keys
    },
    revokedAt: (key) => revoked.find((one) => one.key === toBase64(key)),
    revoked
  }
}
