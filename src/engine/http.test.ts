// SPDX-License-Identifier: Apache-2.0
// The eight routes and the ingest on the real engine.
import { request } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { rawRecord, type TestEngine, testEngine } from './test/test-engine.ts'

let engine: TestEngine
let compliance: string
let drift: string
beforeEach(async () => {
  engine = await testEngine({ servers: true, env: { AFFIDAVIT_ALLOWED_ORIGINS: 'https://console.example' } })
  const { endpoints } = engine.engine.status()
  compliance = endpoints.compliance.url
  drift = endpoints.drift.url
})
afterEach(() => engine.remove())

const post = (path: string, body: string, headers: Record<string, string> = {}) =>
  fetch(`${compliance}${path}`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body })
const json = async (reply: Response | Promise<Response>) => (await (await reply).json()) as Record<string, never>

/** Events of a stream until `count` data messages have come. */
function listen(
  url: string,
  count: number,
  headers: Record<string, string> = {}
): Promise<{ readonly id: string; readonly data: { preview: string } }[]> {
  return new Promise((resolve, reject) => {
    const out: { id: string; data: { preview: string } }[] = []
    const call = request(url, { headers }, (response) => {
      let rest = ''
      response.on('data', (chunk) => {
        const blocks = (rest + String(chunk)).split('\n\n')
        rest = blocks.pop() ?? ''
        for (const block of blocks) {
          const id = /^id: ?(.*)$/m.exec(block)?.[1]
          const data = /^data: ?(.*)$/m.exec(block)?.[1]
          if (id !== undefined && data !== undefined && !/^event: /m.test(block))
            out.push({ id, data: JSON.parse(data) as { preview: string } })
        }
        if (out.length >= count) {
          call.destroy()
          resolve(out)
        }
      })
    })
    call.on('error', (error) => (out.length >= count ? undefined : reject(error)))
    call.end()
  })
}

describe('compliance', () => {
  it('takes one event, an array and a stream, and finds them at once', async () => {
    expect(await json(post('/api/compliance/events', JSON.stringify(rawRecord(1))))).toMatchObject({
      accepted: 1,
      duplicates: 0,
      rejected: []
    })
    expect(await json(post('/api/compliance/events', JSON.stringify([rawRecord(1), rawRecord(2), {}])))).toMatchObject({
      accepted: 1,
      duplicates: 1,
      rejected: [{ line: 3, code: 'missing_field' }]
    })
    const stream = `\ufeff${[3, 4].map((n) => JSON.stringify(rawRecord(n))).join('\r\n')}\n\nnonsense\n${JSON.stringify(rawRecord(5))}`
    expect(await json(post('/api/compliance/events', stream, { 'content-type': 'application/x-ndjson' }))).toMatchObject({
      accepted: 3,
      rejected: [{ line: 4, code: 'malformed_json' }]
    })
    const found = (await json(post('/api/compliance/query', JSON.stringify({ limit: 2, model: 'gpt-4' })))) as unknown as {
      records: { id: string; seq: number; timestamp: string; processing_time_ms: number }[]
      next_cursor: string
    }
    expect(found.records).toHaveLength(2)
    expect(found.records[0]).toMatchObject({
      source: 'desk',
      provider: 'openai',
      status: 'success',
      processing_time_ms: 505,
      input_tokens: 10
    })
    expect(found.records[0]?.timestamp).toMatch(/Z$/)
    const next = (await json(post('/api/compliance/query', JSON.stringify({ cursor: found.next_cursor })))) as unknown as {
      records: unknown[]
      next_cursor: null
    }
    expect(next.records).toHaveLength(3)
    expect(next.next_cursor).toBeNull()
    expect(await json(fetch(`${compliance}/api/compliance/statistics`))).toMatchObject({
      count: 5,
      total_requests: 5,
      by_status: { success: 5, error: 0 },
      avg_processing_time_ms: 503,
      recent_alerts: []
    })
    expect(await json(fetch(`${compliance}/health`))).toMatchObject({ status: 'ok', product: 'affidavit', records: 5 })
  })

  it('streams each line with its number after its commit', async () => {
    const reply = await post('/api/compliance/events', `${[1, 2, 2].map((n) => JSON.stringify(rawRecord(n))).join('\n')}\n{}\n`, {
      'content-type': 'application/x-ndjson',
      accept: 'application/x-ndjson'
    })
    const lines = (await reply.text())
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(lines.filter((line) => line.id !== undefined).map((line) => [line.line, line.seq, line.duplicate ?? false])).toEqual([
      [1, 1, false],
      [2, 2, false],
      [3, 2, true]
    ])
    expect(lines.find((line) => line.code !== undefined)).toMatchObject({ line: 4, code: 'missing_field' })
  })

  it('sends records as they come and resumes after the last one seen', async () => {
    const live = listen(`${compliance}/api/compliance/stream`, 3)
    await new Promise((resolve) => setTimeout(resolve, 200))
    for (const n of [1, 2, 3]) await post('/api/compliance/events', JSON.stringify(rawRecord(n)))
    const seen = await live
    expect(seen.map((event) => event.data.preview)).toEqual([1, 2, 3].map((n) => `What is the answer to question ${n}?`))
    const rest = await listen(`${compliance}/api/compliance/stream`, 2, { 'last-event-id': seen[0]?.id ?? '' })
    expect(rest.map((event) => event.id)).toEqual(seen.slice(1).map((event) => event.id))
  })

  it('refuses what is not for it', async () => {
    const code = async (reply: Promise<Response>): Promise<readonly [number, string]> => {
      const answered = await reply
      const { error } = (await answered.json()) as { error: { code: string } }
      return [answered.status, error.code]
    }
    expect(await code(post('/api/compliance/events', '{}'))).toEqual([422, 'no_good_record'])
    expect(await code(post('/api/compliance/events', '{'))).toEqual([400, 'malformed_json'])
    expect(await code(post('/api/compliance/events', '{}', { 'content-type': 'text/plain' }))).toEqual([415, 'unsupported_media_type'])
    expect(await code(post('/api/compliance/events', '{}', { 'content-type': 'application/x-www-form-urlencoded' }))).toEqual([
      415,
      'unsupported_media_type'
    ])
    expect(await code(post('/api/compliance/events', '{}', { origin: 'null' }))).toEqual([403, 'forbidden_origin'])
    expect(await code(post('/api/compliance/query', '{}', { origin: 'https://other.example' }))).toEqual([403, 'forbidden_origin'])
    const allowed = await post('/api/compliance/query', '{}', { origin: 'https://console.example' })
    expect([allowed.status, allowed.headers.get('access-control-allow-origin')]).toEqual([200, 'https://console.example'])
    expect(await code(post('/api/compliance/query', '{"cursor":"x"}'))).toEqual([400, 'invalid_cursor'])
    expect(await code(post('/api/compliance/query', '{"unknown":1}'))).toEqual([400, 'bad_request'])
    const rebound = await new Promise<number | undefined>((resolve) => {
      const { port } = new URL(compliance)
      request({ host: '127.0.0.1', port, path: '/health', headers: { host: 'evil.example' } }, (response) =>
        resolve(response.statusCode)
      ).end()
    })
    expect(rebound).toBe(403)
  })
})

