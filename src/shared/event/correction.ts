// SPDX-License-Identifier: Apache-2.0
// What a correction of a record says (SEC 17a-4(f)(2)(i)(A), GDPR 16): which place of the record is wrong, and what should stand there.
import { z } from 'zod'
import { type CanonicalEvent, type EventMessage, messagesText } from './canonical-event.ts'

/** Fields of the event that can be corrected: whom the call was about, what sent it, and which model was asked and served. */
export const correctableFields = ['user_id', 'conversation_id', 'source', 'app', 'request_model', 'response_model'] as const

/** Most places of one correction. */
export const MOST_CHANGES = 50
/** Longest corrected text, in UTF-16 code units. */
export const MOST_CORRECTED = 1_000_000

/** A place of a record: a message of the conversation, counted from 0, a field of the event, or one of its attributes. */
export const correctionPlace = z.union([
  z.strictObject({ message: z.enum(['input', 'output']), index: z.int().min(0) }),
  z.strictObject({ field: z.enum(correctableFields) }),
  z.strictObject({ attribute: z.string().min(1).max(512) })
])
export type CorrectionPlace = z.infer<typeof correctionPlace>

/** What should stand at a place, as a whole; empty: nothing should. */
export const correctionChange = z.strictObject({ what: correctionPlace, now: z.string().max(MOST_CORRECTED) })
export type CorrectionChange = z.infer<typeof correctionChange>

/** The body of `record.corrected`. The request it answers stands here and not in the leaf, which would tie the records of one person together. */
export const correctionBody = z.strictObject({
  changes: z.array(correctionChange).min(1).max(MOST_CHANGES),
  reason: z.string(),
  request_id: z.uuid().optional(),
  /** Places redacted before sealing, by kind. */
  redactions: z.record(z.string(), z.int().min(0)).optional()
})
export type CorrectionBody = z.infer<typeof correctionBody>

/** The part of the record that a place lies in. */
export const partOfPlace = (place: CorrectionPlace): 'request' | 'response' | 'event' =>
  'message' in place ? (place.message === 'input' ? 'request' : 'response') : 'event'

/** Names a place among those of its record: `input 0`, `field user_id`, `attribute NAME`. */
export const placeKey = (place: CorrectionPlace): string =>
  'message' in place ? `${place.message} ${place.index}` : 'field' in place ? `field ${place.field}` : `attribute ${place.attribute}`

/** A record as far as it can be corrected. */
export interface Correctable {
  readonly input_messages: readonly EventMessage[]
  readonly output_messages: readonly EventMessage[]
  readonly event: Readonly<Record<string, unknown>>
}

const shown = (value: unknown): string => (value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value))

/** What was recorded at a place; empty for a field that the record does not name, undefined where the record has no such message or attribute. */
export function recordedAt({ input_messages, output_messages, event }: Correctable, place: CorrectionPlace): string | undefined {
  if ('message' in place) {
    const message = (place.message === 'input' ? input_messages : output_messages)[place.index]
    return message && messagesText([message])
  }
  if ('field' in place) return shown(event[place.field])
  const attributes = (event.attributes ?? {}) as NonNullable<CanonicalEvent['attributes']>
  return Object.hasOwn(attributes, place.attribute) ? shown(attributes[place.attribute]) : undefined
}

/** What stands at a place after the corrections so far, oldest first. */
export function standsAt(
  record: Correctable & { readonly corrections: readonly { readonly changes: readonly CorrectionChange[] }[] },
  place: CorrectionPlace
): string | undefined {
  const key = placeKey(place)
  const changes = record.corrections.flatMap((one) => one.changes.filter((change) => placeKey(change.what) === key))
  return changes.at(-1)?.now ?? recordedAt(record, place)
}

/** The identifiers and texts of a person that a correction brings, as a record has them: for the index of subjects and for the search after an erasure. */
export function personalIn(changes: readonly CorrectionChange[]): {
  readonly event: Partial<Pick<CanonicalEvent, 'user_id' | 'conversation_id' | 'attributes'>>
  readonly texts: readonly string[]
} {
  const event: { user_id?: string; conversation_id?: string; attributes?: Record<string, string> } = {}
  const attributes: (readonly [string, string])[] = []
  const texts: string[] = []
  for (const { what, now } of changes) {
    if ('message' in what) texts.push(now)
    else if ('attribute' in what) attributes.push([what.attribute, now])
    else if (what.field === 'user_id' || what.field === 'conversation_id') event[what.field] = now
  }
  if (attributes.length > 0) event.attributes = Object.fromEntries(attributes)
  return { event, texts }
}
