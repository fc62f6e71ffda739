// SPDX-License-Identifier: Apache-2.0
// Whole numbers that a double would round keep their digits on every way in.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import type { RecordDetail } from '../../shared/contract/record.ts'
import { type ScriptedUpstream, scriptedUpstream } from '../test/scripted-upstream.ts'
import { rawRecord, type TestEngine, testEngine } from '../test/test-engine.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const LONG = '1234567890123456789'
/** JSON with the digits in the place of each text that says so. */
const json = (value: unknown): string => JSON.stringify(value).replaceAll('"LONG"', LONG)

let engine: TestEngine
let upstream: ScriptedUpstream
let base: string
beforeAll(async () => {
  upstream = await scriptedUpstream()
  engine = await testEngine({ servers: true })
  base = engine.engine.status().endpoints.compliance.url ?? ''
  await engine.call('upstreams.set', { name: 'cloud', url: upstream.url, kind: 'openai' })
})
afterAll(async () => {
  await engine.remove()
  await upstream.close()
})

const post = (path: string, body: string): Promise<Response> =>
  fetch(`${base}${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })

async function recordsOf(model: string): Promise<RecordDetail[]> {
  const found = async () => (await engine.call('records.query', { model })).records.filter(({ status }) => status !== 'in_flight')
  await expect.poll(async () => (await found()).length, { timeout: 10_000 }).toBeGreaterThan(0)
  return Promise.all((await found()).map(({ seq }) => engine.call('records.get', { seq })))
}

it('of an event', async () => {
  const answer = await post('/api/compliance/events', json(rawRecord(1, { model: 'event', attributes: { order: 'LONG', small: 7 } })))
  expect(answer.status).toBeLessThan(300)
  const [record] = await recordsOf('event')
  expect(record?.event.attributes).toMatchObject({ order: LONG, small: 7 })
  const refused = await post('/api/compliance/events', json(rawRecord(2, { model: 'event', input_tokens: 'LONG' })))
  expect([refused.status, await refused.text()]).toEqual([
    422,
    expect.stringMatching(/out_of_range.*input_tokens|input_tokens.*out_of_range/)
  ])
})

it('of a span', async () => {
  const attribute = (key: string, value: object) => ({ key, value })
  const span = {
    traceId: '1'.repeat(32),
    spanId: '2'.repeat(16),
    name: 'chat span',
    startTimeUnixNano: '1767225600000000000',
    endTimeUnixNano: '1767225601000000000',
    attributes: [
      attribute('gen_ai.operation.name', { stringValue: 'chat' }),
      attribute('gen_ai.request.model', { stringValue: 'span' }),
      attribute('shop.order', { intValue: 'LONG' }),
      attribute('shop.sum', { doubleValue: 'LONG' })
    ]
  }
  const body = { resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] }
  const taken = await post('/v1/traces', json(body))
  expect([taken.status, await taken.text()]).toEqual([200, expect.any(String)])
  const [record] = await recordsOf('span')
  expect(record?.event.attributes).toMatchObject({ 'shop.order': LONG, 'shop.sum': Number(LONG) })
})

it('of a proxied call', async () => {
  const messages = [
    { role: 'user', content: 'Pay it' },
    {
      role: 'assistant',
      content: null,
      tool_calls: [{ id: 'c', type: 'function', function: { name: 'pay', arguments: { order: 'LONG' } } }]
    }
  ]
  expect((await post('/proxy/cloud/v1/chat/completions', json({ model: 'proxied', messages }))).status).toBe(200)
  const [record] = await recordsOf('proxied')
  expect(JSON.stringify(record)).toContain(LONG)
})

it('of imported lines, so that two keys stay two', async () => {
  const path = join(engine.root, 'records.jsonl')
  const other = '1234567890123456788'
  const lines = [LONG, other].map((id) =>
    json(rawRecord(3, { id: 'LONG', model: 'imported', attributes: { order: 'LONG' } })).replaceAll(LONG, id)
  )
  writeFileSync(path, `${lines.join('\n')}\n`)
  const { job_id } = await engine.call('import.start', { path, profile: 'affidavit-jsonl' })
  await engine.job(job_id)
  const records = await recordsOf('imported')
  expect(records.map(({ event }) => (event.attributes as { order: unknown }).order).sort()).toEqual([other, LONG])
})
