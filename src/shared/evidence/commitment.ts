// SPDX-License-Identifier: Apache-2.0
import { concatBytes, equalBytes, utf8 } from './bytes.ts'
import { EvidenceError } from './errors.ts'
import type { Sha256 } from './merkle.ts'

/** Bytes of an opening; any other length is refused, so that content cannot move between opening and plaintext. */
export const OPENING_BYTES = 32

/**
 * SHA-256(opening ‖ "affidavit/v1/" + part ‖ 0x00 ‖ plaintext): hiding while the opening is secret, binding by collision resistance.
 * @throws EvidenceError invalid_opening: not exactly 32 bytes
 */
export function commitment(sha256: Sha256, part: string, opening: Uint8Array, plaintext: Uint8Array): Uint8Array {
  if (opening.length !== OPENING_BYTES) throw new EvidenceError('invalid_opening', `an opening has ${OPENING_BYTES} bytes`)
  return sha256(concatBytes(opening, utf8(`affidavit/v1/${part}`), Uint8Array.of(0), plaintext))
}

/** Whether plaintext and opening give this commitment. False for an opening of another length. */
export function verifyCommitment(sha256: Sha256, part: string, opening: Uint8Array, plaintext: Uint8Array, commit: Uint8Array): boolean {
  return opening.length === OPENING_BYTES && equalBytes(commitment(sha256, part, opening, plaintext), commit)
}
