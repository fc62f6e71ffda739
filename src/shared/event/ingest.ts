// SPDX-License-Identifier: Apache-2.0
import { type CanonicalEvent, responseChars } from './canonical-event.ts'
import { withoutCredentials } from './credentials.ts'
import {
  contradiction,
  depthWithin,
  type IngestErrorCode,
  isText,
  MOST_DEPTH,
  MOST_TEXT,
  Refused,
  refuse,
  saysTheSame
} from './ingest-checks.ts'
import { messagesOf } from './ingest-messages.ts'
import { timesOf } from './ingest-times.ts'

export type IngestResult =
  | { readonly ok: true; readonly event: CanonicalEvent; readonly sourceKey: string | null }
  | { readonly ok: false; readonly code: IngestErrorCode; readonly message: string }

export interface IngestContext {
  /** Arrival, microseconds since 1970 UTC. */
  readonly receivedUs: number
  readonly channel: 'http' | 'file' | 'otlp'
  /** The calling application when the event names none. */
  readonly defaultSource: string
}

type Json = unknown
type Kind = 'text' | 'count' | 'whole' | 'micros' | 'number' | 'boolean' | 'texts' | 'messages' | 'json'

const DAY_US = 86_400_000_000
/** March 1973: what is below it in microseconds is a time of our days in seconds or milliseconds. Clocks of traced machines may be unset. */
const EARLIEST_US = 1e14

/** Every field that is taken over as it is, with what it must be. `null` is the same as absent. */
const fields: Readonly<Record<string, Kind>> = {
  load_us: 'micros',
  prompt_eval_us: 'micros',
  eval_us: 'micros',
  provider_raw: 'text',
  request_model: 'text',
  response_model: 'text',
  model_digest: 'text',
  remote_model: 'text',
  remote_host: 'text',
  server_address: 'text',
  response_id: 'text',
  conversation_id: 'text',
  user_id: 'text',
  app: 'text',
  client_ua: 'text',
  trace_id: 'text',
  span_id: 'text',
  parent_span_id: 'text',
  stream: 'boolean',
  temperature: 'number',
  top_p: 'number',
  top_k: 'number',
  max_tokens: 'count',
  seed: 'whole',
  stop: 'texts',
  input_tokens: 'count',
  output_tokens: 'count',
  cache_read_tokens: 'count',
  cache_creation_tokens: 'count',
  reasoning_tokens: 'count',
  finish_reasons: 'texts',
  error_type: 'text',
  response_chars: 'count',
  tools: 'json',
  latency_us: 'micros',
  ttft_us: 'micros',
  start_us: 'whole'
}

const kinds = new Map(Object.entries(fields))

/** Fields with a rule of their own below. */
const special = new Set([
  'id',
  'source',
  'source_key',
  'channel',
  'received_us',
  'operation',
  'provider',
  'model',
  'start_time',
  'latency_ms',
  'ttft_ms',
  'span_role',
  'status',
  'usage_source',
  'content_state',
  'http_status',
  'server_port',
  'error_message',
  'input_messages',
  'output_messages',
  'messages',
  'prompt',
  'response',
  'attributes'
])

/** Whether a member of a body is a field of the event; any other goes to the attributes. */
export const isEventField = (name: string): boolean => kinds.has(name) || special.has(name)

const expectation: Record<Kind, string> = {
  text: `a text of at most ${MOST_TEXT} characters`,
  count: 'a whole number from 0',
  whole: 'a whole number',
  micros: 'a whole number of microseconds from 0',
  number: 'a number',
  boolean: 'true or false',
  texts: 'a list of texts',
  messages: 'a list of messages',
  json: 'JSON'
}

/** A number, or the digits of one that a number here would round. */
const isNumeric = (value: Json): boolean => typeof value === 'number' || (typeof value === 'string' && /^-?\d{16,}$/.test(value))

