// SPDX-License-Identifier: Apache-2.0
import { type IngestResult, normaliseIngest } from '../ingest.ts'
import { Attributes } from './attributes.ts'
import { addEvent, type Content, emptyContent, hasContent, isContentEvent } from './content.ts'
import { type Reading, readGenAi, readLangfuse, readOpenInference } from './dialects.ts'
import { type Json, type LogRecord, plainAttributes, plainValue, type Resource, type Span } from './message.ts'

/** Where a span or log record comes from. */
export interface Origin {
  readonly source: string | undefined
  /** Kept with each record: the rest of a resource describes the machine, not the call. */
  readonly attributes: Readonly<Record<string, Json>>
  /** One of these has two values that differ: whose its calls are cannot be told. */
  readonly contradicts: boolean
}

const keptOfResource = ['service.namespace', 'service.version', 'deployment.environment.name', 'deployment.environment'] as const

/** What a resource says of the calling application. */
export function originOf(resource: Resource | undefined): Origin {
  let contradicts = false
  const ours = resource?.attributes?.filter(({ key }) => key === 'service.name' || keptOfResource.some((name) => name === key))
  const all = plainAttributes(ours, () => {
    contradicts = true
  })
  const attributes: Record<string, Json> = {}
  for (const name of keptOfResource) {
    const value = all[name]
    if (typeof value === 'string' && value !== '') attributes[`resource.${name}`] = value
  }
  const name = all['service.name']
  return { source: typeof name === 'string' && name !== '' ? name.slice(0, 256) : undefined, attributes, contradicts }
}

/** A trace and a span id as the key of a call; undefined when either is missing or all zeros. */
export function callKey(of: { readonly traceId?: string; readonly spanId?: string }): string | undefined {
  const { traceId = '', spanId = '' } = of
  return traceId.length === 32 && spanId.length === 16 && /[^0]/.test(traceId) && /[^0]/.test(spanId) ? `${traceId}:${spanId}` : undefined
}

/** A span that one of the dialects claims, ready to become an event; content that came on its own may still be added. */
export interface CallSpan {
  readonly key: string
  readonly raw: Record<string, unknown>
  readonly content: Content
}

/** Why a span or log record of a call is not taken: the code of it. */
export type NotTaken = 'missing_ids' | 'contradiction'

/** The same in words. */
export const notTaken: Readonly<Record<NotTaken, string>> = {
  missing_ids: 'a call without trace and span id, or with one that is all zeros',
  contradiction: 'an attribute of the call or of its resource has two values that differ'
}

/** The call that a span tells of; undefined when it is none of a model's (a database, an HTTP server). */
export function callOf(span: Span, origin: Origin): CallSpan | NotTaken | undefined {
  let { contradicts } = origin
  const onTwo = (): void => {
    contradicts = true
  }
  const from = new Attributes(plainAttributes(span.attributes, onTwo))
  const langfuse = from.some('langfuse.observation.')
  const openInference = from.some('openinference.', 'llm.model_name', 'llm.input_messages.', 'llm.token_count.')
  const genAi = from.some('gen_ai.', 'traceloop.span.kind', 'llm.request.type')
  if (!langfuse && !openInference && !genAi) return undefined
  const key = callKey(span)
  if (key === undefined) return 'missing_ids'
  const reading: Reading = { raw: {}, content: emptyContent() }
  const { raw, content } = reading
  const { startTimeUnixNano: start, endTimeUnixNano: end } = span
  if (start !== undefined && start > 0) {
    raw.start_us = start
    if (end !== undefined && end >= start) raw.latency_us = end - start
  }
  // The dialect that says most of the kind of a span comes first: what is set stays.
  if (langfuse) readLangfuse(from, reading, start)
  if (openInference) readOpenInference(from, reading)
  if (genAi) readGenAi(from, reading)
  const others = readEvents(span, raw, content, onTwo)
  if (contradicts) return 'contradiction'
  raw.trace_id = span.traceId
  raw.span_id = span.spanId
  if (span.parentSpanId !== undefined && /[^0]/.test(span.parentSpanId)) raw.parent_span_id = span.parentSpanId
  raw.provider_raw ??= from.text('gen_ai.system')
  raw.server_address ??= from.text('server.address')
  const port = from.count('server.port')
  if (port !== undefined && port <= 65_535) raw.server_port = port
  const status = from.count('http.response.status_code')
  if (status !== undefined && status <= 999) raw.http_status = status
  readStatus(span, from, raw)
  raw.usage_source = raw.input_tokens === undefined && raw.output_tokens === undefined ? 'missing' : 'reported'
  raw.source = origin.source
  raw.attributes = { ...origin.attributes, ...(span.name === undefined ? {} : { 'span.name': span.name }), ...from.rest(), ...others }
  // What a wrapper repeats is not kept (see the ingest), and joined with nothing.
  return { key, raw, content: raw.span_role === 'wrapper' ? emptyContent() : content }
}

