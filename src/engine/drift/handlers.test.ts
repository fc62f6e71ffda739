// SPDX-License-Identifier: Apache-2.0
// Baselines, looks and alerts on the real engine: what holds beside the study of engine.test.ts.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { jcs } from '../../shared/evidence/jcs.ts'
import { parseLeaf } from '../../shared/evidence/leaf.ts'
import { rawRecord, type TestEngine, testEngine } from '../test/test-engine.ts'

let engine: TestEngine
beforeEach(async () => {
  engine = await testEngine()
})
afterEach(() => engine.remove())

const some = (from: number, count: number, more = {}) => Array.from({ length: count }, (_, i) => rawRecord(from + i, more))
const slow = { latency_ms: 9000 }

/** Every leaf as a verifier reads it; the problems of those it refuses. */
function refusedLeaves(): unknown[] {
  const db = new Database(join(engine.workspace, 'ledger.db'), { readonly: true })
  const bytes = db.prepare<[], Buffer>('SELECT bytes FROM leaf ORDER BY seq').pluck().all()
  db.close()
  return bytes.flatMap((leaf) => {
    const parsed = parseLeaf(leaf.toString('utf8'), jcs)
    return parsed.ok ? [] : [parsed.problem]
  })
}

const leafText = (): string =>
  ['ledger.db', 'ledger.db-wal']
    .map((name) => join(engine.workspace, name))
    .filter((path) => existsSync(path))
    .map((path) => readFileSync(path).toString('latin1'))
    .join('')

describe('leaves of drift', () => {
  it('stay readable for every verifier, whatever a model is called', async () => {
    const model = `${'långt namn, Mrs Example '.repeat(9)}x`
    expect(model.length).toBeGreaterThan(128)
    await engine.call('events.append', { events: some(0, 300, { model }) })
    const baseline = await engine.call('drift.set_baseline', { name: 'b', query: '', model, source: 'desk' })
    expect(baseline).toMatchObject({ model, source: 'desk', records: 300, active: true })
    await engine.call('events.append', { events: some(1000, 100, { model, ...slow }) })
    const { opened } = await engine.call('drift.look', {})
    expect((await engine.call('drift.alerts', {})).alerts).toMatchObject([{ id: opened[0], model, source: 'desk' }])
    expect(refusedLeaves()).toEqual([])
    expect(leafText()).not.toContain('Mrs Example')
  })

  it('hold no note, name or query in clear', async () => {
    await engine.call('events.append', { events: some(0, 300) })
    await engine.call('drift.set_baseline', { name: 'name-of-baseline', query: 'model:gpt-4', model: 'gpt-4', source: 'desk' })
    await engine.call('events.append', { events: some(1000, 100, slow) })
    const [id = ''] = (await engine.call('drift.look', {})).opened
    await engine.call('drift.acknowledge', { id, note: `${'x'.repeat(1990)}note-text` })
    const text = leafText()
    expect(text).toContain('baseline.set')
    for (const secret of ['name-of-baseline', 'note-text']) expect(text).not.toContain(secret)
    expect(refusedLeaves()).toEqual([])
  })

  it('refuse text that has no canonical form', async () => {
    await engine.call('events.append', { events: some(0, 300) })
    const pin = { name: 'b', query: '', model: 'gpt-4', source: 'desk' }
    expect(await engine.codeOf('drift.set_baseline', { ...pin, name: 'x\ud800' })).toBe('bad_request')
    expect(await engine.codeOf('drift.set_baseline', { ...pin, model: 'x\udc00' })).toBe('bad_request')
    await engine.call('drift.set_baseline', pin)
    await engine.call('events.append', { events: some(1000, 100, slow) })
    const [id = ''] = (await engine.call('drift.look', {})).opened
    expect(await engine.codeOf('drift.acknowledge', { id, note: '\ud800' })).toBe('bad_request')
    expect((await engine.call('drift.alerts', {})).alerts[0]?.state).toBe('open')
  })
})

describe('alerts', () => {
  it('change once when two people press at the same time', async () => {
    await engine.call('events.append', { events: some(0, 300) })
    await engine.call('drift.set_baseline', { name: 'b', query: '', model: 'gpt-4', source: 'desk' })
    await engine.call('events.append', { events: some(1000, 100, slow) })
    const [id = ''] = (await engine.call('drift.look', {})).opened
    const codes = await Promise.all([1, 2, 3].map((n) => engine.codeOf('drift.acknowledge', { id, note: `${n}` })))
    expect(codes.filter((code) => code === undefined)).toHaveLength(1)
    expect(codes.filter((code) => code === 'conflict')).toHaveLength(2)
    expect((await engine.call('drift.alerts', {})).alerts[0]?.history).toHaveLength(2)
  })
})

