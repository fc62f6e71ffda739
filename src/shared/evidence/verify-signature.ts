// SPDX-License-Identifier: Apache-2.0
import { SIGNATURE, TAG_MANIFEST } from './bundle-layout.ts'
import { equalBytes, toHex } from './bytes.ts'
import { BUNDLE_NAMESPACE, parseAllowedSigners, parseSshsig, verifySshsig } from './sshsig.ts'
import { type Context, checkRevoked, textOf } from './verify-context.ts'
import { type Step, StepReport } from './verify-steps.ts'

const listed = (signers: string): number => signers.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#')).length

/** Step 1: the tag manifest is signed by a key that allowed_signers names. */
export async function checkSignature(context: Context): Promise<{
  readonly step: Step
  readonly key: Uint8Array | null
  readonly principal: string | null
  readonly trusted: boolean
}> {
  const { files, crypto, trust, chain } = context
  const report = new StepReport(1)
  const [signature, signers] = [await textOf(files, SIGNATURE), await textOf(files, 'trust/allowed_signers')]
  const none = { key: null, principal: null, trusted: false }
  if (signature === undefined || signers === undefined || !files.names().includes(TAG_MANIFEST)) {
    report.fault('missing', 'the signature, the tag manifest or the list of signers is missing', SIGNATURE)
    return { step: report.done('not signed'), ...none }
  }
  try {
    const sig = parseSshsig(signature)
    const own = parseAllowedSigners(signers).find((one) => equalBytes(one.publicKey, sig.publicKey))
    if (!verifySshsig(crypto.sha512, crypto.ed25519Verify, sig, BUNDLE_NAMESPACE, await files.read(TAG_MANIFEST))) {
      report.fault('bundle_signature', 'the signature does not hold for the tag manifest', SIGNATURE)
    }
    if (listed(signers) !== 1)
      report.fault('signer_not_listed', 'the bundle names another number of signers than one', 'trust/allowed_signers')
    if (!own) report.fault('signer_not_listed', 'the signing key is not the one that the bundle names', 'trust/allowed_signers')
    let trusted = false
    if (trust?.allowedSigners !== undefined) {
      const known = chain.before('export', sig.publicKey)
      trusted = parseAllowedSigners(trust.allowedSigners).some(
        (one) => one.principal === own?.principal && known.some((key) => equalBytes(one.publicKey, key))
      )
      if (!trusted) report.fault('signer_not_trusted', 'the signing key is not among the confirmed ones', 'trust/allowed_signers')
    }
    checkRevoked(context, report, sig.publicKey, SIGNATURE)
    const fingerprint = toHex(crypto.sha256(sig.publicKey))
    const summary = `SSHSIG by export key ${fingerprint.slice(0, 4)} ${fingerprint.slice(4, 8)}${trusted ? ', confirmed outside the bundle' : ', not confirmed outside the bundle'}`
    return { step: report.done(summary), key: sig.publicKey, principal: own?.principal ?? null, trusted }
  } catch {
    report.fault('bundle_signature', 'the signature or the list of signers cannot be read', SIGNATURE)
    return { step: report.done('unreadable'), ...none }
  }
}
