// SPDX-License-Identifier: Apache-2.0
import { type BundleCase, MOST_TEXT_BYTES } from './bundle-layout.ts'
import { toBase64, utf8Decode } from './bytes.ts'
import type { KnownLog } from './remembered.ts'
import type { KeyChain } from './verify-keys.ts'
import type { BundleFiles, StepReport, Trust, VerifyCrypto } from './verify-steps.ts'

/** What is remembered of a log, asked by its origin. */
export type Recall = (origin: string) => KnownLog

/** What the steps of a verification work with. */
export interface Context {
  readonly files: BundleFiles
  readonly crypto: VerifyCrypto
  readonly trust: Trust | undefined
  /** What the key leaves of the bundle say; that they are in the tree is checked with the other leaves. */
  readonly chain: KeyChain
  /** What is remembered of the log that the checkpoint names; undefined: nothing is remembered at all. */
  readonly known: KnownLog | undefined
  readonly bundleCase: BundleCase | null
}

/** The text of a file; undefined where it is not there, too large for what it is, or no UTF-8. */
export async function textOf(files: BundleFiles, name: string): Promise<string | undefined> {
  if (!files.names().includes(name) || files.size(name) > MOST_TEXT_BYTES) return undefined
  try {
    return utf8Decode(await files.read(name))
  } catch {
    return undefined
  }
}

/**
 * A signature by a key that was revoked is a fault, be it that the bundle says so or that it was seen before: whoever has a stolen key leaves
 * its revocation out.
 */
export function checkRevoked({ chain, known }: Context, report: StepReport, key: Uint8Array, name: string): void {
  const revoked = chain.revokedAt(key)
  const seen = known?.revoked.find((one) => one.key === toBase64(key))
  if (revoked) report.fault('key_revoked', `signed by a key revoked at leaf ${revoked.seq}`, name)
  else if (seen) report.fault('key_revoked', `signed by a key revoked at leaf ${seen.seq}, as was seen before`, name)
}
