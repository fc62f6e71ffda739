// SPDX-License-Identifier: Apache-2.0
// Records that are odd, and what drift makes of them; the words for it are in docs/drift.md.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { addCell, besideJson, encodeTables, Tally, windowBody } from '../catalog/tally.ts'
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

  it('token counts whose sum is no safe integer are no value of that record, and stop neither its series nor another', async () => {
    const most = Number.MAX_SAFE_INTEGER
    const web = { source: 'web' }
    await engine.call('events.append', { events: [...some(0, 300), ...some(1000, 300, web)] })
    for (const source of ['desk', 'web']) await pin({ query: `source:${source}`, source })
    await engine.call('events.append', { events: [...some(2000, 100, { latency_ms: 9000 }), ...some(3000, 99, web)] })
    const odd = { ...web, input_tokens: most, output_tokens: most, latency_ms: undefined, latency_us: most }
    expect(await engine.call('events.append', { events: some(4000, 1, odd) })).toMatchObject({ accepted: 1 })
    const look = await engine.call('drift.look', {})
    const numbers = (source: string) => look.series.find((one) => one.source === source)?.numbers.map(({ feature, m }) => [feature, m])
    expect(numbers('web')).toEqual([
      ['latency', 100],
      ['token_usage', 99],
      ['response_length', 100],
      ['error_rate', 100]
    ])
    expect(look.opened).toHaveLength(1)
    expect((await engine.call('drift.baseline_preview', { query: 'source:web' })).per_feature).toMatchObject({
      latency: 400,
      token_usage: 399
    })
    const sides = { a: 'source:desk', b: 'source:web' }
    expect((await engine.call('drift.compare', { ...sides, feature: 'token_usage' })).b).toMatchObject({ records: 400, values: 399 })
    const line = await engine.call('drift.timeline', { query: 'source:web', feature: 'token_usage' })
    expect(Math.max(...line.slots.map((slot) => slot.p90 ?? 0))).toBeLessThan(100)
    expect((await pin({ query: 'source:web', source: 'web' })).records).toBe(400)
    await engine.call('settings.set', { reference: 'rolling' })
    expect(await engine.codeOf('drift.look', {})).toBeUndefined()
  })

  it('such a sum in a cell of a catalog from before is left out when it is read', () => {
    const [was, is] = [new Tally(), new Tally()]
    was.total.set(2 * Number.MAX_SAFE_INTEGER, 1).set(30, 2)
    const { records, errors, ended, lowSeq, highSeq, lowUs, highUs } = was
    const [tables, beside] = [encodeTables(was), besideJson(was)]
    addCell(is, { records, errors, ended, low_seq: lowSeq, high_seq: highSeq, low_us: lowUs, high_us: highUs, tables, beside })
    expect(windowBody(is).tables.token_usage).toEqual({ dv: [30], c: [2] })
  })
})
