// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rawRecord, type TestEngine, testEngine } from '../../test/test-engine.ts'

let engine: TestEngine
const some = (from: number, count: number, more: (i: number) => object = () => ({})) =>
  Array.from({ length: count }, (_, i) => rawRecord(from + i, { ...more(i) }))

beforeAll(async () => {
  engine = await testEngine()
  // 300 quick calls; then 100 of which every second one is slow and cut off at the limit of tokens, all served by another version.
  await engine.call('events.append', { events: some(0, 300, () => ({ response_model: 'gpt-4-0314', finish_reasons: ['stop'] })) })
  await engine.call('drift.set_baseline', { name: 'b', query: '', model: 'gpt-4', source: 'desk' })
  await engine.call('events.append', {
    events: some(1000, 100, (i) => ({
      response_model: 'gpt-4-0613',
      finish_reasons: [i % 2 === 0 ? 'length' : 'stop'],
      ...(i % 2 === 0 ? { latency_ms: 9000 + i } : {})
    }))
  })
})
afterAll(() => engine.remove())

const windows = { a: 'seq:0..300', b: 'seq:301..', feature: 'latency' } as const

describe('comparison on demand', () => {
  it('has the numbers and the tables of a look at the same records', async () => {
    await engine.call('drift.look', {})
    const verdict = await engine.call('drift.verdict', { model: 'gpt-4', source: 'desk', feature: 'latency' })
    const found = await engine.call('drift.compare', windows)
    expect(found).toMatchObject({ a: { records: 300, values: 300 }, b: { records: 100, values: 100 }, unit: 'ms', token_basis: 'total' })
    expect([found.a.table_sha256, found.b.table_sha256]).toEqual([verdict.hashes.reference_table, verdict.hashes.current_table])
    const own = found.numbers.find((one) => one.feature === 'latency')
    expect(own).toMatchObject({ d: verdict.numbers.d, l: verdict.numbers.l, p: verdict.numbers.p, n: 300, m: 100 })
    expect(found.ecdf).toEqual(verdict.ecdf)
    expect(found.quantiles).toEqual(verdict.quantiles)
    // The same shares, of what somebody chose instead of two times.
    const [before, predicate, now] = /^(.+ %) (of .+), now (.+ %)\.$/.exec(verdict.headline)?.slice(1) ?? []
    expect(found.headline).toBe(`In A ${before} ${predicate}, in B ${now}.`)
    expect(found.detail).toMatch(/^Median .+ in A, .+ in B\. /)
  })

  it('names the segment without which the gap is smallest, and what changed beside', async () => {
    const found = await engine.call('drift.compare', windows)
    const cut = found.segments.find((one) => one.field === 'finish' && one.value === 'length')
    expect(cut).toMatchObject({ before: 0, after: 50, share_after: 0.5, median_before: null, d_inside: null })
    expect(cut?.median_after).toBeGreaterThanOrEqual(9000)
    expect(cut?.d_without).toBeLessThan(0.2)
    expect(found.segments[found.lowers_most ?? -1]).toEqual(cut)
    const served = found.beside.find((one) => one.field === 'served')
    expect(served).toMatchObject({ cramers_v: 1, largest: { value: 'gpt-4-0314', before: 1, after: 0 } })
    expect(found.served_switch).toEqual({ from: 'gpt-4-0314', to: 'gpt-4-0613', at: '2026-01-01T16:40:00.000Z' })
    expect((await engine.call('drift.compare', { ...windows, b: windows.a })).served_switch).toBeNull()
    expect(found.beside.find((one) => one.field === 'finish')?.p).toBeLessThan(1e-6)
    expect(found.tail).toMatchObject({ level: 0.99, exceeding: 51, share: 0.51 })
    expect(found.needed).toBeGreaterThan(10)
    expect(found.needed).toBeLessThan(100)
    expect(found.histogram.bins.reduce((sum, bin) => sum + bin.b, 0)).toBeCloseTo(1, 10)
  })

  it('is the same to the last digit when it is asked again at the same leaf, whatever came since', async () => {
    const first = await engine.call('drift.compare', windows)
    await engine.call('events.append', { events: some(5000, 40, () => ({ latency_ms: 60_000 })) })
    expect(await engine.call('drift.compare', { ...windows, at: first.at })).toEqual(first)
    expect((await engine.call('drift.compare', windows)).b.records).toBe(140)
  })

  it('leaves the records of one side out of the other when asked', async () => {
    const input = { a: 'seq:0..300', b: '', feature: 'response_length' } as const
    const all = await engine.call('drift.compare', input)
    const apart = await engine.call('drift.compare', { ...input, apart: true })
    expect(all.b.records - apart.b.records).toBe(300)
  })

  it('leaves behind what was searched for, once a minute, and nothing without a filter', async () => {
    const searches = async () =>
      (await engine.call('activity.list', { kind: 'search' })).entries.filter((entry) => entry.data.of === undefined)
    const before = await searches()
    const size = async () => (await engine.call('workspace.status', {})).ledger.size
    await engine.call('drift.compare', { a: 'answer', b: 'seq:301..', feature: 'latency' })
    await engine.call('drift.compare', { a: 'answer', b: 'seq:301..', feature: 'response_length' })
    await engine.call('drift.timeline', { query: 'question', feature: 'latency' })
    await engine.call('drift.baseline_preview', { query: 'status:success' })
    const details = (await searches()).slice(0, 3).map((entry) => entry.detail)
    expect((await searches()).length).toBe(before.length + 3)
    expect(details).toEqual(['status:success', 'question', 'answer · seq:301..'])
    const now = await size()
    await engine.call('drift.compare', { a: '', b: '', feature: 'latency' })
    await engine.call('drift.timeline', { query: '', feature: 'latency' })
    await engine.call('drift.baseline_preview', { query: '' })
    expect(await size()).toBe(now)
  })

  it('error rates are compared by counts', async () => {
    const found = await engine.call('drift.compare', { ...windows, feature: 'error_rate' })
    expect(found).toMatchObject({ gap: null, tail: null, histogram: { bins: [] }, a: { errors: 0, ended: 300 } })
    expect(found.numbers.find((one) => one.feature === 'error_rate')).toMatchObject({ method: 'fisher', d: 0, p: 1 })
  })

  it('an empty side is no verdict, said in words; what is no filter is refused', async () => {
    const found = await engine.call('drift.compare', { a: 'model:nobody', b: '', feature: 'latency' })
    expect(found).toMatchObject({ gap: null, lowers_most: null, beside: [], a: { records: 0, from: null } })
    expect(found.numbers.every((one) => one.state === 'collecting' && one.p === null)).toBe(true)
    expect(found.headline).toMatch(/^Too few to judge: 0 in A and \d+ in B\.$/)
    expect(await engine.codeOf('drift.compare', { a: 'nofield:1', b: '', feature: 'latency' })).toBe('invalid_filter')
    expect(await engine.codeOf('drift.compare', { a: '', b: '', feature: 'mood' })).toBe('bad_request')
    expect(await engine.codeOf('drift.compare', { a: '', b: '', feature: 'latency', at: -1 })).toBe('bad_request')
  })
})

