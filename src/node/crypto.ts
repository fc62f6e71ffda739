// SPDX-License-Identifier: Apache-2.0
import { createPublicKey, hash, verify } from 'node:crypto'
import type { VerifyCrypto } from '../shared/evidence/verify-steps.ts'

const PUBLIC_DER = Buffer.from('302a300506032b6570032100', 'hex')

/** What the bundle verifier needs, from node:crypto. Malformed keys and signatures do not verify. */
export const nodeCrypto: VerifyCrypto = {
  sha256: (data) => hash('sha256', data, 'buffer'),
  sha512: (data) => hash('sha512', data, 'buffer'),
  ed25519Verify: (publicKey, message, signature) => {
    if (publicKey.length !== 32 || signature.length !== 64) return false
    try {
      return verify(null, message, createPublicKey({ key: Buffer.concat([PUBLIC_DER, publicKey]), format: 'der', type: 'spki' }), signature)
    } catch {
      return false
    }
  }
}
