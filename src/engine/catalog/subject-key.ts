// SPDX-License-Identifier: Apache-2.0
import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import { normaliseIdentifier } from '../../shared/privacy/kinds.ts'

/** The key of the subject index, derived from the dedup key: it survives changes of the key-encryption key. */
export const subjectSecret = (dedupKey: Uint8Array): Buffer =>
  createHmac('sha256', createSecretKey(dedupKey)).update('affidavit/subject-index/v1').digest()

/** How an identifier stands in the index: equal however it is written, and of no use to whoever lacks the key. */
export function subjectKeys(secret: Uint8Array): (identifier: string) => Buffer {
  const key: KeyObject = createSecretKey(secret)
  return (identifier) => createHmac('sha256', key).update(normaliseIdentifier(identifier), 'utf8').digest().subarray(0, 16)
}