/** Takes the content out of the span's events; what is no content is kept as it is. */
function readEvents(span: Span, raw: Record<string, unknown>, content: Content, onTwo: () => void): Readonly<Record<string, Json>> {
  const kept: Json[] = []
  for (const event of span.events ?? []) {
    const fields = plainAttributes(event.attributes, onTwo)
    const name = event.name ?? ''
    if (isContentEvent(name)) addEvent(content, name, fields)
    else kept.push({ name, time_us: event.timeUnixNano ?? null, attributes: fields })
    if (name !== 'exception') continue
    const { 'exception.type': type, 'exception.message': message } = fields
    if (typeof type === 'string') raw.error_type ??= type.slice(0, 4_096)
    if (typeof message === 'string') raw.error_message ??= message.slice(0, 65_536)
  }
  return kept.length === 0 ? {} : { 'span.events': kept }
}

function readStatus(span: Span, from: Attributes, raw: Record<string, unknown>): void {
  const type = from.text('error.type')
  if (type !== undefined) raw.error_type = type
  if (span.status?.code === 2) {
    raw.status = 'error'
    if (span.status.message) raw.error_message ??= span.status.message.slice(0, 65_536)
  } else if (type !== undefined || (span.status?.code !== 1 && Number(raw.http_status ?? 0) >= 400)) raw.status = 'error'
  // An exception that was handled is an event of the span, not its end.
  else if (raw.status !== 'error') {
    raw.status = 'success'
    delete raw.error_type
    delete raw.error_message
  }
}

/** A call as a body of the ingest. */
export function rawOfCall({ key, raw, content }: CallSpan): Readonly<Record<string, unknown>> {
  const input = content.system === undefined ? content.input : [content.system, ...content.input]
  return {
    ...raw,
    // A wrapper such as a workflow asks no model itself, and some instrumentations do not name theirs.
    ...(raw.request_model === undefined && raw.response_model === undefined ? { request_model: 'unknown' } : {}),
    ...(input.length === 0 ? {} : { input_messages: input }),
    ...(content.output.length === 0 ? {} : { output_messages: content.output }),
    ...(content.tools === undefined ? {} : { tools: content.tools }),
    ...(raw.finish_reasons === undefined && content.finish.length > 0 ? { finish_reasons: content.finish.slice(0, 64) } : {}),
    source_key: `otlp:${key}`
  }
}

/** The event of a call. @param source for a span whose resource names no service */
export const eventOfCall = (call: CallSpan, receivedUs: number, source: string): IngestResult =>
  normaliseIngest(rawOfCall(call), { receivedUs, channel: 'otlp', defaultSource: source })

/** Content of a call that came as a log record; undefined for any other log record. */
export interface CallLog {
  readonly key: string
  readonly name: string
  readonly fields: Readonly<Record<string, Json>>
  readonly timeUs: number | undefined
}

/** Name and content of a log record of one of the GenAI events, whichever way it names itself. */
export function callLogOf(log: LogRecord, origin: Origin): CallLog | NotTaken | undefined {
  let { contradicts } = origin
  const onTwo = (): void => {
    contradicts = true
  }
  const attributes = plainAttributes(log.attributes, onTwo)
  const named = log.eventName !== undefined && log.eventName !== '' ? log.eventName : attributes['event.name']
  if (typeof named !== 'string' || !isContentEvent(named)) return undefined
  const key = callKey(log)
  if (key === undefined) return 'missing_ids'
  const body = plainValue(log.body, onTwo)
  if (contradicts) return 'contradiction'
  const inBody = typeof body === 'object' && body !== null && !Array.isArray(body) ? (body as Readonly<Record<string, Json>>) : {}
  const fields = { ...attributes, ...inBody, ...(typeof body === 'string' ? { content: body } : {}) }
  return { key, name: named, fields, timeUs: log.timeUnixNano ?? log.observedTimeUnixNano }
}

/** Adds log records to a call, oldest first, unless the span held the content itself. */
export function addLogs(call: CallSpan, logs: readonly CallLog[]): void {
  if (hasContent(call.content)) return
  for (const log of [...logs].sort((a, b) => (a.timeUs ?? 0) - (b.timeUs ?? 0))) addEvent(call.content, log.name, log.fields)
}

/**
 * The record of log records whose span has not come, marked as such.
 * @param delivery names these log records among those of the call: another delivery is another record
 */
export function callOfLogs(key: string, delivery: string, logs: readonly CallLog[], origin: Origin): CallSpan {
  const [traceId, spanId] = key.split(':')
  const first = logs[0]
  const from = new Attributes(first?.fields ?? {})
  const call: CallSpan = {
    key: `${key}:content:${delivery}`,
    raw: {
      trace_id: traceId,
      span_id: spanId,
      operation: from.text('gen_ai.operation.name') ?? 'chat',
      provider: from.text('gen_ai.provider.name', 'gen_ai.system'),
      request_model: from.text('gen_ai.request.model') ?? 'unknown',
      start_us: first?.timeUs === undefined || first.timeUs === 0 ? undefined : first.timeUs,
      status: 'incomplete',
      usage_source: 'missing',
      source: origin.source,
      attributes: { ...origin.attributes, 'otlp.span': 'missing' }
    },
    content: emptyContent()
  }
  addLogs(call, logs)
  return call
}
