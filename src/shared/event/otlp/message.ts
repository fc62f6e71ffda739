// SPDX-License-Identifier: Apache-2.0
import { saysTheSame } from '../ingest-checks.ts'

/** A value of OTLP (AnyValue): at most one member is set. */
export interface AnyValue {
  readonly stringValue?: string
  readonly boolValue?: boolean
  readonly intValue?: number | string
  readonly doubleValue?: number
  readonly arrayValue?: { readonly values?: readonly AnyValue[] }
  readonly kvlistValue?: { readonly values?: readonly KeyValue[] }
  readonly bytesValue?: string
}

export interface KeyValue {
  readonly key?: string
  readonly value?: AnyValue
}

export interface Resource {
  readonly attributes?: readonly KeyValue[]
}

export interface SpanEvent {
  /** Microseconds since 1970, as all times here. */
  readonly timeUnixNano?: number
  readonly name?: string
  readonly attributes?: readonly KeyValue[]
}

export interface Span {
  readonly traceId?: string
  readonly spanId?: string
  readonly parentSpanId?: string
  readonly name?: string
  readonly kind?: number
  readonly startTimeUnixNano?: number
  readonly endTimeUnixNano?: number
  readonly attributes?: readonly KeyValue[]
  readonly events?: readonly SpanEvent[]
  /** Code 2 is an error. */
  readonly status?: { readonly message?: string; readonly code?: number }
}

export interface LogRecord {
  readonly timeUnixNano?: number
  readonly observedTimeUnixNano?: number
  readonly severityNumber?: number
  readonly body?: AnyValue
  readonly attributes?: readonly KeyValue[]
  readonly flags?: number
  readonly traceId?: string
  readonly spanId?: string
  readonly eventName?: string
}

export type Signal = 'traces' | 'logs'

/** Spans or log records of one resource, not yet read. */
export interface Group {
  readonly resource: Resource | undefined
  readonly items: readonly unknown[]
}

/** One of the two forms of OTLP: how its bodies are taken apart. Everything throws an OtlpError for what is not such a body. */
export interface Encoding<Body> {
  groups(body: Body, signal: Signal): readonly Group[]
  span(item: unknown): Span
  log(item: unknown): LogRecord
}

interface Envelope {
  readonly resource?: Resource
  readonly scopeSpans?: readonly { readonly spans?: readonly unknown[] }[]
  readonly scopeLogs?: readonly { readonly logRecords?: readonly unknown[] }[]
}

/** The groups of a body that was read by its envelope table. */
export function groupsOf(read: Readonly<Record<string, unknown>>): readonly Group[] {
  const outer = (read.resourceSpans ?? read.resourceLogs ?? []) as readonly Envelope[]
  return outer.map(({ resource, scopeSpans = [], scopeLogs = [] }) => ({
    resource,
    items: [...scopeSpans.flatMap((scope) => scope.spans ?? []), ...scopeLogs.flatMap((scope) => scope.logRecords ?? [])]
  }))
}

/** A body that is no OTLP. Its message says what is wrong, never what was found. */
export class OtlpError extends Error {
  override readonly name = 'OtlpError'
}

/** Bytes of one resource, and around the items of one, at most: they are read in one piece. An exporter sends some hundreds. */
export const MOST_AROUND = 512 * 1024

/** Members of one list, at most: the smallest take two bytes each, and far more once they are read. */
export const MOST_ITEMS = 250_000

/** Levels of messages within messages, at most. */
export const MOST_DEPTH = 32

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** The value itself; bytes as base64, an empty value as null. @param onTwo see {@link plainAttributes} */
export function plainValue(value: AnyValue | undefined, onTwo?: () => void): Json {
  if (value === undefined) return null
  if (value.stringValue !== undefined) return value.stringValue
  if (value.intValue !== undefined) return value.intValue
  if (value.doubleValue !== undefined) return Number.isFinite(value.doubleValue) ? value.doubleValue : String(value.doubleValue)
  if (value.boolValue !== undefined) return value.boolValue
  if (value.arrayValue !== undefined) return (value.arrayValue.values ?? []).map((one) => plainValue(one, onTwo))
  if (value.kvlistValue !== undefined) return plainAttributes(value.kvlistValue.values, onTwo)
  return value.bytesValue ?? null
}

/** Attributes by name; of a name that comes twice, the last. @param onTwo told of a name with two values that differ */
export function plainAttributes(list: readonly KeyValue[] | undefined, onTwo?: () => void): Record<string, Json> {
  const out = Object.create(null) as Record<string, Json>
  for (const { key, value } of list ?? []) {
    if (key === undefined) continue
    const plain = plainValue(value, onTwo)
    if (onTwo !== undefined && key in out && !saysTheSame(out[key], plain)) onTwo()
    out[key] = plain
  }
  return out
}
