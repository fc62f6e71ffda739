// SPDX-License-Identifier: Apache-2.0
import type { CanonicalEvent } from '../../shared/event/canonical-event.ts'
import { personalIn } from '../../shared/event/correction.ts'
import { correctionsOf } from '../catalog/notes-on-records.ts'
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
