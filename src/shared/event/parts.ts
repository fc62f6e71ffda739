// SPDX-License-Identifier: Apache-2.0
import { EvidenceError } from '../evidence/errors.ts'
import { type JsonValue, jcs } from '../evidence/jcs.ts'
import type { OpenEvent } from './canonical-event.ts'

/** The committed parts of an event, as text. */
export interface EventParts {
  /** RFC 8785 form of the canonical event without messages, tools and error message. */
  readonly event: string
  /** RFC 8785 form of `{messages, tools?}`. */
  readonly request?: string
  /** RFC 8785 form of `{messages}`. */
  readonly response?: string
  readonly error?: string
}

/**
 * Splits a canonical event into the parts that are committed to separately, so that each can be opened or withheld by itself.
 * @throws EvidenceError not_canonicalizable: a string with a lone surrogate or a number that is not finite
 */
export function eventParts(event: OpenEvent): EventParts {
  const { input_messages, output_messages, tools, error_message, ...rest } = event
  return {
    event: jcs(rest as JsonValue),
    ...(input_messages === undefined && tools === undefined
      ? {}
      : { request: jcs({ messages: (input_messages ?? []) as JsonValue, tools: tools as JsonValue | undefined }) }),
    ...(output_messages === undefined ? {} : { response: jcs({ messages: output_messages as JsonValue }) }),
    ...(error_message === undefined ? {} : { error: wellFormed(error_message) })
  }
}

function wellFormed(text: string): string {
  if (!text.isWellFormed()) throw new EvidenceError('not_canonicalizable', 'a string with a lone surrogate')
  return text
}

const LABEL = /^[A-Za-z0-9._:/-]{1,128}$/

/** What a leaf may say of a provider, model or source: the value when it is a plain label, else `other`; the original stays in the part `event`. */
export const leafLabel = (value: string): string => (LABEL.test(value) ? value : 'other')
