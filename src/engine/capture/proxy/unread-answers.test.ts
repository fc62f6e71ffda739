// SPDX-License-Identifier: Apache-2.0
// Answers of which not all is in the record, or which are not what their interface says: the record says so.
import { createHash } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type TestEngine, testEngine } from '../../test/test-engine.ts'

const SECRET = 'sk-in-a-body-51c7'
const long = 'x'.repeat(5_000_000)
const chat = (content: string): string => JSON.stringify({ model: 'm', choices: [{ index: 0, message: { role: 'assistant', content } }] })
/** What the upstream answers, by model. */
const answers: Readonly<Record<string, { readonly status?: number; readonly headers?: Record<string, string>; readonly body: Buffer }>> = {
  page: { status: 502, headers: { 'content-type': 'text/html' }, body: Buffer.from('<h1>Bad gateway</h1>') },
  detail: { status: 422, body: Buffer.from('{"detail":"no such model"}') },
  coded: { headers: { 'content-encoding': 'x-own' }, body: Buffer.from(chat('hidden')) },
  broken: { headers: { 'content-encoding': 'gzip' }, body: gzipSync(chat('half of it')).subarray(0, 60) },
  long: { body: Buffer.from(chat(long)) },
  unpacked: { headers: { 'content-encoding': 'gzip' }, body: gzipSync(chat(long)) },
  plain: { body: Buffer.from(chat('whole')) }
}

let engine: TestEngine
let server: Server
let base: string
beforeAll(async () => {
  server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += String(chunk)
    const answer = answers[(JSON.parse(body) as { model: string }).model]
    response.writeHead(answer?.status ?? 200, { 'content-type': 'application/json', ...answer?.headers })
    response.end(answer?.body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  engine = await testEngine({ servers: true })
  base = `${engine.engine.status().endpoints.compliance.url}/proxy/cloud`
  await engine.call('upstreams.set', { name: 'cloud', url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, kind: 'openai' })
})
afterAll(async () => {
  await engine.remove()
  server.closeAllConnections()
  server.close()
})

async function recordOf(model: string) {
  const body = JSON.stringify({
    model,
    messages: [{ role: 'user', content: 'Q' }],
    api_key: SECRET,
    metadata: { cookie: SECRET, kept: 'yes' }
  })
  await fetch(`${base}/v1/chat/completions`, { method: 'POST', body }).then(
    (answer) => answer.arrayBuffer(),
    () => {}
  )
  const query = async () => (await engine.call('records.query', { model, limit: 10 })).records
  await expect.poll(async () => (await query()).length, { timeout: 20_000 }).toBe(1)
  const record = await engine.call('records.get', { seq: (await query())[0]?.seq ?? -1 })
  return { ...record, answer: record.output_messages.flatMap(({ parts }) => parts.map((part) => part.content ?? '')).join('') }
}

it.each([
  ['page', '<h1>Bad gateway</h1>', 'kept'],
  ['detail', '{"detail":"no such model"}', 'kept']
])('an answer that is none of its interface stands as it was sent: %s', async (model, text, state) => {
  const { answer, event } = await recordOf(model)
  expect(answer).toBe(text)
  expect(event).toMatchObject({ content_state: state, status: 'error', attributes: { response_form: 'as sent, not read' } })
})

it.each(['coded', 'broken', 'long', 'unpacked'])('an answer of which there is more than is kept says so: %s', async (model) => {
  const { answer, event } = await recordOf(model)
  const body = answers[model]?.body ?? Buffer.alloc(0)
  expect(event).toMatchObject({
    content_state: 'truncated',
    attributes: { response_bytes: body.length, response_sha256: createHash('sha256').update(body).digest('hex') }
  })
  expect(event.response_chars).toBeUndefined()
  if (model === 'long' || model === 'unpacked') expect(answer.startsWith('{"model":"m","choices":')).toBe(true)
})

it('an answer that was read whole has nothing of this, and no credential of a body is stored', async () => {
  const { answer, event } = await recordOf('plain')
  expect([answer, event.content_state]).toEqual(['whole', 'kept'])
  expect(event.attributes).toEqual({
    upstream: 'cloud',
    api: 'openai.chat',
    request: { metadata: { kept: 'yes' } },
    'affidavit.left_out': ['request.api_key', 'request.metadata.cookie']
  })
})
