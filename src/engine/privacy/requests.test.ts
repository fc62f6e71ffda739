// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AffidavitError } from '../../shared/contract/errors.ts'
import type { PrintRequest } from '../bundle/printer.ts'
import { ingestRecords } from '../test/ingest-records.ts'
import { rawRecord, type TestEngine, testEngine } from '../test/test-engine.ts'

let engine: TestEngine
beforeEach(async () => {
  engine = await testEngine({ servers: true })
})
afterEach(() => engine.remove())

const opened = (kind: 'access' | 'erasure' | 'restriction' = 'access') =>
  engine.call('requests.open', { kind, reference: `DSR ${kind}`, received: '2026-01-31' })

describe('the register', () => {
  it('keeps the clock of each request: a month, two more once with a reason, closed with an outcome', async () => {
    const request = await opened()
    expect(request).toMatchObject({ kind: 'access', received: '2026-01-31', due: '2026-02-28', extended: false, state: 'open' })
    const extended = await engine.call('requests.extend', { id: request.id, reason: 'many records' })
    expect(extended).toMatchObject({ due: '2026-04-30', extended: true })
    expect(await engine.codeOf('requests.extend', { id: request.id, reason: 'again' })).toBe('conflict')
    const closed = await engine.call('requests.close', { id: request.id, outcome: 'refused', note: 'manifestly unfounded, 12(5)' })
    expect(closed).toMatchObject({ state: 'refused', closed_by: 'local' })
    expect(closed.steps.map((step) => [step.type, step.note])).toEqual([
      ['request.received', ''],
      ['request.extended', 'many records'],
      ['request.closed', 'manifestly unfounded, 12(5)']
    ])
    expect(await engine.codeOf('requests.close', { id: request.id, outcome: 'done', note: 'again' })).toBe('conflict')
    expect(await engine.codeOf('requests.close', { id: 'none', outcome: 'done', note: 'again' })).toBe('not_found')
    for (const bad of [
      { kind: 'other', reference: 'a', received: '2026-01-01' },
      { kind: 'access', reference: '', received: '2026-01-01' },
      { kind: 'access', reference: 'a', received: '2026-02-30' },
      { kind: 'access', reference: 'a', received: '2999-01-01' }
    ])
      expect(await engine.codeOf('requests.open', bad)).toBe('bad_request')
    await engine.restart()
    const before = await engine.call('requests.list', {})
    await engine.job((await engine.call('workspace.rebuild', {})).job_id)
    expect(await engine.call('requests.list', {})).toEqual(before)
  })
})

describe('the records of a subject', () => {
  it('are found by user id, named attributes, identifiers in texts, filter and hand', async () => {
    await engine.call('privacy.set', { subject_attributes: ['customer'] })
    const seqs = await ingestRecords(engine, [
      rawRecord(1, { user_id: 'U-17' }),
      rawRecord(2, { attributes: { customer: 4711 } }),
      rawRecord(3, { prompt: 'card 4111-1111-1111-1111 of +44 20 7946 0958' }),
      rawRecord(4, { response: 'Dear Zephyrine, we wrote to ann@example.org.' }),
      rawRecord(5)
    ])
    const find = async (input: object) => (await engine.call('subjects.find', input)).seqs.map((seq) => seqs.indexOf(seq) + 1)
    expect(await find({ identifiers: ['u-17'] })).toEqual([1])
    expect(await find({ identifiers: ['4711'] })).toEqual([2])
    expect(await find({ identifiers: ['4111 1111 1111 1111'] })).toEqual([3])
    expect(await find({ identifiers: ['+442079460958', 'ANN@example.org'] })).toEqual([3, 4])
    expect(await find({ query: 'zephyrine' })).toEqual([4])
    expect(await find({ identifiers: ['U-17'], query: 'zephyrine', seqs: [seqs[4]] })).toEqual([1, 4, 5])
    expect(await find({ identifiers: ['nobody'] })).toEqual([])
    const { records, more } = await engine.call('subjects.find', { identifiers: ['ann@example.org'] })
    expect(more).toBe(0)
    expect(records[0]).toMatchObject({ class: 'default', holds: [] })
    for (const bad of [{ identifiers: [''] }, { seqs: [-1] }, { more: 1 }])
      expect(await engine.codeOf('subjects.find', bad)).toBe('bad_request')
    expect(await engine.codeOf('subjects.find', { query: 'latency:>x' })).toBe('invalid_filter')
    // What was looked for is nowhere in clear: not in the catalog, not in the log.
    expect(readFileSync(join(engine.workspace, 'catalog.db')).includes('u-17')).toBe(false)
  })
})

