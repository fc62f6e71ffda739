// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check'
import protobuf from 'protobufjs'
import { describe, expect, it } from 'vitest'
import { jsonEncoding } from './json.ts'
import { OtlpError, type Signal } from './message.ts'
import { encodeAnswer, protobufEncoding } from './protobuf.ts'

// The messages as opentelemetry-proto defines them, for protobufjs: what the decoder is held against.
const schema = protobuf.parse(`syntax = "proto3";
message AnyValue { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; ArrayValue array_value = 5; KeyValueList kvlist_value = 6; bytes bytes_value = 7; } }
message ArrayValue { repeated AnyValue values = 1; }
message KeyValueList { repeated KeyValue values = 1; }
message KeyValue { string key = 1; AnyValue value = 2; }
message Resource { repeated KeyValue attributes = 1; uint32 dropped_attributes_count = 2; }
message Scope { string name = 1; string version = 2; }
message Event { fixed64 time_unix_nano = 1; string name = 2; repeated KeyValue attributes = 3; uint32 dropped_attributes_count = 4; }
message Link { bytes trace_id = 1; bytes span_id = 2; }
message Status { string message = 2; int32 code = 3; }
message Span { bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; bytes parent_span_id = 4; string name = 5; int32 kind = 6; fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8; repeated KeyValue attributes = 9; repeated Event events = 11; repeated Link links = 13; Status status = 15; fixed32 flags = 16; }
message LogRecord { fixed64 time_unix_nano = 1; int32 severity_number = 2; string severity_text = 3; AnyValue body = 5; repeated KeyValue attributes = 6; fixed32 flags = 8; bytes trace_id = 9; bytes span_id = 10; fixed64 observed_time_unix_nano = 11; string event_name = 12; }
message ScopeSpans { Scope scope = 1; repeated Span spans = 2; }
message ScopeLogs { Scope scope = 1; repeated LogRecord log_records = 2; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; string schema_url = 3; }
message ResourceLogs { Resource resource = 1; repeated ScopeLogs scope_logs = 2; }
message Traces { repeated ResourceSpans resource_spans = 1; }
message Logs { repeated ResourceLogs resource_logs = 1; }
message Partial { int64 rejected = 1; string error_message = 2; }
message Answer { Partial partial_success = 1; }`).root
const encode = (name: string, value: object): Uint8Array => {
  const type = schema.lookupType(name)
  return type.encode(type.fromObject(value)).finish()
}

const text = fc.string({ unit: 'binary', maxLength: 60 })
const hex = (bytes: number) => fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((list) => Buffer.from(list).toString('hex'))
const nanos = fc.bigInt({ min: 1n, max: 4_000_000_000_000_000_000n }).map(String)
const { value: anyValue } = fc.letrec<{ value: object; pair: object }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    text.map((stringValue) => ({ stringValue })),
    fc.boolean().map((boolValue) => ({ boolValue })),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((one) => ({ intValue: one.toString() })),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((one) => ({ doubleValue: one === 0 ? 0 : one })),
    fc.array(tie('value'), { minLength: 1, maxLength: 3 }).map((values) => ({ arrayValue: { values } })),
    fc.array(tie('pair'), { minLength: 1, maxLength: 3 }).map((values) => ({ kvlistValue: { values } }))
  ),
  pair: fc.record({ key: text.filter((one) => one !== ''), value: tie('value') })
}))
const attributes = fc.array(fc.record({ key: text.filter((one) => one !== ''), value: anyValue }), { minLength: 1, maxLength: 4 })
const span = fc.record({
  traceId: hex(16),
  spanId: hex(8),
  parentSpanId: hex(8),
  name: text.filter((one) => one !== ''),
  kind: fc.integer({ min: 1, max: 5 }),
  startTimeUnixNano: nanos,
  endTimeUnixNano: nanos,
  attributes,
  events: fc.array(fc.record({ timeUnixNano: nanos, name: fc.constantFrom('exception', 'gen_ai.choice'), attributes }), {
    minLength: 1,
    maxLength: 2
  }),
  status: fc.record({ message: fc.constant('broken'), code: fc.constant(2) })
})
const log = fc.record({
  timeUnixNano: nanos,
  severityNumber: fc.integer({ min: 1, max: 24 }),
  body: anyValue,
  attributes,
  flags: fc.integer({ min: 1, max: 0xffffffff }),
  traceId: hex(16),
  spanId: hex(8),
  observedTimeUnixNano: nanos,
  eventName: fc.constant('gen_ai.choice')
})

/** Ids as protobufjs wants them: base64. */
function withBytes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withBytes)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [
      key,
      ['traceId', 'spanId', 'parentSpanId'].includes(key) ? Buffer.from(String(member), 'hex').toString('base64') : withBytes(member)
    ])
  )
}