describe('a look', () => {
  const pin = (query = '', more = {}) => engine.call('drift.set_baseline', { name: 'b', query, model: 'gpt-4', source: 'desk', ...more })

  it('refuses a time range that is none and answers an empty one with collecting', async () => {
    await engine.call('events.append', { events: some(0, 300) })
    await pin()
    const at = '2026-01-01T00:00:00Z'
    expect(await engine.codeOf('drift.look', { from: at, to: at })).toBe('bad_request')
    expect(await engine.codeOf('drift.look', { from: 'yesterday' })).toBe('bad_request')
    const look = await engine.call('drift.look', { from: '1990-01-01T00:00:00Z', to: '1991-01-01T00:00:00Z' })
    expect(look).toMatchObject({ tests: 0, collecting: 4, alarmed: 0, opened: [] })
    expect(look.series[0]?.numbers[0]).toMatchObject({ state: 'collecting', n: 300, m: 0, d: null, p: null, reasons: ['too_few_current'] })
    const verdict = await engine.call('drift.verdict', { model: 'gpt-4', source: 'desk', feature: 'latency' })
    expect(verdict).toMatchObject({ gap: null, ecdf: { reference: [], current: [] }, numbers: { state: 'collecting' } })
    expect(verdict.look_time).toBe(look.time)
    expect(refusedLeaves()).toEqual([])
  })

  it('judges only what lies in the range', async () => {
    await engine.call('events.append', { events: some(0, 300) })
    await pin()
    // Two days later slow, and a third as fast as before.
    await engine.call('events.append', { events: [...some(2880, 100, slow), ...some(4320, 100)] })
    const quiet = await engine.call('drift.look', { from: '2026-01-04T00:00:00Z' })
    expect(quiet.series[0]?.numbers[0]).toMatchObject({ m: 100, alarmed: false })
    const alarmed = await engine.call('drift.look', { from: '2026-01-03T00:00:00Z', to: '2026-01-04T00:00:00Z' })
    expect(alarmed.series[0]?.numbers[0]).toMatchObject({ m: 100, d: 1, alarmed: true })
  })

  it('handles a feature of one value, and a model that nothing asked for yet', async () => {
    const same = { latency_ms: 700, response: 'ok', output_tokens: 1 }
    await engine.call('events.append', { events: some(0, 300, same) })
    await pin()
    await pin('', { model: 'gpt-9' })
    await engine.call('events.append', { events: some(1000, 100, same) })
    const { series } = await engine.call('drift.look', {})
    const numbers = (model: string) => series.find((one) => one.model === model)?.numbers ?? []
    expect(numbers('gpt-4').map((one) => [one.d, one.p, one.l, one.alarmed])).toEqual(Array(4).fill([0, 1, 0, false]))
    expect(numbers('gpt-9').map((one) => [one.state, one.m])).toEqual(Array(4).fill(['collecting', 0]))
    const verdict = await engine.call('drift.verdict', { model: 'gpt-4', source: 'desk', feature: 'latency' })
    expect(verdict.ecdf).toEqual({ reference: [{ x: 700, y: 1 }], current: [{ x: 700, y: 1 }] })
  })

  it('counts failures out of requests that ended', async () => {
    await engine.call('events.append', { events: some(0, 300) })
    await pin()
    await engine.call('events.append', {
      events: [...some(1000, 60, { status: 'error' }), ...some(2000, 60), ...some(3000, 80, { status: 'incomplete' })]
    })
    await engine.call('drift.look', {})
    const { counts } = await engine.call('drift.verdict', { model: 'gpt-4', source: 'desk', feature: 'error_rate' })
    expect(counts).toEqual({ reference_errors: 0, reference_total: 300, current_errors: 60, current_total: 120 })
  })

  it('never compares windows of a different token basis', async () => {
    await engine.call('events.append', { events: some(0, 300) })
    await pin()
    const { input_tokens: _, ...alone } = rawRecord(0)
    await engine.call('events.append', { events: Array.from({ length: 100 }, (_, i) => ({ ...alone, id: `alone-${i}` })) })
    const { series } = await engine.call('drift.look', {})
    expect(series[0]?.numbers.find((one) => one.feature === 'token_usage')).toMatchObject({ state: 'collecting', n: 300, m: 0 })
  })

  it('pages alerts and filters them', async () => {
    await engine.call('events.append', { events: [...some(0, 300), ...some(300, 300, { source: 'web' })] })
    await pin('source:desk')
    await pin('source:web', { source: 'web' })
    await engine.call('events.append', { events: [...some(1000, 100, slow), ...some(2000, 100, { ...slow, source: 'web' })] })
    const { opened } = await engine.call('drift.look', {})
    expect(opened).toHaveLength(2)
    const first = await engine.call('drift.alerts', { limit: 1 })
    const second = await engine.call('drift.alerts', { limit: 1, cursor: first.next_cursor ?? '' })
    expect([...first.alerts, ...second.alerts].map((alert) => alert.id)).toEqual([...opened].reverse())
    expect(second.next_cursor).toBeNull()
    const ids = async (filter: object) => (await engine.call('drift.alerts', { limit: 100, ...filter })).alerts.length
    expect(await ids({ source: 'web' })).toBe(1)
    expect(await ids({ feature: 'latency' })).toBe(2)
    expect(await ids({ feature: 'error_rate' })).toBe(0)
    expect(await ids({ state: 'acknowledged' })).toBe(0)
    expect(await ids({ to: '2020-01-01T00:00:00Z' })).toBe(0)
    expect(await engine.codeOf('drift.alerts', { cursor: 'garbage' })).toBe('invalid_cursor')
    const { series } = await engine.call('drift.series', {})
    expect(series.map((one) => [one.source, one.state])).toEqual([
      ['desk', 'alarmed'],
      ['web', 'alarmed']
    ])
    expect(await engine.call('drift.statistics', {})).toMatchObject({ total_alerts: 2, unacknowledged_alerts: 2 })
  })
})
