// SPDX-License-Identifier: Apache-2.0
import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import type { CanonicalEvent } from '../../shared/event/canonical-event.ts'
import { type Detectors, detect } from '../../shared/privacy/detect.ts'
import { builtInPacks, normaliseIdentifier } from '../../shared/privacy/kinds.ts'

/** Most identifiers of one call that are indexed. */
const MOST_KEYS = 200
const indexed = { packs: new Set(builtInPacks.filter((pack) => pack !== 'secret')), own: [] } satisfies Detectors

/** The identifiers of one call that the index knows: its user, the attributes that name a subject, and what detectors find in its texts. */
export function identifiersOf(
  { user_id, attributes }: Partial<Pick<CanonicalEvent, 'user_id' | 'attributes'>>,
  texts: readonly string[],
  subjectAttributes: readonly string[]
): string[] {
  const found = new Set<string>()
  if (user_id !== undefined) found.add(user_id)
  for (const name of attributes ? subjectAttributes : []) {
    const value = attributes?.[name]
    if (typeof value === 'string' || typeof value === 'number') found.add(String(value))
  }
  for (const text of attributes ? [...texts, JSON.stringify(attributes)] : texts)
    for (const one of detect(text, indexed)) found.add(one.value)
  return [...found].slice(0, MOST_KEYS)
}

/** The key of the subject index, derived from the dedup key: it survives changes of the key-encryption key. */
export const subjectSecret = (dedupKey: Uint8Array): Buffer =>
  createHmac('sha256', createSecretKey(dedupKey)).update('affidavit/subject-index/v1').digest()

/** How an identifier stands in the index: equal however it is written, and of no use to whoever lacks the key. */
export function subjectKeys(secret: Uint8Array): (identifier: string) => Buffer {
  const key: KeyObject = createSecretKey(secret)
  return (identifier) => createHmac('sha256', key).update(normaliseIdentifier(identifier), 'utf8').digest().subarray(0, 16)
}
