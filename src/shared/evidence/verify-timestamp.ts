// SPDX-License-Identifier: Apache-2.0
// Step 4 of the bundle verifier: an RFC 3161 timestamp over the checkpoint, or over a later one that extends it.
import { equalBytes, utf8Decode } from './bytes.ts'
import { EvidenceError } from './errors.ts'
import { verifyConsistency } from './merkle.ts'
import { parseCheckpoint, type SignedCheckpoint } from './note.ts'
import { MOST_TIMESTAMP_BYTES, timestampedBytes, verifyTimestamp } from './timestamp.ts'
import { parseConsistency } from './tlog-proof.ts'
import { type BundleFiles, type Step, StepReport, type Trust, type VerifyCrypto } from './verify-steps.ts'

export interface TimestampOutcome {
  readonly step: Step
  /** ISO 8601 UTC, when the timestamp holds. */
  readonly time: string | null
  /** Whether its authority was confirmed outside the bundle. */
  readonly confirmed: boolean
}

const TSR = 'proof/checkpoint.tsr'
const LATER = 'proof/anchored-checkpoint'
const LATER_PROOF = 'proof/anchored-consistency.txt'
const MOST_PEM_BYTES = 256 * 1024

const readable = (time: string): string => `${time.slice(0, 19).replace('T', ' ')} UTC`

/** Checks the timestamp, when the bundle has one. @param signedByLog whether a note is signed by the key of this log */
export async function checkTimestamp(
  files: BundleFiles,
  crypto: VerifyCrypto,
  trust: Trust | undefined,
  checkpoint: SignedCheckpoint | null,
  signedByLog: (note: string) => boolean
): Promise<TimestampOutcome> {
  const report = new StepReport(4)
  const names = files.names()
  if (!names.includes(TSR)) {
    if (names.includes(LATER) || names.includes(LATER_PROOF))
      report.fault('stray_anchor', 'a later checkpoint without a timestamp over it', LATER)
    return {
      step: report.failed ? report.done('no timestamp') : report.done('this bundle has no timestamp', 'absent'),
      time: null,
      confirmed: false
    }
  }
  const small = (name: string, most: number) => names.includes(name) && files.size(name) <= most
  if (!small('trust/tsa-ca.pem', MOST_PEM_BYTES) || !small(TSR, MOST_TIMESTAMP_BYTES) || checkpoint === null) {
    report.fault('missing', 'the timestamp, the certificate of the authority or the checkpoint is missing or too large', TSR)
    return { step: report.done('cannot be checked'), time: null, confirmed: false }
  }
  try {
    const later = names.includes(LATER)
    const note = utf8Decode(await files.read(later ? LATER : 'proof/checkpoint'))
    if (later) await checkLater(files, crypto, checkpoint, note, signedByLog)
    const response = await files.read(TSR)
    const message = timestampedBytes(note)
    const found = await verifyTimestamp(crypto.sha256, { response, message, trusted: utf8Decode(await files.read('trust/tsa-ca.pem')) })
    const confirmed = await isConfirmed(crypto, trust, response, message)
    if (confirmed === false)
      report.fault('timestamp_not_trusted', 'the authority does not lead to the confirmed certificate', 'trust/tsa-ca.pem')
    const over = later ? `, over the checkpoint of ${parseCheckpoint(note).size} leaves that extends this one` : ''
    const whose = confirmed ? 'authority confirmed outside the bundle' : 'authority not confirmed outside the bundle'
    return {
      step: report.done(`RFC 3161 by ${found.name || 'an authority without a name'}, ${readable(found.time)}${over}, ${whose}`),
      time: found.time,
      confirmed: confirmed === true
    }
  } catch (error) {
    const known = error instanceof EvidenceError
    report.fault(known ? error.code : 'timestamp_unreadable', known ? error.message : 'the timestamp cannot be read', TSR)
    return { step: report.done('does not hold'), time: null, confirmed: false }
  }
}

/** undefined: nothing was given to confirm it with. */
async function isConfirmed(
  crypto: VerifyCrypto,
  trust: Trust | undefined,
  response: Uint8Array,
  message: Uint8Array
): Promise<boolean | undefined> {
  if (trust?.tsaCa === undefined) return undefined
  try {
    await verifyTimestamp(crypto.sha256, { response, message, trusted: trust.tsaCa })
    return true
  } catch {
    return false
  }
}

async function checkLater(
  files: BundleFiles,
  crypto: VerifyCrypto,
  checkpoint: SignedCheckpoint,
  note: string,
  signedByLog: (note: string) => boolean
): Promise<void> {
  const later = parseCheckpoint(note)
  const { oldSize, proof } = parseConsistency(utf8Decode(await files.read(LATER_PROOF)))
  if (later.origin !== checkpoint.origin || !signedByLog(note))
    throw new EvidenceError('timestamp_signature', 'the timestamped checkpoint is not signed by the key of this log')
  if (oldSize !== checkpoint.size) throw new EvidenceError('invalid_proof_file', 'the proof starts at another tree')
  if (later.size === checkpoint.size && equalBytes(later.root, checkpoint.root)) return
  verifyConsistency(crypto.sha256, { oldSize, newSize: later.size, oldRoot: checkpoint.root, newRoot: later.root, proof })
}