describe('timeline', () => {
  it('has every record in one slot, empty slots included', async () => {
    const line = await engine.call('drift.timeline', { query: 'seq:0..401', feature: 'latency', slots: 50 })
    expect(line.slots.reduce((sum, slot) => sum + slot.records, 0)).toBe(400)
    expect(line.slots.length).toBeLessThanOrEqual(50)
    expect(line.slots.some((slot) => slot.records === 0 && slot.p50 === null)).toBe(true)
    for (const [i, slot] of line.slots.entries()) {
      expect(Date.parse(slot.from)).toBe(Date.parse(line.from ?? '') + i * line.step_ms)
    }
    const full = line.slots.find((slot) => slot.records > 20)
    // Values are 500 to 599 ms; a bucket is narrower than 0.1 % of them.
    expect(full?.p50).toBeGreaterThan(500)
    expect(full?.p90).toBeLessThan(600)
  })

  it('of no record it is empty, and what is no filter is refused', async () => {
    expect(await engine.call('drift.timeline', { query: 'model:nobody', feature: 'latency' })).toMatchObject({ slots: [], from: null })
    expect(await engine.codeOf('drift.timeline', { query: 'seq:x', feature: 'latency' })).toBe('invalid_filter')
    expect(await engine.codeOf('drift.timeline', { query: '', feature: 'latency', slots: 0 })).toBe('bad_request')
  })
})
