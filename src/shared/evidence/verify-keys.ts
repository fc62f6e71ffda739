// SPDX-License-Identifier: Apache-2.0
import { utf8Decode } from './bytes.ts'
import { jcs } from './jcs.ts'
import { type KeyChain, keyChain } from './key-chain.ts'
import { type Leaf, parseLeaf } from './leaf.ts'
import { parseCheckpoint } from './note.ts'
import type { BundleFiles, VerifyCrypto } from './verify-steps.ts'

export type { KeyChain } from './key-chain.ts'

/** Leaves about the signing keys, each of them among the leaves of the bundle as well. */
export const KEY_LEAVES = 'proof/keys.jsonl'
const MOST_BYTES = 4 * 1024 * 1024

/** What a bundle says of its signing keys. Lines that are no key leaf are kept, so that step 5 names them. Never throws. */
export async function readKeyLeaves(
  files: BundleFiles,
  crypto: VerifyCrypto
): Promise<{
  readonly chain: KeyChain
  readonly lines: ReadonlySet<string>
  /** The log that the checkpoint names; empty where it cannot be read. */
  readonly origin: string
}> {
  const lines = new Set<string>()
  const leaves: Leaf[] = []
  let origin = ''
  try {
    if (files.names().includes('proof/checkpoint')) origin = parseCheckpoint(utf8Decode(await files.read('proof/checkpoint'))).origin
    if (files.names().includes(KEY_LEAVES) && files.size(KEY_LEAVES) <= MOST_BYTES) {
      for await (const bytes of files.lines(KEY_LEAVES)) {
        const text = utf8Decode(bytes)
        lines.add(text)
        const parsed = parseLeaf(text, jcs)
        if (parsed.ok) leaves.push(parsed.leaf)
      }
    }
  } catch {
    // Step 3 says what is wrong with the checkpoint; a key that cannot be followed is one that is not confirmed.
  }
  return { chain: keyChain(crypto.ed25519Verify, origin, leaves), lines, origin }
}
