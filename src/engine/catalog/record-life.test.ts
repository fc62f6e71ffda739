// SPDX-License-Identifier: Apache-2.0
// The life of one record (RULES S1): what happened to it, by whom, when, each with its leaf; who read it only for whoever oversees.
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { ingestRecords } from '../test/ingest-records.ts'
import { rawRecord, type TestEngine, type TestPerson, testEngine } from '../test/test-engine.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 })

let engine: TestEngine
let later = 0
beforeEach(async () => {
  later = 0
  engine = await testEngine({ servers: true, disposal: { now: () => Date.now() + later, afterStep: () => {} } })
})
afterEach(() => engine.remove())

const SUBJECT = 'anna.example@example.org'
const lifeOf = (person: Pick<TestPerson, 'call'>, seq: number) => person.call('records.life', { seq })
const whatsOf = async (person: Pick<TestPerson, 'call'>, seq: number) => (await lifeOf(person, seq)).events.map((one) => one.what)

async function exportTo(person: TestPerson, query: string, recipient: string): Promise<void> {
  const out = join(engine.root, `${recipient}.zip`)
  const { job_id } = await person.call('export.start', { query, recipient, purpose: 'case 7', out })
  expect((await engine.job(job_id)).error).toBeNull()
}

it('says who did what to it, when and in which leaf, in the order of the log', async () => {
  const [mine = 0, other = 0] = await ingestRecords(engine, [rawRecord(1, { user_id: SUBJECT }), rawRecord(2, { source: 'web' })])
  const officer = await engine.as('data_protection')
  const reviewer = await engine.as('reviewer')
  const admin = await engine.as('administrator')
  await officer.call('records.get', { seq: mine })
  await officer.call('records.unmask', { seq: mine, reason: 'letter of the subject' })
  const review = await reviewer.call('records.review', { seq: mine, decision: 'accepted', note: 'a fair answer' })
  await reviewer.call('verify.record', { seq: mine })
  await exportTo(officer, 'source:desk', 'Examiner')
  await exportTo(officer, 'source:web', 'Somebody else')
  const hold = await admin.call('holds.place', {
    matter: 'Case 9',
    reason: 'letter',
    scope: { kind: 'filter', query: 'source:desk' },
    future: false
  })
  const request = await officer.call('requests.open', { kind: 'restriction', reference: 'DSR 1', received: '2026-01-31' })
  await officer.call('restrict.set', { seqs: [mine], on: true, reason: 'accuracy contested', request_id: request.id })
  await exportTo(officer, '', 'While restricted')
  expect(await reviewer.codeOf('records.life', { seq: mine })).toBe('forbidden')
  await officer.call('restrict.set', { seqs: [mine], on: false, reason: 'settled', request_id: request.id })
  const asked = await admin.call('holds.release', { id: hold.id, reason: 'settled' })
  await officer.call('approvals.decide', { id: asked.id, decision: 'give' })

  const told = [
    'recorded',
    'reviewed: accepted',
    'verified: verified',
    'exported',
    'put on hold',
    'restricted (GDPR 18)',
    'restriction lifted',
    'hold released'
  ]
  const { events, reads } = await lifeOf(reviewer, mine)
  expect(reads).toBe(false)
  expect(events.map((one) => one.what)).toEqual(told)
  expect(events[1]).toMatchObject({ seq: review.seq, actor: reviewer.ref, detail: 'a fair answer', type: 'review.decided' })
  expect(events[3]).toMatchObject({ actor: officer.ref, detail: 'Examiner · case 7' })
  expect(events[4]).toMatchObject({ actor: admin.ref, detail: 'Case 9', seq: hold.seq })
  // Why it was restricted is in the request, for data protection.
  expect(JSON.stringify(events)).not.toContain('contested')
  for (const { seq } of events) expect((await reviewer.call('records.proof', { seq })).verdict).toBe('verified')

  const whole = await lifeOf(officer, mine)
  expect(whole.reads).toBe(true)
  expect(whole.events.filter((one) => !told.includes(one.what)).map((one) => [one.what, one.actor, one.detail])).toEqual([
    ['viewed', officer.ref, ''],
    ['unmasked', officer.ref, 'letter of the subject'],
    // Looking at the life is a view of its own.
    ['viewed', reviewer.ref, '']
  ])
  expect(await whatsOf(reviewer, other)).toEqual(['recorded', 'exported', 'exported'])
  await engine.restart()
  await engine.job((await engine.call('workspace.rebuild', {})).job_id)
  expect(await whatsOf(reviewer, mine)).toEqual(told)
})

