// SPDX-License-Identifier: Apache-2.0
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AffidavitError } from '../../../shared/contract/errors.ts'
import { eventNo, rawExchange, startTestServers, type TestServers, TextReader, until } from './test-support.ts'

let at: TestServers
beforeEach(async () => {
  at = await startTestServers()
})
afterEach(async () => {
  await at.stop()
})

const PATH = '/api/compliance/events'
const JSON_TYPE = 'application/json'
const NDJSON_TYPE = 'application/x-ndjson'

async function send(body: string | Uint8Array<ArrayBuffer>, type = JSON_TYPE, headers: Record<string, string> = {}) {
  const response = await fetch(`${at.compliance}${PATH}`, { method: 'POST', body, headers: { 'content-type': type, ...headers } })
  const text = await response.text()
  return { status: response.status, type: response.headers.get('content-type'), text, json: () => JSON.parse(text) }
}
const ndjson = (from: number, count: number): string =>
  Array.from({ length: count }, (_, i) => `${JSON.stringify(eventNo(from + i))}\n`).join('')
const linesOf = (text: string): unknown[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))

describe('one event', () => {
  it('is answered with its id and number once it is stored', async () => {
    const first = await send(JSON.stringify(eventNo(1)))
    expect([first.status, first.type]).toEqual([200, 'application/json; charset=utf-8'])
    expect(first.json()).toEqual({ accepted: 1, duplicates: 0, rejected: [], rejected_total: 0, id: at.store.rows[0]?.id, seq: 1 })
    const again = await send(JSON.stringify(eventNo(1)))
    expect(again.json()).toMatchObject({ accepted: 0, duplicates: 1, seq: 1 })
    expect(at.store.rows).toHaveLength(1)
  })

  it('gets its source from the field, else the header, else "unknown"', async () => {
    const { source: _, ...anonymous } = eventNo(1)
    await send(JSON.stringify(eventNo(1)), JSON_TYPE, { 'x-affidavit-source': 'header-app' })
    await send(JSON.stringify({ ...anonymous, id: 'a' }), JSON_TYPE, { 'x-affidavit-source': 'header-app' })
    await send(JSON.stringify({ ...anonymous, id: 'b' }))
    expect(at.store.rows.map((row) => row.source)).toEqual(['web-app', 'header-app', 'unknown'])
  })

  it('with the same key and other content is a conflict, and 422 since nothing was taken', async () => {
    await send(JSON.stringify(eventNo(1)))
    const answer = await send(JSON.stringify({ ...eventNo(1), latency_ms: 99 }))
    expect(answer.status).toBe(422)
    expect(answer.json()).toMatchObject({
      error: { code: 'no_good_record' },
      accepted: 0,
      rejected: [{ line: 1, code: 'id_conflict' }],
      rejected_total: 1
    })
  })

  it.each(['', '{', '{"a":1,}', '{"a":1} x', "{'a':1}", 'undefined', 'NaN', '[{}', '[1,]'])('refuses malformed JSON %j', async (body) => {
    const answer = await send(body)
    expect([answer.status, answer.json()]).toEqual([
      400,
      { error: { code: 'malformed_json', message: 'The body is not valid JSON in UTF-8.' } }
    ])
  })

  it('refuses invalid UTF-8 instead of replacing it', async () => {
    const answer = await send(Buffer.concat([Buffer.from('{"id":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]))
    expect([answer.status, answer.json().error.code]).toEqual([400, 'malformed_json'])
  })

  it.each(['"text"', '7', 'null', 'true', '[[]]', '["x"]', '[]'])('has no good record in %j', async (body) => {
    const answer = await send(body)
    expect([answer.status, answer.json().error.code, answer.json().accepted]).toEqual([422, 'no_good_record', 0])
  })

  it('survives nesting meant to exhaust the stack', async () => {
    for (const body of [`{"a":${'['.repeat(200_000)}${']'.repeat(200_000)}}`, `[${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}]`]) {
      expect((await send(body)).status).toBe(422)
    }
    expect((await send(JSON.stringify(eventNo(1)))).status).toBe(200)
  })

  it('cannot reach a prototype', async () => {
    const body = `{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},${JSON.stringify(eventNo(1)).slice(1)}`
    await send(body)
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })

  it('passes on what the ledger refuses, with the status of the code', async () => {
    at.store.refuseWith = new AffidavitError('disk_full', 'There is no room left.')
    const full = await send(JSON.stringify(eventNo(1)))
    expect([full.status, full.json()]).toEqual([507, { error: { code: 'disk_full', message: 'There is no room left.' } }])
    at.store.refuseWith = new Error('/secret/folder: SQLITE_IOERR at Object.<anonymous>')
    const broken = await send(JSON.stringify(eventNo(1)))
    expect(broken.status).toBe(500)
    expect(broken.text).not.toMatch(/secret|SQLITE|Object/)
  })
})

describe('an array', () => {
  it('is taken in batches of at most 500, two at a time', async () => {
    at.store.beforeCommit = () => sleep(2)
    const answer = await send(JSON.stringify(Array.from({ length: 2_200 }, (_, i) => eventNo(i))))
    expect(answer.json()).toEqual({ accepted: 2_200, duplicates: 0, rejected: [], rejected_total: 0 })
    expect(Math.max(...at.store.batches)).toBe(500)
    expect(at.store.mostInFlight).toBe(2)
  })

  it('names rejected elements by position', async () => {
    const answer = await send(JSON.stringify([eventNo(1), 'no', eventNo(2), { ...eventNo(1), latency_ms: 5 }]))
    expect(answer.status).toBe(200)
    expect(answer.json()).toMatchObject({ accepted: 2, rejected: [{ line: 2 }, { line: 4, code: 'id_conflict' }], rejected_total: 2 })
  })

  it('changes nothing when it is malformed near its end', async () => {
    const body = `${JSON.stringify(Array.from({ length: 600 }, (_, i) => eventNo(i))).slice(0, -1)},{]`
    expect((await send(body)).status).toBe(400)
    expect(at.store.rows).toHaveLength(0)
  })

  it('of more than 10 MiB is refused, with and without a declared length, and the connection still works', async () => {
    const large = Buffer.alloc(10 * 1024 * 1024 + 1, 0x20)
    const declared = await send(large)
    expect([declared.status, declared.json().error.code]).toEqual([413, 'too_large'])
    const chunked = await new Promise<number>((resolve, reject) => {
      const outgoing = httpRequest(`${at.compliance}${PATH}`, { method: 'POST', headers: { 'content-type': JSON_TYPE } }, (response) => {
        response.resume()
        resolve(response.statusCode ?? 0)
      })
      outgoing.on('error', reject)
      outgoing.write(large.subarray(0, 5_000_000))
      outgoing.end(large.subarray(5_000_000))
    })
    expect(chunked).toBe(413)
    expect(at.store.rows).toHaveLength(0)
    expect((await send(JSON.stringify(eventNo(1)))).status).toBe(200)
  })
})

describe('an array of tiny elements', () => {
  it('is refused past 100,000 of them, before any is taken', async () => {
    const answer = await send(`[${JSON.stringify(eventNo(1))}${',1'.repeat(100_000)}]`)
    expect([answer.status, answer.json().error.code]).toEqual([413, 'too_large'])
    expect(at.store.rows).toHaveLength(0)
  })
})

describe('NDJSON', () => {
  it('takes lines with CRLF, blank lines, a byte order mark and no last line break; counts lines as an editor does', async () => {
    const body = `\ufeff${JSON.stringify(eventNo(1))}\r\n\r\n${JSON.stringify(eventNo(2))}\n{"broken\n   \n"text"\n${JSON.stringify(eventNo(3))}`
    const answer = await send(body, NDJSON_TYPE)
    expect(answer.status).toBe(200)
    expect(answer.json()).toMatchObject({
      accepted: 3,
      duplicates: 0,
      rejected: [{ line: 4, code: 'malformed_json' }, { line: 6 }],
      rejected_total: 2
    })
  })

  it('reports a line of invalid UTF-8 and goes on', async () => {
    const answer = await send(
      Buffer.concat([Buffer.from('{"id":"'), Buffer.from([0xc3, 0x28]), Buffer.from(`"}\n${ndjson(1, 1)}`)]),
      NDJSON_TYPE
    )
    expect(answer.json()).toMatchObject({ accepted: 1, rejected: [{ line: 1, code: 'malformed_json' }] })
  })

  it('reports a line past 10 MiB and goes on: the connection stays', async () => {
    const body = Buffer.concat([Buffer.from(ndjson(1, 1)), Buffer.alloc(10 * 1024 * 1024 + 1, 0x61), Buffer.from(`\n${ndjson(2, 2)}`)])
    const answer = await send(body, NDJSON_TYPE)
    expect(answer.json()).toMatchObject({
      accepted: 3,
      rejected: [{ line: 2, code: 'line_too_long', message: 'The line is longer than 10 MiB.' }]
    })
  })

  it('lists 1,000 rejected lines and counts the rest', async () => {
    const answer = await send(`${'x\n'.repeat(2_500)}${ndjson(1, 1)}`, NDJSON_TYPE)
    const summary = answer.json()
    expect([summary.accepted, summary.rejected.length, summary.rejected_total, summary.rejected[999].line]).toEqual([
      1, 1_000, 2_500, 1_000
    ])
  })

  it('is 422 when no line was good, and when there was none', async () => {
    expect((await send('x\ny\n', NDJSON_TYPE)).status).toBe(422)
    expect((await send('', NDJSON_TYPE)).status).toBe(422)
  })

  it('has no limit in length and never more than two batches waiting', async () => {
    at.store.beforeCommit = () => sleep(1)
    const answer = await send(ndjson(0, 20_000), NDJSON_TYPE)
    expect(answer.json()).toMatchObject({ accepted: 20_000 })
    expect(at.store.mostInFlight).toBeLessThanOrEqual(2)
    expect(at.store.rows.map((row) => row.seq)).toEqual(Array.from({ length: 20_000 }, (_, i) => i + 1))
  })

  it('slows the sender down while the ledger is busy', async () => {
    let release = (): void => {}
    const gate = new Promise<void>((resolve) => {
      release = resolve
    })
    at.store.beforeCommit = () => gate
    const big = JSON.stringify({ ...eventNo(1), padding: 'p'.repeat(20_000) })
    const outgoing = httpRequest(`${at.compliance}${PATH}`, { method: 'POST', headers: { 'content-type': NDJSON_TYPE } })
    const answered = new Promise<number>((resolve) => outgoing.on('response', (response) => resolve(response.statusCode ?? 0)))
    // 40 MB: far more than the batches of 4 MiB (two waiting, one being filled) and the buffers of both sockets hold.
    for (let sent = 0; sent < 2_000; sent++) outgoing.write(`${big}\n`)
    let before = -1
    while (outgoing.writableLength !== before) {
      before = outgoing.writableLength
      await sleep(250)
    }
    expect(before).toBeGreaterThan(4 * 1024 * 1024)
    release()
    outgoing.end()
    expect(await answered).toBe(200)
    // One key for all: the first is new, all others repeat it.
    expect(at.store.rows.length).toBeGreaterThan(0)
  })

  it('keeps what was committed when the client goes away, and nothing of a line that was cut', async () => {
    const socket = connect(at.port, '127.0.0.1')
    const whole = ndjson(1, 3)
    socket.write(
      `POST ${PATH} HTTP/1.1\r\nHost: 127.0.0.1:${at.port}\r\nContent-Type: ${NDJSON_TYPE}\r\nContent-Length: 100000\r\n\r\n${whole}${JSON.stringify(eventNo(4))}`
    )
    await until(() => at.store.rows.length === 3)
    socket.destroy()
    await sleep(100)
    expect(at.store.rows).toHaveLength(3)
    expect((await send(ndjson(1, 4), NDJSON_TYPE)).json()).toMatchObject({ accepted: 1, duplicates: 3 })
  })

  it('stops with the code of the ledger and says what was taken before', async () => {
    let commits = 0
    at.store.beforeCommit = async () => {
      if (++commits === 2) at.store.refuseWith = new AffidavitError('disk_full', 'There is no room left.')
    }
    const answer = await send(ndjson(0, 5_000), NDJSON_TYPE)
    expect(answer.status).toBe(507)
    expect(answer.json()).toMatchObject({ error: { code: 'disk_full' }, accepted: at.store.rows.length })
  })
})

describe('streamed answers', () => {
  const headers = { accept: NDJSON_TYPE }

  it('give one line per record after its commit and a summary', async () => {
    await send(ndjson(2, 1), NDJSON_TYPE)
    const answer = await send(`${ndjson(1, 2)}nonsense\n`, NDJSON_TYPE, headers)
    expect([answer.status, answer.type]).toEqual([200, NDJSON_TYPE])
    const lines = linesOf(answer.text)
    expect(lines).toHaveLength(4)
    expect(lines).toContainEqual({ line: 1, id: at.store.rows[1]?.id, seq: 2 })
    expect(lines).toContainEqual({ line: 2, id: at.store.rows[0]?.id, seq: 1, duplicate: true })
    expect(lines).toContainEqual({ line: 3, code: 'malformed_json', message: 'The line is not valid JSON in UTF-8.' })
    expect(lines.at(-1)).toEqual({ summary: { accepted: 1, duplicates: 1, rejected_total: 1 } })
  })

  it('arrive while the client is still sending', async () => {
    const outgoing = httpRequest(`${at.compliance}${PATH}`, { method: 'POST', headers: { 'content-type': NDJSON_TYPE, ...headers } })
    let text = ''
    const ended = new Promise<void>((resolve) =>
      outgoing.on('response', (response) => {
        response.on('data', (chunk: Buffer) => {
          text += chunk.toString()
        })
        response.on('end', resolve)
      })
    )
    outgoing.write(ndjson(1, 1))
    await until(() => text.includes('"seq":1'))
    outgoing.write(ndjson(2, 1))
    await until(() => text.includes('"seq":2'))
    outgoing.end()
    await ended
    expect(linesOf(text).at(-1)).toEqual({ summary: { accepted: 2, duplicates: 0, rejected_total: 0 } })
  })

  it('are 422 when no record was good, for lines, an array and one object alike', async () => {
    for (const [body, type] of [
      ['x\ny\n', NDJSON_TYPE],
      ['["x"]', JSON_TYPE],
      ['7', JSON_TYPE]
    ] as const) {
      const answer = await send(body, type, headers)
      expect(answer.status).toBe(422)
      expect(linesOf(answer.text).at(-1)).toMatchObject({ error: { code: 'no_good_record' }, summary: { accepted: 0 } })
    }
  })

  it('are given for one object and an array too', async () => {
    expect(linesOf((await send(JSON.stringify(eventNo(1)), JSON_TYPE, headers)).text)).toEqual([
      { line: 1, id: at.store.rows[0]?.id, seq: 1 },
      { summary: { accepted: 1, duplicates: 0, rejected_total: 0 } }
    ])
    expect(linesOf((await send(JSON.stringify([eventNo(1), eventNo(2)]), JSON_TYPE, headers)).text)).toHaveLength(3)
  })

  it('name the failure of the ledger in the last line once they have begun', async () => {
    const { response, reader } = await (async () => {
      at.store.beforeCommit = async () => {
        if (at.store.rows.length > 0) at.store.refuseWith = new AffidavitError('read_only', 'Read-only.')
      }
      return TextReader.open(`${at.compliance}${PATH}`, {
        method: 'POST',
        body: ndjson(0, 3_000),
        headers: { 'content-type': NDJSON_TYPE, ...headers }
      })
    })()
    await until(() => reader.ended)
    expect(response.status).toBe(200)
    expect(linesOf(reader.text).at(-1)).toMatchObject({ error: { code: 'read_only' }, summary: { accepted: at.store.rows.length } })
  })
})

describe('slow senders', () => {
  beforeEach(async () => {
    await at.stop()
    at = await startTestServers({ bodyMs: 300, idleMs: 300 })
  })

  const head = (type: string, length: number): string =>
    `POST ${PATH} HTTP/1.1\r\nHost: 127.0.0.1:${at.port}\r\nContent-Type: ${type}\r\nContent-Length: ${length}\r\n\r\n`

  it('of a JSON body are answered 408 and cut off', async () => {
    const answer = await rawExchange(at.port, `${head(JSON_TYPE, 500)}{"a":`, 3_000)
    expect(answer).toMatch(/^HTTP\/1\.1 408 /)
    expect(answer).toContain('"code":"bad_request"')
    expect(answer.toLowerCase()).toContain('connection: close')
  })

  it('of NDJSON keep what they sent before they fell silent', async () => {
    const answer = await rawExchange(at.port, `${head(NDJSON_TYPE, 100_000)}${ndjson(1, 2)}{"a":`, 3_000)
    expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /)
    expect(answer).toContain('"accepted":2')
    expect(at.store.rows).toHaveLength(2)
  })

  it('of a request head are answered 408', async () => {
    const slow = await startTestServers({ headersMs: 200, checkMs: 50 })
    try {
      const answer = await rawExchange(slow.port, 'GET /health HTTP/1.1\r\nHost: 127', 3_000)
      expect(answer).toMatch(/^HTTP\/1\.1 408 /)
      expect(await rawExchange(slow.port, '', 3_000)).toMatch(/^(HTTP\/1\.1 408 |$)/)
    } finally {
      await slow.stop()
    }
  })

  it('are not cut off while the ledger makes them wait', async () => {
    at.store.beforeCommit = () => sleep(700)
    expect((await send(ndjson(1, 3), NDJSON_TYPE)).json()).toMatchObject({ accepted: 3 })
  })
})

describe('NDJSON whose framing breaks', () => {
  const lines = ndjson(1, 2)
  const head = (more: string): string =>
    `POST ${PATH} HTTP/1.1\r\nHost: ${new URL(at.compliance).host}\r\nContent-Type: ${NDJSON_TYPE}\r\n${more}\r\n`
  const chunk = (text: string): string => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`
  const broken = () => `${head('Transfer-Encoding: chunked\r\n')}${chunk(lines)}${chunk('{"model":')}ZZ\r\nand more`
  /** Everything that comes until the server closes, after a half-close if asked for. */
  const exchange = (first: string, then: { readonly after?: string; readonly halfClose?: boolean } = {}): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect({ port: Number(new URL(at.compliance).port), host: '127.0.0.1', allowHalfOpen: true })
      let text = ''
      let sent = false
      socket.on('data', (data) => {
        text += data.toString()
        if (then.after !== undefined && !sent) {
          sent = true
          socket.write(then.after)
        }
      })
      socket.on('end', () => {
        socket.destroy()
        resolve(text)
      })
      socket.on('error', reject)
      if (then.halfClose) socket.end(first)
      else socket.write(first)
    })
  const counted = {
    error: { code: 'bad_request', message: 'The request is not valid HTTP.' },
    accepted: 2,
    duplicates: 0,
    rejected_total: 0
  }
  const heads = (text: string): number => text.split('HTTP/1.1 ').length - 1

  it('is answered 400 with the counts of what was taken before, and closed', async () => {
    const answers = [await exchange(broken()), await exchange(`${head('Content-Length: 9999\r\n')}${lines}{"mod`, { halfClose: true })]
    for (const [i, text] of answers.entries()) {
      expect([heads(text), text.startsWith('HTTP/1.1 400 ')], text).toEqual([1, true])
      expect(JSON.parse(text.slice(text.indexOf('\r\n\r\n')))).toMatchObject(i === 0 ? counted : { ...counted, accepted: 0, duplicates: 2 })
    }
    expect(at.store.rows).toHaveLength(2)
  })

  it('has the error beside the summary in an answer that has begun, and no second head', async () => {
    const first = `${head(`Transfer-Encoding: chunked\r\nAccept: ${NDJSON_TYPE}\r\n`)}${chunk(lines)}`
    const text = await exchange(first, { after: 'ZZ\r\n' })
    expect([heads(text), text.startsWith('HTTP/1.1 200 ')], text).toEqual([1, true])
    expect(text).toContain(
      '{"summary":{"accepted":2,"duplicates":0,"rejected_total":0},"error":{"code":"bad_request","message":"The request is not valid HTTP."}}'
    )
    expect(text.endsWith('0\r\n\r\n')).toBe(true)
  })

  it('a request that waits for its commit is answered before what follows it and is not HTTP', async () => {
    const body = JSON.stringify(eventNo(1))
    at.store.beforeCommit = () => sleep(100)
    const text = await exchange(
      `${head(`Content-Length: ${Buffer.byteLength(body)}\r\n`).replace(NDJSON_TYPE, JSON_TYPE)}${body}NOT HTTP\r\n\r\n`
    )
    expect([heads(text), text.startsWith('HTTP/1.1 200 ')], text).toEqual([1, true])
  })
})
