// SPDX-License-Identifier: Apache-2.0
// The records a baseline was made of are never judged against it, whatever becomes of them; all others of its series are.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { inRanges } from '../../shared/policy/ranges.ts'
import { rawRecord, type TestEngine, testEngine } from '../test/test-engine.ts'

let engine: TestEngine
beforeEach(async () => {
  engine = await testEngine()
})
afterEach(() => engine.remove())

const some = (from: number, count: number, more = {}) => Array.from({ length: count }, (_, i) => rawRecord(from + i, more))
const pin = (query: string) => engine.call('drift.set_baseline', { name: 'b', query, model: 'gpt-4', source: 'desk' })
const seqs = async (model: string) =>
  (await engine.call('records.query', { model, limit: 1000 })).records.map((one) => one.seq).sort((a, b) => a - b)
/** Latencies that the series is judged by: every record here has one, also after an erasure. */
const judged = async () => (await engine.call('drift.look', {})).series[0]?.numbers[0]?.m

describe('the records of a baseline', () => {
  it('are not judged after they were reviewed or corrected', async () => {
    await engine.call('events.append', { events: some(0, 300) })
    await pin('review:no corrected:no restricted:no')
    const own = await seqs('gpt-4')
    for (const seq of own.slice(0, 60)) await engine.call('records.review', { seq, decision: 'accepted', note: 'fine' })
    const changes = [{ what: { message: 'output', index: 0 }, now: 'something else' } as const]
    for (const seq of own.slice(60, 120)) await engine.call('records.correct', { seq, changes, reason: 'it was wrong' })
    expect(await judged()).toBe(0)
  }, 60_000)

  it('are not judged after their texts were erased', async () => {
    await engine.call('events.append', { events: [...some(0, 200), ...some(200, 100, { response: 'nothing' })] })
    await pin('"the answer to question" -nothing')
    const own = (await seqs('gpt-4')).slice(0, 200)
    const officer = await engine.as('data_protection')
    const reviewer = await engine.as('reviewer')
    const request = await officer.call('requests.open', { kind: 'erasure', reference: 'DSR 7', received: '2026-01-31' })
    const decisions = [{ seqs: own.slice(0, 80), ground: 'consent withdrawn', override: 'outweighs the period' }]
    const { id } = await officer.call('erasure.ask', { request_id: request.id, decisions })
    await reviewer.call('approvals.decide', { id, decision: 'give' })
    await expect
      .poll(async () => (await officer.call('requests.list', {})).requests[0]?.erasures[0]?.done_seq, { timeout: 20_000 })
      .toBeGreaterThan(0)
    expect(await judged()).toBe(100)
    expect(await engine.call('drift.explain', {})).toMatchObject({ reproduced: true })
  }, 60_000)

  it('leave every other record of the series to be judged, also of before', async () => {
    await engine.call('events.append', { events: [...some(0, 300, { model: 'gpt-3' }), ...some(300, 80)] })
    const accepted = (await seqs('gpt-4')).filter((_, i) => i % 2 === 0)
    await pin('model:gpt-3')
    expect(await judged()).toBe(80)
    for (const seq of accepted) await engine.call('records.review', { seq, decision: 'accepted', note: 'fine' })
    await pin('model:gpt-4 review:accepted')
    for (const seq of accepted) await engine.call('records.review', { seq, decision: 'rejected', note: 'not fine' })
    expect(await judged()).toBe(40)
  }, 60_000)
})

describe('runs of leaves', () => {
  it('hold what lies in one of them', () => {
    const runs = [
      [2, 4],
      [7, 7]
    ] as const
    expect([0, 1, 2, 3, 4, 5, 6, 7, 8].filter((seq) => inRanges(runs, seq))).toEqual([2, 3, 4, 7])
    expect(inRanges([], 0)).toBe(false)
  })
})
