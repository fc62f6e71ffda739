// SPDX-License-Identifier: Apache-2.0
// Evidence made by other programs: C2SP checkpoints and proofs of other logs, RFC 3161 timestamps.
import { equalBytes, fromBase64, utf8, utf8Decode } from './bytes.ts'
import { EvidenceError, type EvidenceErrorCode } from './errors.ts'
import { leafHash, verifyConsistency, verifyInclusion } from './merkle.ts'
import { type NoteSignature, parseVkey } from './note.ts'
import { verifyTimestamp } from './timestamp.ts'
import { parseConsistency, parseTlogProof } from './tlog-proof.ts'
import type { VerifyCrypto } from './verify-steps.ts'

export type ForeignKind = 'checkpoint' | 'inclusion_proof' | 'consistency_proof' | 'timestamp' | 'bag'

/** What a check of foreign evidence showed, in sentences, and what it did not. */
export interface ForeignReport {
  readonly kind: ForeignKind
  /**
   * `holds`: everything there is to check holds, and its signer was given. `no_fault`: what was checked holds, the signer is not confirmed.
   * `not_checked`: a form that is not read here, or a key or certificate that cannot be read; it says nothing against the evidence.
   */
  readonly verdict: 'holds' | 'no_fault' | 'does_not_hold' | 'not_checked'
  readonly proven: readonly string[]
  readonly not_proven: readonly string[]
  /** Reasons; a code is stable, a message quotes no content. */
  readonly faults: readonly { readonly code: string; readonly message: string; readonly subject?: string }[]
}

/** A checkpoint of any log: its origin may hold spaces and differ from the name of its key, and lines may follow the root (C2SP tlog-checkpoint). */
export interface ForeignCheckpoint {
  readonly origin: string
  readonly size: number
  readonly root: Uint8Array
  readonly body: string
  readonly signatures: readonly NoteSignature[]
}

const invalid = (message: string): EvidenceError => new EvidenceError('invalid_note', message)

function base64(text: string): Uint8Array {
  try {
    return fromBase64(text)
  } catch {
    throw invalid('not base64')
  }
}

/** @throws EvidenceError invalid_note */
export function parseForeignCheckpoint(text: string): ForeignCheckpoint {
  // The last blank line separates text and signatures (C2SP signed-note).
  const split = text.lastIndexOf('\n\n')
  if (split < 0 || !text.endsWith('\n')) throw invalid('not a signed note')
  const body = text.slice(0, split + 1)
  const [origin = '', sizeText = '', rootText = '', ...extensions] = body.slice(0, -1).split('\n')
  if (origin === '' || extensions.includes('')) throw invalid('an empty line in the text')
  if (!/^(0|[1-9][0-9]{0,15})$/.test(sizeText) || !Number.isSafeInteger(Number(sizeText))) throw invalid('not a tree size')
  const root = base64(rootText)
  if (root.length !== 32) throw invalid('not a root hash')
  const signatures = text
    .slice(split + 2, -1)
    .split('\n')
    .map((line) => {
      const [, name = '', encoded = ''] = /^— ([^\s+]+) ([A-Za-z0-9+/=]+)$/u.exec(line) ?? []
      const bytes = base64(encoded)
      if (name === '' || bytes.length < 5) throw invalid('not a signature line')
      return { name, keyHash: bytes.slice(0, 4), signature: bytes.slice(4) }
    })
  if (signatures.length > 64) throw invalid('more than 64 signatures')
  return { origin, size: Number(sizeText), root, body, signatures }
}

type Signed = 'signed' | 'no_key'

/** @throws EvidenceError invalid_vkey, invalid_note: the key has not signed it, or its signature does not hold */
function checkSigned(crypto: VerifyCrypto, note: ForeignCheckpoint, vkey: string | undefined): Signed {
  if (vkey === undefined) return 'no_key'
  const key = parseVkey(crypto.sha256, vkey)
  const by = note.signatures.filter((one) => one.name === key.name && equalBytes(one.keyHash, key.keyHash))
  if (by.length === 0) throw invalid('the given key has not signed this checkpoint')
  if (!by.every((one) => crypto.ed25519Verify(key.publicKey, utf8(note.body), one.signature)))
    throw invalid('the signature of the given key does not hold')
  return 'signed'
}

const NO_KEY = 'No key was given: who signed it is not shown.'
const NO_FORK = 'Whether others were shown the same tree: that takes a witness, or a checkpoint of the same log from elsewhere.'

/** What is no fault of the evidence: its form is not read here, or the key or certificate to check it with cannot be read. */
const UNCHECKED: ReadonlySet<string> = new Set<EvidenceErrorCode>(['not_supported', 'invalid_vkey', 'invalid_certificate'])
export const NOT_CHECKED = 'Nothing: it was not checked.'

