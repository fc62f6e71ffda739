// SPDX-License-Identifier: Apache-2.0
import { SIGNATURE, TAG_MANIFEST } from './bundle-layout.ts'
import { equalBytes, toHex } from './bytes.ts'
import { allowedSignersLine, BUNDLE_NAMESPACE, parseAllowedSigners, parseSshsig, verifySshsig } from './sshsig.ts'
import { type Context, checkRevoked, textOf } from './verify-context.ts'
import { type Step, StepReport } from './verify-steps.ts'

/** Step 1: the tag manifest is signed by the key that allowed_signers names, in its one line, under the name of the log. */
export async function checkSignature(context: Context): Promise<{
  readonly step: Step
  readonly key: Uint8Array | null
  readonly trusted: boolean
}> {
  const { files, crypto, trust, chain } = context
  const report = new StepReport(1)
  const [signature, signers] = [await textOf(files, SIGNATURE), await textOf(files, 'trust/allowed_signers')]
  const none = { key: null, trusted: false }
  if (signature === undefined || signers === undefined || !files.names().includes(TAG_MANIFEST)) {
    report.fault('missing', 'the signature, the tag manifest or the list of signers is missing', SIGNATURE)
    return { step: report.done('not signed'), ...none }
  }
  try {
    const sig = parseSshsig(signature)
    const principal = (await textOf(files, 'proof/checkpoint'))?.split('\n')[0] ?? ''
    if (!verifySshsig(crypto.sha512, crypto.ed25519Verify, sig, BUNDLE_NAMESPACE, await files.read(TAG_MANIFEST))) {
      report.fault('bundle_signature', 'the signature does not hold for the tag manifest', SIGNATURE)
    }
    if (signers !== allowedSignersLine(principal, sig.publicKey))
      report.fault('signer_not_listed', 'the signing key is not the one signer that the bundle names', 'trust/allowed_signers')
    let trusted = false
    if (trust?.allowedSigners !== undefined) {
      const known = chain.before('export', sig.publicKey)
      trusted = parseAllowedSigners(trust.allowedSigners).some(
        (one) => one.principal === principal && known.some((key) => equalBytes(one.publicKey, key))
      )
      if (!trusted && !trust.remembered)
        report.fault('signer_not_trusted', 'the signing key is not among the confirmed ones', 'trust/allowed_signers')
    }
    checkRevoked(context, report, sig.publicKey, SIGNATURE)
    const fingerprint = toHex(crypto.sha256(sig.publicKey))
    const summary = `SSHSIG by export key ${fingerprint.slice(0, 4)} ${fingerprint.slice(4, 8)}${trusted ? ', confirmed outside the bundle' : ', not confirmed outside the bundle'}`
    return { step: report.done(summary), key: sig.publicKey, trusted }
  } catch {
    report.fault('bundle_signature', 'the signature is not in the form that ssh-keygen writes', SIGNATURE)
    return { step: report.done('unreadable'), ...none }
  }
}
