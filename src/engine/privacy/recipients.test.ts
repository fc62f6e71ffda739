// SPDX-License-Identifier: Apache-2.0
// GDPR 19: whoever got a bundle with records that were restricted or erased is listed until it is on record that they were told.
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { ingestRecords } from '../test/ingest-records.ts'
import { rawRecord, type TestEngine, type TestPerson, testEngine } from '../test/test-engine.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let engine: TestEngine
let seqs: number[]
let officer: TestPerson
beforeEach(async () => {
  engine = await testEngine({ servers: true })
  seqs = await ingestRecords(engine, [rawRecord(1, { prompt: 'about Zenobia' }), rawRecord(2, { source: 'other' }), rawRecord(3)])
  officer = await engine.as('data_protection')
})
afterEach(() => engine.remove())

const exported = async (query: string, recipient: string) => {
  const out = join(engine.root, `${recipient}.affidavit.zip`)
  const { job_id } = await officer.call('export.start', { query, recipient, purpose: 'Test', out })
  expect((await engine.job(job_id)).error).toBeNull()
  return (await engine.call('export.result', { job_id })).seq
}
const request = (kind: 'restriction' | 'erasure') =>
  officer.call('requests.open', { kind, reference: `DSR ${kind}`, received: new Date().toISOString().slice(0, 10) })
const listed = async (request_id: string) =>
  (await officer.call('recipients.list', { request_id })).recipients.map((one) => [
    one.export_seq,
    one.recipient,
    one.records,
    one.told?.note ?? null
  ])

it('of restricted records, once told, are noted as told by whom and how', async () => {
  const all = await exported('', 'Examiner')
  await exported('source:other', 'Nobody')
  const { id } = await request('restriction')
  expect(await listed(id)).toEqual([])
  await officer.call('restrict.set', { seqs: [seqs[0] ?? 0], on: true, reason: 'accuracy contested', request_id: id })
  expect(await listed(id)).toEqual([[all, 'Examiner', 1, null]])
  const tell = { request_id: id, export_seq: all, note: 'letter of 3 February' }
  expect(await (await engine.as('auditor')).codeOf('recipients.tell', tell)).toBe('forbidden')
  expect(await officer.codeOf('recipients.tell', { ...tell, note: '' })).toBe('bad_request')
  expect(await officer.codeOf('recipients.tell', { ...tell, note: 'half a pair \ud800' })).toBe('bad_request')
  expect(await officer.codeOf('recipients.tell', { ...tell, export_seq: all + 1 })).toBe('not_found')
  expect(await officer.codeOf('recipients.tell', { ...tell, request_id: 'none' })).toBe('not_found')
  expect((await officer.call('recipients.tell', tell)).recipients[0]?.told).toMatchObject({ by: officer.ref, note: 'letter of 3 February' })
  expect(await officer.codeOf('recipients.tell', tell)).toBe('conflict')
  await engine.job((await engine.call('workspace.rebuild', {})).job_id)
  expect(await listed(id)).toEqual([[all, 'Examiner', 1, 'letter of 3 February']])
  const [register] = (await officer.call('requests.list', {})).requests
  expect(register?.steps.map((step) => step.type)).toEqual(['request.received', 'restrict.set', 'recipient.told'])
  const { requirements } = await officer.call('compliance.report', {})
  expect(requirements.find((one) => one.id === 'G4')?.state).toBe('backed')
})

it('of erased records are known after the erasure, when no search finds these any more', async () => {
  const found = await exported('Zenobia', 'Examiner')
  const { id } = await request('erasure')
  const asked = await officer.call('erasure.ask', {
    request_id: id,
    decisions: [{ seqs: [seqs[0] ?? 0], ground: 'consent withdrawn, Article 17(1)(b)', override: 'the right outweighs the period' }]
  })
  await (await engine.as('reviewer')).call('approvals.decide', { id: asked.id, decision: 'give' })
  await vi.waitFor(
    async () => expect((await officer.call('requests.list', {})).requests[0]?.erasures[0]?.done_seq).toEqual(expect.any(Number)),
    20_000
  )
  expect(await listed(id)).toEqual([[found, 'Examiner', 1, null]])
  expect((await officer.call('recipients.tell', { request_id: id, export_seq: found, note: 'e-mail of today' })).recipients).toMatchObject([
    { told: { by: officer.ref } }
  ])
})

it('of what a filter selected then are known when it selects something else now', async () => {
  const [first = 0] = seqs
  const unreviewed = await exported('review:no', 'Examiner')
  await (await engine.as('reviewer')).call('records.review', { seq: first, decision: 'accepted', note: 'read it' })
  const { id } = await request('restriction')
  await officer.call('restrict.set', { seqs: [first], on: true, reason: 'accuracy contested', request_id: id })
  expect(await listed(id)).toEqual([[unreviewed, 'Examiner', 1, null]])
})

it('are not all told when one of them is', async () => {
  const bundles = [await exported('', 'Examiner'), await exported('', 'Regulator')]
  const { id } = await request('restriction')
  await officer.call('restrict.set', { seqs: [seqs[0] ?? 0], on: true, reason: 'accuracy contested', request_id: id })
  const row = async () => (await officer.call('compliance.report', {})).requirements.find((one) => one.id === 'G4')
  await officer.call('recipients.tell', { request_id: id, export_seq: bundles[0] ?? 0, note: 'letter' })
  expect(await row()).toMatchObject({ state: 'partly', gap: '1 of 2 recipients not noted as told' })
  await officer.call('recipients.tell', { request_id: id, export_seq: bundles[1] ?? 0, note: 'letter' })
  expect(await row()).toMatchObject({ state: 'backed', evidence: { label: '2 of 2 recipients told' } })
})

it('of a bundle that left between the asking and the giving of an erasure are on its certificate', async () => {
  const { id } = await request('erasure')
  const asked = await officer.call('erasure.ask', {
    request_id: id,
    decisions: [{ seqs: [seqs[0] ?? 0], ground: 'consent withdrawn, Article 17(1)(b)', override: 'the right outweighs the period' }]
  })
  const between = await exported('Zenobia', 'Examiner')
  await (await engine.as('reviewer')).call('approvals.decide', { id: asked.id, decision: 'give' })
  await vi.waitFor(
    async () => expect((await officer.call('requests.list', {})).requests[0]?.erasures[0]?.done_seq).toEqual(expect.any(Number)),
    20_000
  )
  expect(await listed(id)).toEqual([[between, 'Examiner', 1, null]])
})
