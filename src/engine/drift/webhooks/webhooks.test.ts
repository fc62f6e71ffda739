// SPDX-License-Identifier: Apache-2.0
// Webhooks against a real receiver on this machine, from a real engine.

import { copyFileSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { LeafDraft } from '../../ledger/draft.ts'
import { rawRecord, type TestEngine, testEngine } from '../../test/test-engine.ts'
import { Projector } from '../../threads/projector.ts'
import { ReaderPool } from '../../threads/reader-pool.ts'
import { keksOf } from '../../threads/thread-config.ts'
import { testFolder, writerOf } from '../../workspace/test-workspace.ts'
import { alarmOf, alertDraft } from '../look.ts'
import { send, signatureOf } from './send.ts'
import { WebhookStore } from './store.ts'
import { Webhooks } from './webhooks.ts'

const caller = { actor: { ref: 'engine', kind: 'system' }, via: 'ipc' } as const

interface Received {
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly path: string
}
let server: Server
let received: Received[]
let answer: (n: number) => { readonly status: number; readonly headers?: Record<string, string> }
let url: string
/** Whether an answer waits until it is released. */
let hold: boolean
let release: () => void

beforeEach(async () => {
  received = []
  hold = false
  release = () => {}
  answer = () => ({ status: 204 })
  server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      received.push({ headers: request.headers, body: Buffer.concat(chunks).toString('utf8'), path: request.url ?? '' })
      const { status, headers } = answer(received.length)
      const reply = () => response.writeHead(status, headers).end('what a receiver says is never read')
      if (hold) release = reply
      else reply()
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

  it('say of a test that failed when and why, as of an alert', async () => {
    const { webhook } = await engine.call('webhooks.set', { url })
    expect(webhook.delivery).toMatchObject({ state: 'idle', last_time: null, last_kind: null })
    answer = () => ({ status: 503 })
    expect(await engine.call('webhooks.test', { id: webhook.id })).toEqual({ ok: false, status: 503, problem: 'it answered 503' })
    const [shown] = (await engine.call('webhooks.list', {})).webhooks
    expect(shown?.delivery).toMatchObject({ state: 'idle', last_kind: 'test', last_status: 503, last_problem: 'it answered 503' })
    expect(Date.parse(shown?.delivery.last_time ?? '')).toBeGreaterThan(Date.now() - 60_000)
  }, 60_000)
})

describe('a webhook that is changed while it delivers', () => {
  it('is asked anew before each event: off is off at once, and a new address gets what is left', async () => {
    const engine = await testEngine()
    try {
      const { webhook } = await engine.call('webhooks.set', { url })
      const { id } = webhook
      await engine.call('events.append', { events: Array.from({ length: 300 }, (_, i) => rawRecord(i)) })
      await engine.call('drift.set_baseline', { name: 'b', query: '', model: 'gpt-4', source: 'desk' })
      await engine.call('drift.set_baseline', { name: 'c', query: '', model: 'gpt-5', source: 'desk' })
      const slow = (model: string, from: number) => Array.from({ length: 100 }, (_, i) => rawRecord(from + i, { model, latency_ms: 9000 }))
      await engine.call('events.append', { events: [...slow('gpt-4', 1000), ...slow('gpt-5', 2000)] })
      // The first delivery is held until the webhook was turned off.
      hold = true
      expect((await engine.call('drift.look', {})).opened).toHaveLength(2)
      await until(() => received.length === 1)
      await engine.call('webhooks.set', { id, url, enabled: false })
      hold = false
      release()
      await vi.waitFor(async () =>
        expect((await engine.call('webhooks.list', {})).webhooks[0]?.delivery).toMatchObject({ delivered: 1, state: 'idle' })
      )
      await new Promise((resolve) => setTimeout(resolve, 200))
      expect(received).toHaveLength(1)
      await engine.call('webhooks.set', { id, url: `${url}&moved=1` })
      await until(() => received.length === 2)
      expect(received.map((one) => one.path.endsWith('&moved=1'))).toEqual([false, true])
      // What waits for its next attempt goes to a new address at once.
      answer = () => ({ status: 500 })
      await engine.call('webhooks.set', { id, url })
      const [alert] = (await engine.call('drift.alerts', {})).alerts
      await engine.call('drift.acknowledge', { id: alert?.id ?? '', note: 'seen' })
      await until(() => received.length >= 4)
      answer = () => ({ status: 200 })
      await engine.call('webhooks.set', { id, url: `${url}&moved=2` })
      await until(() => received.at(-1)?.path.endsWith('&moved=2') === true)
    } finally {
      await engine.remove()
    }
  }, 60_000)
})

describe('after the ledger came back from an older copy', () => {
  it('webhooks hear of what opens from there on, and of nothing that they were told before', async () => {
    const engine = await testEngine()
    try {
      const ledger = join(engine.workspace, 'ledger.db')
      const slow = (from: number, model: string) => ({
        events: Array.from({ length: 100 }, (_, i) => rawRecord(from + i, { model, latency_ms: 9000 }))
      })
      const models = () => received.map((one) => (JSON.parse(one.body) as { alert: { model: string } }).alert.model)
      await engine.call('webhooks.set', { url })
      await engine.call('events.append', { events: Array.from({ length: 300 }, (_, i) => rawRecord(i)) })
      for (const model of ['gpt-4', 'gpt-5']) await engine.call('drift.set_baseline', { name: 'b', query: '', model, source: 'desk' })
      await engine.call('events.append', slow(1000, 'gpt-4'))
      expect((await engine.call('drift.look', {})).opened).toHaveLength(1)
      await until(() => received.length === 1)
      await engine.restart(() => copyFileSync(ledger, `${ledger}.old`))
      const one = (await engine.call('drift.alerts', {})).alerts[0]?.id ?? ''
      await engine.call('events.append', { events: Array.from({ length: 500 }, (_, i) => rawRecord(2000 + i)) })
      await engine.call('drift.acknowledge', { id: one, note: 'seen' })
      await until(() => received.length === 2)
      await engine.restart(() => copyFileSync(`${ledger}.old`, ledger))
      await engine.call('workspace.continue', { code: 'rollback_detected', reason: 'the disk was lost' })
      await engine.restart()
      await engine.call('events.append', slow(3000, 'gpt-5'))
      expect((await engine.call('drift.look', {})).opened).toHaveLength(1)
      await until(() => received.length === 3)
      expect(models()).toEqual(['gpt-4', 'gpt-4', 'gpt-5'])
    } finally {
      await engine.remove()
    }
  }, 120_000)
})

/** Webhooks over a workspace, without the rest of an engine. `reading`: awaited when a page of alerts was read, before it is given on. */
async function overWorkspace(reading: () => Promise<void> = async () => {}) {
  const folder = testFolder()
  const workspace = await folder.open()
  const ledger = writerOf(workspace)
  const threads = { workspace: folder.workspace, keks: keksOf(workspace.identity.keks), subjectSecret: '' }
  const projector = await Projector.start(threads)
  const pool = await ReaderPool.start(threads)
  const read = pool.run.bind(pool)
  const run = async (...[task, args]: Parameters<typeof read>): Promise<unknown> => {
    const found = await read(task, args)
    if (task === 'alertsAfter') await reading()
    return found
  }
  Object.assign(pool, { run })
  ledger.onCommitted((size) => projector.advance(size))
  const append = (drafts: readonly LeafDraft[]) => ledger.append(drafts)
  const store = new WebhookStore(folder.state, workspace.identity.origin)
  const webhooks = new Webhooks({ pool, projector, ledgerSize: () => ledger.size, append, store, pausesMs: [5, 5] })
  return {
    webhooks,
    shown: async () => (await webhooks.handlers['webhooks.list']({}, caller)).webhooks[0]?.delivery,
    alarm: async () => {
      await append([
        alertDraft(alarmOf({ model: 'gpt-4', source: 'desk', baseline: 'b', score: 0.4, features: [] }), caller.actor, 0).draft
      ])
      await projector.waitFor(ledger.size, 10_000)
      webhooks.wake()
    },
    close: async () => {
      webhooks.close()
      await ledger.close()
      await projector.close()
      await pool.close()
      workspace.close()
      folder.remove()
    }
  }
}

describe('an alert that opens while what is due is read', () => {
  it('is told too, and does not wait for the next one', async () => {
    let held = 0
    let goOn = (): void => {}
    const { webhooks, alarm, close } = await overWorkspace(() =>
      held++ === 0 ? new Promise<void>((resolve) => (goOn = resolve)) : Promise.resolve()
    )
    try {
      await webhooks.handlers['webhooks.set']({ url, enabled: true }, caller)
      await until(() => held === 1)
      await alarm()
      // Asked for, while the answer of before, that there is nothing, is on its way.
      await new Promise((resolve) => setTimeout(resolve, 200))
      goOn()
      await until(() => received.length === 1)
    } finally {
      await close()
    }
  }, 60_000)
})

describe('an alert that nobody takes', () => {
  it('is given up after its attempts, and the webhook says so until the next one goes well', async () => {
    const { webhooks, shown, alarm, close } = await overWorkspace()
    try {
      answer = () => ({ status: 500 })
      await webhooks.handlers['webhooks.set']({ url, enabled: true }, caller)
      await alarm()
      await until(() => received.length === 3)
      await vi.waitFor(async () => expect(await shown()).toMatchObject({ state: 'failed', given_up: 1, last_problem: 'it answered 500' }))
      // Nothing else is due: it stays said.
      webhooks.wake()
      await new Promise((resolve) => setTimeout(resolve, 100))
      expect(await shown()).toMatchObject({ state: 'failed', attempts: 0, next_time: null, last_kind: 'alert' })
      answer = () => ({ status: 200 })
      await alarm()
      await vi.waitFor(async () => expect(await shown()).toMatchObject({ state: 'idle', delivered: 1, given_up: 1, last_problem: null }))
    } finally {
      await close()
    }
  }, 60_000)
})
