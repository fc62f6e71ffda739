// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod'
import { recordStatuses } from '../evidence/leaf-types.ts'

const micros = z.int().min(0)
const count = z.int().min(0)
const text = z.string()

/** One part of a message (GenAI conventions): text parts have `content`, other kinds keep their own fields. */
export interface MessagePart {
  readonly type: string
  readonly content?: string | undefined
  readonly [field: string]: unknown
}

export interface EventMessage {
  readonly role: string
  readonly parts: readonly MessagePart[]
}

const messages = z.array(
  z.looseObject({ role: z.string(), parts: z.array(z.looseObject({ type: z.string(), content: z.string().optional() })) })
)

/**
 * The canonical event: what one call to a model was, whatever way it came in. Names follow the OpenTelemetry GenAI conventions with dots as
 * underscores. Times and durations are integer microseconds. An unknown field is absent, never null and never 0.
 */
export const canonicalEvent = z.strictObject({
  id: z.string().min(1).max(200).optional(),
  channel: z.enum(['proxy', 'http', 'otlp', 'kafka', 'file']),
  source: z.string().min(1).max(256),
  received_us: z.int(),
  start_us: z.int().optional(),
  latency_us: micros.optional(),
  ttft_us: micros.optional(),
  load_us: micros.optional(),
  prompt_eval_us: micros.optional(),
  eval_us: micros.optional(),
  operation: text,
  provider: text,
  provider_raw: text.optional(),
  request_model: text.optional(),
  response_model: text.optional(),
  model_digest: text.optional(),
  remote_model: text.optional(),
  remote_host: text.optional(),
  server_address: text.optional(),
  server_port: z.int().min(0).max(65_535).optional(),
  response_id: text.optional(),
  conversation_id: text.optional(),
  user_id: text.optional(),
  app: text.optional(),
  client_ua: text.optional(),
  trace_id: text.optional(),
  span_id: text.optional(),
  parent_span_id: text.optional(),
  span_role: z.enum(['inference', 'wrapper']),
  stream: z.boolean().optional(),
  temperature: z.number().optional(),
  top_p: z.number().optional(),
  top_k: z.number().optional(),
  max_tokens: count.optional(),
  seed: z.int().optional(),
  stop: z.array(z.string()).optional(),
  input_tokens: count.optional(),
  output_tokens: count.optional(),
  cache_read_tokens: count.optional(),
  cache_creation_tokens: count.optional(),
  reasoning_tokens: count.optional(),
  usage_source: z.enum(['reported', 'estimated', 'missing']).optional(),
  finish_reasons: z.array(z.string()).optional(),
  status: z.enum(recordStatuses),
  error_type: text.optional(),
  error_message: text.optional(),
  http_status: z.int().min(0).max(999).optional(),
  input_messages: messages.optional(),
  output_messages: messages.optional(),
  tools: z.unknown().optional(),
  response_chars: count.optional(),
  attributes: z.record(z.string(), z.unknown()).optional(),
  /** Places redacted before sealing, by kind. */
  redactions: z.record(z.string(), count).optional(),
  content_state: z.enum(['kept', 'redacted', 'withheld', 'truncated'])
})
export type CanonicalEvent = z.infer<typeof canonicalEvent>

/** The event of a call that has not ended: it has no status yet. */
export type OpenEvent = Omit<CanonicalEvent, 'status'>

/** The text of messages, parts joined by line feeds: for previews, full text and lengths. */
export function messagesText(list: readonly EventMessage[] | undefined): string {
  if (list === undefined) return ''
  let out = ''
  for (const message of list) {
    for (const part of message.parts) {
      if (typeof part.content !== 'string' || part.content === '') continue
      out += out === '' ? part.content : `\n${part.content}`
    }
  }
  return out
}

/** Characters (UTF-16 code units) of the answer, undefined when there is none on record. */
export const responseChars = (event: Pick<CanonicalEvent, 'response_chars' | 'output_messages'>): number | undefined =>
  event.response_chars ?? (event.output_messages === undefined ? undefined : messagesText(event.output_messages).length)