describe('a copy of data', () => {
  it('is whole and unmasked, safe to open, and answers the request', async () => {
    const evil = '</pre><script>alert(1)</script><img src=x onerror=alert(2)>"\'&\u202e\u0007'
    const seqs = await ingestRecords(engine, [
      rawRecord(1, { user_id: 'u-1', prompt: `ann@example.org ${evil}`, attributes: { [evil]: evil } }),
      rawRecord(2)
    ])
    const request = await opened()
    const out = join(engine.root, 'copy.json')
    const { job_id } = await engine.call('subjects.export', { request_id: request.id, seqs, out })
    expect(await engine.job(job_id)).toMatchObject({ state: 'done' })
    const copy = JSON.parse(readFileSync(out, 'utf8'))
    expect(copy).toMatchObject({
      reference: 'DSR access',
      received: '2026-01-31',
      due: '2026-02-28',
      records: [{ seq: seqs[0], event: { user_id: 'u-1' } }, { seq: seqs[1] }]
    })
    expect(copy.records[0].input_messages[0].parts[0].content).toBe(`ann@example.org ${evil}`)
    const page = readFileSync(join(engine.root, 'copy.html'), 'utf8')
    expect(page).toContain('ann@example.org')
    expect(page).toContain("default-src 'none'")
    // For people: no names of fields, no microseconds, times with their zone.
    expect(page).toMatch(/<th scope="row">User<\/th><td>u-1<\/td>/)
    expect(page).not.toMatch(/user_id|_us\b|\dT\d\d:/)
    expect(page).toContain('No export from this workspace held one of these records.')
    for (const raw of ['<script', '<img', '\u202e', '\u0007']) expect(page).not.toContain(raw)
    expect((await engine.call('requests.list', {})).requests[0]).toMatchObject({
      state: 'done',
      steps: [{}, { type: 'subject.exported', records: 2 }]
    })
    expect(await engine.codeOf('subjects.export', { request_id: request.id, seqs, out })).toBe('conflict')
    const second = await opened()
    expect((await engine.job((await engine.call('subjects.export', { request_id: second.id, seqs, out })).job_id)).error?.code).toBe(
      'file_exists'
    )
    const lost = join(engine.root, 'nowhere', 'copy.json')
    expect((await engine.job((await engine.call('subjects.export', { request_id: second.id, seqs, out: lost })).job_id)).state).toBe(
      'failed'
    )
    const none = join(engine.root, 'none.json')
    expect(
      (await engine.job((await engine.call('subjects.export', { request_id: second.id, seqs: [9_999], out: none })).job_id)).error?.code
    ).toBe('not_found')
    expect([existsSync(none), existsSync(`${none}.part`)]).toEqual([false, false])
    const other = await opened('erasure')
    expect(await engine.codeOf('subjects.export', { request_id: other.id, seqs, out: none })).toBe('bad_request')
  })

  it('is printed beside its JSON, whose digest stands at its foot; nothing is left of a copy that cannot be printed', async () => {
    const seqs = await ingestRecords(engine, [rawRecord(1, { user_id: 'u-1' })])
    const request = await opened()
    const out = join(engine.root, 'printed.json')
    const asked = { request_id: request.id, seqs, out, pdf: true }
    expect(await engine.codeOf('subjects.export', asked)).toBe('engine_unavailable')
    const pages: PrintRequest[] = []
    let broken = true
    const printing = await testEngine({
      print: async (page) => {
        if (broken) throw new AffidavitError('internal', 'the page that prints has ended')
        pages.push(page)
        return Buffer.from('%PDF-1.7')
      }
    })
    try {
      await printing.call('events.append', { events: [rawRecord(1, { user_id: 'u-1' })] })
      const { id } = await printing.call('requests.open', { kind: 'access', reference: 'DSR access', received: '2026-01-31' })
      const { rows } = await printing.call('records.page', {
        handle: (await printing.call('records.open', {})).handle,
        offset: 0,
        limit: 1
      })
      const wish = { request_id: id, seqs: rows.map((row) => row.seq), out: join(printing.root, 'copy.json'), pdf: true }
      const run = async () => printing.job((await printing.call('subjects.export', wish)).job_id)
      expect(await run()).toMatchObject({ state: 'failed', error: { message: 'the page that prints has ended' } })
      expect(readdirSync(printing.root).filter((name) => name.startsWith('copy'))).toEqual([])
      broken = false
      expect(await run()).toMatchObject({ state: 'done' })
      const digest = createHash('sha256').update(readFileSync(wish.out)).digest('hex')
      expect(pages).toEqual([
        {
          html: readFileSync(join(printing.root, 'copy.html'), 'utf8'),
          footer: `${printing.engine.status().origin}\ncopy of data, JSON: sha256 ${digest}`
        }
      ])
      const { entries } = await printing.call('activity.list', { kind: 'export' })
      const pdf_sha256 = createHash('sha256').update('%PDF-1.7').digest('hex')
      expect(entries.find((one) => one.type === 'subject.exported')?.data).toMatchObject({ json_sha256: digest, pdf_sha256 })
    } finally {
      await printing.remove()
    }
  })
})

