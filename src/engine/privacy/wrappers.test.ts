// SPDX-License-Identifier: Apache-2.0
// Spans around calls are no records, but they name people: every duty towards these covers them too.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { catalogOf, erase, erasureOutcome, SUBJECT, tracesIn, verifiedNow } from '../test/erasure-case.ts'
import { ingestRecords } from '../test/ingest-records.ts'
import { rawRecord, type TestEngine, testEngine } from '../test/test-engine.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 })

const YEAR_MS = 366 * 86_400_000
let later = 0
let engine: TestEngine
beforeEach(async () => {
  later = 0
  engine = await testEngine({ servers: true, disposal: { now: () => Date.now() + later, retryMs: 600_000, afterStep: () => {} } })
})
afterEach(() => engine.remove())

const wrapper = (n: number, more: object = {}): object =>
  rawRecord(n, {
    user_id: SUBJECT,
    conversation_id: `thread-of-zephyrine-${n}`,
    span_role: 'wrapper',
    operation: 'invoke_agent',
    prompt: `Wherefore the kumquat ${n}?`,
    response: 'Of the marmalade-octopus.',
    tools: [{ name: 'marmalade-octopus' }],
    attributes: { 'customer.note': 'the zephyrine', 'input.value': 'Wherefore the kumquat' },
    ...more
  })

const attribute = (key: string, stringValue: string) => ({ key, value: { stringValue } })

/** Sends the span of an agent that names the subject; gives its leaf when it is found. */
async function agentSpan(): Promise<number[]> {
  const { compliance } = engine.engine.status().endpoints
  const span = {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    name: 'agent',
    kind: 1,
    startTimeUnixNano: '1767225600000000000',
    endTimeUnixNano: '1767225601000000000',
    attributes: [
      attribute('gen_ai.operation.name', 'invoke_agent'),
      attribute('gen_ai.provider.name', 'openai'),
      attribute('user.id', SUBJECT),
      attribute('session.id', 'thread-of-zephyrine'),
      attribute('customer.note', 'the marmalade-octopus of zephyrine')
    ]
  }
  const resource = { attributes: [attribute('service.name', 'agent')] }
  const answer = await fetch(`${compliance.url}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans: [span] }] }] })
  })
  expect(answer.status).toBe(200)
  return (await engine.call('subjects.find', { identifiers: [SUBJECT] })).seqs
}

const copyOf = async (seqs: number[]) => {
  const request = await engine.call('requests.open', { kind: 'access', reference: 'DSR 7', received: '2026-01-31' })
  const out = join(engine.root, 'copy.json')
  const { job_id } = await engine.call('subjects.export', { request_id: request.id, seqs, out })
  expect(await engine.job(job_id)).toMatchObject({ state: 'done' })
  return { copy: JSON.parse(readFileSync(out, 'utf8')), page: readFileSync(join(engine.root, 'copy.html'), 'utf8') }
}

describe('a span around calls', () => {
  it('keeps nothing of what was asked and answered, also over HTTP, and is found with the records of its subject', async () => {
    const [around = 0, record = 0] = await ingestRecords(engine, [wrapper(1), rawRecord(2, { user_id: SUBJECT })])
    const found = await engine.call('subjects.find', { identifiers: [SUBJECT.toUpperCase()] })
    expect(found).toMatchObject({ seqs: [around, record], wrappers: [around], more: 0 })
    expect(found.records).toMatchObject([
      { wrapper: true, row: { seq: around, operation: 'invoke_agent', source: 'desk', preview: '', erased: false } },
      { wrapper: false, row: { seq: record } }
    ])
    expect((await engine.call('records.open', { query: '' })).total).toBe(1)
    const { copy, page } = await copyOf([around, record])
    expect(copy).toMatchObject({ records_count: 2, wrappers_count: 1 })
    expect(copy.records[0]).toMatchObject({
      seq: around,
      event: { user_id: SUBJECT, content_state: 'withheld', attributes: { 'customer.note': 'the zephyrine' } },
      input_messages: [],
      output_messages: []
    })
    expect(JSON.stringify(copy.records[0])).not.toMatch(/kumquat|octopus/)
    expect(page).toContain('2 records, 1 of them a span around calls')
    expect(page).toContain(`Span around calls, leaf ${around}`)
  })

  it('is restricted and released like a record', async () => {
    const [around = 0] = await ingestRecords(engine, [wrapper(1)])
    const restricted = async () => (await engine.call('subjects.find', { seqs: [around] })).records[0]?.row.restricted
    for (const on of [true, false]) {
      await engine.call('restrict.set', { seqs: [around], on, reason: 'contested' })
      expect(await restricted()).toBe(on)
    }
  })

  it('is held by the time, the subject and the conversation of a hold, and not offered for disposal', async () => {
    const rule = { class: 'default', name: 'one year', trigger: 'append' as const, period: { years: 1, months: 0, days: 0 } }
    await engine.call('retention.set', { rules: [rule], classes: [], reason: 'test' })
    const [around = 0, other = 0] = await ingestRecords(engine, [wrapper(1), rawRecord(500)])
    await engine.call('records.proof', { seq: other })
    later = YEAR_MS
    expect(await engine.call('disposal.preview', {})).toMatchObject({ records: 2, held: 0 })
    const scopes = [
      { kind: 'time', from: '2026-01-01T00:00:00Z', to: '2026-01-01T01:00:00Z' },
      { kind: 'subject', subject: SUBJECT.toUpperCase() },
      { kind: 'subject', subject: 'thread-of-zephyrine-1' }
    ] as const
    for (const [n, scope] of scopes.entries()) {
      expect(await engine.call('holds.preview', { scope })).toEqual({ records: 1, wrappers: 1 })
      await engine.call('holds.place', { matter: `M${n}`, reason: 'letter', scope, future: true })
    }
    const { records } = await engine.call('retention.of', { seqs: [around, other] })
    expect(records.map(({ holds }) => holds.map(({ matter }) => matter))).toEqual([['M0', 'M1', 'M2'], []])
    expect(await engine.call('disposal.preview', {})).toMatchObject({ records: 1, held: 1 })
    expect((await engine.call('holds.list', {})).holds).toMatchObject([1, 1, 1].map((one) => ({ records: one, wrappers: one })))
  })

  it('is erased with its subject, in files and catalog, however it came', async () => {
    await ingestRecords(engine, [wrapper(1), rawRecord(2)])
    const seqs = await agentSpan()
    expect(seqs).toHaveLength(2)
    const asker = await engine.as('data_protection')
    const other = await engine.as('reviewer')
    const request = await asker.call('requests.open', { kind: 'erasure', reference: 'DSR 26-7', received: '2026-01-31' })
    const given = { seqs, all: seqs, request, asker, other }
    const id = await erase(given)
    expect(await erasureOutcome(engine, given)).toMatchObject({ records: 2, done_seq: expect.any(Number) })
    expect(tracesIn(engine)).toEqual([])
    expect((await engine.call('subjects.find', { identifiers: [SUBJECT], seqs })).seqs).toEqual([])
    expect((await verifiedNow(engine)).verdict).toBe('intact')
    const { html, json } = await asker.call('erasure.certificate', { id })
    expect(html).toContain('2 records, 2 of them spans around calls')
    expect(JSON.parse(json)).toMatchObject({ wrappers: 2 })
    const before = await catalogOf(engine)
    await engine.job((await engine.call('workspace.rebuild', {})).job_id)
    expect(await catalogOf(engine)).toEqual(before)
  })
})