it('goes on after an erasure, whose leaves the record names, with the bundles that held what is gone', async () => {
  const [mine = 0] = await ingestRecords(engine, [rawRecord(1, { user_id: SUBJECT, prompt: 'about the kumquat' }), rawRecord(2)])
  const officer = await engine.as('data_protection')
  const reviewer = await engine.as('reviewer')
  expect((await reviewer.call('records.get', { seq: mine })).erased_by).toBeNull()
  await exportTo(officer, '"kumquat"', 'Examiner')
  const request = await officer.call('requests.open', { kind: 'erasure', reference: 'DSR 7', received: '2026-01-31' })
  await officer.call('erasure.refuse', { request_id: request.id, seqs: [mine], ground: 'kept by law' })
  const decisions = [{ seqs: [mine], ground: 'consent withdrawn', override: 'outweighs the period' }]
  const { id } = await officer.call('erasure.ask', { request_id: request.id, decisions })
  await reviewer.call('approvals.decide', { id, decision: 'give' })
  await expect
    .poll(async () => (await officer.call('requests.list', {})).requests[0]?.erasures[0]?.done_seq ?? null, { timeout: 20_000 })
    .not.toBeNull()
  const { erased_by } = await reviewer.call('records.get', { seq: mine })
  const { events } = await lifeOf(reviewer, mine)
  expect(events.map((one) => one.what)).toEqual([
    'recorded',
    'exported',
    'erasure refused',
    'erasure begun: its content is destroyed from here on',
    'content erased'
  ])
  expect(erased_by).toEqual({ intent: events[3]?.seq, done: events[4]?.seq })
  expect(JSON.stringify(events)).not.toContain('consent')
})

it('outlives the record', async () => {
  const rule = { name: 'one year', trigger: 'append' as const, period: { years: 1, months: 0, days: 0 } }
  await engine.call('retention.set', { rules: ['default', 'log'].map((name) => ({ class: name, ...rule })), classes: [], reason: 'test' })
  const seqs = await ingestRecords(
    engine,
    Array.from({ length: 4 }, (_, n) => rawRecord(n))
  )
  await engine.call('records.proof', { seq: seqs[0] ?? 0 })
  later = 366 * 86_400_000
  const ann = await engine.as('administrator')
  const bob = await engine.as('data_protection')
  const asked = await ann.call('disposal.ask', { reason: 'yearly' })
  await bob.call('approvals.decide', { id: asked.id, decision: 'give' })
  await expect.poll(async () => (await ann.call('disposal.list', {})).disposals[0]?.done_seq ?? null, { timeout: 20_000 }).not.toBeNull()
  expect((await whatsOf(ann, seqs[0] ?? 0)).slice(-2)).toEqual(['disposal begun, after its retention', 'disposed of'])
  for (const [bad, code] of [
    [{ seq: 999_999 }, 'not_found'],
    [{ seq: -1 }, 'bad_request'],
    [{ seq: 0 }, 'not_found'],
    [{}, 'bad_request']
  ] as const)
    expect([bad, await ann.codeOf('records.life', bad)]).toEqual([bad, code])
})

it('lists the newest reads, and counts the others', async () => {
  const [mine = 0] = await ingestRecords(engine, [rawRecord(1)])
  for (let n = 0; n < 203; n++) await engine.call('records.unmask', { seq: mine, reason: `reason ${n}` })
  const { events, earlier_reads } = await lifeOf(engine, mine)
  expect([events.length, earlier_reads]).toEqual([201, 3])
  expect(events.at(-1)?.detail).toBe('reason 202')
})
