// SPDX-License-Identifier: Apache-2.0
import { ed25519 } from '@noble/curves/ed25519.js'
import { sha256, sha512 } from '@noble/hashes/sha2.js'
import { toHex } from '../shared/evidence/bytes.ts'
import type { VerifyCrypto } from '../shared/evidence/verify-steps.ts'
import type { ZipRuntime } from '../shared/evidence/zip-bundle.ts'

/** What the verifier needs, in plain JavaScript. Malformed keys and signatures do not verify. */
export const pageCrypto: VerifyCrypto = {
  sha256: (data) => sha256(data),
  sha512: (data) => sha512(data),
  ed25519Verify: (publicKey, message, signature) => {
    if (publicKey.length !== 32 || signature.length !== 64) return false
    try {
      // RFC 8032 as written, like the other verifiers: no lenient encodings of points.
      return ed25519.verify(signature, message, publicKey, { zip215: false })
    } catch {
      return false
    }
  }
}

/** CRC-32 of each byte (PKWARE APPNOTE 4.4.7). */
const CRC = Uint32Array.from({ length: 256 }, (_, n) => {
  let crc = n
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  return crc
})

/** Unpacking and hashing with what browsers have. */
export const pageRuntime: ZipRuntime = {
  async *inflate(packed) {
    const source = packed[Symbol.asyncIterator]()
    const input = new ReadableStream<Uint8Array<ArrayBuffer>>({
      async pull(controller) {
        const next = await source.next()
        if (next.done) controller.close()
        else controller.enqueue(new Uint8Array(next.value))
      }
    })
    const reader = input.pipeThrough(new DecompressionStream('deflate-raw')).getReader()
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      yield value
    }
  },
  crc32(bytes, before) {
    let crc = ~before
    for (const byte of bytes) crc = (crc >>> 8) ^ (CRC[(crc ^ byte) & 255] ?? 0)
    return ~crc >>> 0
  },
  sha256() {
    const hash = sha256.create()
    return { update: (bytes) => hash.update(bytes), hex: () => toHex(hash.digest()) }
  }
}
