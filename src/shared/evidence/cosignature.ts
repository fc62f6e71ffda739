// SPDX-License-Identifier: Apache-2.0
// Cosignatures of witnesses: c2sp.org/tlog-cosignature (Ed25519, cosignature/v1) and the request of c2sp.org/tlog-witness.
import { concatBytes, equalBytes, fromBase64, toBase64, toHex, utf8 } from './bytes.ts'
import { EvidenceError } from './errors.ts'
import type { Sha256 } from './merkle.ts'
import { type Ed25519Verify, parseCheckpoint } from './note.ts'
import { signedPart } from './timestamp.ts'

/** Signature type of timestamped Ed25519 cosignatures in key ids and verifier keys. */
const COSIGNATURE = 4
const SIGNATURE_BYTES = 4 + 8 + 64

/** A witness key as verifiers know it. */
export interface WitnessKey {
  readonly name: string
  readonly publicKey: Uint8Array
  readonly keyHash: Uint8Array
}

/** SHA-256(name ‖ 0x0A ‖ 0x04 ‖ public key), the first 4 bytes. */
const witnessKeyHash = (sha256: Sha256, name: string, publicKey: Uint8Array): Uint8Array =>
  sha256(concatBytes(utf8(`${name}\n`), Uint8Array.of(COSIGNATURE), publicKey)).slice(0, 4)

/** Name of a witness made from its key, as the origin of a log is made from its. */
export const witnessName = (sha256: Sha256, publicKey: Uint8Array): string =>
  `affidavit.invalid/witness/${toHex(sha256(publicKey)).slice(0, 16)}`

/** Verifier key of a witness: `name+key id hex+base64(0x04 ‖ public key)`. */
export const formatWitnessVkey = (sha256: Sha256, name: string, publicKey: Uint8Array): string =>
  `${name}+${toHex(witnessKeyHash(sha256, name, publicKey))}+${toBase64(concatBytes(Uint8Array.of(COSIGNATURE), publicKey))}`

/** @throws EvidenceError invalid_vkey */
export function parseWitnessVkey(sha256: Sha256, text: string): WitnessKey {
  const invalid = () => new EvidenceError('invalid_vkey', 'not the verifier key of a witness')
  const [, name = '', hash = '', encoded = ''] = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(text.trim()) ?? []
  let bytes: Uint8Array
  try {
    bytes = fromBase64(encoded)
  } catch {
    throw invalid()
  }
  if (name === '' || bytes.length !== 33 || bytes[0] !== COSIGNATURE) throw invalid()
  const publicKey = bytes.slice(1)
  const keyHash = witnessKeyHash(sha256, name, publicKey)
  if (toHex(keyHash) !== hash) throw invalid()
  return { name, publicKey, keyHash }
}

/** What is signed: a header, the time, and the whole body of the checkpoint. */
const cosignedMessage = (seconds: number, body: string): Uint8Array => utf8(`cosignature/v1\ntime ${seconds}\n${body}`)

function u64(value: number): Uint8Array {
  const out = new Uint8Array(8)
  new DataView(out.buffer).setBigUint64(0, BigInt(value))
  return out
}

export interface Cosigner {
  readonly name: string
  readonly publicKey: Uint8Array
  readonly sign: (message: Uint8Array) => Uint8Array
}

/** One signature line over the body of a checkpoint. @param seconds POSIX time of the cosignature */
export function cosign(sha256: Sha256, cosigner: Cosigner, body: string, seconds: number): string {
  const signature = cosigner.sign(cosignedMessage(seconds, body))
  const blob = concatBytes(witnessKeyHash(sha256, cosigner.name, cosigner.publicKey), u64(seconds), signature)
  return `— ${cosigner.name} ${toBase64(blob)}\n`
}

/**
 * The cosignature of a witness on a note. `invalid`: there is one with its key id that does not hold. Lines of other keys are ignored.
 */
export function cosignatureOf(
  verify: Ed25519Verify,
  note: string,
  key: WitnessKey
): { readonly state: 'absent' | 'invalid' } | { readonly state: 'holds'; readonly time: string; readonly line: string } {
  const parsed = parseCheckpoint(note)
  let state: 'absent' | 'invalid' = 'absent'
  for (const one of parsed.signatures) {
    if (one.name !== key.name || !equalBytes(one.keyHash, key.keyHash)) continue
    const blob = concatBytes(one.keyHash, one.signature)
    state = 'invalid'
    if (blob.length !== SIGNATURE_BYTES) continue
    const seconds = Number(new DataView(blob.buffer).getBigUint64(4))
    if (!Number.isSafeInteger(seconds) || seconds > 8_640_000_000_000) continue
    if (!verify(key.publicKey, cosignedMessage(seconds, parsed.body), blob.slice(12))) continue
    return { state: 'holds', time: new Date(seconds * 1000).toISOString(), line: `— ${one.name} ${toBase64(blob)}\n` }
  }
  return { state }
}

/** Puts a cosignature behind those that a note has; the same witness is there once, with its newest. */
export function withCosignature(note: string, line: string): string {
  const name = line.split(' ')[1] ?? ''
  const own = signedPart(note)
  const others = note
    .slice(own.length)
    .split('\n')
    .filter((one) => one !== '' && one.split(' ')[1] !== name)
  return `${own}${others.map((one) => `${one}\n`).join('')}${line}`
}

/** Body of `add-checkpoint`. */
export interface AddCheckpoint {
  readonly oldSize: number
  readonly proof: readonly Uint8Array[]
  readonly note: string
}

export const formatAddCheckpoint = ({ oldSize, proof, note }: AddCheckpoint): string =>
  `old ${oldSize}\n${proof.map((hash) => `${toBase64(hash)}\n`).join('')}\n${note}`

/** @throws EvidenceError invalid_proof_file */
export function parseAddCheckpoint(text: string): AddCheckpoint {
  const invalid = () => new EvidenceError('invalid_proof_file', 'not a request to add a checkpoint')
  const split = text.indexOf('\n\n')
  const [first = '', ...lines] = text.slice(0, Math.max(0, split)).split('\n')
  const size = /^old (0|[1-9][0-9]{0,15})$/.exec(first)?.[1]
  if (split < 0 || size === undefined || !Number.isSafeInteger(Number(size)) || lines.length > 63) throw invalid()
  const proof = lines.map((line) => {
    const hash = fromBase64(line)
    if (hash.length !== 32) throw invalid()
    return hash
  })
  return { oldSize: Number(size), proof, note: text.slice(split + 2) }
}
