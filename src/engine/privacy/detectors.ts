// SPDX-License-Identifier: Apache-2.0
import type { PrivacySettings } from '../../shared/contract/privacy.ts'
import type { CanonicalEvent } from '../../shared/event/canonical-event.ts'
import type { CorrectionChange } from '../../shared/event/correction.ts'
import type { Detectors, OwnPattern } from '../../shared/privacy/detect.ts'
import { type PackMode, packs } from '../../shared/privacy/kinds.ts'
import { LinearPattern } from '../../shared/privacy/linear-pattern.ts'
import { Masker } from '../../shared/privacy/mask.ts'

/** What a new workspace starts with: everything masked where a person reads, secrets never kept. */
export const defaultPrivacy: PrivacySettings = {
  packs: { email: 'mask', phone: 'mask', card: 'mask', iban: 'mask', national_id: 'mask', secret: 'redact', subject: 'mask', own: 'mask' },
  patterns: [],
  subject_attributes: []
}

const compiled = new Map<string, LinearPattern>()

/** Own patterns, compiled once per thread. @throws PatternError */
export function compileOwn(patterns: PrivacySettings['patterns']): OwnPattern[] {
  return patterns.map(({ name, pattern, ignore_case }) => {
    const key = `${ignore_case}${pattern}`
    let found = compiled.get(key)
    if (!found) {
      found = new LinearPattern(pattern, ignore_case)
      if (compiled.size > 100) compiled.clear()
      compiled.set(key, found)
    }
    return { name, pattern: found }
  })
}

/** The detectors whose packs are set to one of the modes. */
export const detectorsOf = (settings: PrivacySettings, modes: readonly PackMode[]): Detectors => ({
  packs: new Set(packs.filter((pack) => modes.includes(settings.packs[pack]))),
  own: compileOwn(settings.patterns)
})

/** Fields of a canonical event that people fill; the others are labels and figures. */
const written = [
  'input_messages',
  'output_messages',
  'tools',
  'error_message',
  'attributes',
  'user_id',
  'app',
  'client_ua',
  'stop'
] as const
type Written = Partial<Pick<CanonicalEvent, (typeof written)[number]>>

/** Masks what people wrote in an event, and as a whole the fields that name a subject. The same masker numbers across calls. */
export function maskWritten<T extends Written>(event: T, masker: Masker, subject: readonly string[] | null): T {
  const out: Record<string, unknown> = { ...event }
  for (const field of written) if (out[field] !== undefined) out[field] = masker.json(out[field])
  if (subject === null) return out as T
  if (typeof event.user_id === 'string') out.user_id = masker.whole(event.user_id, 'subject')
  const attributes = event.attributes
  if (!attributes) return out as T
  const named = subject.filter((name) => Object.hasOwn(attributes, name))
  if (named.length === 0) return out as T
  const copy: Record<string, unknown> = { ...(out.attributes as Record<string, unknown>) }
  for (const name of named) copy[name] = masker.whole(JSON.stringify(attributes[name]), 'subject')
  return { ...out, attributes: copy } as T
}

/** Masks what a correction says should stand in a record as {@link maskWritten} masks what stands there. */
export function maskCorrected(changes: readonly CorrectionChange[], masker: Masker, subject: readonly string[] | null): CorrectionChange[] {
  const masked = ({ what, now }: CorrectionChange): string => {
    if (now === '') return now
    if ('message' in what) return masker.text(now)
    if ('attribute' in what) return subject?.includes(what.attribute) ? masker.whole(JSON.stringify(now), 'subject') : masker.text(now)
    if (what.field === 'user_id' && subject !== null) return masker.whole(now, 'subject')
    return (written as readonly string[]).includes(what.field) ? masker.text(now) : now
  }
  return changes.map((change) => ({ ...change, now: masked(change) }))
}

/**
 * Replaces what the settings say is never kept, before the event is sealed. `content_state` then says `redacted`, and `redactions` counts per kind;
 * no value is kept anywhere. Returns the event itself when nothing was found. The same event gives the same result, so a re-delivery is a duplicate
 * as long as the settings stay.
 */
export function redactorOf(settings: PrivacySettings): (event: CanonicalEvent) => CanonicalEvent {
  const detectors = detectorsOf(settings, ['redact'])
  if (detectors.packs.size === 0) return (event) => event
  const subject = redactedSubject(settings)
  return (event) => {
    const masker = new Masker(detectors, 'redact')
    const redacted = maskWritten(event, masker, subject)
    if (masker.total === 0) return event
    return { ...redacted, content_state: event.content_state === 'kept' ? 'redacted' : event.content_state, redactions: masker.counts }
  }
}

const redactedSubject = ({ packs: { subject }, subject_attributes }: PrivacySettings): readonly string[] | null =>
  subject === 'redact' ? subject_attributes : null

/** A correction as it is sealed: what is never kept of a record is kept of its corrections no more. */
export function redactCorrection<T extends { readonly changes: readonly CorrectionChange[]; readonly reason: string }>(
  settings: PrivacySettings,
  body: T
): T & { readonly redactions?: Readonly<Record<string, number>> } {
  const masker = new Masker(detectorsOf(settings, ['redact']), 'redact')
  const changes = maskCorrected(body.changes, masker, redactedSubject(settings))
  const reason = masker.text(body.reason)
  return { ...body, changes, reason, ...(masker.total === 0 ? {} : { redactions: masker.counts }) }
}
