// SPDX-License-Identifier: Apache-2.0
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { EventSource } from 'eventsource'
import { afterEach, describe, expect, it } from 'vitest'
import type { HttpLimits } from './limits.ts'
import { lastEventId } from './sse.ts'
import { alertAt, eventNo, startTestServers, type TestServers, TextReader, until } from './test-support.ts'

let at: TestServers
const open: TextReader[] = []
afterEach(async () => {
  for (const reader of open.splice(0)) reader.close()
  await at.stop()
})
const start = async (limits: Partial<HttpLimits> = {}): Promise<void> => {
  at = await startTestServers(limits)
}
const stream = async (query = '', headers: Record<string, string> = {}, base = at.compliance, path = '/api/compliance/stream') => {
  const opened = await TextReader.open(`${base}${path}${query}`, { headers })
  open.push(opened.reader)
  return opened
}
const record = async (from: number, count: number): Promise<void> => {
  for (let first = from; first < from + count; first += 500) {
    const batch = Array.from({ length: Math.min(500, from + count - first) }, (_, i) => ({
      line: i + 1,
      event: eventNo(first + i) as never,
      sourceKey: `k${first + i}`
    }))
    await at.store.ingest.append(batch)
  }
}
const numbers = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i)

describe('record stream', () => {
  it('begins with what comes next: unnamed events with id and the row as JSON', async () => {
    await start()
    await record(0, 3)
    const { response, reader } = await stream()
    expect([response.status, response.headers.get('content-type'), response.headers.get('cache-control')]).toEqual([
      200,
      'text/event-stream; charset=utf-8',
      'no-store'
    ])
    await until(() => reader.text.includes('retry: 3000\n\n'))
    await record(3, 2)
    await until(() => reader.ids().length === 2)
    expect(reader.ids()).toEqual([4, 5])
    expect(reader.text).not.toContain('event: ')
    const data = /^data: (.*)$/m.exec(reader.text)?.[1] ?? ''
    expect(JSON.parse(data)).toEqual(at.store.rows[3])
  })

  it('replays after the given id and goes on live without a gap or a duplicate, while records keep coming', async () => {
    await start()
    await record(0, 2_600)
    const readers = await Promise.all([
      stream('?last_event_id=10'),
      stream('', { 'last-event-id': '10' }),
      stream('?last_event_id=0'),
      stream('?last_event_id=2599')
    ])
    for (let i = 0; i < 40; i++) {
      await record(2_600 + i * 25, 25)
      await sleep(1)
    }
    await until(() => readers.every(({ reader }) => reader.ids().at(-1) === 3_600))
    expect(readers.map(({ reader }) => reader.ids())).toEqual([
      numbers(11, 3_600),
      numbers(11, 3_600),
      numbers(1, 3_600),
      numbers(2_600, 3_600)
    ])
  })

  it('is understood by an EventSource, which resumes by itself after a restart of the connection', async () => {
    await start({ retryMs: 50 })
    const source = new EventSource(`${at.compliance}/api/compliance/stream`)
    try {
      const ids: number[] = []
      source.addEventListener('message', (event) => ids.push(Number(event.lastEventId)))
      await until(() => at.servers.streamClients === 1)
      await record(0, 3)
      await until(() => ids.length === 3)
      at.store.recordsAfter = ((original) => async () => {
        at.store.recordsAfter = original
        throw new Error('a reader broke')
      })(at.store.recordsAfter.bind(at.store))
      await record(3, 3)
      await until(() => ids.length === 6)
      expect(ids).toEqual([1, 2, 3, 4, 5, 6])
      expect(at.store.logged).toContainEqual({ event: 'stream.failed', stream: 'records', error: 'Error' })
    } finally {
      source.close()
    }
  })

  it.each(['abc', '-1', '1.5', '1e3', '0x10', ' 1', '99999999999999999999', '5', '%00', "1'--"])('refuses the id %j', async (id) => {
    await start()
    await record(0, 3)
    const response = await fetch(`${at.compliance}/api/compliance/stream?last_event_id=${id}`)
    expect([response.status, ((await response.json()) as { error: { code: string } }).error.code]).toEqual([400, 'invalid_cursor'])
  })

  it('beats: a named event with data and without id', async () => {
    await start({ heartbeatMs: 40 })
    const { reader } = await stream()
    await until(() => (reader.text.match(/event: heartbeat/g)?.length ?? 0) >= 2)
    const beat = /event: heartbeat\ndata: (.*)\n\n/.exec(reader.text)?.[1] ?? ''
    expect(JSON.parse(beat)).toEqual({ time: expect.stringMatching(/Z$/), ledger_size: 1 })
    expect(reader.text).not.toContain('id:')
  })

  it('finds at the next beat what a lost wake-up left behind', async () => {
    await start({ heartbeatMs: 40 })
    const { reader } = await stream()
    await until(() => reader.text !== '')
    at.store.wake = () => {}
    await record(0, 2)
    await until(() => reader.ids().length === 2)
  })

  it('has 64 places, then 503 until one is free', async () => {
    await start()
    const clients = []
    for (let i = 0; i < 64; i++) clients.push(await stream())
    const full = await fetch(`${at.compliance}/api/compliance/stream`)
    expect([full.status, full.headers.get('retry-after'), await full.json()]).toEqual([
      503,
      '5',
      { error: { code: 'too_many', message: 'All stream places are taken.' } }
    ])
    clients[0]?.reader.close()
    await until(() => at.servers.streamClients === 63)
    expect((await stream()).response.status).toBe(200)
    await record(0, 2)
    await until(() => open.filter((reader) => reader.ids().length === 2).length === 64)
  })

  it('is subscribed to only while somebody listens', async () => {
    await start()
    expect(at.store.subscribers('records')).toBe(0)
    const { reader } = await stream()
    await until(() => at.store.subscribers('records') === 1)
    reader.close()
    await until(() => at.store.subscribers('records') === 0)
  })

  it('drops a client that stops reading, holds little for it meanwhile, and leaves the others alone', async () => {
    await start({ sseStallMs: 200 })
    const stalled = connect(at.port, '127.0.0.1')
    stalled.on('error', () => {})
    stalled.write(`GET /api/compliance/stream HTTP/1.1\r\nHost: 127.0.0.1:${at.port}\r\n\r\n`)
    stalled.pause()
    await until(() => at.servers.streamClients === 1)
    const { reader } = await stream()
    await until(() => at.servers.streamClients === 2)
    const count = 40_000
    await record(0, count)
    await until(() => reader.ids().at(-1) === count)
    await until(() => at.servers.streamClients === 1)
    expect(at.store.logged).toContainEqual({ event: 'stream.dropped', stream: 'records', reason: 'stalled' })
    expect(reader.ids()).toEqual(numbers(1, count))
    stalled.destroy()
  })

  it('drops a client whose socket buffer passes the limit', async () => {
    await start({ sseBufferBytes: 30_000 })
    const stalled = connect(at.port, '127.0.0.1')
    stalled.on('error', () => {})
    stalled.write(`GET /api/compliance/stream HTTP/1.1\r\nHost: 127.0.0.1:${at.port}\r\n\r\n`)
    stalled.pause()
    await until(() => at.servers.streamClients === 1)
    for (let i = 0; i < 200 && at.servers.streamClients > 0; i++) {
      await record(i * 500, 500)
      await sleep(1)
    }
    await until(() => at.servers.streamClients === 0)
    expect(at.store.logged).toContainEqual({ event: 'stream.dropped', stream: 'records', reason: 'buffer' })
    stalled.destroy()
  })
})

