// SPDX-License-Identifier: Apache-2.0
// Contents on their way to the thread that seals, and back: in a few buffers that move between threads without a copy.
import type { RandomPool } from '../crypto.ts'
import { KEY_BYTES } from './key-block.ts'
import { type PlainPart, type SealedContent, sealContent } from './seal-content.ts'

const OPENING_BYTES = 32
/** Characters of 32 bytes in base64. */
const DIGEST_CHARS = 44

/** The contents of some leaves, part after part. */
export interface PlainBatch {
  readonly bytes: ArrayBuffer
  /** Parts of each leaf. */
  readonly counts: Float64Array
  /** Of each part: the place of its name in `names`, and the length of its data. */
  readonly index: Float64Array
  readonly names: readonly string[]
}

/** The same, sealed. The data itself is left out: who asked has it. */
export interface SealedBatch {
  /** Of each leaf the key, then of each part the opening. */
  readonly secrets: ArrayBuffer
  /** The payloads, one after the other. */
  readonly ct: ArrayBuffer
  /** Length of each leaf's payload; 0 without parts. */
  readonly lengths: Float64Array
  /** Digests in base64: the commitment of each part, then of each leaf with parts that of its payload. */
  readonly digests: string
}

/** Lays contents side by side. */
export function packPlain(contents: readonly (readonly PlainPart[])[]): PlainBatch {
  const parts = contents.flat()
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.data.length, 0))
  const index = new Float64Array(parts.length * 2)
  const names: string[] = []
  let at = 0
  for (const [i, { name, data }] of parts.entries()) {
    const known = names.indexOf(name)
    index[i * 2] = known < 0 ? names.push(name) - 1 : known
    index[i * 2 + 1] = data.length
    bytes.set(data, at)
    at += data.length
  }
  return { bytes: bytes.buffer, counts: Float64Array.from(contents, (content) => content.length), index, names }
}

/** Seals each content as {@link sealContent} does. */
export function sealBatch(batch: PlainBatch, random: RandomPool): SealedBatch {
  let part = 0
  let at = 0
  const sealed = Array.from(batch.counts, (count) => {
    const plain = Array.from({ length: count }, (): PlainPart => {
      const length = batch.index[part * 2 + 1] ?? 0
      const name = batch.names[batch.index[part * 2] ?? 0] ?? ''
      const data = new Uint8Array(batch.bytes, at, length)
      at += length
      part++
      return { name, data }
    })
    return sealContent(plain, random)
  })
  const ct = new Uint8Array(sealed.reduce((sum, content) => sum + (content.ct?.length ?? 0), 0))
  const secrets = new Uint8Array(sealed.length * KEY_BYTES + part * OPENING_BYTES)
  let ctAt = 0
  let secretAt = 0
  const put = (secret: Uint8Array): void => {
    secrets.set(secret, secretAt)
    secretAt += secret.length
  }
  for (const content of sealed) {
    if (content.ct) ct.set(content.ct, ctAt)
    ctAt += content.ct?.length ?? 0
    put(content.key)
    for (const { opening } of content.parts) put(opening)
  }
  const commitments = sealed.map((content) => content.commitments.join('')).join('')
  return {
    secrets: secrets.buffer,
    ct: ct.buffer,
    lengths: Float64Array.from(sealed, (content) => content.ct?.length ?? 0),
    digests: commitments + sealed.map((content) => content.ctSha256 ?? '').join('')
  }
}

/** Takes the answer apart, for the contents that were sent. */
export function unpackSealed(batch: SealedBatch, contents: readonly (readonly PlainPart[])[]): SealedContent[] {
  let part = 0
  let secretAt = 0
  let ctAt = 0
  let payload = contents.reduce((sum, content) => sum + content.length, 0)
  const secret = (size: number): Buffer => {
    secretAt += size
    return Buffer.from(batch.secrets, secretAt - size, size)
  }
  const digest = (place: number): string => batch.digests.slice(place * DIGEST_CHARS, (place + 1) * DIGEST_CHARS)
  return contents.map((plain, leaf) => {
    const key = secret(KEY_BYTES)
    const parts = plain.map(({ name, data }) => ({ name, opening: secret(OPENING_BYTES), data }))
    const commitments = plain.map(() => digest(part++))
    if (plain.length === 0) return { key, ct: undefined, ctSha256: undefined, parts, commitments }
    const length = batch.lengths[leaf] ?? 0
    ctAt += length
    return { key, ct: Buffer.from(batch.ct, ctAt - length, length), ctSha256: digest(payload++), parts, commitments }
  })
}
