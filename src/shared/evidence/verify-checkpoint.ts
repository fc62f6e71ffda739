// SPDX-License-Identifier: Apache-2.0
import { toHex } from './bytes.ts'
import { confirmedLines } from './confirmed-lines.ts'
import { cosignatureOf, parseWitnessVkey } from './cosignature.ts'
import { verifyConsistency } from './merkle.ts'
import { formatVkey, originOf, parseCheckpoint, parseVkey, publicKeyPem, type SignedCheckpoint, verifyCheckpoint } from './note.ts'
import { type Recollection, recollect } from './remembered.ts'
import { signedPart } from './timestamp.ts'
import { parseConsistency } from './tlog-proof.ts'
import { type Context, checkRevoked, textOf } from './verify-context.ts'
import { type BundleFiles, type Step, StepReport, type Trust, type VerifyCrypto } from './verify-steps.ts'

const NO_MEMORY: Recollection = { state: 'off', message: 'Not held against checkpoints seen before.', heads: [] }
/** What follows from a checkpoint that cannot be read. */
const UNREAD = { note: null, key: null, signed: () => false, memory: NO_MEMORY, named: false, witnessed: false, trusted: false } as const

/** Holds the checkpoint against those of the same log seen before: a fork or a rollback is a fault. */
async function checkMemory(context: Context, note: SignedCheckpoint, report: StepReport): Promise<Recollection> {
  const { files, crypto, known, bundleCase } = context
  if (!known) return NO_MEMORY
  const roots = await rootsAtHand(files, crypto, note)
  const found = recollect(known.heads, {
    size: note.size,
    root: note.root,
    signed: bundleCase?.written ?? null,
    rootAt: (size) => roots.get(size)
  })
  if (found.state === 'fork' || found.state === 'rollback') report.fault(found.state, found.message, 'proof/checkpoint')
  return found
}

/** Roots of other sizes of the same tree that the proofs of the bundle give: the earlier checkpoint, and a later one that is anchored. */
async function rootsAtHand(files: BundleFiles, crypto: VerifyCrypto, note: SignedCheckpoint): Promise<ReadonlyMap<number, Uint8Array>> {
  const roots = new Map<number, Uint8Array>()
  const pairs = [
    ['proof/previous-checkpoint', 'proof/consistency.txt'],
    ['proof/anchored-checkpoint', 'proof/anchored-consistency.txt']
  ] as const
  for (const [name, proofName] of pairs) {
    try {
      const other = parseCheckpoint((await textOf(files, name)) ?? '')
      const { oldSize, proof } = parseConsistency((await textOf(files, proofName)) ?? '')
      const [old, next] = other.size < note.size ? [other, note] : [note, other]
      if (oldSize !== old.size) continue
      verifyConsistency(crypto.sha256, { oldSize, newSize: next.size, oldRoot: old.root, newRoot: next.root, proof })
      roots.set(other.size, other.root)
    } catch {
      // Not at hand; what is wrong with it is said where it is checked.
    }
  }
  return roots
}

