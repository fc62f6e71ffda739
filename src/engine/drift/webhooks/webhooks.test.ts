// SPDX-License-Identifier: Apache-2.0
// Webhooks against a real receiver on this machine, from a real engine.

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { rawRecord, type TestEngine, testEngine } from '../../test/test-engine.ts'
import { send, signatureOf } from './send.ts'

interface Received {
  readonly headers: IncomingHttpHeaders
  readonly body: string
}
let server: Server
let received: Received[]
let answer: (n: number) => { readonly status: number; readonly headers?: Record<string, string> }
let url: string

beforeEach(async () => {
  received = []
  answer = () => ({ status: 204 })
  server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      received.push({ headers: request.headers, body: Buffer.concat(chunks).toString('utf8') })
      const { status, headers } = answer(received.length)
      response.writeHead(status, headers).end('what a receiver says is never read')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?token=in-the-address`
})
afterEach(() => server.close())

const until = async (holds: () => boolean): Promise<void> => {
  for (let i = 0; i < 1_000 && !holds(); i++) await new Promise((resolve) => setTimeout(resolve, 20))
  expect(holds()).toBe(true)
}

describe('send', () => {
  const event = { id: 'd-1', type: 'test' }
  it('signs time and body so that a receiver can check both', async () => {
    expect(await send(url, 'secret', event, '{"a":1}')).toEqual({ ok: true, status: 204, problem: null })
    const header = String(received[0]?.headers['affidavit-signature'])
    const [, time = '', v1] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(header) ?? []
    expect(Math.abs(Number(time) - Date.now() / 1000)).toBeLessThan(60)
    expect(v1).toBe(signatureOf('secret', Number(time), '{"a":1}'))
    expect(signatureOf('secret', Number(time), '{"a":2}')).not.toBe(v1)
    expect(received[0]?.headers).toMatchObject({ 'affidavit-delivery': 'd-1', 'content-type': 'application/json' })
  })
  it('signs as RFC 4231 says', () => {
    // HMAC-SHA256 of "1.x" under "k", computed with openssl: printf 1.x | openssl dgst -sha256 -hmac k
    expect(signatureOf('k', 1, 'x')).toBe('976cb87e4f568d1c0f03f32859e90af8597cf00b978ba37c229c97d3a15b8449')
  })
  it('takes a redirect for a failure and does not follow it', async () => {
    answer = () => ({ status: 302, headers: { location: url } })
    expect(await send(url, 's', event, '{}')).toMatchObject({ ok: false, status: 302 })
    expect(received).toHaveLength(1)
  })
  it('tells of a receiver that is not there', async () => {
    const gone = url
    await new Promise((resolve) => server.close(resolve))
    expect(await send(gone, 's', event, '{}')).toEqual({ ok: false, status: null, problem: 'ECONNREFUSED' })
  })
})

describe('webhooks', () => {
  let engine: TestEngine
  beforeEach(async () => {
    engine = await testEngine()
  })
  afterEach(() => engine.remove())

  it('hear of each alert, in order, signed, again after a failure; the secret is given once', async () => {
    const { webhook, secret } = await engine.call('webhooks.set', { url })
    expect(secret).toMatch(/^[\w-]{43}$/)
    expect(webhook).toMatchObject({ url, enabled: true, delivery: { state: 'idle', delivered: 0 } })
    const listed = JSON.stringify(await engine.call('webhooks.list', {}))
    expect(listed).not.toContain(secret)
    answer = (n) => ({ status: n === 1 ? 503 : 200 })
    await engine.call('events.append', { events: Array.from({ length: 300 }, (_, i) => rawRecord(i)) })
    await engine.call('drift.set_baseline', { name: 'b', query: '', model: 'gpt-4', source: 'desk' })
    await engine.call('events.append', { events: Array.from({ length: 100 }, (_, i) => rawRecord(1000 + i, { latency_ms: 9000 })) })
    const [id = ''] = (await engine.call('drift.look', {})).opened
    await until(() => received.length === 2)
    await engine.call('drift.acknowledge', { id, note: 'a note that stays here' })
    await until(() => received.length === 3)
    const bodies = received.map((one) => JSON.parse(one.body) as { type: string; alert: { id: string; state: string } })
    expect(bodies.map((one) => one.type)).toEqual(['drift.alert.opened', 'drift.alert.opened', 'drift.alert.acknowledged'])
    expect(bodies.every((one) => one.alert.id === id)).toBe(true)
    expect(received.map((one) => one.body).join()).not.toContain('a note that stays here')
    for (const { headers, body } of received) {
      const [, time, v1] = /^t=(\d+),v1=(\w+)$/.exec(String(headers['affidavit-signature'])) ?? []
      expect(v1).toBe(signatureOf(secret ?? '', Number(time), body))
    }
    expect(received[0]?.headers['affidavit-delivery']).toBe(received[1]?.headers['affidavit-delivery'])
    const [after] = (await engine.call('webhooks.list', {})).webhooks
    expect(after?.delivery).toMatchObject({ delivered: 2, given_up: 0, last_status: 200, last_problem: null })
    // The address may hold a token: neither it nor the secret stands in the ledger in clear.
    const ledger = readdirSync(engine.workspace)
      .filter((name) => name.startsWith('ledger.db'))
      .map((name) => readFileSync(join(engine.workspace, name)).toString('latin1'))
      .join('')
    for (const text of ['in-the-address', secret ?? '']) expect(ledger).not.toContain(text)
    const file = readdirSync(engine.state).find((name) => name.startsWith('webhooks-')) ?? ''
    expect(statSync(join(engine.state, file)).mode & 0o777).toBe(0o600)
    await engine.restart()
    expect((await engine.call('webhooks.list', {})).webhooks[0]).toMatchObject({ url, delivery: { delivered: 2 } })
    expect(await engine.call('webhooks.test', { id: webhook.id })).toMatchObject({ ok: true })
    expect(await engine.call('webhooks.remove', { id: webhook.id })).toEqual({ webhooks: [] })
    expect(await engine.codeOf('webhooks.test', { id: webhook.id })).toBe('not_found')
  }, 60_000)
})
