// SPDX-License-Identifier: Apache-2.0
import type { CanonicalEvent, OpenEvent } from '../../shared/event/canonical-event.ts'
import { eventParts, leafLabel } from '../../shared/event/parts.ts'
import { EvidenceError } from '../../shared/evidence/errors.ts'
import type { Actor, DraftPart, LeafDraft } from '../ledger/draft.ts'
import type { IncomingEvent } from './ingest.ts'

/** The retention class of a record. */
export type ClassOf = (record: { source: string; model: string; attributes?: Readonly<Record<string, unknown>> | undefined }) => string

export interface DraftOptions {
  readonly type: LeafDraft['type']
  readonly actor: Actor
  readonly channel: CanonicalEvent['channel']
  readonly classOf: ClassOf
  /** The leaf of the request that this one ends. */
  readonly request?: number | null | undefined
  readonly sourceKey?: string | null | undefined
}

/** The leaf that ends a call which was opened by `llm.request`. */
export function endingOf(status: CanonicalEvent['status']): 'llm.response' | 'llm.error' | 'llm.aborted' {
  switch (status) {
    case 'aborted':
      return 'llm.aborted'
    case 'error':
      return 'llm.error'
    case 'success':
    case 'incomplete':
      return 'llm.response'
  }
}

const utf8 = (text: string): Uint8Array => Buffer.from(text, 'utf8')

/**
 * The leaf of a call, from its event as it is to be sealed.
 * @throws EvidenceError not_canonicalizable: a text with half of a surrogate pair; out_of_range: a number that is not finite
 */
export function callDraft(event: CanonicalEvent | OpenEvent, options: DraftOptions): LeafDraft {
  const content = eventParts(event)
  const parts: DraftPart[] = [{ name: 'event', media: 'application/json', data: utf8(content.event) }]
  if (content.request !== undefined) parts.push({ name: 'request', media: 'application/json', data: utf8(content.request) })
  if (content.response !== undefined) parts.push({ name: 'response', media: 'application/json', data: utf8(content.response) })
  if (content.error !== undefined) parts.push({ name: 'error', media: 'text/plain', data: utf8(content.error) })
  const label = (value: string | undefined) => (value === undefined ? undefined : leafLabel(value))
  const { request, sourceKey } = options
  return {
    type: options.type,
    actor: options.actor,
    channel: options.channel,
    source: leafLabel(event.source),
    span_role: event.span_role,
    class: options.classOf({ source: event.source, model: event.request_model ?? 'unknown', attributes: event.attributes }),
    operation: leafLabel(event.operation),
    provider: leafLabel(event.provider),
    model: { requested: label(event.request_model), served: label(event.response_model), digest: label(event.model_digest) },
    start_us: event.start_us,
    status: 'status' in event ? event.status : undefined,
    metrics: { latency_us: event.latency_us, ttft_us: event.ttft_us, input_tokens: event.input_tokens, output_tokens: event.output_tokens },
    links: request === undefined || request === null ? undefined : { request },
    parts,
    sourceKey: sourceKey ?? undefined
  }
}

/** Why an event has no canonical form. */
const notSealable = {
  invalid_unicode: 'a text with half of a surrogate pair has no UTF-8 form',
  out_of_range: 'a number is larger than any that JSON is read with (1.8e308)'
} as const

export interface NotSealable {
  readonly code: keyof typeof notSealable
  readonly message: string
}

/** The leaf of an event, or why a text or a number of it cannot be sealed. */
export function draftOf(
  { event, sourceKey, call }: IncomingEvent,
  origin: { readonly channel: 'http' | 'file' | 'otlp'; readonly actor: Actor },
  classOf: ClassOf
): LeafDraft | NotSealable {
  const options = { ...origin, classOf, sourceKey }
  try {
    if (call === undefined) return callDraft(event, { ...options, type: 'llm.recorded' })
    if (call !== 'opens') return callDraft(event, { ...options, type: endingOf(event.status), request: call.ends })
    const { status: _, ...open } = event
    return callDraft(open, { ...options, type: 'llm.request' })
  } catch (error) {
    if (!(error instanceof EvidenceError)) throw error
    const code = error.code === 'out_of_range' ? 'out_of_range' : 'invalid_unicode'
    return { code, message: notSealable[code] }
  }
}
