// SPDX-License-Identifier: Apache-2.0
import type { CanonicalEvent } from '../../shared/event/canonical-event.ts'
import { correctionBody } from '../../shared/event/correction.ts'
import { Masker } from '../../shared/privacy/mask.ts'
import type { ReaderContext } from '../threads/reader-context.ts'
import { detectorsOf, maskCorrected, maskWritten } from './detectors.ts'
import { readPrivacy } from './settings.ts'

/**
 * Tells why a part of a record stays closed where personal data is withheld: what would be masked where a person reads is in it, by the settings
 * in force, or it is of a kind that is not searched. A commitment opens a part whole or not at all, so there are no masked parts. Undefined: nothing
 * was found.
 */
export function personalParts(context: ReaderContext): (part: { readonly name: string; readonly data: Uint8Array }) => string | undefined {
  const settings = readPrivacy(context)
  const detectors = detectorsOf(settings, ['mask', 'redact'])
  const subject = settings.packs.subject === 'off' ? null : settings.subject_attributes
  return ({ name, data }) => {
    if (name.startsWith('attachment.')) return 'an attachment, not searched for personal data'
    const text = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('utf8')
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch {
      value = text
    }
    const masker = new Masker(detectors)
    if (name === 'event' && typeof value === 'object' && value !== null) maskWritten(value as Partial<CanonicalEvent>, masker, subject)
    else masker.json(value)
    const correction = name === 'body' ? correctionBody.safeParse(value) : undefined
    if (correction?.success) maskCorrected(correction.data.changes, masker, subject)
    const kinds = Object.keys(masker.counts)
    return kinds.length === 0 ? undefined : `personal data: ${kinds.join(', ')}`
  }
}