const bodyOf = (signal: Signal, item: object): object => {
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'web' } }] }
  return signal === 'traces'
    ? { resourceSpans: [{ resource, scopeSpans: [{ scope: { name: 'x' }, spans: [item] }] }] }
    : { resourceLogs: [{ resource, scopeLogs: [{ scope: { name: 'x' }, logRecords: [item] }] }] }
}

describe('protobuf and JSON forms', () => {
  it.each([
    ['traces', 'Traces', span],
    ['logs', 'Logs', log]
  ] as const)('read what protobufjs wrote and the same from JSON: %s', (signal, type, arbitrary) => {
    fc.assert(
      fc.property(arbitrary as fc.Arbitrary<object>, (item) => {
        const bytes = encode(type, withBytes(bodyOf(signal, item)) as object)
        const [group] = protobufEncoding.groups(bytes, signal)
        const [other] = jsonEncoding.groups(JSON.parse(JSON.stringify(bodyOf(signal, item))), signal)
        const read = signal === 'traces' ? protobufEncoding.span(group?.items[0]) : protobufEncoding.log(group?.items[0])
        const readJson = signal === 'traces' ? jsonEncoding.span(other?.items[0]) : jsonEncoding.log(other?.items[0])
        expect(group?.resource).toEqual(other?.resource)
        expect(read).toEqual(readJson)
        // Beyond the comparison of the two: exact times and ids.
        const time = 'startTimeUnixNano' in item ? 'startTimeUnixNano' : 'timeUnixNano'
        expect((read as Record<string, unknown>)[time]).toBe(Number(BigInt((item as Record<string, string>)[time] ?? '') / 1000n))
        expect((read as Record<string, unknown>).traceId).toBe((item as Record<string, string>).traceId)
      }),
      { numRuns: 150 }
    )
  })

  it('says the same as protobufjs of bytes with one changed, where both can read them, and only ever throws its own error', () => {
    const type = schema.lookupType('Span')
    let both = 0
    fc.assert(
      fc.property(span, fc.nat(), fc.nat({ max: 255 }), (item, at, byte) => {
        const bytes = Uint8Array.from(encode('Span', withBytes(item) as object))
        bytes[at % bytes.length] = byte
        let mine: Record<string, unknown> | null = null
        try {
          mine = protobufEncoding.span(bytes) as Record<string, unknown>
        } catch (error) {
          expect(error).toBeInstanceOf(OtlpError)
        }
        if (mine === null) return
        let theirs: Record<string, unknown>
        try {
          theirs = type.toObject(type.decode(bytes), { bytes: String, longs: String })
        } catch {
          // A text that is no UTF-8 in a field which is skipped here.
          return
        }
        if (typeof theirs.name === 'string') expect(mine.name).toBe(theirs.name)
        if (typeof theirs.kind === 'number' && theirs.kind >= 0) expect(mine.kind).toBe(theirs.kind)
        both++
      }),
      { numRuns: 400 }
    )
    expect(both).toBeGreaterThan(20)
  })

  it('stops at 32 levels, at wrong types, at lengths beyond the end and at texts that are not UTF-8', () => {
    const nested = (levels: number): object => (levels === 0 ? { stringValue: 'x' } : { arrayValue: { values: [nested(levels - 1)] } })
    const deep = (levels: number) => encode('Span', { attributes: [{ key: 'a', value: nested(levels) }] })
    expect(() => protobufEncoding.span(deep(12))).not.toThrow()
    expect(() => protobufEncoding.span(deep(14))).toThrow(OtlpError)
    expect(() => jsonEncoding.span({ attributes: [{ key: 'a', value: nested(14) }] })).toThrow(OtlpError)
    for (const bytes of [
      [0x28, 0x01], // name as a varint
      [0x2a, 0x05, 0x61], // a name of five bytes, of which one is there
      [0x2a, 0x02, 0xc3, 0x28],
      [0x2a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
      [0x00],
      [0x0b], // a group
      [0x39, 1, 2, 3]
    ])
      expect(() => protobufEncoding.span(Uint8Array.from(bytes))).toThrow(OtlpError)
    for (const span of [
      { traceId: 'xyz' },
      { traceId: 5 },
      { attributes: {} },
      { startTimeUnixNano: 'soon' },
      { kind: '1' },
      { events: [1] }
    ])
      expect(() => jsonEncoding.span(span)).toThrow(OtlpError)
  })

  it('writes an answer that protobufjs reads', () => {
    const type = schema.lookupType('Answer')
    const read = type.toObject(type.decode(encodeAnswer(300, 'two')), { longs: Number })
    expect(read).toEqual({ partialSuccess: { rejected: 300, errorMessage: 'two' } })
    expect(encodeAnswer(0, '')).toHaveLength(0)
  })
})