describe('alert stream', () => {
  it('sends alerts by the leaf that changed them, and resumes', async () => {
    await start()
    const { reader } = await stream('', {}, at.drift, '/api/drift/stream')
    await until(() => at.store.subscribers('alerts') === 1)
    const alerts = [alertAt(5), alertAt(9)]
    for (const alert of alerts) at.store.openAlert(alert)
    await until(() => reader.ids().length === 2)
    expect(reader.ids()).toEqual([5, 9])
    const resumed = await stream('?last_event_id=5', {}, at.drift, '/api/drift/stream')
    await until(() => resumed.reader.ids().length === 1)
    expect(JSON.parse(/^data: (.*)$/m.exec(resumed.reader.text)?.[1] ?? '')).toEqual(alerts[1])
  })
})

describe('lastEventId', () => {
  it('prefers the header, takes nothing for nothing, and refuses what the ledger has not reached', () => {
    expect(lastEventId('4', '2', 10)).toBe(4)
    expect(lastEventId(undefined, '2', 10)).toBe(2)
    expect(lastEventId('', undefined, 10)).toBe(null)
    expect(lastEventId(undefined, ['1', '2'], 10)).toBe('invalid')
    expect(lastEventId('9', undefined, 10)).toBe(9)
    expect(lastEventId('10', undefined, 10)).toBe('invalid')
    // A record may stand at leaf 0: the parameter asks for it too, who had it says so in the header.
    expect([lastEventId(undefined, '0', 10), lastEventId(undefined, '0', 0), lastEventId('0', undefined, 10)]).toEqual([-1, -1, 0])
  })
})
