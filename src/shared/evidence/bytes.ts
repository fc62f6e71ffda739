// SPDX-License-Identifier: Apache-2.0
import { EvidenceError } from './errors.ts'

/** The part of Node's Buffer used for speed where it exists; elsewhere the same is done with what every runtime has. */
interface FastBytes {
  from(
    data: ArrayBufferLike | string,
    offsetOrEncoding?: number | string,
    length?: number
  ): Uint8Array & { toString(encoding: string): string }
}
const fast = (globalThis as { readonly Buffer?: FastBytes }).Buffer

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** UTF-8 bytes of a string. */
export const utf8 = (text: string): Uint8Array => encoder.encode(text)

/** Text of UTF-8 bytes, a byte-order mark kept. @throws EvidenceError invalid_utf8 */
export function utf8Decode(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch {
    throw new EvidenceError('invalid_utf8', 'not UTF-8')
  }
}

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

/** Plain comparison: hashes and signatures here are public, so timing tells nothing. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** Lower-case hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  if (fast) return fast.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
  let out = ''
  for (const byte of bytes) out += byte.toString(16).padStart(2, '0')
  return out
}

/** @throws EvidenceError invalid_hex: odd length or a character outside 0-9, a-f, A-F */
export function fromHex(text: string): Uint8Array {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) throw new EvidenceError('invalid_hex', 'not hexadecimal')
  const out = new Uint8Array(text.length / 2)
  for (let i = 0; i < out.length; i++) out[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16)
  return out
}

/** Padded standard base64 (RFC 4648 section 4). */
export function toBase64(bytes: Uint8Array): string {
  if (fast) return fast.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
  let binary = ''
  for (let i = 0; i < bytes.length; i += 8192) binary += String.fromCharCode(...bytes.subarray(i, i + 8192))
  return btoa(binary)
}

/** Reads padded standard base64 and nothing else: one text per value. @throws EvidenceError invalid_base64 */
export function fromBase64(text: string): Uint8Array {
  if (text.length % 4 !== 0) throw new EvidenceError('invalid_base64', 'not padded standard base64')
  // The fast way takes other forms too; writing what it read shows them.
  if (!fast && !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) throw new EvidenceError('invalid_base64', 'not padded standard base64')
  let bytes: Uint8Array
  if (fast) bytes = new Uint8Array(fast.from(text, 'base64'))
  else bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0))
  if (toBase64(bytes) !== text) throw new EvidenceError('invalid_base64', 'not padded standard base64, or with stray bits')
  return bytes
}
