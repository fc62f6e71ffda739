// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto'
import type { RandomPool } from '../crypto.ts'
import { type OpenPart, sealPayload } from './payload.ts'

/** Content before it is sealed: what is committed to, by the name of its part. */
export interface PlainPart {
  readonly name: string
  readonly data: Uint8Array
}

/** The content of one leaf, committed to and encrypted under a key of its own. */
export interface SealedContent {
  /** The leaf's key, 32 bytes: to be wrapped in a key block. */
  readonly key: Buffer
  /** The payload: ciphertext and tag. Absent, with its digest, when there are no parts. */
  readonly ct: Buffer | undefined
  /** SHA-256 of `ct` in base64. */
  readonly ctSha256: string | undefined
  readonly parts: readonly OpenPart[]
  /** One for each part, base64. */
  readonly commitments: readonly string[]
}

const DOMAIN = new Map<string, Buffer>()
/** Content up to this size is hashed from one buffer that stays. */
const MOST_SCRATCH = 262_144

function domainOf(part: string): Buffer {
  let bytes = DOMAIN.get(part)
  if (bytes === undefined) {
    bytes = Buffer.concat([Buffer.from(`affidavit/v1/${part}`, 'utf8'), Buffer.alloc(1)])
    if (DOMAIN.size < 4096) DOMAIN.set(part, bytes)
  }
  return bytes
}

/** Where the bytes of a commitment are laid side by side: one buffer for all, as hashing is synchronous. Overwritten by the next. */
let scratch = Buffer.allocUnsafeSlow(16_384)

/** SHA-256(opening ‖ domain ‖ 0x00 ‖ plaintext) in base64 (EVIDENCE, Parts). */
function commitTo(opening: Uint8Array, part: string, data: Uint8Array): string {
  const domain = domainOf(part)
  const size = opening.length + domain.length + data.length
  if (size > MOST_SCRATCH) return hash('sha256', Buffer.concat([opening, domain, data]), 'base64')
  if (size > scratch.length) scratch = Buffer.allocUnsafeSlow(MOST_SCRATCH)
  scratch.set(opening, 0)
  scratch.set(domain, opening.length)
  scratch.set(data, opening.length + domain.length)
  return hash('sha256', scratch.subarray(0, size), 'base64')
}

/** Commits to every part with a random opening, and encrypts all of them in one call under a random key (EVIDENCE, Parts and Payload). */
export function sealContent(plain: readonly PlainPart[], random: RandomPool): SealedContent {
  const key = random.take(32)
  const parts = plain.map(({ name, data }) => ({ name, opening: random.take(32), data }))
  const commitments = parts.map((part) => commitTo(part.opening, part.name, part.data))
  if (parts.length === 0) return { key, ct: undefined, ctSha256: undefined, parts, commitments }
  const ct = sealPayload(key, parts)
  return { key, ct, ctSha256: hash('sha256', ct, 'base64'), parts, commitments }
}