function fits(kind: Kind, value: Json): boolean {
  switch (kind) {
    case 'text':
      return isText(value)
    case 'count':
    case 'micros':
      return Number.isSafeInteger(value) && (value as number) >= 0
    case 'whole':
      return Number.isSafeInteger(value)
    case 'number':
      return typeof value === 'number' && Number.isFinite(value)
    case 'boolean':
      return typeof value === 'boolean'
    case 'texts':
      return Array.isArray(value) && value.length <= 64 && value.every(isText)
    case 'messages':
      return Array.isArray(value)
    case 'json':
      return depthWithin(value, MOST_DEPTH)
  }
}

function choice<T extends string>(value: Json, name: string, choices: readonly T[]): T {
  return choices.find((one) => one === value) ?? refuse(name, `one of ${choices.join(', ')}`)
}

/**
 * One body of the HTTP ingest or one line of an import, as a canonical event. Takes the canonical names, `start_time`, `latency_ms`,
 * `ttft_ms`, the short forms `model`, `prompt`, `response`, `messages`, and `timestamp` and `processing_time_ms` as answers have them. Fields without a place go to `attributes`, without credentials.
 * Two that contradict each other are refused, two that say the same are one. Never throws; messages name the field and what it should be, never its value.
 */
export function normaliseIngest(value: unknown, context: IngestContext): IngestResult {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { ok: false, code: 'not_an_object', message: 'expected a JSON object' }
  try {
    return read(value as Record<string, Json>, context)
  } catch (error) {
    if (error instanceof Refused) return { ok: false, code: error.code, message: error.message }
    throw error
  }
}

