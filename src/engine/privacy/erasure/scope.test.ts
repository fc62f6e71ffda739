// SPDX-License-Identifier: Apache-2.0
// Erasures of records of which something, or all, was gone when the second person gave them.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { erasuresAfter } from '../../backup/erasure-register.ts'
import { erasureCase, erasureDecisions, erasureOutcome, SUBJECT, subjectRecord, tracesIn, verifiedNow } from '../../test/erasure-case.ts'
import { rawRecord, type TestEngine, testEngine } from '../../test/test-engine.ts'

const YEAR_MS = 366 * 86_400_000
// Whole engines with people.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 60_000 })

let engine: TestEngine
/** Disposals judge as if it were later; nothing else does. */
let later = 0
beforeEach(async () => {
  later = 0
  engine = await testEngine({ servers: true, disposal: { retryMs: 600_000, now: () => Date.now() + later } })
})
afterEach(() => engine.remove())

const keyChanges = async () =>
  (await engine.call('activity.list', { kind: 'setting' })).entries.filter((one) => one.type === 'key.retired').length

/** Disposes of what is past a year but for records of the source `web`. */
async function disposeOfTheRest(): Promise<void> {
  await engine.call('records.proof', { seq: 3 })
  later = YEAR_MS
  const ann = await engine.as('administrator')
  const bob = await engine.as('reviewer')
  const asked = await ann.call('disposal.ask', { reason: 'yearly' })
  await bob.call('approvals.decide', { id: asked.id, decision: 'give' })
  expect(await engine.ended('disposal')).toMatchObject({ state: 'done' })
}

async function setRules(): Promise<void> {
  const rule = (name: string, years: number) => ({
    class: name,
    name: `${years} years`,
    trigger: 'append' as const,
    period: { years, months: 0, days: 0 }
  })
  await engine.call('retention.set', {
    rules: [rule('default', 1), rule('long', 9)],
    classes: [{ class: 'long', source: 'web' }],
    reason: 'test'
  })
}

describe('an erasure of what an earlier one took', () => {
  it('is refused on record, touches no key, and stops no later one', async () => {
    const given = await erasureCase(engine)
    const { asker, other, seqs, all } = given
    const second = await asker.call('requests.open', { kind: 'erasure', reference: 'DSR 26-8', received: '2026-02-01' })
    const ask = (request: string, some = seqs) => asker.call('erasure.ask', { request_id: request, decisions: erasureDecisions(some) })
    const [first, again] = [await ask(given.request.id), await ask(second.id)]
    await other.call('approvals.decide', { id: first.id, decision: 'give' })
    expect(await erasureOutcome(engine, given)).toMatchObject({ done_seq: expect.any(Number) })
    const changes = await keyChanges()
    await other.call('approvals.decide', { id: again.id, decision: 'give' })
    const registered = async () => (await asker.call('requests.list', {})).requests.find((one) => one.id === second.id)
    const [, refused] = (await registered())?.steps ?? []
    expect(refused).toMatchObject({ type: 'erasure.refused', actor: other.ref, records: 3 })
    expect(refused?.note).toMatch(/^nothing is left of these records: erased already by leaf \d+$/)
    expect(await registered()).toMatchObject({ state: 'open', erasures: [] })
    expect(await keyChanges()).toBe(changes)
    expect(erasuresAfter(engine.state, engine.engine.status().origin, 0)).toHaveLength(1)
    await engine.restart()
    expect((await registered())?.steps).toHaveLength(2)
    const third = await asker.call('requests.open', { kind: 'erasure', reference: 'DSR 26-9', received: '2026-02-01' })
    const last = await ask(third.id, all.slice(0, 2))
    await other.call('approvals.decide', { id: last.id, decision: 'give' })
    expect(await erasureOutcome(engine, { ...given, request: third })).toMatchObject({ done_seq: expect.any(Number), records: 2 })
    expect(await verifiedNow(engine)).toMatchObject({ verdict: 'intact', faults: [] })
  })
})

describe('an erasure of which a disposal took a part', () => {
  it('takes and searches for what is left, and says in the certificate what was gone and by what', async () => {
    await setRules()
    const web = { ...subjectRecord(9), source: 'web' }
    const given = await erasureCase(engine, [rawRecord(1), subjectRecord(3), subjectRecord(6), web], [1, 2, 3])
    const { asker, other, seqs } = given
    const [, , kept = 0] = seqs
    const asked = await asker.call('erasure.ask', { request_id: given.request.id, decisions: erasureDecisions(seqs) })
    await disposeOfTheRest()
    const [disposal] = (await engine.call('disposal.list', {})).disposals
    await other.call('approvals.decide', { id: asked.id, decision: 'give' })
    expect(await erasureOutcome(engine, given)).toMatchObject({ done_seq: expect.any(Number), records: 1, unread: 0 })
    expect(tracesIn(engine)).toEqual([])
    const { json, html } = await asker.call('erasure.certificate', { id: asked.id })
    const facts = JSON.parse(json)
    expect(facts.records.map((one: { seq: number }) => one.seq)).toEqual([kept])
    expect(facts.before).toEqual(seqs.slice(0, 2).map((seq) => ({ seq, by: 'disposal', leaf: disposal?.seq })))
    expect(facts.scan).toMatchObject({ covered: 1, of: 1, found: 0 })
    expect(facts.scan.needles).toBeGreaterThan(20)
    expect(html).toContain('The content of 1 record was erased')
    expect(html).toContain(`a disposal after retention, leaf ${disposal?.seq}`)
    expect((await asker.call('subjects.find', { identifiers: [SUBJECT] })).seqs).toEqual([])
    expect(await verifiedNow(engine)).toMatchObject({ verdict: 'intact', faults: [], erasures: [{ payloads: 1 }] })
  })

  it('is refused where it took all', async () => {
    await setRules()
    const given = await erasureCase(engine)
    const asked = await given.asker.call('erasure.ask', { request_id: given.request.id, decisions: erasureDecisions(given.seqs) })
    await disposeOfTheRest()
    await given.other.call('approvals.decide', { id: asked.id, decision: 'give' })
    const [request] = (await given.asker.call('requests.list', {})).requests
    expect(request?.steps.at(-1)).toMatchObject({ type: 'erasure.refused', note: expect.stringContaining('disposed of by leaf') })
  })
})
