// SPDX-License-Identifier: Apache-2.0
// The six steps over a bundle: pure, streaming, the same code in the app, on the command line and in a page.
import {
  type BundleCase,
  CASE,
  caseSchema,
  isLayoutName,
  MANIFEST,
  MOST_ENTRIES,
  required,
  SIGNATURE,
  TAG_MANIFEST
} from './bundle-layout.ts'
import { equalBytes, toBase64, toHex, utf8Decode } from './bytes.ts'
import { cosignatureOf, parseWitnessVkey } from './cosignature.ts'
import { verifyConsistency } from './merkle.ts'
import { formatVkey, originOf, parseCheckpoint, parseVkey, type SignedCheckpoint, verifyCheckpoint } from './note.ts'
import { type KnownLog, type Recollection, recollect } from './remembered.ts'
import { BUNDLE_NAMESPACE, parseAllowedSigners, parseSshsig, verifySshsig } from './sshsig.ts'
import { parseConsistency } from './tlog-proof.ts'
import { type KeyChain, readKeyLeaves } from './verify-keys.ts'
import { checkLeaves } from './verify-leaves.ts'
import { checkPayloads } from './verify-payloads.ts'
import { type BundleFiles, type Step, StepReport, type Trust, type VerifyCrypto, type VerifyProgress } from './verify-steps.ts'
import { checkTimestamp } from './verify-timestamp.ts'

/** The outcome before file facts are added. */
export interface BundleVerdict {
  readonly verdict: string
  readonly kind: 'valid' | 'consistent' | 'invalid' | 'unchecked'
  readonly steps: readonly Step[]
  readonly case: BundleCase | null
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

/** What is remembered of a log, asked by its origin. */
export type Recall = (origin: string) => KnownLog

interface Context {
  readonly files: BundleFiles
  readonly crypto: VerifyCrypto
  readonly trust: Trust | undefined
  /** What the key leaves of the bundle say; that they are in the tree is checked with the other leaves. */
  readonly chain: KeyChain
  readonly recall: Recall | undefined
  readonly bundleCase: BundleCase | null
}

async function text(files: BundleFiles, name: string): Promise<string | undefined> {
  if (!files.names().includes(name) || files.size(name) > 64 * 1024 * 1024) return undefined
  try {
    return utf8Decode(await files.read(name))
  } catch {
    return undefined
  }
}

/** Step 1: the tag manifest is signed by a key that allowed_signers names. */
async function checkSignature({ files, crypto, trust, chain }: Context): Promise<{
  readonly step: Step
  readonly key: Uint8Array | null
  readonly principal: string | null
  readonly trusted: boolean
}> {
  const report = new StepReport(1)
  const [signature, signers] = [await text(files, SIGNATURE), await text(files, 'trust/allowed_signers')]
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
    if (!own) report.fault('signer_not_listed', 'the signing key is not the one that the bundle names', 'trust/allowed_signers')
    let trusted = false
    if (trust?.allowedSigners !== undefined) {
      const known = chain.before('export', sig.publicKey)
      trusted = parseAllowedSigners(trust.allowedSigners).some(
        (one) => one.principal === own?.principal && known.some((key) => equalBytes(one.publicKey, key))
      )
      if (!trusted) report.fault('signer_not_trusted', 'the signing key is not among the confirmed ones', 'trust/allowed_signers')
    }
    checkRevoked(report, chain, sig.publicKey, SIGNATURE)
    const fingerprint = toHex(crypto.sha256(sig.publicKey))
    const summary = `SSHSIG by export key ${fingerprint.slice(0, 4)} ${fingerprint.slice(4, 8)}${trusted ? ', confirmed outside the bundle' : ', not confirmed outside the bundle'}`
    return { step: report.done(summary), key: sig.publicKey, principal: own?.principal ?? null, trusted }
  } catch {
    report.fault('bundle_signature', 'the signature or the list of signers cannot be read', SIGNATURE)
    return { step: report.done('unreadable'), ...none }
  }
}

function manifestEntries(content: string, report: StepReport, name: string): Map<string, string> {
  const entries = new Map<string, string>()
  for (const line of content.endsWith('\n') ? content.slice(0, -1).split('\n') : content.split('\n')) {
    const match = /^([0-9a-f]{64}) {2}(\S.*)$/.exec(line)
    const [, hash = '', file = ''] = match ?? []
    if (!match || entries.has(file)) {
      report.fault('manifest_line', 'a line that is no entry, or a name listed twice', name)
      continue
    }
    entries.set(file, hash)
  }
  return entries
}

