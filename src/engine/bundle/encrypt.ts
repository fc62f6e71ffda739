// SPDX-License-Identifier: Apache-2.0
// Encryption of a written bundle for its recipient (age, age-encryption.org/v1): X25519 recipient or passphrase, streamed.
import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream as WebStream } from 'node:stream/web'
import { Encrypter } from 'age-encryption'
import { AffidavitError } from '../../shared/contract/errors.ts'

/** To whom: the holder of an age key, or whoever knows a passphrase. */
export type AgeTarget = { readonly recipient: string } | { readonly passphrase: string }

/** @throws AffidavitError bad_request when the recipient is no age X25519 recipient */
export function ageEncrypter(target: AgeTarget): Encrypter {
  const encrypter = new Encrypter()
  if ('passphrase' in target) {
    encrypter.setPassphrase(target.passphrase)
    return encrypter
  }
  try {
    encrypter.addRecipient(target.recipient)
  } catch {
    throw new AffidavitError('bad_request', 'the recipient is no age key: it begins with age1 and is copied whole')
  }
  return encrypter
}

/** Encrypts `from` into `to`; memory stays bounded. @throws AffidavitError cancelled @returns size and SHA-256 of what was written */
export async function encryptFile(
  from: string,
  to: string,
  target: AgeTarget,
  cancelled: () => boolean
): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const plain = Readable.toWeb(createReadStream(from)) as unknown as ReadableStream<Uint8Array<ArrayBuffer>>
  const cipher = await ageEncrypter(target).encrypt(plain)
  const hash = createHash('sha256')
  let bytes = 0
  const counted = async function* () {
    for await (const chunk of Readable.fromWeb(cipher as unknown as WebStream<Uint8Array>)) {
      if (cancelled()) throw new AffidavitError('cancelled', 'cancelled')
      hash.update(chunk as Uint8Array)
      bytes += (chunk as Uint8Array).length
      yield chunk
    }
  }
  await pipeline(counted, createWriteStream(to, { mode: 0o600 }))
  return { bytes, sha256: hash.digest('hex') }
}
