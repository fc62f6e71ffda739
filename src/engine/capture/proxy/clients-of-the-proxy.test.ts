// SPDX-License-Identifier: Apache-2.0
// What a token means for calls that are passed on: taking it cuts off what is under way, and what passes unrecorded is counted for it.
import { once } from 'node:events'
import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type TestEngine, testEngine } from '../../test/test-engine.ts'

let engine: TestEngine
let upstream: Server
/** Calls of the upstream whose connection was closed on it. */
let dropped = 0

beforeAll(async () => {
  // Streams until it is let go.
  upstream = createServer((asked, answer) => {
    asked.resume()
    answer.writeHead(200, { 'content-type': 'text/event-stream' })
    const delta = { id: 'c', model: 'm', choices: [{ index: 0, delta: { content: 'word ' } }] }
    const timer = setInterval(() => answer.write(`data: ${JSON.stringify(delta)}\n\n`), 5)
    answer.once('close', () => {
      clearInterval(timer)
      dropped++
    })
    if (!asked.url?.endsWith('/chat/completions')) answer.end()
  }).listen(0, '127.0.0.1')
  await once(upstream, 'listening')
  engine = await testEngine({ servers: true })
  const url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`
  await engine.call('upstreams.set', { name: 'endless', kind: 'openai', url })
  const port = createServer().listen(0, '127.0.0.1')
  await once(port, 'listening')
  const free = (port.address() as AddressInfo).port
  await new Promise((resolve) => port.close(resolve))
  await engine.call('upstreams.set', { name: 'own', kind: 'openai', url, port: free })
})
afterAll(async () => {
  await engine.remove()
  upstream.closeAllConnections()
  upstream.close()
})

const base = (): string => engine.engine.status().endpoints.compliance.url
const portOf = async (name: string): Promise<string> =>
  (await engine.call('upstreams.list', {})).upstreams.find((one) => one.name === name)?.own?.url ?? ''

/** Asks for a stream; resolves with its status once it has begun, and tells when it has ended. */
async function stream(
  url: string,
  token: string
): Promise<{ readonly status: number | undefined; readonly ended: Promise<'whole' | 'cut'> }> {
  const asked = request(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-affidavit-token': token }
  })
  asked.on('error', () => {})
  asked.end(JSON.stringify({ model: 'm', stream: true, messages: [{ role: 'user', content: 'Go on' }] }))
  const [answer] = (await once(asked, 'response')) as [import('node:http').IncomingMessage]
  const ended = new Promise<'whole' | 'cut'>((resolve) => {
    answer.on('error', () => {})
    answer.once('close', () => resolve(answer.complete ? 'whole' : 'cut'))
  })
  answer.resume()
  return { status: answer.statusCode, ended }
}

it.each([
  ['by path', async () => `${base()}/proxy/endless`],
  ['on a port of its own', () => portOf('own')]
])('a call under way is cut off when its token is revoked, %s, and its record says so', async (_, address) => {
  const url = await address()
  const { client, token } = await engine.call('clients.add', { name: 'streaming', scopes: ['ingest'] })
  const other = await engine.call('clients.add', { name: 'staying', scopes: ['ingest'] })
  const [cut, kept] = await Promise.all([stream(url, token), stream(url, other.token)])
  expect([cut.status, kept.status]).toEqual([200, 200])
  const before = dropped
  await engine.call('clients.revoke', { id: client.id })
  expect(await cut.ended).toBe('cut')
  await expect.poll(() => dropped).toBe(before + 1)
  const recordOf = async (source: string) => (await engine.call('records.query', { source, limit: 1 })).records[0]
  await expect.poll(async () => (await recordOf('streaming'))?.status).toBe('aborted')
  const record = await recordOf('streaming')
  expect(record).toMatchObject({ error_type: 'token_revoked', http_status: 200 })
  // What came until then is on record.
  const { output_messages } = await engine.call('records.get', { seq: record?.seq ?? 0 })
  expect(output_messages?.[0]?.parts[0]?.content).toMatch(/^(word )+$/)
  // No other call is touched, and none begins with the token.
  expect(await Promise.race([kept.ended, Promise.resolve('under way')])).toBe('under way')
  const again = await stream(url, token)
  expect(again.status).toBe(401)
  await engine.call('clients.revoke', { id: other.client.id })
  expect(await kept.ended).toBe('cut')
})

it('calls that pass unrecorded are counted for upstream, client and status, and named by what the log cannot show', async () => {
  const { client, token } = await engine.call('clients.add', { name: 'speaking', scopes: ['ingest'] })
  const post = (path: string, method = 'POST') =>
    fetch(`${base()}/proxy/endless${path}`, { method, headers: { 'x-affidavit-token': token } }).then((answer) => answer.text())
  for (const path of ['/v1/audio/speech', '/v1/images/generations']) await post(path)
  // Nothing that asks a model.
  for (const path of ['/api/show', '/v1/messages/count_tokens', '/api/blobs/sha256:12', '/tokenize']) await post(path)
  await post('/v1/models', 'GET')
  const { upstreams } = await engine.call('upstreams.list', {})
  expect(upstreams.map(({ name, calls }) => [name, calls.unread])).toEqual(expect.arrayContaining([['endless', 2]]))
  const { clients } = await engine.call('clients.list', {})
  expect(clients.find(({ id }) => id === client.id)?.used).toMatchObject({ requests: 7, records: 0, unread: 2 })
  expect((await engine.call('workspace.status', {})).ingest.unread).toBe(2)
  const { statements } = await engine.call('compliance.report', {})
  expect(statements).toContainEqual(
    expect.objectContaining({ group: 'cannot', text: 'What 2 calls said that passed through the recorder unrecorded' })
  )
})
