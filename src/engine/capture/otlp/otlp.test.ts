// SPDX-License-Identifier: Apache-2.0
// OTLP on the real engine: the OpenTelemetry SDK with its exporters as they are, and bodies that no exporter sends.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { type Span, trace } from '@opentelemetry/api'
import { SeverityNumber } from '@opentelemetry/api-logs'
import { OTLPLogExporter as JsonLogs } from '@opentelemetry/exporter-logs-otlp-http'
import { OTLPLogExporter as ProtoLogs } from '@opentelemetry/exporter-logs-otlp-proto'
import { OTLPTraceExporter as JsonTraces } from '@opentelemetry/exporter-trace-otlp-http'
import { OTLPTraceExporter as ProtoTraces } from '@opentelemetry/exporter-trace-otlp-proto'
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs'
import { NodeSDK, resources } from '@opentelemetry/sdk-node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestEngine, testEngine } from '../../test/test-engine.ts'

let engine: TestEngine
let url: string
beforeAll(async () => {
  engine = await testEngine({ servers: true })
  url = engine.engine.status().endpoints.compliance.url
})
afterAll(() => engine.remove())

const post = (path: string, body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
  fetch(`${url}${path}`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body })
const recordsOf = async (source: string) => {
  while (engine.engine.status().projection.behind > 0) await new Promise((resolve) => setTimeout(resolve, 5))
  return (await engine.call('records.query', { source })).records
}
const id = (n: number, digits: number): string => n.toString(16).padStart(digits, '0')
const value = (one: unknown): object =>
  typeof one === 'number' ? (Number.isInteger(one) ? { intValue: String(one) } : { doubleValue: one }) : { stringValue: one }
const pairs = (fields: Record<string, unknown>): object[] => Object.entries(fields).map(([key, one]) => ({ key, value: value(one) }))
const spanOf = (n: number, attributes: Record<string, unknown>): object => ({
  traceId: id(n, 32),
  spanId: id(n, 16),
  name: 'chat',
  kind: 3,
  startTimeUnixNano: '1700000000000000000',
  endTimeUnixNano: '1700000001500000000',
  attributes: pairs(attributes)
})
const tracesOf = (source: string, spans: object[]): string =>
  JSON.stringify({ resourceSpans: [{ resource: { attributes: pairs({ 'service.name': source }) }, scopeSpans: [{ spans }] }] })
const logsOf = (source: string, logRecords: object[]): string =>
  JSON.stringify({ resourceLogs: [{ resource: { attributes: pairs({ 'service.name': source }) }, scopeLogs: [{ logRecords }] }] })
const chat = { 'gen_ai.operation.name': 'chat', 'gen_ai.provider.name': 'openai', 'gen_ai.request.model': 'gpt-5' }

