// SPDX-License-Identifier: Apache-2.0
import { confirmedLines } from './confirmed-lines.ts'
import { parseWitnessVkey } from './cosignature.ts'
import { EvidenceError } from './errors.ts'
import { certificateFacts } from './timestamp.ts'
import type { Trust, VerifyCrypto } from './verify-steps.ts'

const VERIFIER_KEY = /^[^ \t+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]+=*$/
const SIGNER = /[ \t](ssh|ecdsa|sk)-[^ \t]+[ \t]+AAAA/

/** A file in which there is nothing of its kind says nothing of a bundle. @throws EvidenceError confirmed_unreadable */
export function checkConfirmed(crypto: VerifyCrypto, trust: Trust | undefined): void {
  const unreadable = (what: string) => new EvidenceError('confirmed_unreadable', `the confirmed keys cannot be read: ${what}`)
  const { logVkey, allowedSigners, tsaCa, witnessVkeys } = trust ?? {}
  if (logVkey !== undefined && !confirmedLines(logVkey).some((line) => VERIFIER_KEY.test(line)))
    throw unreadable('log.vkey has no verifier key')
  if (allowedSigners !== undefined && !confirmedLines(allowedSigners).some((line) => SIGNER.test(line)))
    throw unreadable('allowed_signers has no signer')
  try {
    if (tsaCa !== undefined) certificateFacts(crypto.sha256, tsaCa)
  } catch {
    throw unreadable('tsa-ca.pem has no certificate')
  }
  try {
    for (const line of confirmedLines(witnessVkeys ?? '')) parseWitnessVkey(crypto.sha256, line)
  } catch {
    throw unreadable('witness.vkey has a line that is no verifier key of a witness')
  }
}
