// SPDX-License-Identifier: Apache-2.0

/** The closed union of what can be wrong with a piece of evidence. */
export type EvidenceErrorCode =
  | 'invalid_utf8'
  | 'invalid_hex'
  | 'invalid_base64'
  | 'not_canonicalizable'
  | 'out_of_range'
  | 'wrong_proof_length'
  | 'root_mismatch'
  | 'invalid_opening'
  | 'invalid_note'
  | 'invalid_vkey'
  | 'invalid_proof_file'
  | 'invalid_sshsig'
  | 'confirmed_unreadable'
  | 'invalid_certificate'
  | 'not_this_format'
  | 'not_supported'
  | 'timestamp_unreadable'
  | 'timestamp_refused'
  | 'timestamp_imprint'
  | 'timestamp_nonce'
  | 'timestamp_signature'
  | 'timestamp_authority'

/** Thrown by the evidence modules; `code` is stable, the message names what was expected and never quotes content. */
export class EvidenceError extends Error {
  readonly code: EvidenceErrorCode
  constructor(code: EvidenceErrorCode, message: string) {
    super(message)
    this.name = 'EvidenceError'
    this.code = code
  }
}