describe('the OpenTelemetry SDK', () => {
  it.each([
    ['protobuf', ProtoTraces, ProtoLogs],
    ['http/json', JsonTraces, JsonLogs]
  ] as const)('records spans and joins log records, sent as %s', async (form, Traces, Logs) => {
    const source = `sdk-${form}`
    const before = engine.engine.status().ledger
    const sdk = new NodeSDK({
      serviceName: source,
      autoDetectResources: false,
      instrumentations: [],
      logRecordProcessors: [],
      metricReaders: [],
      traceExporter: new Traces({ url: `${url}/otlp/v1/traces` })
    })
    sdk.start()
    const logs = new LoggerProvider({
      resource: resources.resourceFromAttributes({ 'service.name': source }),
      processors: [new BatchLogRecordProcessor({ exporter: new Logs({ url: `${url}/v1/logs` }) })]
    })
    const tracer = trace.getTracer('test')
    tracer.startActiveSpan('invoke_agent planner', { attributes: { 'gen_ai.operation.name': 'invoke_agent' } }, (agent: Span) => {
      tracer.startActiveSpan('chat gpt-5', { attributes: chat }, (span: Span) => {
        logs.getLogger('test').emit({
          eventName: 'gen_ai.user.message',
          severityNumber: SeverityNumber.INFO,
          body: { content: 'What is a ledger?' }
        })
        logs.getLogger('test').emit({
          eventName: 'gen_ai.choice',
          body: { index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'A list of leaves.' } }
        })
        span.setAttributes({ 'gen_ai.response.model': 'gpt-5-2026', 'gen_ai.usage.input_tokens': 12, 'gen_ai.usage.output_tokens': 5 })
        span.end()
      })
      agent.end()
    })
    tracer.startSpan('GET /').end()
    await Promise.all([logs.forceFlush(), sdk.shutdown()])
    await logs.shutdown()
    trace.disable()
    const records = await recordsOf(source)
    // The agent is a leaf; only the call within is a record, and the span of a web server is neither.
    expect(records).toMatchObject([
      {
        channel: 'otlp',
        operation: 'chat',
        model: 'gpt-5',
        served_model: 'gpt-5-2026',
        provider: 'openai',
        status: 'success',
        input_tokens: 12,
        output_tokens: 5,
        finish: 'stop',
        preview: 'What is a ledger?',
        response_chars: 'A list of leaves.'.length
      }
    ])
    const { size, records: counted } = engine.engine.status().ledger
    expect([counted - before.records, size - before.size >= 2]).toEqual([1, true])
  })

  it('joins them as it sends them by itself, log records after 1 s and spans after 5 s', { timeout: 40_000 }, async () => {
    const source = 'sdk-defaults'
    const before = engine.engine.status().ledger
    const resource = resources.resourceFromAttributes({ 'service.name': source })
    const sdk = new NodeSDK({
      resource,
      autoDetectResources: false,
      instrumentations: [],
      metricReaders: [],
      logRecordProcessors: [],
      traceExporter: new ProtoTraces({ url: `${url}/v1/traces` })
    })
    sdk.start()
    const logs = new LoggerProvider({
      resource,
      processors: [new BatchLogRecordProcessor({ exporter: new ProtoLogs({ url: `${url}/v1/logs` }) })]
    })
    // Some calls one after the other: an exporter of log records sends none while it waits for an answer.
    for (let i = 0; i < 8; i++) {
      trace.getTracer('test').startActiveSpan('chat gpt-5', { attributes: chat }, (span: Span) => {
        logs.getLogger('test').emit({ eventName: 'gen_ai.user.message', body: { content: `Question ${i}` } })
        span.end()
      })
      await new Promise((resolve) => setTimeout(resolve, 1_000))
    }
    await expect.poll(async () => (await recordsOf(source)).length, { timeout: 15_000 }).toBe(8)
    const records = await recordsOf(source)
    expect(records.map((one) => [one.status, one.preview]).sort()).toEqual([...Array(8).keys()].map((i) => ['success', `Question ${i}`]))
    const { size, records: counted } = engine.engine.status().ledger
    expect(counted - before.records).toBe(8)
    expect(size - before.size).toBeLessThan(8 * 3)
    await Promise.all([logs.shutdown(), sdk.shutdown()])
    trace.disable()
  })
})