describe('restriction', () => {
  it('keeps records, shows that they are restricted, leaves them out of searches and exports, and can be lifted', async () => {
    const seqs = await ingestRecords(engine, [rawRecord(1), rawRecord(2)])
    const [first = 0] = seqs
    const request = await opened('restriction')
    const set = (on: boolean) =>
      engine.call('restrict.set', { seqs: [first], on, reason: 'accuracy contested, 18(1)(a)', request_id: request.id })
    await set(true)
    const found = async (query: object) =>
      (await engine.call('records.query', query)).records.map(({ seq, restricted, preview }) => [seq, restricted, preview === ''])
    expect(await found({ text: 'question' })).toEqual([[seqs[1], false, false]])
    expect(await found({})).toEqual([
      [seqs[1], false, false],
      [seqs[0], true, true]
    ])
    expect((await engine.call('records.open', { query: 'question' })).count).toBe(1)
    expect((await engine.call('export.preview', {})).records).toBe(1)
    expect((await engine.call('records.get', { seq: first })).row.restricted).toBe(true)
    await engine.job((await engine.call('workspace.rebuild', {})).job_id)
    expect((await engine.call('records.get', { seq: first })).row.restricted).toBe(true)
    await set(false)
    expect(await found({ text: 'question' })).toHaveLength(2)
    const [listed] = (await engine.call('requests.list', {})).requests
    expect(listed?.steps.map((step) => step.type)).toEqual(['request.received', 'restrict.set', 'restrict.set'])
    expect(await engine.codeOf('restrict.set', { seqs: [9_999], on: true, reason: 'why not' })).toBe('not_found')
    for (const bad of [
      { seqs: [], on: true, reason: 'why not' },
      { seqs: [first], on: true, reason: '' }
    ])
      expect(await engine.codeOf('restrict.set', bad)).toBe('bad_request')
  })
})
