// SPDX-License-Identifier: Apache-2.0
// The messages of OTLP that are read, as tables: opentelemetry-proto 1.x, trace/v1, logs/v1, common/v1, resource/v1.

/**
 * What a scalar field holds and what it becomes: `string` and `bool` themselves; `id` (bytes) lower-case hex; `bytes` base64; `nanos` (fixed64)
 * whole microseconds; `int64` a number, or its decimal text beyond 2^53; `uint32` (a varint, also enums), `fixed32` and `double` numbers;
 * `later` the bytes (in JSON the value) of a message that is read by itself.
 */
export type Scalar = 'string' | 'bool' | 'id' | 'bytes' | 'nanos' | 'int64' | 'uint32' | 'fixed32' | 'double' | 'later'

export interface Field {
  /** Its name in OTLP's JSON form. */
  readonly name: string
  readonly kind: Scalar | Table
  readonly repeated: boolean
}

/** One message: its fields by number and by JSON name. */
export interface Table {
  readonly byNumber: ReadonlyMap<number, Field>
  readonly byName: ReadonlyMap<string, Field>
}

type Row = readonly [number: number, name: string, kind: Scalar | Table, repeated?: 'repeated']

function table(...rows: readonly Row[]): Table & { readonly byNumber: Map<number, Field>; readonly byName: Map<string, Field> } {
  const made = { byNumber: new Map<number, Field>(), byName: new Map<string, Field>() }
  add(made, rows)
  return made
}

function add(to: { readonly byNumber: Map<number, Field>; readonly byName: Map<string, Field> }, rows: readonly Row[]): void {
  for (const [number, name, kind, repeated] of rows) {
    const field: Field = { name, kind, repeated: repeated !== undefined }
    to.byNumber.set(number, field)
    to.byName.set(name, field)
  }
}

const anyValue = table([1, 'stringValue', 'string'], [2, 'boolValue', 'bool'], [3, 'intValue', 'int64'], [4, 'doubleValue', 'double'])
const keyValue = table([1, 'key', 'string'], [2, 'value', anyValue])
// A value holds values: the rows that refer to it come once it is there.
add(anyValue, [
  [5, 'arrayValue', table([1, 'values', anyValue, 'repeated'])],
  [6, 'kvlistValue', table([1, 'values', keyValue, 'repeated'])],
  [7, 'bytesValue', 'bytes']
])
/** What sends. */
export const resourceTable: Table = table([1, 'attributes', keyValue, 'repeated'])
const event = table([1, 'timeUnixNano', 'nanos'], [2, 'name', 'string'], [3, 'attributes', keyValue, 'repeated'])
const status = table([2, 'message', 'string'], [3, 'code', 'uint32'])
/** One span. */
export const spanTable: Table = table(
  [1, 'traceId', 'id'],
  [2, 'spanId', 'id'],
  [4, 'parentSpanId', 'id'],
  [5, 'name', 'string'],
  [6, 'kind', 'uint32'],
  [7, 'startTimeUnixNano', 'nanos'],
  [8, 'endTimeUnixNano', 'nanos'],
  [9, 'attributes', keyValue, 'repeated'],
  [11, 'events', event, 'repeated'],
  [15, 'status', status]
)
/** One log record. */
export const logTable: Table = table(
  [1, 'timeUnixNano', 'nanos'],
  [2, 'severityNumber', 'uint32'],
  [5, 'body', anyValue],
  [6, 'attributes', keyValue, 'repeated'],
  [8, 'flags', 'fixed32'],
  [9, 'traceId', 'id'],
  [10, 'spanId', 'id'],
  [11, 'observedTimeUnixNano', 'nanos'],
  [12, 'eventName', 'string']
)
type Signal = 'traces' | 'logs'

/** The messages around the spans and log records, which are read one by one: a large body in slices of time. */
export const envelopeTables: Readonly<Record<Signal, Table>> = {
  traces: envelope('resourceSpans', 'scopeSpans', 'spans'),
  logs: envelope('resourceLogs', 'scopeLogs', 'logRecords')
}

function envelope(outer: string, inner: string, items: string): Table {
  return table([
    1,
    outer,
    table([1, 'resource', resourceTable], [2, inner, table([2, items, 'later', 'repeated']), 'repeated']),
    'repeated'
  ])
}
