// SPDX-License-Identifier: Apache-2.0
// Spans of Arize Phoenix: the data frame with a column for each attribute, and the objects of its API.
import { callOf, notTaken, originOf, rawOfCall } from '../otlp/map.ts'
import type { AnyValue, KeyValue, Span, SpanEvent } from '../otlp/message.ts'
import { bad, fitOf, isObject, type JsonProfile, type MapContext, type Mapped, type Row } from './profile.ts'
import { textOf, timeUs, unfold } from './values.ts'

const MOST_ATTRIBUTES = 5_000
const MOST_DEPTH = 16

const isPlain = (value: unknown): value is string | number | boolean =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'

function anyValue(value: unknown): AnyValue {
  if (typeof value === 'string') return { stringValue: value }
  if (typeof value === 'boolean') return { boolValue: value }
  if (typeof value === 'number') return Number.isSafeInteger(value) ? { intValue: value } : { doubleValue: value }
  return { arrayValue: { values: (value as unknown[]).filter(isPlain).map(anyValue) } }
}

/** `{llm: {input_messages: [{message: {role}}]}}` as `llm.input_messages.0.message.role`, the names that instrumentations send. */
function flatten(value: unknown, name: string, out: Map<string, unknown>, left: number): void {
  if (value === null || value === undefined || left === 0 || out.size >= MOST_ATTRIBUTES) return
  if (isPlain(value) || (Array.isArray(value) && value.every(isPlain))) out.set(name, value)
  else if (Array.isArray(value)) value.forEach((one, i) => void flatten(one, `${name}.${i}`, out, left - 1))
  else if (typeof value === 'object')
    for (const [key, member] of Object.entries(value)) flatten(member, name === '' ? key : `${name}.${key}`, out, left - 1)
}

/** Lists of messages come as JSON texts from CSV; what pandas prints of a list is no JSON, and is not content twice. */
const LISTS = /^llm\.(input_messages|output_messages|tools)$/

function attributesOf(row: Row): readonly KeyValue[] {
  const all = new Map<string, unknown>()
  if (isObject(row.attributes)) flatten(row.attributes, '', all, MOST_DEPTH)
  for (const [column, value] of Object.entries(row)) {
    if (!column.startsWith('attributes.')) continue
    const name = column.slice('attributes.'.length)
    const given = LISTS.test(name) ? unfold(value) : value
    if (LISTS.test(name) && typeof given === 'string') continue
    // pandas makes real numbers of whole ones as soon as one is missing: 12 is then 12.0.
    if (name.startsWith('llm.token_count.') && typeof given === 'string' && /^\d+(\.0*)?$/.test(given)) all.set(name, Number(given))
    else flatten(given, name, all, MOST_DEPTH)
  }
  const kind = textOf(row.span_kind)
  if (kind !== undefined && !all.has('openinference.span.kind')) all.set('openinference.span.kind', kind)
  return [...all].map(([key, value]) => ({ key, value: anyValue(value) }))
}

/** A text, or a number since 1970 whose size tells its unit: pandas writes milliseconds by default. */
function momentUs(value: unknown, zone: string): number | undefined {
  if (typeof value !== 'number') return timeUs(value, zone)
  if (!(value > 0)) return undefined
  return Math.round(value < 1e11 ? value * 1e6 : value < 1e14 ? value * 1e3 : value < 1e17 ? value : value / 1e3)
}

function eventsOf(value: unknown, zone: string): readonly SpanEvent[] {
  const list = unfold(value)
  if (!Array.isArray(list)) return []
  return list.filter(isObject).map((event) => {
    const fields = new Map<string, unknown>()
    flatten(event.attributes, '', fields, MOST_DEPTH)
    const time = momentUs(event.timestamp, zone)
    return {
      name: textOf(event.name) ?? '',
      attributes: [...fields].map(([key, one]) => ({ key, value: anyValue(one) })),
      ...(time === undefined ? {} : { timeUnixNano: time })
    }
  })
}

const hexId = (value: unknown, digits: number): string | undefined =>
  typeof value === 'string' && value.length === digits && /^[0-9a-f]+$/i.test(value) ? value.toLowerCase() : undefined

function map(row: unknown, { zone, source }: MapContext): Mapped {
  if (!isObject(row)) return { ok: false, code: 'not_an_object', message: 'expected a JSON object' }
  const context: Row = isObject(row.context) ? row.context : {}
  const traceId = hexId(row['context.trace_id'] ?? context.trace_id, 32)
  if (traceId === undefined) return bad('context.trace_id', '32 hexadecimal digits')
  const spanId = hexId(row['context.span_id'] ?? context.span_id, 16)
  if (spanId === undefined) return bad('context.span_id', '16 hexadecimal digits')
  const start = momentUs(row.start_time, zone)
  if (start === undefined) return bad('start_time', 'a time')
  const end = momentUs(row.end_time, zone)
  const parent = hexId(row.parent_id, 16)
  const name = textOf(row.name)
  const message = textOf(row.status_message)
  const span: Span = {
    traceId,
    spanId,
    startTimeUnixNano: start,
    attributes: attributesOf(row),
    events: eventsOf(row.events, zone),
    status: { code: textOf(row.status_code)?.toUpperCase() === 'ERROR' ? 2 : 0, ...(message === undefined ? {} : { message }) },
    ...(parent === undefined ? {} : { parentSpanId: parent }),
    ...(name === undefined ? {} : { name }),
    ...(end === undefined ? {} : { endTimeUnixNano: end })
  }
  const call = callOf(span, originOf(undefined))
  if (typeof call === 'string') return { ok: false, code: call, message: notTaken[call] }
  if (call === undefined) return bad('span_kind', 'a kind of span, such as LLM')
  return { ok: true, raw: { ...rawOfCall(call), source: source ?? 'phoenix' } }
}

/** Every span: calls of models with their content, what is around them without. */
export const phoenix: JsonProfile = {
  name: 'phoenix-spans',
  title: 'Arize Phoenix spans',
  extensions: ['jsonl', 'ndjson', 'json', 'csv'],
  format: 'jsonl',
  csv: true,
  times: ['start_time', 'end_time'],
  units: [
    { column: 'start_time, end_time', unit: 'time, or a number since 1970 whose size tells its unit', becomes: 'start and latency' },
    { column: 'attributes.llm.token_count', unit: 'tokens', becomes: 'input and output tokens' }
  ],
  detect: (first) =>
    fitOf(
      first,
      (row) =>
        ('context.trace_id' in row || (isObject(row.context) && 'trace_id' in row.context)) && 'start_time' in row && 'span_kind' in row
    ),
  map
}
