// SPDX-License-Identifier: Apache-2.0
import type { CanonicalEvent } from '../../shared/event/canonical-event.ts'
import { type EventMessage, messagesText } from '../../shared/event/canonical-event.ts'
import { personalIn } from '../../shared/event/correction.ts'
import type { Leaf } from '../../shared/evidence/leaf.ts'
import { leavesOfType } from '../catalog/listings.ts'
import { correctionIn, correctionsOf, noteLeaves } from '../catalog/notes-on-records.ts'
import { identifiersOf } from '../catalog/subject-key.ts'
import { defaultPrivacy } from '../privacy/detectors.ts'
import { privacyIn } from '../privacy/settings.ts'
import type { ReaderContext } from '../threads/reader-context.ts'

/** Whom a record is about, as recorded and as corrected since: a rule or a hold that names either keeps it. */
export function subjectsOf({ catalog, payloads }: ReaderContext, seq: number): string[] {
  const payload = payloads.open(seq)
  const part = payload.state === 'present' ? payload.parts.find((one) => one.name === 'event') : undefined
  if (!part) return []
  const recorded = JSON.parse(Buffer.from(part.data).toString('utf8')) as Partial<CanonicalEvent>
  const corrected = correctionsOf(catalog, payloads, seq).map(({ changes }) => personalIn(changes).event)
  return [recorded, ...corrected]
    .flatMap(({ user_id, conversation_id }) => [user_id, conversation_id])
    .filter((one) => one !== undefined)
    .filter((one) => one !== '')
}

/**
 * The identifiers that the subject index has or had of a leaf with content and of its corrections, read from the contents: what an intent names is
 * in the index no longer.
 */
export function identifiersOn({ catalog, ledger, payloads }: ReaderContext): (seq: number) => string[] {
  const bytesOf = ledger.prepare<[number], Buffer>('SELECT bytes FROM leaf WHERE seq = ?').pluck()
  // The attributes that name a subject, from each leaf on that set them.
  const named = leavesOfType(catalog, ledger, 'setting.changed').flatMap((at) => {
    const bytes = bytesOf.get(at)
    const found = bytes && privacyIn(JSON.parse(bytes.toString('utf8')) as Leaf, at, payloads)
    return found ? [{ at, attributes: found.subject_attributes }] : []
  })
  const attributesAt = (seq: number): readonly string[] =>
    named.findLast(({ at }) => at < seq)?.attributes ?? defaultPrivacy.subject_attributes
  const ofCorrection = (seq: number): string[] => {
    const body = correctionIn(payloads, seq)
    if (!body) return []
    const { event, texts } = personalIn(body.changes)
    return identifiersOf(event, texts, attributesAt(seq))
  }
  return (seq) => {
    const payload = payloads.open(seq)
    const parts = new Map(payload.state === 'present' ? payload.parts.map(({ name, data }) => [name, data]) : [])
    const read = (name: string): unknown => {
      const data = parts.get(name)
      return data && JSON.parse(Buffer.from(data).toString('utf8'))
    }
    const texts = ['request', 'response'].map((name) =>
      messagesText((read(name) as { readonly messages?: readonly EventMessage[] } | undefined)?.messages)
    )
    const recorded = identifiersOf((read('event') ?? {}) as Partial<CanonicalEvent>, texts, attributesAt(seq))
    return [...recorded, ...ofCorrection(seq), ...noteLeaves(catalog, 'record.corrected', [seq]).flatMap(ofCorrection)]
  }
}
