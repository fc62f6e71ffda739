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
const pieces = (...texts: readonly string[]): string =>
  texts.map((text) => `data: {"choices":[{"index":0,"delta":{"content":"${text}"}}]}\n\n`).join('')
/** What the upstream answers, by model. */
const answers: Readonly<Record<string, { readonly status?: number; readonly headers?: Record<string, string>; readonly body: Buffer }>> = {
  page: { status: 502, headers: { 'content-type': 'text/html' }, body: Buffer.from('<h1>Bad gateway</h1>') },
  detail: { status: 422, body: Buffer.from('{"detail":"no such model"}') },
  coded: { headers: { 'content-encoding': 'x-own' }, body: Buffer.from(chat('hidden')) },
  broken: { headers: { 'content-encoding': 'gzip' }, body: gzipSync(chat('half of it')).subarray(0, 60) },
  cut: { headers: { 'content-encoding': 'gzip' }, body: gzipSync(chat('whole but for its end')).subarray(0, -12) },
  named: { headers: { 'content-encoding': 'gzip' }, body: Buffer.from(chat('not packed at all')) },
  streamed: {
    headers: { 'content-encoding': 'gzip', 'content-type': 'text/event-stream' },
    body: gzipSync(`data: ${chat('a')}\n\ndata: [DONE]\n\n`).subarray(0, -8)
  },
  half: { body: Buffer.from(chat('a%b').replace('%', '\\ud800')) },
  halves: {
    headers: { 'content-type': 'text/event-stream' },
    body: Buffer.from(`${pieces('a\\ud83d', '\\ude00b')}data: [DONE]\n\n`)
  },
  garbled: { body: Buffer.from(chat('caf\u00e9'), 'latin1') },
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
  const before = (await engine.call('records.query', { model, limit: 10 })).records.length
  await fetch(`${base}/v1/chat/completions`, { method: 'POST', body })
    .then((answer) => answer.arrayBuffer())
    .catch(() => {})
  const query = async () => (await engine.call('records.query', { model, limit: 10 })).records.filter((one) => one.status !== 'in_flight')
  await expect.poll(async () => (await query()).length, { timeout: 20_000 }).toBe(before + 1)
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

it.each([
  ['broken', 'incomplete'],
  ['cut', 'incomplete'],
  ['named', 'incomplete'],
  ['coded', 'success'],
  ['unpacked', 'success'],
  // Its terminal event is there.
  ['streamed', 'success']
])('an answer that cannot be unpacked to its end is incomplete, and no other: %s', async (model, status) => {
  const { event } = await recordOf(model)
  expect(event).toMatchObject({ status, content_state: 'truncated' })
})

it('half of a surrogate pair is on record as it was sent, with what passed; one that the next piece completes is a text', async () => {
  const body = answers.half?.body ?? Buffer.alloc(0)
  const half = await recordOf('half')
  expect(half.answer).toBe(body.toString())
  expect(half.event).toMatchObject({
    status: 'success',
    content_state: 'kept',
    response_model: 'm',
    attributes: {
      response_form: 'as sent, not read',
      response_bytes: body.length,
      response_sha256: createHash('sha256').update(body).digest('hex')
    }
  })
  expect(half.event.response_chars).toBeUndefined()
  const whole = await recordOf('halves')
  expect([whole.answer, whole.event.content_state]).toEqual(['a\u{1f600}b', 'kept'])
  expect(whole.event.attributes).not.toHaveProperty('response_form')
})

it('an answer that is not UTF-8 says that its text is not all of it', async () => {
  const body = answers.garbled?.body ?? Buffer.alloc(0)
  expect((await recordOf('garbled')).event).toMatchObject({
    content_state: 'truncated',
    attributes: { response_bytes: body.length, response_sha256: createHash('sha256').update(body).digest('hex') }
  })
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
