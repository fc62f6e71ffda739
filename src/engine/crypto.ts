// SPDX-License-Identifier: Apache-2.0
import { createPrivateKey, createPublicKey, hash, type KeyObject, randomFillSync, sign, verify } from 'node:crypto'

/** SHA-256 of some bytes, 32 bytes. */
// Through a string: half the time of asking for a buffer (1.0 against 2.0 µs for 1.2 kB on Node 24).
export const sha256 = (data: Uint8Array): Uint8Array => Buffer.from(hash('sha256', data, 'binary'), 'latin1')

/** SHA-512 of some bytes, 64 bytes. */
export const sha512 = (data: Uint8Array): Uint8Array => hash('sha512', data, 'buffer')

/** SHA-256 in lower-case hexadecimal. */
export const sha256Hex = (data: Uint8Array): string => hash('sha256', data, 'hex')

const PRIVATE_DER = Buffer.from('302e020100300506032b657004220420', 'hex')
const PUBLIC_DER = Buffer.from('302a300506032b6570032100', 'hex')

const publicKeys = new Map<string, KeyObject>()

function publicKeyObject(raw: Uint8Array): KeyObject {
  const name = Buffer.from(raw).toString('hex')
  let key = publicKeys.get(name)
  if (key === undefined) {
    key = createPublicKey({ key: Buffer.concat([PUBLIC_DER, raw]), format: 'der', type: 'spki' })
    if (publicKeys.size > 64) publicKeys.clear()
    publicKeys.set(name, key)
  }
  return key
}

/** Ed25519 signature check (RFC 8032) with a raw 32-byte public key. False for any malformed input. */
export function ed25519Verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false
  try {
    return verify(null, message, publicKeyObject(publicKey), signature)
  } catch {
    return false
  }
}

/** A signing key made from a 32-byte seed (RFC 8032). */
export interface Ed25519Key {
  readonly publicKey: Uint8Array
  readonly sign: (message: Uint8Array) => Uint8Array
}

/** Loads an Ed25519 key from its seed; the seed itself is not kept. */
export function ed25519FromSeed(seed: Uint8Array): Ed25519Key {
  const key = createPrivateKey({ key: Buffer.concat([PRIVATE_DER, seed]), format: 'der', type: 'pkcs8' })
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' })
  return { publicKey: new Uint8Array(spki.subarray(PUBLIC_DER.length)), sign: (message) => sign(null, message, key) }
}

/** Random bytes served from a pool: one call to the system for many small requests (a group commit asks for thousands). */
export class RandomPool {
  #pool = Buffer.alloc(0)
  #at = 0
  /** A fresh copy of `size` random bytes; bytes are never handed out twice. */
  take(size: number): Buffer {
    if (this.#at + size > this.#pool.length) {
      this.#pool = randomFillSync(Buffer.allocUnsafeSlow(Math.max(65_536, size)))
      this.#at = 0
    }
    const bytes = Buffer.from(this.#pool.subarray(this.#at, this.#at + size))
    this.#pool.fill(0, this.#at, this.#at + size)
    this.#at += size
    return bytes
  }
}
