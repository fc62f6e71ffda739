// SPDX-License-Identifier: Apache-2.0
// Texts with half of a surrogate pair, where what is asked goes on record.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { rawRecord, type TestEngine, testEngine } from './test/test-engine.ts'

let engine: TestEngine
beforeAll(async () => {
  engine = await testEngine({ servers: true })
  await engine.call('events.append', { events: [rawRecord(1)] })
})
afterAll(() => engine.remove())

it('are refused as a bad request in every filter over HTTP, and nothing of them is repeated', async () => {
  const { url } = engine.engine.status().endpoints.compliance
  for (const body of [{ model: '\ud800' }, { source: 'a\udc00' }, { text: 'word \ud800' }, { cursor: '\ud800' }]) {
    const answer = await fetch(`${url}/api/compliance/query`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body)
    })
    expect([answer.status, await answer.json()], JSON.stringify(body)).toEqual([
      400,
      { error: { code: 'bad_request', message: 'the input: text that is no valid Unicode' } }
    ])
  }
})

it('are refused by the operations that take a filter', async () => {
  for (const query of ['\ud800', 'model:"\ud800"', 'source:"a\udc00"', 'word\ud800']) {
    expect(await engine.codeOf('records.open', { query }), query).toBe('bad_request')
    expect(await engine.codeOf('drift.baseline_preview', { query }), query).toBe('bad_request')
    expect(await engine.codeOf('records.query', { text: query }), query).toBe('bad_request')
  }
  expect(await engine.codeOf('records.open', { query: 'model:"\ud83d\ude00"' })).toBeUndefined()
})