/** Step 3: the checkpoint is signed by the key of the log. */
export async function checkCheckpoint(context: Context): Promise<{
  readonly step: Step
  readonly note: SignedCheckpoint | null
  readonly key: Uint8Array | null
  readonly signed: (note: string) => boolean
  readonly memory: Recollection
  /** The key, or one before it, is the one that the log is named after. */
  readonly named: boolean
  /** By a witness whose key was confirmed outside the bundle. */
  readonly witnessed: boolean
  readonly trusted: boolean
}> {
  const { files, crypto, trust, chain } = context
  const report = new StepReport(3)
  const [checkpoint, vkey] = [await textOf(files, 'proof/checkpoint'), await textOf(files, 'trust/log.vkey')]
  if (checkpoint === undefined || vkey === undefined) {
    report.fault('missing', 'the checkpoint or the key of the log is missing', 'proof/checkpoint')
    return { step: report.done('no checkpoint'), ...UNREAD }
  }
  try {
    const key = parseVkey(crypto.sha256, vkey)
    if (vkey !== `${formatVkey(crypto.sha256, key.name, key.publicKey)}\n`) throw new Error('form')
    const note = parseCheckpoint(checkpoint)
    if (!isSigned(crypto, checkpoint, key.name, [key.publicKey]))
      report.fault('checkpoint_signature', 'the checkpoint is not signed by the key of this log', 'proof/checkpoint')
    if ((await textOf(files, 'trust/log.pub.pem')) !== publicKeyPem(key.publicKey))
      report.fault('log_keys_differ', 'log.vkey and log.pub.pem are not the same key', 'trust/log.pub.pem')
    const known = chain.before('log', key.publicKey)
    await checkPrevious(files, crypto, note, (text) => isSigned(crypto, text, key.name, known), report)
    const trusted = confirmedLog(crypto, trust, key.name, known)
    checkRevoked(context, report, key.publicKey, 'proof/checkpoint')
    const named = known.some((one) => originOf(crypto.sha256, one) === note.origin)
    const memory = named ? await checkMemory(context, note, report) : NO_MEMORY
    const witnesses = checkWitnesses(crypto, trust, checkpoint, report)
    if (trust?.logVkey !== undefined && !trusted && !trust.remembered)
      report.fault('log_not_trusted', 'the key of the log is not the confirmed one', 'trust/log.vkey')
    const fingerprint = toHex(crypto.sha256(key.publicKey))
    const summary = `Ed25519 by log key ${fingerprint.slice(0, 4)} ${fingerprint.slice(4, 8)}, size ${note.size}${trusted ? ', confirmed outside the bundle' : ''}${witnesses.map((one) => `, cosigned by ${one}`).join('')}`
    return {
      step: report.done(summary),
      memory,
      named,
      witnessed: witnesses.length > 0,
      note,
      key: key.publicKey,
      signed: (text) => isSigned(crypto, text, key.name, known),
      trusted
    }
  } catch {
    report.fault('checkpoint_unreadable', 'the checkpoint or the key of the log cannot be read', 'proof/checkpoint')
    return { step: report.done('unreadable'), ...UNREAD }
  }
}

/** Whether a note is signed by one of these keys under the name of the log, in the first line of its signatures. */
const isSigned = (crypto: VerifyCrypto, note: string, origin: string, keys: readonly Uint8Array[]): boolean =>
  keys.some((key) => verifyCheckpoint(crypto.sha256, crypto.ed25519Verify, signedPart(note), formatVkey(crypto.sha256, origin, key)))

/** Whether the key, or one that leads to it, was confirmed outside the bundle. */
function confirmedLog(crypto: VerifyCrypto, trust: Trust | undefined, origin: string, keys: readonly Uint8Array[]): boolean {
  const confirmed = confirmedLines(trust?.logVkey ?? '')
  return keys.some((key) => confirmed.includes(formatVkey(crypto.sha256, origin, key)))
}

/** The earlier checkpoint that a bundle may bring: signed by the same key or one before it, and extended by the newer one. */
async function checkPrevious(
  files: BundleFiles,
  crypto: VerifyCrypto,
  note: SignedCheckpoint,
  signed: (note: string) => boolean,
  report: StepReport
): Promise<void> {
  const [previous, consistency] = [await textOf(files, 'proof/previous-checkpoint'), await textOf(files, 'proof/consistency.txt')]
  if (previous === undefined && consistency === undefined) return
  try {
    const old = parseCheckpoint(previous ?? '')
    const { oldSize, proof } = parseConsistency(consistency ?? '')
    if (!signed(previous ?? '')) throw new Error('signature')
    if (oldSize !== old.size) throw new Error('size')
    verifyConsistency(crypto.sha256, { oldSize, newSize: note.size, oldRoot: old.root, newRoot: note.root, proof })
  } catch {
    report.fault(
      'checkpoint_inconsistent',
      'the checkpoint does not extend the earlier one that the bundle brings',
      'proof/consistency.txt'
    )
  }
}

/** Cosignatures of the witnesses that were confirmed outside the bundle; those of others say nothing. */
function checkWitnesses(crypto: VerifyCrypto, trust: Trust | undefined, note: string, report: StepReport): string[] {
  const found: string[] = []
  for (const line of confirmedLines(trust?.witnessVkeys ?? '')) {
    const key = parseWitnessVkey(crypto.sha256, line)
    const cosignature = cosignatureOf(crypto.ed25519Verify, note, key)
    if (cosignature.state === 'holds') found.push(`${key.name}, ${cosignature.time.slice(0, 19).replace('T', ' ')} UTC`)
    if (cosignature.state === 'invalid') report.fault('cosignature', `the cosignature of ${key.name} does not hold`, 'proof/checkpoint')
  }
  return found
}
