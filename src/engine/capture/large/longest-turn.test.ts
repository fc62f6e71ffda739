// SPDX-License-Identifier: Apache-2.0
// How long one body holds the thread that writes, in a process of its own, by processor time: what others do on the machine is not in it.
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type EngineProcess, engineProcess } from '../../test/engine-process.ts'

const MiB = 1024 * 1024
/**
 * Goal is 50, and 10 to 60 is what it takes on most machines; on a slow one 116 to 205 were measured. What is parsed in one piece takes 340 to
 * 3,000 there, one text alone 180 to 390.
 */
const MOST_MS = 250

let root: string
let engine: EngineProcess
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'affidavit-turn-'))
  engine = await engineProcess(root)
  // Starts what is started once, and what is compiled when it is used.
  for (let i = 0; i < 3; i++) await send(event({ prompt: 'x'.repeat(MiB / 4) }))
})
afterAll(async () => {
  engine.kill()
  await engine.exited
  rmSync(root, { recursive: true, force: true })
})

let last = 0
const event = (more: object): string => JSON.stringify({ id: `e${++last}`, model: 'm', source: 's', ...more })

const send = (body: string, type = 'application/json') =>
  fetch(`${engine.url}/api/compliance/events`, { method: 'POST', headers: { 'content-type': type }, body })

/** The least of three: the longest turn while this is done. */
async function longestTurn(act: () => Promise<void>, enough = MOST_MS): Promise<number> {
  let least = Number.POSITIVE_INFINITY
  for (let i = 0; i < 3 && least > enough; i++) {
    await engine.longestTurn()
    await act()
    least = Math.min(least, await engine.longestTurn())
  }
  return least
}

const times = <T>(n: number, make: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => make(i))
const shapes = {
  'one text': () => ({ prompt: randomBytes(3 * MiB).toString('base64'), response: 'Ö "q" '.repeat(MiB / 2) }),
  'a hundred thousand messages': () => ({ messages: times(100_000, (i) => ({ role: 'user', content: `m${i}` })) }),
  'a quarter of a million attributes': () => ({ attributes: { list: times(250_000, (k) => ({ k })) } })
}

describe('the writer is not held by', { timeout: 60_000 }, () => {
  it.each(Object.entries(shapes))('an event of %s', async (_, shape) => {
    const turn = await longestTurn(async () => expect(await (await send(event(shape()))).json()).toMatchObject({ accepted: 1 }))
    expect(turn).toBeLessThan(MOST_MS)
  })

  it.each(Object.entries(shapes))('a line of %s, nor does it change the order of lines', async (_, shape) => {
    const turn = await longestTurn(async () => {
      const body = [{ prompt: 'before' }, shape(), { prompt: 'after' }].map((one) => `${event(one)}\n`).join('')
      const answer = await fetch(`${engine.url}/api/compliance/events`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-ndjson', accept: 'application/x-ndjson' },
        body
      })
      const lines = (await answer.text()).trim().split('\n')
      const seqs = lines.slice(0, -1).map((line) => (JSON.parse(line) as { seq: number }).seq)
      expect(seqs).toHaveLength(3)
      expect(seqs).toEqual([...seqs].sort((a, b) => a - b))
    })
    expect(turn).toBeLessThan(MOST_MS)
  })

  it('thirty lines of a megabyte', async () => {
    const turn = await longestTurn(async () => {
      const body = times(30, () => event({ prompt: randomBytes(MiB / 2).toString('hex') })).join('\n')
      expect(await (await send(body, 'application/x-ndjson')).json()).toMatchObject({ accepted: 30 })
    })
    expect(turn).toBeLessThan(MOST_MS)
  })
})

const attribute = (key: string, value: object) => ({ key, value })
const text = (stringValue: string) => ({ stringValue })
const ids = () => ({ traceId: (++last).toString(16).padStart(32, '0'), spanId: '1'.padStart(16, '0') })
const spanOf = (attributes: readonly object[]) => ({
  ...ids(),
  attributes: [attribute('gen_ai.request.model', text('gpt-5')), attribute('gen_ai.prompt.0.content', text('Why?')), ...attributes]
})
const numbers = (n: number) => times(n, (i) => attribute(`n${i}`, { intValue: i }))
const message = (values: readonly object[]) => ({ ...ids(), eventName: 'gen_ai.user.message', body: { kvlistValue: { values } } })
const traces = (spans: readonly object[]) => ['traces', { resourceSpans: [{ scopeSpans: [{ spans }] }] }] as const
/** More than 500 of them are not held for their spans. */
const logs = (logRecords: readonly object[]) => ['logs', { resourceLogs: [{ scopeLogs: [{ logRecords }] }] }] as const
const others = () => times(501, () => message([attribute('content', text('So?'))]))
const exports: Readonly<Record<string, readonly [leaves: number, make: () => ReturnType<typeof traces | typeof logs>]>> = {
  '5,000 spans in 12 MiB': [
    5_000,
    () => traces(times(5_000, () => spanOf([attribute('gen_ai.completion.0.content', text('Because. '.repeat(250)))])))
  ],
  'one span of 8 MiB': [1, () => traces([spanOf([attribute('gen_ai.completion.0.content', text('"So" '.repeat(MiB)))])])],
  'one span of a hundred thousand attributes': [1, () => traces([spanOf(numbers(100_000))])],
  '60,000 small log records of one call': [
    60,
    () => {
      const call = ids()
      return logs(times(60_000, (i) => ({ ...message([attribute('content', text(`${i}`))]), ...call })))
    }
  ],
  'one log record of a hundred thousand members': [
    502,
    () => logs([message([attribute('content', text('Why?')), ...numbers(100_000)]), ...others()])
  ]
}

