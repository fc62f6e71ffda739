// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { HoldScope } from '../../shared/contract/retention.ts'
import { ingestRecords } from '../test/ingest-records.ts'
import { rawRecord, type TestEngine, testEngine } from '../test/test-engine.ts'

// Whole engines, on machines that do other work too.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 })

let engine: TestEngine
beforeEach(async () => {
  engine = await testEngine({ servers: true })
})
afterEach(() => engine.remove())

const place = (scope: HoldScope, future = false, matter = 'Matter 12') =>
  engine.call('holds.place', { matter, reason: 'letter of counsel', scope, future })
const holdsOf = async (seq: number) => (await engine.call('retention.of', { seqs: [seq] })).records[0]?.holds.map((hold) => hold.matter)

describe('legal holds', () => {
  it('keep what a filter, leaves, a subject or a time range covers, now and, where asked for, later', async () => {
    const [a = 0, b = 0] = await ingestRecords(engine, [rawRecord(1, { user_id: 'client-7' }), rawRecord(2, { source: 'web' })])
    expect(await engine.call('holds.preview', { scope: { kind: 'filter', query: 'source:web' } })).toEqual({ records: 1, wrappers: 0 })
    expect(await place({ kind: 'filter', query: 'source:web' }, true, 'Web')).toMatchObject({
      records: 1,
      state: 'held',
      placed_by: 'local'
    })
    await place({ kind: 'seqs', seqs: [a] }, false, 'One')
    await place({ kind: 'subject', subject: 'client-7' }, false, 'Client')
    await place({ kind: 'time', from: '2026-01-01T00:00:00Z', to: '2026-01-01T00:01:30Z' }, false, 'Early')
    const [c = 0, d = 0] = await ingestRecords(engine, [rawRecord(3, { user_id: 'client-7' }), rawRecord(4, { source: 'web' })])
    expect(await holdsOf(a)).toEqual(['One', 'Client', 'Early'])
    expect(await holdsOf(b)).toEqual(['Web'])
    expect(await holdsOf(c)).toEqual([])
    expect(await holdsOf(d)).toEqual(['Web'])
    await engine.restart()
    await engine.job((await engine.call('workspace.rebuild', {})).job_id)
    expect(await holdsOf(a)).toEqual(['One', 'Client', 'Early'])
    expect((await engine.call('holds.list', {})).holds.map(({ matter, records }) => [matter, records])).toEqual([
      ['Early', 1],
      ['Client', 1],
      ['One', 1],
      ['Web', 2]
    ])
  })

  it('on a subject cover what the search for its records finds, now and later, and the conversations of that name', async () => {
    const subject = 'zephyrine.quux@example.org'
    const records = (tag: string) => [
      rawRecord(1, { id: `${tag}1`, user_id: 'Zephyrine.Quux@Example.org' }),
      rawRecord(2, { id: `${tag}2`, attributes: { 'user.email': subject } }),
      rawRecord(3, { id: `${tag}3`, prompt: `Please write to ${subject} today` }),
      rawRecord(4, { id: `${tag}4`, user_id: subject }),
      rawRecord(5, { id: `${tag}5`, conversation_id: subject })
    ]
    const [a = 0, b = 0, c = 0, d = 0, e = 0] = await ingestRecords(engine, [...records('a'), rawRecord(6)])
    expect((await engine.call('subjects.find', { identifiers: [subject] })).seqs).toEqual([a, b, c, d])
    const scope = { kind: 'subject', subject } as const
    expect(await engine.call('holds.preview', { scope })).toEqual({ records: 5, wrappers: 0 })
    await place(scope, true, 'Quux')
    const later = await ingestRecords(engine, records('b'))
    const f = (await ingestRecords(engine, [rawRecord(7, { id: 'c7' })]))[0] ?? 0
    await engine.call('records.correct', { seq: f, changes: [{ what: { field: 'conversation_id' }, now: subject }], reason: 'mixed up' })
    for (const seq of [a, b, c, d, e, ...later, f]) expect([seq, await holdsOf(seq)]).toEqual([seq, ['Quux']])
    expect((await engine.call('holds.list', {})).holds).toMatchObject([{ records: 11 }])
  })

  it('by a filter are not left by what happens to a record afterwards', async () => {
    const [seq = 0] = await ingestRecords(engine, [rawRecord(1, { source: 'web' })])
    expect(await place({ kind: 'filter', query: 'source:web review:no corrected:no' })).toMatchObject({ records: 1 })
    await engine.call('records.review', { seq, decision: 'accepted', note: 'read by counsel' })
    expect(await holdsOf(seq)).toEqual(['Matter 12'])
  })

  it('end when a second person approves, not before and not when refused', async () => {
    const [seq = 0] = await ingestRecords(engine, [rawRecord(1)])
    const hold = await place({ kind: 'seqs', seqs: [seq] })
    const ann = await engine.as('administrator')
    const bob = await engine.as('data_protection')
    const asked = await ann.call('holds.release', { id: hold.id, reason: 'settled' })
    expect(asked).toMatchObject({ action: 'hold_release', title: 'Matter 12: settled' })
    expect(await engine.codeOf('holds.release', { id: hold.id, reason: 'again' })).toBe('conflict')
    expect((await engine.call('holds.list', {})).holds).toMatchObject([{ state: 'release_asked', records: 1 }])
    expect(await ann.codeOf('approvals.decide', { id: asked.id, decision: 'give' })).toBe('second_person_needed')
    await bob.call('approvals.decide', { id: asked.id, decision: 'refuse' })
    expect(await holdsOf(seq)).toEqual(['Matter 12'])
    const again = await ann.call('holds.release', { id: hold.id, reason: 'settled, see letter' })
    expect(await bob.call('approvals.decide', { id: again.id, decision: 'give' })).toMatchObject({ done_seq: expect.any(Number) })
    expect(await holdsOf(seq)).toEqual([])
    expect((await engine.call('holds.list', {})).holds).toMatchObject([{ state: 'released', released_by: bob.ref, records: 0 }])
    expect(await engine.codeOf('holds.release', { id: hold.id, reason: 'again' })).toBe('conflict')
  })

  it('refuse bad input', async () => {
    const cases = [
      ['holds.place', { matter: 'M', reason: 'r', scope: { kind: 'filter', query: 'nofield:1' }, future: true }, 'invalid_filter'],
      ['holds.place', { matter: 'M', reason: 'r', scope: { kind: 'filter', query: '""' }, future: true }, 'bad_request'],
      ['holds.place', { matter: '', reason: 'r', scope: { kind: 'seqs', seqs: [0] }, future: true }, 'bad_request'],
      ['holds.place', { matter: '\ud800', reason: 'r', scope: { kind: 'seqs', seqs: [0] }, future: true }, 'bad_request'],
      ['holds.place', { matter: 'M', reason: 'r', scope: { kind: 'seqs', seqs: [99_999] }, future: true }, 'not_found'],
      ['holds.preview', { scope: { kind: 'time', from: '2026-02-01T00:00:00Z', to: '2026-01-01T00:00:00Z' } }, 'bad_request'],
      ['holds.preview', { scope: { kind: 'subject' } }, 'bad_request'],
      ['holds.release', { id: 'none', reason: 'r' }, 'not_found'],
      ['holds.list', { state: 'x' }, 'bad_request']
    ] as const
    for (const [op, input, code] of cases) expect(await engine.codeOf(op, input), JSON.stringify(input)).toBe(code)
  })
})