describe('drift', () => {
  it('lists, counts, streams and acknowledges alerts', async () => {
    await engine.call('events.append', { events: Array.from({ length: 300 }, (_, i) => rawRecord(2000 + i)) })
    await engine.call('drift.set_baseline', { name: 'all', query: 'model:gpt-4', model: 'gpt-4', source: 'desk' })
    await engine.call('events.append', { events: Array.from({ length: 100 }, (_, i) => rawRecord(3000 + i, { latency_ms: 9000 })) })
    const stream = listen(`${drift}/api/drift/stream`, 2)
    await new Promise((resolve) => setTimeout(resolve, 200))
    const { opened } = await engine.call('drift.look', {})
    const { alerts } = (await json(fetch(`${drift}/api/drift/alerts?state=open&feature=latency`))) as unknown as {
      alerts: { id: string; drifted_features: string }[]
    }
    expect(alerts).toMatchObject([{ id: opened[0], drifted_features: 'latency' }])
    expect(await json(fetch(`${drift}/api/drift/alerts?model=none`))).toMatchObject({ alerts: [] })
    expect(await json(fetch(`${drift}/api/drift/statistics`))).toMatchObject({
      total_alerts: 1,
      unacknowledged_alerts: 1,
      recent_alerts: [{ id: opened[0], drifted_features: 'latency' }]
    })
    const reply = await fetch(`${drift}/api/drift/alerts/${opened[0]}/acknowledge`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"note":"seen"}'
    })
    expect(reply.status).toBe(200)
    const events = await stream
    expect(events.map((event) => (event.data as unknown as { state: string }).state)).toEqual(['open', 'acknowledged'])
    expect(await json(fetch(`${compliance}/api/compliance/statistics`))).toMatchObject({ recent_alerts: [{ id: opened[0] }] })
    expect(await json(fetch(`${drift}/health`))).toMatchObject({ status: 'ok', server: 'drift' })
  })
})