const post = async ([path, body]: ReturnType<typeof traces | typeof logs>) => {
  const answer = await fetch(`${engine.url}/v1/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body)
  })
  return [answer.status, await answer.text()]
}
const leaves = async () => (await engine.call('workspace.status', {})).ledger.size

describe('the writer is not held by an OTLP export of', { timeout: 60_000 }, () => {
  it.each(Object.entries(exports))('%s', async (_, [expected, make]) => {
    const turn = await longestTurn(async () => {
      const before = await leaves()
      expect(await post(make())).toEqual([200, '{}'])
      expect((await leaves()) - before).toBeGreaterThanOrEqual(expected)
    })
    expect(turn).toBeLessThan(MOST_MS)
  })

  it.each([
    ['large span', MiB / 2, 10],
    ['large log record', 10, MiB / 2]
  ])('a call in two, and its %s is joined with the other', async (_, spanBytes, logBytes) => {
    const call = ids()
    const attributes = [attribute('gen_ai.request.model', text('gpt-5')), attribute('note', text('n'.repeat(spanBytes)))]
    const log = {
      ...call,
      eventName: 'gen_ai.user.message',
      body: { kvlistValue: { values: [attribute('content', text('q'.repeat(logBytes)))] } }
    }
    const before = await leaves()
    await Promise.all([post(logs([log])), post(traces([{ ...call, attributes }]))])
    expect((await leaves()) - before).toBe(1)
    const { records } = await engine.call('records.query', { limit: 1 })
    const { event, input_messages } = await engine.call('records.get', { seq: records[0]?.seq ?? 0 })
    expect(input_messages).toEqual([{ role: 'user', parts: [{ type: 'text', content: 'q'.repeat(logBytes) }] }])
    expect(event.attributes).toMatchObject({ note: 'n'.repeat(spanBytes) })
  })

  it.each([
    ['a resource of a megabyte', { resourceSpans: [{ resource: { attributes: times(30_000, (i) => attribute(`r${i}`, text('v'))) } }] }],
    ['a million empty spans', { resourceSpans: [{ scopeSpans: [{ spans: times(1_000_000, () => ({})) }] }] }],
    ['a million empty resources', { resourceSpans: times(1_000_000, () => ({})) }]
  ])('%s, which is refused', async (_, body) => {
    const turn = await longestTurn(async () => {
      expect((await post(['traces', body as unknown as ReturnType<typeof traces>[1]]))[0]).toBe(400)
    })
    expect(turn).toBeLessThan(MOST_MS)
  })
})

describe('the writer is not held by a proxied call', { timeout: 60_000 }, () => {
  /** Read in steps of a turn each, the largest of which is still 60 to 150, on a slow machine up to 233; in one it took 290 to 400. */
  const PROXIED_MS = 280
  const answer = { id: 'c', model: 'm', choices: [{ index: 0, message: { role: 'assistant', content: 'Yes' }, finish_reason: 'stop' }] }
  let upstream: Server
  beforeAll(async () => {
    upstream = createServer((asked, reply) => {
      asked.resume()
      asked.on('end', () => reply.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer)))
    }).listen(0, '127.0.0.1')
    await once(upstream, 'listening')
    await engine.call('upstreams.set', { name: 'up', kind: 'openai', url: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}` })
  })
  afterAll(() => {
    upstream.closeAllConnections()
    upstream.close()
  })

  it('of ninety thousand messages', async () => {
    const turn = await longestTurn(async () => {
      const body = JSON.stringify({ model: 'm', messages: times(90_000, (i) => ({ role: 'user', content: `m${i}` })) })
      const before = await leaves()
      const sent = await fetch(`${engine.url}/proxy/up/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body
      })
      expect(await sent.json()).toEqual(answer)
      await expect.poll(leaves, { timeout: 20_000 }).toBeGreaterThanOrEqual(before + 2)
    }, PROXIED_MS)
    expect(turn).toBeLessThan(PROXIED_MS)
  })
})

describe('a large event is taken as a small one is:', () => {
  const pad = { prompt: 'x'.repeat(MiB / 4) }
  const codeOf = async (body: string, type?: string) => {
    const answer = (await (await send(body, type)).json()) as { readonly rejected?: readonly { readonly code: string }[]; error?: object }
    return answer.rejected?.[0]?.code ?? answer
  }

  it('refused for the same reasons, by itself, in an array and as a line', async () => {
    const bad = event({ ...pad, latency_ms: -1 })
    expect(await codeOf(bad)).toBe('out_of_range')
    expect(await codeOf(`[${bad}]`)).toBe('out_of_range')
    expect(await codeOf(`${bad}\n`, 'application/x-ndjson')).toBe('out_of_range')
    expect(await codeOf(event({ ...pad, response: '\ud800' }))).toBe('invalid_unicode')
    expect(await codeOf(`${JSON.stringify(pad).slice(0, -1)}\n`, 'application/x-ndjson')).toBe('malformed_json')
    expect((await send(JSON.stringify(pad).slice(0, -1))).status).toBe(400)
  })

  it('a duplicate of itself, in conflict with other content, without its secrets, under the class of its source', async () => {
    const secret = `sk-proj-${'aB3'.repeat(16)}`
    const body = event({ ...pad, source: 'desk', response: `the key is ${secret}` })
    const first = (await (await send(body)).json()) as { readonly seq: number }
    expect(await (await send(body)).json()).toMatchObject({ duplicates: 1, seq: first.seq })
    expect(await codeOf(body.replace('the key', 'that key'))).toBe('id_conflict')
    const detail = await engine.call('records.get', { seq: first.seq })
    expect(JSON.stringify(detail)).not.toContain(secret)
    expect(detail.event.content_state).toBe('redacted')
  })
})