function read(raw: Record<string, Json>, context: IngestContext): IngestResult {
  const out: Record<string, Json> = {}
  let attributes: Record<string, Json> | undefined
  const times = timesOf(raw)
  for (const name of Object.keys(raw)) {
    const given = raw[name]
    if (given === undefined || given === null) continue
    const kind = kinds.get(name)
    if (kind !== undefined) {
      if (!fits(kind, given))
        refuse(
          name,
          expectation[kind],
          typeof given === 'string' && kind === 'text' ? 'too_long' : isNumeric(given) ? 'out_of_range' : 'wrong_type'
        )
      out[name] = given
    } else if (!special.has(name) && !times.read.includes(name)) {
      if (!depthWithin(given, MOST_DEPTH)) refuse('a field outside the canonical event', `at most ${MOST_DEPTH} levels`, 'too_deep')
      attributes ??= Object.create(null) as Record<string, Json>
      attributes[name] = given
    }
  }
  const present = (name: string): Json => raw[name] ?? undefined
  if (present('attributes') !== undefined) {
    const given = raw.attributes
    if (typeof given !== 'object' || Array.isArray(given) || !depthWithin(given, MOST_DEPTH)) refuse('attributes', 'an object')
    for (const [name, beside] of Object.entries(attributes ?? {})) {
      const within = Object.hasOwn(given as object, name) ? (given as Record<string, Json>)[name] : undefined
      if (within !== undefined && within !== null && !saysTheSame(within, beside)) contradiction('a member of attributes', 'one beside it')
    }
    attributes = Object.assign(Object.create(null) as Record<string, Json>, given, attributes)
  }
  if (attributes !== undefined) out.attributes = withoutCredentials(attributes)
  const text = (name: string, otherwise: string): string => {
    const given = present(name)
    if (given === undefined) return otherwise
    return isText(given) && given !== '' ? given : refuse(name, expectation.text)
  }
  const { start, latency, ttft } = times
  if (start !== undefined) {
    if (start > context.receivedUs + DAY_US) refuse('start_time', 'a time at most 24 hours after arrival', 'time_in_future')
    if (start === raw.start_us && start < EARLIEST_US && context.channel !== 'otlp')
      refuse('start_us', 'microseconds since 1970, which have 16 digits now', 'bad_time')
    if (Math.abs(start) > 8.64e15) refuse('start_time', 'a time', 'bad_time')
    out.start_us = start
  }
  if (latency !== undefined) out.latency_us = latency
  if (ttft !== undefined) out.ttft_us = ttft
  const asked = raw.model === '' && out.request_model !== undefined ? '' : text('model', '')
  if (asked !== '' && out.request_model !== undefined && asked !== out.request_model) contradiction('request_model', 'model')
  if (out.request_model === undefined) {
    const model = asked || (out.response_model as string | undefined)
    if (model === undefined || model === '')
      return { ok: false, code: 'missing_field', message: 'request_model: expected the model that was asked' }
    out.request_model = model
  }
  const input = messagesOf(raw, 'user', ['input_messages', 'messages', 'prompt'])
  if (input !== undefined) out.input_messages = input
  const output = messagesOf(raw, 'assistant', ['output_messages', 'response'])
  if (output !== undefined) out.output_messages = output
  const problem = present('error_message')
  if (problem !== undefined)
    out.error_message = typeof problem === 'string' && problem.length <= 65_536 ? problem : refuse('error_message', 'a text')
  const httpStatus = present('http_status')
  if (httpStatus !== undefined) out.http_status = inRange(httpStatus, 999, 'http_status')
  const port = present('server_port')
  if (port !== undefined) out.server_port = inRange(port, 65_535, 'server_port')
  const usage = present('usage_source')
  if (usage !== undefined) out.usage_source = choice(usage, 'usage_source', ['reported', 'estimated', 'missing'])
  const status = present('status')
  // `error` has no field of its own and is kept in the attributes.
  const failed =
    out.error_type !== undefined ||
    problem !== undefined ||
    saysError(present('error')) ||
    ((out.http_status as number | undefined) ?? 0) >= 400
  out.status =
    status === undefined ? (failed ? 'error' : 'success') : choice(status, 'status', ['success', 'error', 'aborted', 'incomplete'])
  const role = present('span_role')
  out.span_role = role === undefined ? 'inference' : choice(role, 'span_role', ['inference', 'wrapper'])
  const state = present('content_state')
  out.content_state = state === undefined ? 'kept' : choice(state, 'content_state', ['kept', 'redacted', 'withheld', 'truncated'])
  const id = present('id')
  if (id !== undefined)
    out.id = typeof id === 'string' && id !== '' && id.length <= 200 ? id : refuse('id', 'a text of 1 to 200 characters')
  const source = text('source', context.defaultSource)
  if (source.length > 256) refuse('source', 'at most 256 characters', 'too_long')
  out.source = source
  out.operation = text('operation', 'chat')
  out.provider = text('provider', 'unknown')
  out.channel = context.channel
  out.received_us = context.receivedUs
  const key = present('source_key')
  if (key !== undefined && (!isText(key) || key === '')) refuse('source_key', expectation.text)
  if (out.span_role === 'wrapper') dropSaid(out)
  const event = out as unknown as CanonicalEvent
  const chars = responseChars(event)
  if (chars !== undefined) out.response_chars = chars
  return { ok: true, event, sourceKey: (key as string | undefined) ?? (id as string | undefined) ?? null }
}

/** Whether the member `error` tells of one: `false`, an empty text and `{}` do not. */
const saysError = (error: Json): boolean =>
  typeof error === 'object' && error !== null ? Object.keys(error).length > 0 : error !== undefined && error !== false && error !== ''

/** Attributes in which tracers repeat what was asked and answered. */
const repeated = [
  'traceloop.entity.input',
  'traceloop.entity.output',
  'gen_ai.tool.call.arguments',
  'gen_ai.tool.call.result',
  'input.value',
  'output.value'
]

/** A wrapper repeats what the calls within say, and is no record that a search would find: what people wrote is kept with the calls alone. */
function dropSaid(out: Record<string, Json>): void {
  for (const name of ['input_messages', 'output_messages', 'tools']) delete out[name]
  const attributes = out.attributes as Record<string, Json> | undefined
  if (attributes) for (const name of repeated) delete attributes[name]
  out.content_state = 'withheld'
}

function inRange(value: Json, most: number, name: string): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0 || (value as number) > most)
    return refuse(name, `a whole number from 0 to ${most}`, 'out_of_range')
  return value as number
}
