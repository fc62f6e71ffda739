// SPDX-License-Identifier: Apache-2.0
// Records that are odd, and what drift makes of them; the words for it are in docs/drift.md.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { rawRecord, type TestEngine, testEngine } from '../test/test-engine.ts'

let engine: TestEngine
beforeEach(async () => {
  engine = await testEngine()
})
afterEach(() => engine.remove())

const some = (from: number, count: number, more = {}) => Array.from({ length: count }, (_, i) => rawRecord(from + i, more))
const pin = (more = {}) => engine.call('drift.set_baseline', { name: 'b', query: '', model: 'gpt-4', source: 'desk', ...more })

describe('odd records', () => {
  it('a latency that is negative or no number is refused with its record, so no window holds one', async () => {
    const odd = [-1, Number.NaN, Number.POSITIVE_INFINITY, '12', 1e300].map((latency_ms, i) => ({ ...rawRecord(10 + i), latency_ms }))
    const answer = await engine.call('events.append', { events: [rawRecord(1), ...odd] })
    expect(answer.accepted).toBe(1)
    expect(answer.rejected.map((one) => one.message.includes('latency'))).toEqual(odd.map(() => true))
    expect((await engine.call('drift.series', {})).series).toMatchObject([{ records: 1 }])
  })

  it('a clock that jumps back changes which time a record claims, not which window it is in', async () => {
    await engine.call('events.append', { events: some(0, 300) })
    await pin()
    await engine.call('events.append', { events: some(1000, 100, { timestamp: '2001-01-01T00:00:00Z', latency_ms: 9000 }) })
    const look = await engine.call('drift.look', {})
    expect(look.series[0]?.numbers[0]).toMatchObject({ n: 300, m: 100, alarmed: true })
  })

  it('a series that stops stays listed with its last record, and its look says collecting instead of quiet', async () => {
    await engine.call('events.append', { events: some(0, 300) })
    await pin()
    const look = await engine.call('drift.look', {})
    expect(look).toMatchObject({ tests: 0, collecting: 4, alarmed: 0 })
    expect(look.series[0]?.numbers[0]?.sentence).toBe('Collecting: 0 current and 300 reference requests so far.')
    const { series } = await engine.call('drift.series', {})
    expect(series).toMatchObject([{ model: 'gpt-4', records: 300, state: 'collecting', score: null }])
    expect(series[0]?.last).toMatch(/Z$/)
  })

  it('a thousand new series at once are listed without a baseline, and a look judges the pinned one as if they were not there', async () => {
    await engine.call('events.append', { events: some(0, 300) })
    await pin({ query: 'model:gpt-4' })
    const fresh = Array.from({ length: 999 }, (_, i) => rawRecord(5000 + i, { model: `model-${i}` }))
    await engine.call('events.append', { events: [...fresh, ...some(1000, 60)] })
    const { series } = await engine.call('drift.series', {})
    expect(series).toHaveLength(1000)
    expect(series.filter((one) => one.state === 'no_baseline')).toHaveLength(999)
    const look = await engine.call('drift.look', {})
    expect(look).toMatchObject({ tests: 4, collecting: 0 })
    expect(look.series.map((one) => one.model)).toEqual(['gpt-4'])
  })
})