/** Step 2: every file is listed once with its hash, nothing is missing, nothing is extra. */
async function checkManifests({ files }: Context, control: VerifyProgress): Promise<Step> {
  const report = new StepReport(2)
  const names = files.names()
  if (names.length > MOST_ENTRIES) report.fault('too_many_files', `more than ${MOST_ENTRIES} files`)
  const [payload, tags] = [await text(files, MANIFEST), await text(files, TAG_MANIFEST)]
  if (payload === undefined || tags === undefined) {
    report.fault('missing', 'a manifest is missing', payload === undefined ? MANIFEST : TAG_MANIFEST)
    return report.done('no manifest')
  }
  const listed = new Map([...manifestEntries(tags, report, TAG_MANIFEST), ...manifestEntries(payload, report, MANIFEST)])
  const expected = names.filter((name) => name !== TAG_MANIFEST && name !== SIGNATURE)
  for (const name of required) if (!names.includes(name)) report.fault('missing', 'a file of the layout is missing', name)
  for (const name of listed.keys()) if (!names.includes(name)) report.fault('missing', 'listed, but not in the bundle', name)
  let extra = 0
  let changed = 0
  let done = 0
  const total = expected.reduce((sum, name) => sum + files.size(name), 0)
  for (const name of expected) {
    if (control.cancelled?.()) break
    const hash = listed.get(name)
    if (hash === undefined || !isLayoutName(name)) {
      extra++
      report.fault('extra_file', 'not listed in the manifests or without a place in the layout', name)
      continue
    }
    if (name.startsWith('data/') !== manifestHas(payload, name)) report.fault('wrong_manifest', 'listed in the wrong manifest', name)
    if ((await files.hash(name)) !== hash) {
      changed++
      report.fault('file_changed', 'the content is not what was signed', name)
    }
    done += files.size(name)
    control.progress?.(done, total)
  }
  return report.done(`${listed.size} files listed, ${expected.length} found, ${extra} extra, ${changed} changed`)
}

const manifestHas = (manifest: string, name: string): boolean => manifest.includes(`  ${name}\n`)

const NO_MEMORY: Recollection = { state: 'off', message: 'Not held against checkpoints seen before.' }

