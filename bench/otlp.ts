// SPDX-License-Identifier: Apache-2.0
// OTLP from the bytes of a request to canonical events, without the store: one body of 512 spans, over and over.

import protobuf from 'protobufjs'
import { parseExact } from '../src/shared/event/exact-json.ts'
import { jsonEncoding } from '../src/shared/event/otlp/json.ts'
import { callOf, eventOfCall, originOf } from '../src/shared/event/otlp/map.ts'
import type { Encoding } from '../src/shared/event/otlp/message.ts'
import { protobufEncoding } from '../src/shared/event/otlp/protobuf.ts'
import type { BenchRow } from './row.ts'

const SPANS = 512
const schema = protobuf.parse(`syntax = "proto3";
message AnyValue { oneof value { string string_value = 1; int64 int_value = 3; double double_value = 4; } }
message KeyValue { string key = 1; AnyValue value = 2; }
message Resource { repeated KeyValue attributes = 1; }
message Span { bytes trace_id = 1; bytes span_id = 2; bytes parent_span_id = 4; string name = 5; int32 kind = 6; fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8; repeated KeyValue attributes = 9; }
message ScopeSpans { repeated Span spans = 2; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
message Traces { repeated ResourceSpans resource_spans = 1; }`).root

const value = (one: string | number): object =>
  typeof one === 'string' ? { stringValue: one } : Number.isInteger(one) ? { intValue: one } : { doubleValue: one }
const pairs = (fields: Readonly<Record<string, string | number>>): object[] =>
  Object.entries(fields).map(([key, one]) => ({ key, value: value(one) }))

/** A chat call with 1.2 kB of content and the attributes that an instrumentation sets. */
const spanOf = (n: number): Readonly<Record<string, unknown>> => ({
  traceId: n.toString(16).padStart(32, '0'),
  spanId: n.toString(16).padStart(16, '0'),
  parentSpanId: '1'.padStart(16, '0'),
  name: 'chat gpt-5',
  kind: 3,
  startTimeUnixNano: '1700000000000000000',
  endTimeUnixNano: '1700000001500000000',
  attributes: pairs({
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': 'openai',
    'gen_ai.request.model': 'gpt-5',
    'gen_ai.response.model': 'gpt-5-2026-01-01',
    'gen_ai.response.id': `chatcmpl-${n}`,
    'gen_ai.request.temperature': 0.7,
    'gen_ai.request.max_tokens': 1024,
    'gen_ai.usage.input_tokens': 120,
    'gen_ai.usage.output_tokens': 80,
    'server.address': 'api.openai.com',
    'server.port': 443,
    'gen_ai.input.messages': JSON.stringify([
      { role: 'user', parts: [{ type: 'text', content: 'What does the policy say? '.repeat(24) }] }
    ]),
    'gen_ai.output.messages': JSON.stringify([
      { role: 'assistant', parts: [{ type: 'text', content: 'It says the following. '.repeat(24) }], finish_reason: 'stop' }
    ])
  })
})

function rate<Body>(encoding: Encoding<Body>, body: () => Body): number {
  const run = (): number => {
    let events = 0
    for (const group of encoding.groups(body(), 'traces')) {
      const origin = originOf(group.resource)
      for (const item of group.items) {
        const call = callOf(encoding.span(item), origin)
        if (typeof call === 'object' && eventOfCall(call, 1_800_000_000_000_000, 'unknown').ok) events++
      }
    }
    return events
  }
  for (let i = 0; i < 20; i++) if (run() !== SPANS) throw new Error('spans were lost')
  const started = performance.now()
  let spans = 0
  while (performance.now() - started < 3_000) spans += run()
  return spans / ((performance.now() - started) / 1000)
}

/** @throws when a span of the body became no event */
export async function benchOtlp(): Promise<BenchRow[]> {
  const spans = Array.from({ length: SPANS }, (_, i) => spanOf(i + 1))
  const made = { resourceSpans: [{ resource: { attributes: pairs({ 'service.name': 'bench' }) }, scopeSpans: [{ spans }] }] }
  const json = Buffer.from(JSON.stringify(made))
  const bytes = (hex: unknown): string => Buffer.from(String(hex), 'hex').toString('base64')
  const type = schema.lookupType('Traces')
  const ids = spans.map((span) => ({
    ...span,
    traceId: bytes(span.traceId),
    spanId: bytes(span.spanId),
    parentSpanId: bytes(span.parentSpanId)
  }))
  const proto = type.encode(type.fromObject({ resourceSpans: [{ ...made.resourceSpans[0], scopeSpans: [{ spans: ids }] }] })).finish()
  return [
    { name: 'OTLP protobuf, decoded and mapped', value: Math.round(rate(protobufEncoding, () => proto)), unit: 'spans/s', target: 30_000 },
    {
      name: 'OTLP JSON, decoded and mapped',
      value: Math.round(rate(jsonEncoding, () => parseExact(json.toString('utf8')))),
      unit: 'spans/s',
      target: 30_000
    }
  ]
}
