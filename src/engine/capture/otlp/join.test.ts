// SPDX-License-Identifier: Apache-2.0
// Pieces of calls that come apart: whole requests against a small store, with short times.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { AffidavitError } from '../../../shared/contract/errors.ts'
import type { CanonicalEvent } from '../../../shared/event/canonical-event.ts'
import { startTestServers, type TestServers, until } from '../http/test-support.ts'
import { type JoinLimits, joinLimits } from './join.ts'

let at: TestServers
afterEach(() => at.stop())
const start = async (join: Partial<JoinLimits> = {}, limits: Parameters<typeof startTestServers>[0] = {}): Promise<void> => {
  at = await startTestServers({ otlpJoin: { ...joinLimits, spanMs: 300, contentMs: 300, ...join }, ...limits })
}

const ids = (n: number): object => ({ traceId: n.toString(16).padStart(32, '0'), spanId: n.toString(16).padStart(16, '0') })
const pairs = (fields: Record<string, string>): object[] =>
  Object.entries(fields).map(([key, stringValue]) => ({ key, value: { stringValue } }))
const log = (n: number, text: string, time = 1_700_000_000): object => ({
  ...ids(n),
  timeUnixNano: `${time}000000000`,
  eventName: 'gen_ai.user.message',
  body: { stringValue: text }
})
const span = (n: number, more: Record<string, string> = {}): object => ({
  ...ids(n),
  name: 'chat',
  startTimeUnixNano: '1700000000000000000',
  endTimeUnixNano: '1700000001000000000',
  attributes: pairs({ 'gen_ai.operation.name': 'chat', 'gen_ai.request.model': 'gpt-5', ...more })
})
const post = (path: string, body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
  fetch(`${at.compliance}${path}`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body })
const sendLogs = (...logRecords: object[]) => post('/v1/logs', JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] }))
const sendSpans = (...spans: object[]) => post('/v1/traces', JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] }))
/** Status and texts of what is recorded; a call that is open has none. */
const recorded = () =>
  (at.store.events as CanonicalEvent[]).map(({ status, input_messages = [] }, i) => [
    at.store.callOf[i] === 'opens' ? 'open' : status,
    ...input_messages.flatMap(({ parts }) => parts.map((part) => part.content))
  ])

describe('log records of a call', () => {
  it('that come first are held for their span and become one record with it', async () => {
    await start()
    const first = sendLogs(log(1, 'What is a leaf?'))
    await sleep(50)
    expect((await sendSpans(span(1))).status).toBe(200)
    expect((await first).status).toBe(200)
    expect(recorded()).toEqual([['success', 'What is a leaf?']])
  })

  it('whose span is late are on disk before they are acknowledged, as an open call that the span ends', async () => {
    await start()
    expect((await sendLogs(log(1, 'Long?'))).status).toBe(200)
    expect(recorded()).toEqual([['open', 'Long?']])
    await sendSpans(span(1))
    expect(recorded()).toEqual([
      ['open', 'Long?'],
      ['success', 'Long?']
    ])
    expect(at.store.callOf[1]).toEqual({ ends: at.store.rows[0]?.seq })
  })

  it('whose span never comes are an incomplete record after a while', async () => {
    await start({ openMs: 200 })
    await sendLogs(log(1, 'Alone?'))
    await until(() => recorded().length === 2)
    expect(recorded()[1]).toEqual(['incomplete', 'Alone?'])
    expect(at.store.callOf[1]).toEqual({ ends: at.store.rows[0]?.seq })
    await sleep(500)
    expect(recorded()).toHaveLength(2)
  })

  it('that come after their span was recorded with others are on record too', async () => {
    await start()
    await Promise.all([sendLogs(log(1, 'First')), sleep(50).then(() => sendSpans(span(1)))])
    expect((await sendLogs(log(1, 'Second'))).status).toBe(200)
    expect(recorded()).toEqual([
      ['success', 'First'],
      ['incomplete', 'Second']
    ])
  })

  it('are no second message when they come again, before or after the span', async () => {
    await start()
    await Promise.all([sendLogs(log(1, 'Once')), sendLogs(log(1, 'Once')), sleep(50).then(() => sendSpans(span(1)))])
    expect((await sendLogs(log(1, 'Once'))).status).toBe(200)
    expect((await sendSpans(span(1))).status).toBe(200)
    expect(recorded()).toEqual([['success', 'Once']])
  })

  it('are not acknowledged when neither they nor their span can be recorded', async () => {
    await start()
    at.store.refuseWith = new AffidavitError('disk_full', 'There is no room left.')
    const answers = await Promise.all([sendLogs(log(1, 'Kept?')), sleep(50).then(() => sendSpans(span(1)))])
    expect(answers.map(({ status }) => status)).toEqual([503, 503])
    at.store.refuseWith = null
    await Promise.all([sendLogs(log(1, 'Kept?')), sleep(50).then(() => sendSpans(span(1)))])
    expect(recorded()).toEqual([['success', 'Kept?']])
  })

  it('are recorded as they are when too much is remembered already, and none is lost', async () => {
    await start({ bytes: 2_000 })
    await Promise.all([...Array(10).keys()].map((n) => sendLogs(log(n + 1, 'x'.repeat(400)))))
    expect(recorded()).toHaveLength(10)
    await sendSpans(...[...Array(10).keys()].map((n) => span(n + 1)))
    const texts = recorded().filter(([status]) => status !== 'success')
    expect(texts).toHaveLength(10)
    for (const [, text] of texts) expect(text).toBe('x'.repeat(400))
  })

  it('of an exporter that has a row of them are answered at once', async () => {
    await start({ spanMs: 60_000, heldLogs: 10 })
    const sent = performance.now()
    await sendLogs(...[...Array(20).keys()].map((n) => log(n + 1, `Question ${n}`)))
    expect(performance.now() - sent).toBeLessThan(5_000)
    await sendSpans(...[...Array(20).keys()].map((n) => span(n + 1)))
    expect(recorded().map(([status]) => status)).toEqual([...Array(20).fill('open'), ...Array(20).fill('success')])
  })

  it('that an exporter sends one request after the other reach spans which came before them', async () => {
    await start({ spanMs: 5_000, contentMs: 5_000 })
    // The second request is sent when the first was answered, as batch processors do.
    const logs = sendLogs(log(1, 'One')).then(() => sendLogs(log(2, 'Two')))
    await sleep(50)
    const sent = performance.now()
    await Promise.all([logs, sendSpans(span(1), span(2))])
    expect(performance.now() - sent).toBeLessThan(3_000)
    expect(recorded()).toEqual([
      ['success', 'One'],
      ['success', 'Two']
    ])
  })

  it('that are held are answered when the servers close', async () => {
    await start({ spanMs: 60_000 }, { closeMs: 1_000 })
    const held = sendLogs(log(1, 'Held'))
    await sleep(100)
    const closing = at.servers.close()
    expect((await held).status).toBe(200)
    expect(recorded()).toEqual([['open', 'Held']])
    await closing
  })
})

