// SPDX-License-Identifier: Apache-2.0
// Where a call was answered: in the record, in its cost and for the filter, and over a rebuild.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type ScriptedUpstream, scriptedUpstream } from '../test/scripted-upstream.ts'
import { rawRecord, type TestEngine, testEngine } from '../test/test-engine.ts'

let engine: TestEngine
let upstream: ScriptedUpstream

beforeAll(async () => {
  upstream = await scriptedUpstream()
  engine = await testEngine({ servers: true })
  for (const kind of ['ollama', 'openai'] as const) await engine.call('upstreams.set', { name: kind, url: upstream.url, kind })
  await engine.call('events.append', {
    events: [
      rawRecord(1, { model: 'sold', server_address: 'api.openai.com' }),
      rawRecord(2, { model: 'nearby', provider: 'ollama', server_address: '192.168.1.20' }),
      rawRecord(3, { model: 'hosted', provider: 'ollama', server_address: 'ollama.example.com' }),
      rawRecord(4, { model: 'silent', provider: 'ollama' })
    ]
  })
  const base = `${engine.engine.status().endpoints.compliance.url}/proxy`
  const ask = async (path: string, model: string) => {
    const body = JSON.stringify({ model, stream: false, messages: [{ role: 'user', content: 'Where are you?' }] })
    const answer = await fetch(`${base}/${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    expect(answer.status).toBe(200)
    await answer.text()
  }
  await ask('openai/v1/chat/completions', 'studio')
  await ask('ollama/api/chat', 'llama3')
  await ask('ollama/api/chat', 'big-cloud')
})
afterAll(async () => {
  await engine.remove()
  await upstream.close()
})

async function found(query: string): Promise<string[]> {
  const { handle } = await engine.call('records.open', { query })
  return (await engine.call('records.page', { handle, offset: 0, limit: 50 })).rows.map(({ model }) => model).sort()
}

async function expectFound(): Promise<void> {
  expect(await found('remote:yes')).toEqual(['big-cloud', 'hosted', 'sold'])
  expect(await found('remote:no')).toEqual(['llama3', 'nearby', 'studio'])
  expect(await found('remote:unknown')).toEqual(['silent'])
  expect(await found('-remote:yes')).toEqual(['llama3', 'nearby', 'silent', 'studio'])
  expect(await found('-remote:unknown remote:no')).toEqual(['llama3', 'nearby', 'studio'])
}

it('is found by the filter, also over a rebuild', async () => {
  await expect
    .poll(async () => (await engine.call('records.query', {})).records.filter(({ status }) => status === 'success').length, {
      timeout: 10_000
    })
    .toBe(7)
  await expectFound()
  await engine.job((await engine.call('workspace.rebuild', {})).job_id)
  await expectFound()
  expect(await engine.codeOf('records.open', { query: 'remote:perhaps' })).toBe('invalid_filter')
})

it('stands in the record, and decides what costs nothing', async () => {
  const { records } = await engine.call('records.query', {})
  const details = await Promise.all(records.map(({ seq }) => engine.call('records.get', { seq })))
  expect(Object.fromEntries(details.map(({ row, place, cost }) => [row.model, [place, cost.origin]]))).toEqual({
    sold: ['elsewhere', 'unknown'],
    nearby: ['private', 'local'],
    hosted: ['elsewhere', 'unknown'],
    silent: ['unknown', 'local'],
    studio: ['loopback', 'local'],
    llama3: ['loopback', 'local'],
    'big-cloud': ['passed_on', 'unknown']
  })
})