describe('POST /v1/traces', () => {
  it('answers once the record is on disk, and takes a second delivery for the same', async () => {
    const body = tracesOf('twice', [
      spanOf(1, chat),
      { ...spanOf(2, chat), startTimeUnixNano: '4700000000000000000', endTimeUnixNano: '0' }
    ])
    for (const headers of [{}, { 'content-encoding': 'gzip' }]) {
      const answer = await post('/v1/traces', 'content-encoding' in headers ? Uint8Array.from(gzipSync(body)) : body, headers)
      expect(answer.status).toBe(200)
      expect(await answer.json()).toEqual({
        partialSuccess: { rejectedSpans: '1', errorMessage: 'not recorded; the first for: time_in_future' }
      })
      expect(await recordsOf('twice')).toHaveLength(1)
    }
  })

  it('keeps log records whose span does not come in time as an open call, which the span ends', { timeout: 20_000 }, async () => {
    const log = (n: number) => ({
      traceId: id(n, 32),
      spanId: id(n, 16),
      timeUnixNano: '1700000000000000000',
      attributes: pairs({ 'event.name': 'gen_ai.user.message', ...chat }),
      body: { stringValue: 'alone' }
    })
    const sent = performance.now()
    expect((await post('/v1/logs', logsOf('alone', [log(7)]))).status).toBe(200)
    expect(performance.now() - sent).toBeGreaterThan(6_500)
    expect(await recordsOf('alone')).toEqual([])
    const openCalls = async () => (await engine.call('records.statistics', {})).in_flight
    expect(await openCalls()).toBe(1)
    expect((await post('/v1/traces', tracesOf('alone', [spanOf(7, chat)]))).status).toBe(200)
    const [record, ...others] = await recordsOf('alone')
    expect(record).toMatchObject({ status: 'success', preview: 'alone', model: 'gpt-5' })
    expect([others.length, await openCalls()]).toEqual([0, 0])
    // Both leaves hold the prompt, and the later one names the earlier.
    const { leaf } = await engine.call('records.get', { seq: record?.seq ?? -1 })
    const { links } = JSON.parse(leaf.json) as { links: { request: number } }
    expect(links.request).toBeLessThan(record?.seq ?? -1)
  })

  it('ends a call whose span has not come when the engine has ended', { timeout: 30_000 }, async () => {
    const other = await testEngine({ servers: true })
    const log = { traceId: id(8, 32), spanId: id(8, 16), eventName: 'gen_ai.user.message', body: { stringValue: 'cut off' } }
    const { url: at } = other.engine.status().endpoints.compliance
    const sent = fetch(`${at}/v1/logs`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: logsOf('cut', [log]) })
    await new Promise((resolve) => setTimeout(resolve, 500))
    await other.restart()
    expect((await sent).status).toBe(200)
    await expect
      .poll(async () => (await other.call('records.query', { source: 'cut' })).records, { timeout: 10_000 })
      .toMatchObject([{ status: 'incomplete', preview: 'cut off' }])
    await other.remove()
  })

  it('keeps no credential that an instrumentation copied out of headers', async () => {
    const secret = 'sk-of-a-header-9f2c'
    const attributes = {
      'gen_ai.system': 'openai',
      'gen_ai.request.model': 'headered',
      'http.request.header.authorization': `Bearer ${secret}`,
      'llm.headers': `{'x-api-key': '${secret}'}`
    }
    expect((await post('/v1/traces', tracesOf('web', [spanOf(77, attributes)]))).status).toBe(200)
    const [row] = (await engine.call('records.query', { model: 'headered' })).records
    const { event } = await engine.call('records.get', { seq: row?.seq ?? -1 })
    expect(event.attributes).toMatchObject({ 'affidavit.left_out': ['http.request.header.authorization', 'llm.headers'] })
    for (const entry of readdirSync(engine.root, { recursive: true, withFileTypes: true }))
      if (entry.isFile()) expect(readFileSync(join(entry.parentPath, entry.name)).includes(secret), entry.name).toBe(false)
  })

  it('counts calls without ids as refused, small and large, and no others', async () => {
    const none = { traceId: id(0, 32), spanId: id(0, 16) }
    const long = { 'gen_ai.prompt': 'x'.repeat(300_000) }
    const other = { ...spanOf(1, { 'db.system': 'sqlite' }), ...none }
    const answers = [
      post('/v1/traces', tracesOf('none', [{ ...spanOf(1, { ...chat, ...long }), ...none }, { ...spanOf(1, chat), ...none }, other])),
      post('/v1/traces', tracesOf('none', [{ ...spanOf(1, chat), traceId: undefined }, spanOf(901, chat)])),
      post(
        '/v1/logs',
        logsOf('none', [{ eventName: 'gen_ai.client.inference.operation.details', attributes: pairs(chat) }, { body: value('started') }])
      )
    ]
    const refused = (name: string, count: string) => ({
      partialSuccess: { [name]: count, errorMessage: 'not recorded; the first for: missing_ids' }
    })
    expect(await Promise.all(answers.map(async (answer) => (await answer).json()))).toEqual([
      refused('rejectedSpans', '2'),
      refused('rejectedSpans', '1'),
      refused('rejectedLogRecords', '1')
    ])
    expect(await recordsOf('none')).toHaveLength(1)
  })

  it('discards metrics and what is no call of a model', async () => {
    const { size } = engine.engine.status().ledger
    expect((await post('/v1/metrics', '{"resourceMetrics":[]}')).status).toBe(200)
    expect((await post('/v1/metrics', Uint8Array.of(1, 2, 3), { 'content-type': 'application/x-protobuf' })).status).toBe(200)
    expect((await post('/v1/traces', tracesOf('db', [spanOf(9, { 'db.system': 'sqlite' })]))).status).toBe(200)
    expect((await post('/v1/logs', logsOf('db', [{ body: { stringValue: 'started' } }]))).status).toBe(200)
    expect(engine.engine.status().ledger.size).toBe(size)
  })

  it('refuses other types, foreign hosts, bombs, large bodies and what it cannot decode, in the form it was asked in', async () => {
    const proto = { 'content-type': 'application/x-protobuf' }
    const status = async (body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
      (await post('/v1/traces', body, headers)).status
    expect(await status('{}', { 'content-type': 'text/plain' })).toBe(415)
    expect(await status('a=b', { 'content-type': 'application/x-www-form-urlencoded' })).toBe(415)
    expect(await status('{}', { 'content-encoding': 'br' })).toBe(415)
    expect(await status('{}', { origin: 'null' })).toBe(403)
    expect(await status('{')).toBe(400)
    expect(await status('[]')).toBe(400)
    expect(await status('{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":1}]}]}]}')).toBe(400)
    expect(await status(Uint8Array.of(0x0a, 0x7f), proto)).toBe(400)
    expect(await status(Uint8Array.of(1, 2, 3), { 'content-encoding': 'gzip' })).toBe(400)
    expect(await status(Uint8Array.from(gzipSync(new Uint8Array(64 * 1024 * 1024))), { ...proto, 'content-encoding': 'gzip' })).toBe(413)
    expect(await status(new Uint8Array(21 * 1024 * 1024), proto)).toBe(413)
    const answer = await post('/v1/traces', Uint8Array.of(0x0a, 0x7f), proto)
    expect(answer.headers.get('content-type')).toBe('application/x-protobuf')
    expect((await post('/api/compliance/events', '{}', proto)).status).toBe(415)
    expect((await post('/proxy/x/v1/traces', '{}')).status).toBe(404)
  })
})
