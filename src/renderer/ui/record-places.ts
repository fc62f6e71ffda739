// SPDX-License-Identifier: Apache-2.0
import type { RecordDetail } from '../../shared/contract/record.ts'
import { type CorrectionPlace, correctableFields } from '../../shared/event/correction.ts'

const fieldNames: Readonly<Record<(typeof correctableFields)[number], string>> = {
  user_id: 'Person (user_id)',
  conversation_id: 'Conversation (conversation_id)',
  source: 'Source',
  app: 'Application',
  request_model: 'Model asked for',
  response_model: 'Model that served'
}

type Shown = Pick<RecordDetail, 'input_messages' | 'output_messages' | 'event'>

/** How a place of a record is called. */
export function placeName({ input_messages, output_messages }: Shown, place: CorrectionPlace): string {
  if ('field' in place) return fieldNames[place.field]
  if ('attribute' in place) return place.attribute
  const { role } = (place.message === 'input' ? input_messages : output_messages)[place.index] ?? { role: place.message }
  return `Message ${place.index + 1 + (place.message === 'input' ? 0 : input_messages.length)}, ${role}`
}

/** Every place of a record that can be corrected, in groups as a choice shows them. */
export function placesOf({
  input_messages,
  output_messages,
  event
}: Shown): { readonly group: string; readonly places: CorrectionPlace[] }[] {
  const messages = (['input', 'output'] as const).flatMap((message) =>
    (message === 'input' ? input_messages : output_messages).map((_, index): CorrectionPlace => ({ message, index }))
  )
  const attributes = Object.keys((event.attributes ?? {}) as Record<string, unknown>).map((attribute): CorrectionPlace => ({ attribute }))
  return [
    { group: 'Conversation', places: messages },
    { group: 'Fields', places: correctableFields.map((field): CorrectionPlace => ({ field })) },
    { group: 'Attributes', places: attributes }
  ].filter((one) => one.places.length > 0)
}