const field = (number: number, bytes: Buffer): Buffer => {
  const length: number[] = []
  for (let left = bytes.length; ; left >>>= 7) {
    length.push(left > 127 ? (left & 127) | 128 : left)
    if (left <= 127) break
  }
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), bytes])
}

describe('a hostile export', () => {
  it.each([
    ['of one span', () => 1],
    ['of as many spans', (n: number) => n + 1]
  ])('of 60,000 small log records %s never holds the thread for long', { timeout: 120_000 }, async (_, spanOf) => {
    await start()
    const records: Buffer[] = []
    for (let n = 0; n < 60_000; n++) {
      const text = field(5, field(1, Buffer.from(n.toString(36))))
      const trace = Buffer.alloc(16)
      trace.writeUInt32BE(spanOf(n))
      records.push(
        field(2, Buffer.concat([text, field(9, trace), field(10, trace.subarray(0, 8)), field(12, Buffer.from('gen_ai.user.message'))]))
      )
    }
    const body = Uint8Array.from(field(1, field(2, Buffer.concat(records))))
    const delay = monitorEventLoopDelay({ resolution: 5 })
    delay.enable()
    const answer = await post('/v1/logs', body, { 'content-type': 'application/x-protobuf' })
    delay.disable()
    expect(answer.status).toBe(200)
    const texts = new Set(
      (at.store.events as CanonicalEvent[]).flatMap((one) => one.input_messages?.flatMap(({ parts }) => parts[0]?.content))
    )
    expect(texts.size).toBe(60_000)
    expect(delay.max / 1e6).toBeLessThan(1_500)
  })
})

describe('bodies in work', () => {
  it('count with their size, not with the largest there may be, and not while they are held', async () => {
    await start({ spanMs: 1_000 }, { otlpBytes: 1_000_000, otlpBytesInWork: 1_000_000 })
    const packed = (n: number) =>
      post('/v1/logs', Uint8Array.from(gzipSync(JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: [log(n, 'Q')] }] }] }))), {
        'content-encoding': 'gzip'
      })
    const answers = await Promise.all([...Array(20).keys()].map((n) => packed(n + 1)))
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200))
    expect(recorded()).toHaveLength(20)
  })

  it('count with what they are unpacked', async () => {
    await start({}, { otlpBytes: 1_000_000, otlpBytesInWork: 100_000 })
    let open: () => void = () => {}
    const gate = new Promise<void>((resolve) => {
      open = resolve
    })
    at.store.beforeCommit = () => gate
    const large = (n: number) => {
      const text = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span(n, { pad: 'x'.repeat(90_000) })] }] }] })
      return post('/v1/traces', Uint8Array.from(gzipSync(text)), { 'content-encoding': 'gzip' })
    }
    const first = large(1)
    await until(() => at.store.inFlight === 1)
    expect((await large(2)).status).toBe(503)
    open()
    expect((await first).status).toBe(200)
    expect((await large(2)).status).toBe(200)
  })
})
