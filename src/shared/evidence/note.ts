// SPDX-License-Identifier: Apache-2.0
// C2SP signed-note and tlog-checkpoint with Ed25519 keys.
import { concatBytes, equalBytes, fromBase64, toBase64, toHex, utf8 } from './bytes.ts'
import { EvidenceError } from './errors.ts'
import type { Sha256 } from './merkle.ts'

/** Ed25519 check with raw keys (RFC 8032). */
export type Ed25519Verify = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean

export interface Checkpoint {
  readonly origin: string
  readonly size: number
  readonly root: Uint8Array
}

export interface NoteSignature {
  readonly name: string
  readonly keyHash: Uint8Array
  readonly signature: Uint8Array
}

export interface SignedCheckpoint extends Checkpoint {
  /** The signed text, up to and including the newline before the blank line. */
  readonly body: string
  readonly signatures: readonly NoteSignature[]
}

const ED25519 = Uint8Array.of(1)
const NAME = /^[^\s+]+$/u

/** Name of a log: `affidavit.invalid/` and 16 hex characters of SHA-256(log public key). */
export const originOf = (sha256: Sha256, publicKey: Uint8Array): string => `affidavit.invalid/${toHex(sha256(publicKey)).slice(0, 16)}`

/** First 4 bytes of SHA-256(name ‖ 0x0A ‖ 0x01 ‖ public key). */
export const keyHash = (sha256: Sha256, name: string, publicKey: Uint8Array): Uint8Array =>
  sha256(concatBytes(utf8(`${name}\n`), ED25519, publicKey)).slice(0, 4)

/** C2SP vkey: `name+keyhash hex+base64(0x01 ‖ public key)`. */
export const formatVkey = (sha256: Sha256, name: string, publicKey: Uint8Array): string =>
  `${name}+${toHex(keyHash(sha256, name, publicKey))}+${toBase64(concatBytes(ED25519, publicKey))}`

/** @throws EvidenceError invalid_vkey */
export function parseVkey(
  sha256: Sha256,
  text: string
): { readonly name: string; readonly keyHash: Uint8Array; readonly publicKey: Uint8Array } {
  const match = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(text.trim())
  const [, name = '', hash = '', encoded = ''] = match ?? []
  if (!match) throw new EvidenceError('invalid_vkey', 'not a verifier key')
  let bytes: Uint8Array
  try {
    bytes = fromBase64(encoded)
  } catch {
    throw new EvidenceError('invalid_vkey', 'not a verifier key')
  }
  if (bytes.length !== 33 || bytes[0] !== 1) throw new EvidenceError('invalid_vkey', 'not an Ed25519 verifier key')
  const publicKey = bytes.slice(1)
  const expected = keyHash(sha256, name, publicKey)
  if (toHex(expected) !== hash) throw new EvidenceError('invalid_vkey', 'the key hash is not that of the key')
  return { name, keyHash: expected, publicKey }
}

/** The three lines that are signed. @throws EvidenceError invalid_note: an origin with white space or a plus sign */
export function formatCheckpointBody(checkpoint: Checkpoint): string {
  if (!NAME.test(checkpoint.origin)) throw new EvidenceError('invalid_note', 'not an origin')
  return `${checkpoint.origin}\n${checkpoint.size}\n${toBase64(checkpoint.root)}\n`
}

export interface NoteSigner {
  readonly origin: string
  readonly publicKey: Uint8Array
  readonly sign: (message: Uint8Array) => Uint8Array
}

/** Body, blank line, signature line. */
export function signCheckpoint(sha256: Sha256, body: string, signer: NoteSigner): string {
  const signature = concatBytes(keyHash(sha256, signer.origin, signer.publicKey), signer.sign(utf8(body)))
  return `${body}\n— ${signer.origin} ${toBase64(signature)}\n`
}

const invalid = (message: string): EvidenceError => new EvidenceError('invalid_note', message)

/**
 * Reads a signed checkpoint strictly: exactly three body lines, a blank line, one or more signature lines, nothing else.
 * @throws EvidenceError invalid_note
 */
export function parseCheckpoint(text: string): SignedCheckpoint {
  const split = text.indexOf('\n\n')
  if (split < 0 || !text.endsWith('\n')) throw invalid('not a signed note')
  const body = text.slice(0, split + 1)
  const [origin = '', sizeText = '', rootText = '', ...rest] = body.split('\n')
  if (rest.length !== 1 || rest[0] !== '') throw invalid('a checkpoint has three lines')
  if (!NAME.test(origin)) throw invalid('not an origin')
  if (!/^(0|[1-9][0-9]{0,15})$/.test(sizeText) || !Number.isSafeInteger(Number(sizeText))) throw invalid('not a tree size')
  const root = decode(rootText)
  if (root.length !== 32) throw invalid('not a root hash')
  const lines = text.slice(split + 2, -1).split('\n')
  const signatures = lines.map((line) => {
    const match = /^— ([^\s+]+) ([A-Za-z0-9+/=]+)$/u.exec(line)
    const [, name = '', encoded = ''] = match ?? []
    const bytes = match ? decode(encoded) : new Uint8Array()
    if (bytes.length < 5) throw invalid('not a signature line')
    return { name, keyHash: bytes.slice(0, 4), signature: bytes.slice(4) }
  })
  return { origin, size: Number(sizeText), root, body, signatures }
}

function decode(text: string): Uint8Array {
  try {
    return fromBase64(text)
  } catch {
    throw invalid('not base64')
  }
}

/** Whether a signature of this verifier key is on the note and holds; other signatures are ignored, as C2SP asks. False for a malformed note. */
export function verifyCheckpoint(sha256: Sha256, verify: Ed25519Verify, text: string, vkey: string): boolean {
  const key = parseVkey(sha256, vkey)
  let note: SignedCheckpoint
  try {
    note = parseCheckpoint(text)
  } catch {
    return false
  }
  if (note.origin !== key.name) return false
  const message = utf8(note.body)
  return note.signatures.some(
    (one) => one.name === key.name && equalBytes(one.keyHash, key.keyHash) && verify(key.publicKey, message, one.signature)
  )
}

/** SubjectPublicKeyInfo PEM of a raw Ed25519 key (RFC 8410), as openssl reads it. */
export function publicKeyPem(publicKey: Uint8Array): string {
  const der = concatBytes(Uint8Array.of(0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00), publicKey)
  return `-----BEGIN PUBLIC KEY-----\n${toBase64(der)}\n-----END PUBLIC KEY-----\n`
}
