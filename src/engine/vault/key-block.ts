// SPDX-License-Identifier: Apache-2.0
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import type { AnyDb } from '../sqlite/open.ts'

/** Bytes of one leaf's key. */
export const KEY_BYTES = 32
/** Most keys in one block. */
export const BLOCK_KEYS = 64

/** A key-encryption key and the name that blocks carry. */
export interface Kek {
  readonly id: string
  readonly key: Uint8Array
}

/** AAD of a block: kek_id ‖ first seq (8 bytes) ‖ count (4 bytes), big endian, so that a block cannot be moved or relabelled. */
function associatedData(kekId: string, firstSeq: number, count: number): Buffer {
  const name = Buffer.from(kekId, 'utf8')
  const out = Buffer.alloc(name.length + 12)
  name.copy(out)
  out.writeBigUInt64BE(BigInt(firstSeq), name.length)
  out.writeUInt32BE(count, name.length + 8)
  return out
}

/** Wraps the keys of consecutive leaves: nonce (12, random) ‖ ciphertext ‖ tag (16). */
export function sealBlock(kek: Kek, firstSeq: number, keys: readonly Uint8Array[]): Buffer {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', kek.key, nonce)
  cipher.setAAD(associatedData(kek.id, firstSeq, keys.length))
  const body = cipher.update(Buffer.concat(keys))
  return Buffer.concat([nonce, body, cipher.final(), cipher.getAuthTag()])
}

/** Unwraps a block into `count` keys of 32 bytes (all zero = destroyed by an erasure). Throws when the block was changed or the key is another. */
export function openBlock(kek: Kek, firstSeq: number, count: number, ct: Uint8Array): Buffer {
  const bytes = Buffer.from(ct.buffer, ct.byteOffset, ct.byteLength)
  if (bytes.length !== 12 + count * KEY_BYTES + 16) throw new Error('key block: wrong length')
  const decipher = createDecipheriv('aes-256-gcm', kek.key, bytes.subarray(0, 12))
  decipher.setAAD(associatedData(kek.id, firstSeq, count))
  decipher.setAuthTag(bytes.subarray(bytes.length - 16))
  return Buffer.concat([decipher.update(bytes.subarray(12, bytes.length - 16)), decipher.final()])
}

/** Ids of the key-encryption keys that the blocks of a file name. */
export const kekIdsIn = (keys: AnyDb): string[] => keys.prepare<[], string>('SELECT DISTINCT kek_id FROM key_block').pluck().all()