/** Holds the checkpoint against those of the same log seen before: a fork or a rollback is a fault. */
async function checkMemory(context: Context, note: SignedCheckpoint, report: StepReport, key: Uint8Array): Promise<Recollection> {
  const { files, crypto, recall, bundleCase } = context
  if (!recall) return NO_MEMORY
  const known = recall(note.origin)
  const revoked = known.revoked.find((one) => one.key === toBase64(key))
  if (revoked) report.fault('key_revoked', `signed by a key revoked at leaf ${revoked.seq}, as was seen before`, 'proof/checkpoint')
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
      const other = parseCheckpoint((await text(files, name)) ?? '')
      const { oldSize, proof } = parseConsistency((await text(files, proofName)) ?? '')
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
async function checkCheckpoint(context: Context): Promise<{
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
  const [checkpoint, vkey] = [await text(files, 'proof/checkpoint'), await text(files, 'trust/log.vkey')]
  if (checkpoint === undefined || vkey === undefined) {
    report.fault('missing', 'the checkpoint or the key of the log is missing', 'proof/checkpoint')
    return {
      step: report.done('no checkpoint'),
      note: null,
      key: null,
      signed: () => false,
      memory: NO_MEMORY,
      named: false,
      witnessed: false,
      trusted: false
    }
  }
  try {
    const key = parseVkey(crypto.sha256, vkey)
    const note = parseCheckpoint(checkpoint)
    if (!verifyCheckpoint(crypto.sha256, crypto.ed25519Verify, checkpoint, vkey))
      report.fault('checkpoint_signature', 'the checkpoint is not signed by the key of this log', 'proof/checkpoint')
    const known = chain.before('log', key.publicKey)
    await checkPrevious(files, crypto, note, (text) => isSigned(crypto, text, key.name, known), report)
    const trusted = confirmedLog(crypto, trust, key.name, known)
    checkRevoked(report, chain, key.publicKey, 'proof/checkpoint')
    const named = known.some((one) => originOf(crypto.sha256, one) === note.origin)
    const memory = named ? await checkMemory(context, note, report, key.publicKey) : NO_MEMORY
    const witnesses = checkWitnesses(crypto, trust, checkpoint, report)
    if (trust?.logVkey !== undefined && !trusted)
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
    return {
      step: report.done('unreadable'),
      note: null,
      key: null,
      signed: () => false,
      memory: NO_MEMORY,
      named: false,
      witnessed: false,
      trusted: false
    }
  }
}

/** Whether a note is signed by one of these keys under the name of the log. */
const isSigned = (crypto: VerifyCrypto, note: string, origin: string, keys: readonly Uint8Array[]): boolean =>
  keys.some((key) => verifyCheckpoint(crypto.sha256, crypto.ed25519Verify, note, formatVkey(crypto.sha256, origin, key)))

/** Whether the key, or one that leads to it, was confirmed outside the bundle. */
function confirmedLog(crypto: VerifyCrypto, trust: Trust | undefined, origin: string, keys: readonly Uint8Array[]): boolean {
  const confirmed = (trust?.logVkey ?? '').split(/\r?\n/).map((line) => line.trim())
  return keys.some((key) => confirmed.includes(formatVkey(crypto.sha256, origin, key)))
}

function checkRevoked(report: StepReport, chain: KeyChain, key: Uint8Array, name: string): void {
  const revoked = chain.revokedAt(key)
  if (revoked) report.fault('key_revoked', `signed by a key revoked at leaf ${revoked.seq}`, name)
}

/** The earlier checkpoint that a bundle may bring: signed by the same key or one before it, and extended by the newer one. */
async function checkPrevious(
  files: BundleFiles,
  crypto: VerifyCrypto,
  note: SignedCheckpoint,
  signed: (note: string) => boolean,
  report: StepReport
): Promise<void> {
  const [previous, consistency] = [await text(files, 'proof/previous-checkpoint'), await text(files, 'proof/consistency.txt')]
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

async function readCase(files: BundleFiles): Promise<BundleCase | null> {
  const content = await text(files, CASE)
  if (content === undefined) return null
  try {
    const parsed = caseSchema.safeParse(JSON.parse(content))
    return parsed.success ? parsed.data : null
  } catch {
    return null
  }
}

/** Runs the six steps. Never throws for what a bundle holds. */
export async function verifyBundle(
  files: BundleFiles,
  crypto: VerifyCrypto,
  trust: Trust | undefined,
  control: VerifyProgress = {},
  recall?: Recall
): Promise<BundleVerdict> {
  const keys = await readKeyLeaves(files, crypto)
  const bundleCase = await readCase(files)
  const context: Context = { files, crypto, trust, chain: keys.chain, recall, bundleCase }
  const signature = await checkSignature(context)
  const manifests = await checkManifests(context, control)
  const checkpoint = await checkCheckpoint(context)
  const timestamp = await checkTimestamp(files, crypto, trust, checkpoint.note, checkpoint.signed)
  const leaves = await checkLeaves(files, crypto, checkpoint.note, bundleCase, signature.principal, control, keys.lines)
  const payloads = await checkPayloads(files, crypto, leaves.parts, leaves.readable, bundleCase, control)
  const steps = [signature.step, manifests, checkpoint.step, timestamp.step, leaves.step, payloads]
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
  const tags = await text(files, TAG_MANIFEST)
  return {
    verdict,
    kind,
    steps,
    case: bundleCase,
    origin: checkpoint.note?.origin ?? null,
    size: checkpoint.note?.size ?? null,
    logKey: checkpoint.key && toHex(crypto.sha256(checkpoint.key)),
    exportKey: signature.key && toHex(crypto.sha256(signature.key)),
    tagManifestSha256: tags === undefined ? null : await files.hash(TAG_MANIFEST),
    restsOn: restsOn(trusted, timestamp.time, checkpoint.witnessed),
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

/** Cosignatures of the witnesses that were confirmed outside the bundle; those of others say nothing. */
function checkWitnesses(crypto: VerifyCrypto, trust: Trust | undefined, note: string, report: StepReport): string[] {
  const found: string[] = []
  for (const line of (trust?.witnessVkeys ?? '').split(/\r?\n/)) {
    if (line.trim() === '') continue
    try {
      const key = parseWitnessVkey(crypto.sha256, line)
      const cosignature = cosignatureOf(crypto.ed25519Verify, note, key)
      if (cosignature.state === 'holds') found.push(`${key.name}, ${cosignature.time.slice(0, 19).replace('T', ' ')} UTC`)
      if (cosignature.state === 'invalid') report.fault('cosignature', `the cosignature of ${key.name} does not hold`, 'proof/checkpoint')
    } catch {
      report.fault('witness_unreadable', 'a confirmed witness key cannot be read', 'witness.vkey')
    }
  }
  return found
}

function restsOn(trusted: boolean, stampedAt: string | null, witnessed: boolean): string[] {
  return [
    trusted
      ? 'The keys of the log and of the export were confirmed outside the bundle. If that confirmation was wrong, so is this verdict.'
      : 'The keys are those that the bundle brings: whoever made it could have made them. Compare both fingerprints with the sender by another way.',
    stampedAt !== null
      ? `The timestamp shows that the checkpoint existed at the latest at ${stampedAt.slice(0, 19).replace('T', ' ')} UTC; a history signed again later cannot have it.`
      : witnessed
        ? 'A witness confirmed outside the bundle has seen this checkpoint extend every earlier one it saw.'
        : 'There is no timestamp and no confirmed witness: a history signed again with the real key, or an older checkpoint, cannot be seen from this bundle alone.',
    'A bundle has no ciphertext: that the payloads are what the workstation stores is checked there, not here.',
    'It says what was recorded, and when at the latest. It does not say that the answers of the model are true, nor that every call went through the recorder.'
  ]
}
