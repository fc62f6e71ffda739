// SPDX-License-Identifier: Apache-2.0
// OpenSSH signatures of files (PROTOCOL.sshsig) with Ed25519: what `ssh-keygen -Y sign` and `-Y verify` read and write.
import { concatBytes, equalBytes, fromBase64, toBase64, utf8, utf8Decode } from './bytes.ts'
import { confirmedLines } from './confirmed-lines.ts'
import { EvidenceError } from './errors.ts'
import type { Ed25519Verify } from './note.ts'

/** What a bundle signature is for; another purpose never verifies as this one. */
export const BUNDLE_NAMESPACE = 'affidavit-bundle'

const MAGIC = utf8('SSHSIG')
const KEY_TYPE = utf8('ssh-ed25519')
const HASH = utf8('sha512')
const BEGIN = '-----BEGIN SSH SIGNATURE-----'
const END = '-----END SSH SIGNATURE-----'

const invalid = (message: string): EvidenceError => new EvidenceError('invalid_sshsig', message)

function u32(n: number): Uint8Array {
  return Uint8Array.of((n >>> 24) & 255, (n >>> 16) & 255, (n >>> 8) & 255, n & 255)
}

const field = (bytes: Uint8Array): Uint8Array => concatBytes(u32(bytes.length), bytes)

class Reader {
  readonly #bytes: Uint8Array
  #at = 0
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }
  take(length: number): Uint8Array {
    if (this.#at + length > this.#bytes.length) throw invalid('cut short')
    const out = this.#bytes.slice(this.#at, this.#at + length)
    this.#at += length
    return out
  }
  number(): number {
    const [a = 0, b = 0, c = 0, d = 0] = this.take(4)
    return a * 0x1000000 + (b << 16) + (c << 8) + d
  }
  field(): Uint8Array {
    return this.take(this.number())
  }
  end(): void {
    if (this.#at !== this.#bytes.length) throw invalid('bytes after the end')
  }
}

/** Wire form of a public key: type and 32 bytes. */
const publicKeyBlob = (publicKey: Uint8Array): Uint8Array => concatBytes(field(KEY_TYPE), field(publicKey))

function parsePublicKeyBlob(blob: Uint8Array): Uint8Array {
  const reader = new Reader(blob)
  if (!equalBytes(reader.field(), KEY_TYPE)) throw invalid('not an Ed25519 key')
  const key = reader.field()
  reader.end()
  if (key.length !== 32) throw invalid('not an Ed25519 key')
  return key
}

/** The line form of a public key: `ssh-ed25519 AAAA…`. */
export const sshPublicKey = (publicKey: Uint8Array): string => `ssh-ed25519 ${toBase64(publicKeyBlob(publicKey))}`

/** The bytes that are signed: the namespace keeps a signature from being used for something else. */
export const sshsigSignedData = (sha512: (data: Uint8Array) => Uint8Array, namespace: string, message: Uint8Array): Uint8Array =>
  concatBytes(MAGIC, field(utf8(namespace)), field(new Uint8Array()), field(HASH), field(sha512(message)))

/** Armored signature file. @param signature the 64 bytes of Ed25519 over sshsigSignedData */
export function formatSshsig(publicKey: Uint8Array, namespace: string, signature: Uint8Array): string {
  const blob = concatBytes(
    MAGIC,
    u32(1),
    field(publicKeyBlob(publicKey)),
    field(utf8(namespace)),
    field(new Uint8Array()),
    field(HASH),
    field(concatBytes(field(KEY_TYPE), field(signature)))
  )
  const lines = toBase64(blob).match(/.{1,70}/g) ?? []
  return `${BEGIN}\n${lines.join('\n')}\n${END}\n`
}

export interface Sshsig {
  readonly publicKey: Uint8Array
  readonly namespace: string
  readonly signature: Uint8Array
}

/** @throws EvidenceError invalid_sshsig: anything but an armored Ed25519 signature with sha512 */
export function parseSshsig(text: string): Sshsig {
  const lines = text.split('\n')
  if (lines[0] !== BEGIN || lines.at(-1) !== '' || lines.at(-2) !== END) throw invalid('not an armored signature')
  let blob: Uint8Array
  try {
    blob = fromBase64(lines.slice(1, -2).join(''))
  } catch {
    throw invalid('not base64')
  }
  const reader = new Reader(blob)
  if (!equalBytes(reader.take(6), MAGIC) || reader.number() !== 1) throw invalid('not a version 1 signature')
  const publicKey = parsePublicKeyBlob(reader.field())
  const namespace = utf8Decode(reader.field())
  if (reader.field().length !== 0) throw invalid('a reserved field is used')
  if (!equalBytes(reader.field(), HASH)) throw invalid('not sha512')
  const inner = new Reader(reader.field())
  reader.end()
  if (!equalBytes(inner.field(), KEY_TYPE)) throw invalid('not an Ed25519 signature')
  const signature = inner.field()
  inner.end()
  if (signature.length !== 64) throw invalid('not an Ed25519 signature')
  // One text for each signature: it is in no manifest, and what stands around it would be signed by nobody.
  if (formatSshsig(publicKey, namespace, signature) !== text) throw invalid('not in the form that ssh-keygen writes')
  return { publicKey, namespace, signature }
}

/** Whether a parsed signature holds over a message for this namespace. */
export const verifySshsig = (
  sha512: (data: Uint8Array) => Uint8Array,
  verify: Ed25519Verify,
  sig: Sshsig,
  namespace: string,
  message: Uint8Array
): boolean => sig.namespace === namespace && verify(sig.publicKey, sshsigSignedData(sha512, namespace, message), sig.signature)

/** One line of an allowed_signers file, limited to bundle signatures. */
export const allowedSignersLine = (principal: string, publicKey: Uint8Array): string =>
  `${principal} namespaces="${BUNDLE_NAMESPACE}" ${sshPublicKey(publicKey)}\n`

/**
 * Principals and keys of an allowed_signers file: one Ed25519 key under one plain name, without options but a list of namespaces that has that of
 * bundles. Other lines (other keys, patterns, certificate authorities, dates) are passed over: this reader could not hold a signer to them.
 */
export function parseAllowedSigners(text: string): { readonly principal: string; readonly publicKey: Uint8Array }[] {
  return confirmedLines(text).flatMap((line) => {
    const match = /^([^ \t]+)(?:[ \t]+namespaces="([^" \t]*)")?[ \t]+ssh-ed25519[ \t]+([A-Za-z0-9+/=]+)(?:[ \t]|$)/.exec(line)
    const [, principal = '', namespaces, key = ''] = match ?? []
    if (!match || (namespaces !== undefined && !namespaces.split(',').includes(BUNDLE_NAMESPACE))) return []
    try {
      return [{ principal, publicKey: parsePublicKeyBlob(fromBase64(key)) }]
    } catch {
      return []
    }
  })
}
