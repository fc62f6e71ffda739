// SPDX-License-Identifier: Apache-2.0
// The six steps over a bundle: pure, streaming, the same code in the app, on the command line and in a page.
import { type BundleCase, CASE, caseSchema, TAG_MANIFEST } from './bundle-layout.ts'
import { toBase64, toHex } from './bytes.ts'
import { checkConfirmed } from './confirmed.ts'
import { jcs } from './jcs.ts'
import type { KnownLog, Recollection } from './remembered.ts'
import { restsOn } from './rests-on.ts'
import { checkCheckpoint } from './verify-checkpoint.ts'
import { type Context, type Recall, textOf } from './verify-context.ts'
import { readKeyLeaves } from './verify-keys.ts'
import { checkLeaves } from './verify-leaves.ts'
import { checkManifests } from './verify-manifests.ts'
import { checkPayloads, type PayloadOutcome } from './verify-payloads.ts'
import { checkSignature } from './verify-signature.ts'
import type { BundleFiles, Step, Trust, VerifyCrypto, VerifyProgress } from './verify-steps.ts'
import { checkTimestamp } from './verify-timestamp.ts'

/** The outcome before file facts are added. */
export interface BundleVerdict {
  readonly verdict: string
  readonly kind: 'valid' | 'consistent' | 'invalid' | 'unchecked'
  readonly steps: readonly Step[]
  readonly case: BundleCase | null
  /** Parts that the case names as withheld, each counted; null when the case cannot be read. */
  readonly withheld: number | null
  readonly erasures: PayloadOutcome['erasures']
  /** The case or a leaf says that this is a sample; null when neither can be read. */
  readonly sample: boolean | null
  readonly origin: string | null
  readonly size: number | null
  readonly logKey: string | null
  readonly exportKey: string | null
  readonly tagManifestSha256: string | null
  readonly restsOn: readonly string[]
  readonly memory: Recollection
  /** What to remember of the log; null when the checkpoint does not hold or is not that of the log it names. */
  readonly seen: { readonly origin: string; readonly size: number; readonly root: string; readonly revoked: KnownLog['revoked'] } | null
}

/** The case, in its one form (RFC 8785 and a line feed): read by another program it would say the same. */
async function readCase(files: BundleFiles): Promise<BundleCase | null> {
  const content = await textOf(files, CASE)
  if (content === undefined) return null
  try {
    const value = JSON.parse(content)
    const parsed = caseSchema.safeParse(value)
    return parsed.success && `${jcs(value)}\n` === content ? parsed.data : null
  } catch {
    return null
  }
}

/** Runs the six steps. Never throws for what a bundle holds. @throws EvidenceError confirmed_unreadable */
export async function verifyBundle(
  files: BundleFiles,
  crypto: VerifyCrypto,
  trust: Trust | undefined,
  control: VerifyProgress = {},
  recall?: Recall
): Promise<BundleVerdict> {
  checkConfirmed(crypto, trust)
  const keys = await readKeyLeaves(files, crypto)
  const bundleCase = await readCase(files)
  const context: Context = { files, crypto, trust, chain: keys.chain, known: recall?.(keys.origin), bundleCase }
  const signature = await checkSignature(context)
  const manifests = await checkManifests(context, control)
  const checkpoint = await checkCheckpoint(context)
  const timestamp = await checkTimestamp(files, crypto, trust, checkpoint.note, checkpoint.signed)
  const leaves = await checkLeaves(files, crypto, checkpoint.note, bundleCase, control, keys.lines)
  const payloads = await checkPayloads(files, crypto, leaves.parts, leaves, bundleCase, control)
  const steps = [signature.step, manifests, checkpoint.step, timestamp.step, leaves.step, payloads.step]
  const unchecked = steps.filter((step) => step.state === 'not_checked').length
  const failed = steps.some((step) => step.state === 'fail')
  const trusted = signature.trusted && checkpoint.trusted
  const kind = failed ? 'invalid' : unchecked > 0 ? 'unchecked' : trusted ? 'valid' : 'consistent'
  const verdict = {
    invalid: 'invalid',
    unchecked: `no fault found, ${unchecked} ${unchecked === 1 ? 'step' : 'steps'} not checked`,
    valid: 'valid',
    consistent: 'consistent, signer not confirmed'
  }[kind]
  const tags = await textOf(files, TAG_MANIFEST)
  return {
    verdict,
    kind,
    steps,
    case: bundleCase,
    withheld: bundleCase && payloads.withheld,
    erasures: payloads.erasures,
    sample: leaves.sample || (bundleCase?.sample ?? null),
    origin: checkpoint.note?.origin ?? null,
    size: checkpoint.note?.size ?? null,
    logKey: checkpoint.key && toHex(crypto.sha256(checkpoint.key)),
    exportKey: signature.key && toHex(crypto.sha256(signature.key)),
    tagManifestSha256: tags === undefined ? null : await files.hash(TAG_MANIFEST),
    restsOn: restsOn({
      trusted,
      others: trust?.remembered === true,
      stamped: timestamp.time,
      authority: timestamp.confirmed,
      witnessed: checkpoint.witnessed
    }),
    memory: checkpoint.memory,
    seen:
      checkpoint.step.state === 'pass' && checkpoint.named && checkpoint.note
        ? {
            origin: checkpoint.note.origin,
            size: checkpoint.note.size,
            root: toBase64(checkpoint.note.root),
            revoked: keys.chain.revoked
          }
        : null
  }
}