/** Runs a check; what the evidence itself fails becomes a fault. */
async function report(
  kind: ForeignKind,
  check: () => Promise<Pick<ForeignReport, 'proven' | 'not_proven'> & { readonly signed: Signed }>
): Promise<ForeignReport> {
  try {
    const { signed, ...said } = await check()
    return { kind, verdict: signed === 'signed' ? 'holds' : 'no_fault', ...said, faults: [] }
  } catch (error) {
    if (!(error instanceof EvidenceError)) throw error
    const faults = [{ code: error.code, message: error.message }]
    if (UNCHECKED.has(error.code)) return { kind, verdict: 'not_checked', proven: [], not_proven: [NOT_CHECKED], faults }
    return { kind, verdict: 'does_not_hold', proven: [], not_proven: ['Nothing: one fault refuses the whole.'], faults }
  }
}

/** A signed checkpoint of any log. @param vkey C2SP verifier key that was obtained elsewhere */
export const verifyForeignCheckpoint = (crypto: VerifyCrypto, text: string, vkey?: string): Promise<ForeignReport> =>
  report('checkpoint', async () => {
    const note = parseForeignCheckpoint(text)
    const signed = checkSigned(crypto, note, vkey)
    return {
      signed,
      proven: signed === 'signed' ? [`The given key signed a tree of ${note.size} leaves with this root.`] : [],
      not_proven: [...(signed === 'signed' ? [] : [NO_KEY]), 'What the leaves are, and when it was signed.', NO_FORK]
    }
  })

/** A C2SP tlog-proof and the bytes of the leaf it is about. */
export const verifyForeignInclusion = (crypto: VerifyCrypto, text: string, leaf: Uint8Array, vkey?: string): Promise<ForeignReport> =>
  report('inclusion_proof', async () => {
    const { index, proof, checkpoint } = parseTlogProof(text, 'elsewhere')
    const note = parseForeignCheckpoint(checkpoint)
    const signed = checkSigned(crypto, note, vkey)
    verifyInclusion(crypto.sha256, { index, size: note.size, root: note.root, proof, leafHash: leafHash(crypto.sha256, leaf) })
    return {
      signed,
      proven: [
        `The given file is leaf ${index} of a tree of ${note.size} leaves${signed === 'signed' ? ' that the given key signed' : ''}.`
      ],
      not_proven: [...(signed === 'signed' ? [] : [NO_KEY]), 'When it was appended, and that what it says is true.', NO_FORK]
    }
  })

/** A consistency proof (`old N`, then hashes) between two checkpoints of one log. */
export const verifyForeignConsistency = (
  crypto: VerifyCrypto,
  text: string,
  notes: { readonly old: string; readonly later: string },
  vkey?: string
): Promise<ForeignReport> =>
  report('consistency_proof', async () => {
    const { oldSize, proof } = parseConsistency(text)
    const [old, later] = [parseForeignCheckpoint(notes.old), parseForeignCheckpoint(notes.later)]
    if (old.origin !== later.origin) throw invalid('the checkpoints are of two logs')
    if (old.size !== oldSize) throw new EvidenceError('invalid_proof_file', 'the proof starts at another tree')
    checkSigned(crypto, old, vkey)
    const signed = checkSigned(crypto, later, vkey)
    verifyConsistency(crypto.sha256, { oldSize, newSize: later.size, oldRoot: old.root, newRoot: later.root, proof })
    return {
      signed,
      proven: [`The tree of ${later.size} leaves begins with the ${oldSize} leaves of the older one: none was changed or removed.`],
      not_proven: [...(signed === 'signed' ? [] : [NO_KEY]), 'What the leaves are, and when either was signed.', NO_FORK]
    }
  })

/** An RFC 3161 response, the file it stamps, and a certificate (PEM) the reader trusts. */
export const verifyForeignTimestamp = (
  crypto: VerifyCrypto,
  input: { readonly response: Uint8Array; readonly message: Uint8Array; readonly ca: string }
): Promise<ForeignReport> =>
  report('timestamp', async () => {
    const found = await verifyTimestamp(crypto.sha256, {
      response: input.response,
      message: input.message,
      trusted: input.ca,
      foreign: true
    })
    return {
      signed: 'signed',
      proven: [`An authority that leads to the given certificate saw the ${found.digest} of the given file at ${found.time}.`],
      not_proven: ['Who made the file, and how long before.', 'That the certificate was not withdrawn: no list of revocations is asked.']
    }
  })

/** Which foreign evidence these bytes are; undefined: none of them. Looks at the form only. */
export function recogniseForeign(bytes: Uint8Array): Exclude<ForeignKind, 'bag'> | undefined {
  // A DER SEQUENCE with a long length, as every response with a token has.
  if (bytes[0] === 0x30 && bytes[1] !== undefined && bytes[1] >= 0x81 && bytes[1] <= 0x83) return 'timestamp'
  let text: string
  try {
    text = utf8Decode(bytes)
  } catch {
    return undefined
  }
  if (text.startsWith('c2sp.org/tlog-proof@')) return 'inclusion_proof'
  if (/^old [0-9]+\n/.test(text)) return 'consistency_proof'
  return /\n\n— [^\n]+\n$/u.test(text) || text.includes('\n\n— ') ? 'checkpoint' : undefined
}
