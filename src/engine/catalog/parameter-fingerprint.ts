// SPDX-License-Identifier: Apache-2.0
import { createHmac, createSecretKey, hash } from 'node:crypto'

/**
 * How texts among the parameters of a request stand in the catalog: the first 96 bits, in base64url, of SHA-256 over a secret of one block (64
 * bytes, derived from that of the subject index) and the text. The same text gives the same fingerprint, and nobody without the secret can try
 * out whether a text was it. Cut off as it is, it cannot be extended; in one call it costs a third of an HMAC, and every record needs it.
 */
export function parameterFingerprints(secret: Uint8Array): (text: string) => string {
  const block = createHmac('sha256', createSecretKey(secret)).update('affidavit/parameters/v1').digest('hex')
  return (text) => hash('sha256', block + text, 'base64url').slice(0, 16)
}
