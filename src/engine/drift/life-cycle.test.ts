// SPDX-License-Identifier: Apache-2.0
// Snooze, many at once, back-test and the receipt of a look, on the real engine; the receipt also from a bundle alone.
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { explainBundleFile } from '../../node/explain-bundle.ts'
import { rawRecord, type TestEngine, testEngine } from '../test/test-engine.ts'

let engine: TestEngine
beforeEach(async () => {
  engine = await testEngine()
})
afterEach(() => engine.remove())

const some = (from: number, count: number, more = {}) => Array.from({ length: count }, (_, i) => rawRecord(from + i, more))
const slow = { latency_ms: 9000 }
const later = (ms: number) => new Date(Date.now() + ms).toISOString()

/** Two series with an alert each. */
async function twoAlerts(): Promise<string[]> {
  await engine.call('events.append', { events: [...some(0, 300), ...some(300, 300, { source: 'web' })] })
  for (const source of ['desk', 'web'])
    await engine.call('drift.set_baseline', { name: 'b', query: `source:${source}`, model: 'gpt-4', source })
  await engine.call('events.append', { events: [...some(1000, 100, slow), ...some(2000, 100, { ...slow, source: 'web' })] })
  return (await engine.call('drift.look', {})).opened
}

describe('alerts', () => {
  it('that were open at a look and are resolved later, beyond the cool-down, are not opened again for it, by a start or by a look', async () => {
    await engine.remove()
    let ahead = 0
    engine = await testEngine({ clock: { now: () => Date.now() + ahead, monotonic: () => performance.now() + ahead } })
    const alerts = await twoAlerts()
    expect(alerts).toHaveLength(2)
    expect((await engine.call('drift.look', {})).opened).toEqual([])
    ahead = 3 * 86_400_000
    for (const id of alerts) await engine.call('drift.resolve', { id, note: 'a new version' })
    for (const source of ['desk', 'web'])
      await engine.call('drift.set_baseline', { name: 'new', query: `source:${source} latency:>8s`, model: 'gpt-4', source })
    expect((await engine.call('drift.look', {})).opened).toEqual([])
    expect((await engine.call('drift.alerts', {})).alerts).toHaveLength(2)
    await engine.restart()
    await engine.call('drift.look', {})
    expect((await engine.call('drift.alerts', {})).alerts).toHaveLength(2)
  })

  it('rest until a time for a reason, and are acknowledged many at once', async () => {
    const [first = '', second = ''] = await twoAlerts()
    expect(await engine.codeOf('drift.snooze', { id: first, until: later(-1000), reason: 'r' })).toBe('bad_request')
    expect(await engine.codeOf('drift.snooze', { id: first, until: later(91 * 86_400_000), reason: 'r' })).toBe('bad_request')
    expect(await engine.codeOf('drift.snooze', { id: first, until: later(1000), reason: '' })).toBe('bad_request')
    expect(await engine.codeOf('drift.snooze', { id: 'none', until: later(1000), reason: 'r' })).toBe('not_found')
    const until = later(3_600_000)
    const snoozed = await engine.call('drift.snooze', { id: first, until, reason: 'deployment tonight' })
    expect(snoozed).toMatchObject({ state: 'open', snoozed_until: until })
    expect(snoozed.history.at(-1)).toMatchObject({ what: 'snoozed', note: 'deployment tonight', actor: 'local' })
    // It asks for nobody's attention meanwhile.
    await vi.waitFor(async () => expect((await engine.call('workspace.status', {})).alerts).toMatchObject({ open: 1, resting: 1 }), 10_000)
    const done = await engine.call('drift.acknowledge_many', { ids: [first, second, 'none', second], note: 'seen' })
    expect(done.alerts.map((alert) => [alert.id, alert.state, alert.snoozed_until])).toEqual([
      [first, 'acknowledged', null],
      [second, 'acknowledged', null]
    ])
    expect(done.refused).toMatchObject([{ id: 'none', code: 'not_found' }])
    expect((await engine.call('drift.acknowledge_many', { ids: [first], note: 'again' })).refused).toMatchObject([{ code: 'conflict' }])
    expect(await engine.codeOf('drift.acknowledge_many', { ids: [], note: 'seen' })).toBe('bad_request')
    // Whoever decides says why, also by HTTP.
    for (const note of ['', ' \n'])
      for (const op of ['drift.resolve', 'drift.acknowledge'] as const)
        expect(await engine.codeOf(op, { id: first, note })).toBe('bad_request')
    expect(await engine.codeOf('drift.acknowledge_many', { ids: [second], note: ' ' })).toBe('bad_request')
    await engine.call('drift.resolve', { id: first, note: 'new baseline' })
    expect(await engine.codeOf('drift.snooze', { id: first, until, reason: 'r' })).toBe('conflict')
  }, 60_000)
})

describe('whoever only reads', () => {
  it('sees alerts and verdicts, is refused every answer to them, and leaves no leaf by trying', async () => {
    const [first = '', second = ''] = await twoAlerts()
    const auditor = await engine.as('auditor')
    expect((await auditor.call('drift.alerts', { state: 'open' })).alerts.map((alert) => alert.id)).toEqual([second, first])
    const before = (await engine.call('workspace.status', {})).ledger.size
    const tried = {
      'drift.snooze': { id: first, until: later(3_600_000), reason: 'known' },
      'drift.acknowledge_many': { ids: [first, second], note: 'seen' },
      'drift.acknowledge': { id: first, note: 'seen' },
      'drift.resolve': { id: first, note: 'seen' },
      'drift.look': {},
      'drift.set_baseline': { name: 'b', query: '', model: 'gpt-4', source: 'desk' },
      'drift.backtest': { settings: {} }
    } as const
    for (const [op, input] of Object.entries(tried))
      expect([op, await auditor.codeOf(op as keyof typeof tried, input)]).toEqual([op, 'forbidden'])
    expect((await engine.call('workspace.status', {})).ledger.size).toBe(before)
    // The same calls, by whom they are for.
    const reviewer = await engine.as('reviewer')
    expect(await reviewer.codeOf('drift.snooze', tried['drift.snooze'])).toBeUndefined()
    expect((await reviewer.call('drift.acknowledge_many', { ids: [first, second], note: 'seen' })).refused).toEqual([])
  }, 60_000)
})

describe('a rest that is over', () => {
  const last = async (id: string) => (await engine.call('drift.alerts', { limit: 10 })).alerts.find((one) => one.id === id)
  const returned = async (id: string, times: number) => {
    for (let i = 0; i < 500; i++) {
      const alert = await last(id)
      if (alert?.history.filter((step) => step.what === 'returned').length === times) return alert
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    throw new Error('it did not return')
  }

  it('brings the alert back once: a leaf, a notice, an event; also when it ended while nothing ran, and not after an answer', async () => {
    const [first = '', second = ''] = await twoAlerts()
    const notices: { alert_id: string; title: string }[] = []
    const events: { id: string; history: { what: string }[] }[] = []
    const caller = () => ({ actor: { ref: 'local', kind: 'human' }, via: 'ipc' }) as const
    engine.engine.router.subscribe('notices', {}, (one) => notices.push(one as (typeof notices)[number]), caller)
    engine.engine.router.subscribe('alerts', {}, (one) => events.push(one as (typeof events)[number]), caller)
    const until = later(700)
    await engine.call('drift.snooze', { id: second, until: later(700), reason: 'answered before' })
    await engine.call('drift.acknowledge', { id: second, note: 'seen' })
    await engine.call('drift.snooze', { id: first, until, reason: 'lunch' })
    const back = await returned(first, 1)
    expect(back).toMatchObject({ state: 'open', snoozed_until: null })
    expect(back.history.at(-1)).toMatchObject({ what: 'returned', actor: 'engine', note: '' })
    expect(Date.parse(back.history.at(-1)?.time ?? '')).toBeGreaterThanOrEqual(Date.parse(until))
    // The catalog shows it a moment before anybody is told; that the alerts opened may be told late.
    const over = () => notices.filter((one) => one.title.startsWith('Drift, snooze over'))
    for (let i = 0; i < 500 && over().length === 0; i++) await new Promise((resolve) => setTimeout(resolve, 10))
    expect(over().map((one) => one.alert_id)).toEqual([first])
    expect(events.at(-1)).toMatchObject({ id: first })
    expect((await last(second))?.history.map((step) => step.what)).not.toContain('returned')
    // The time passes while nothing runs.
    await engine.call('drift.snooze', { id: first, until: later(200), reason: 'again' })
    await engine.restart(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300))
    await returned(first, 2)
  }, 60_000)
})

describe('a receipt', () => {
  it('is given by the workspace and by the bundle alone, and finds what was changed', async () => {
    await twoAlerts()
    const here = await engine.call('drift.explain', {})
    expect(here).toMatchObject({ reproduced: true, faults: [] })
    expect(here.recomputed_sha256).toBe(here.body_sha256)
    expect(here.series.map((one) => one.source)).toEqual(['web', 'desk'])
    expect(await engine.codeOf('drift.explain', { look_seq: 0 })).toBe('not_found')
    // The look goes along whole: also the series outside of the filter.
    expect((await engine.call('export.preview', { query: 'source:web seq:600..900' })).looks).toEqual({ looks: 1, series: 2 })
    expect((await engine.call('export.preview', { query: 'model:nobody' })).looks).toEqual({ looks: 0, series: 0 })
    const out = join(engine.root, 'verdict.affidavit.zip')
    const { job_id } = await engine.call('export.start', { query: 'source:web seq:600..900', recipient: 'R', purpose: 'P', out })
    expect((await engine.job(job_id)).state).toBe('done')
    const [there] = await explainBundleFile(out)
    expect(there).toEqual(here)
  }, 60_000)
})

describe('a back-test', () => {
  it('says what would have alarmed, beside the settings as they are, and leaves one leaf', async () => {
    expect(await engine.codeOf('drift.backtest', {})).toBe('nothing_selected')
    const day = (from: number, at: number, more = {}) =>
      Array.from({ length: 240 }, (_, i) =>
        rawRecord(from + i, {
          start_time: new Date(Date.UTC(2026, 2, 1 + at) + i * 360_000).toISOString(),
          response: 'the same',
          latency_ms: 500 + ((i * 37) % 100),
          ...more
        })
      )
    await engine.call('events.append', { events: [...day(0, 0), ...day(1000, 1), ...day(2000, 2), ...day(3000, 3, slow)] })
    const leaves = (await engine.call('workspace.status', {})).ledger.size
    const { job_id } = await engine.call('drift.backtest', { settings: { reference: 'rolling', look_every_minutes: 360 } })
    expect(await engine.job(job_id)).toMatchObject({ state: 'failed', error: { code: 'nothing_selected' } })
    await engine.call('settings.set', { reference: 'rolling' })
    const again = await engine.call('drift.backtest', { settings: { look_every_minutes: 360, effect_floor: 1 } })
    expect((await engine.job(again.job_id)).state).toBe('done')
    const result = await engine.call('drift.backtest_result', { job_id: again.job_id })
    expect(result.present).toMatchObject({ looks: 96, series: 1, alerts: 1 })
    expect(result.present.list[0]).toMatchObject({ model: 'gpt-4', reference: 'rolling', features: ['latency'], opens: true })
    expect(result.present.list[0]?.time.slice(0, 10)).toBe('2026-03-04')
    expect(result.proposed).toMatchObject({ alarms: 0, alerts: 0, looks: 16 })
    expect((await engine.call('workspace.status', {})).ledger.size).toBe(leaves + 2)
    expect(await engine.codeOf('drift.backtest', { settings: { effect_floor: 2 } })).toBe('bad_request')
    expect(await engine.codeOf('drift.backtest', { from: '2026-03-02T00:00:00Z', to: '2026-03-01T00:00:00Z' })).toBe('bad_request')
  }, 60_000)

  it('is not stretched by one wrong clock, and says how many records it left out', async () => {
    const at = (n: number, time: string) => rawRecord(n, { start_time: time })
    const usual = Array.from({ length: 100 }, (_, i) => at(i, new Date(Date.UTC(2026, 2, 1) + i * 600_000).toISOString()))
    await engine.call('events.append', { events: [...usual, at(900, '1972-03-01T00:00:00Z'), at(901, '2025-12-20T00:00:00Z')] })
    await engine.call('settings.set', { reference: 'rolling' })
    const result = async (range: object) => {
      const { job_id } = await engine.call('drift.backtest', range)
      await engine.job(job_id)
      return engine.call('drift.backtest_result', { job_id })
    }
    expect(await result({})).toMatchObject({ from: '2026-03-01T00:00:00.000Z', to: '2026-03-01T17:00:00.000Z', outside: 2 })
    // Whoever names the time gets it.
    const named = { from: '2025-12-01T00:00:00Z', to: '2026-03-02T00:00:00Z' }
    expect(await result(named)).toMatchObject({ from: '2025-12-01T00:00:00.000Z', to: '2026-03-01T17:00:00.000Z', outside: 0 })
    const line = await engine.call('drift.timeline', { query: '', feature: 'latency' })
    expect(line).toMatchObject({ from: '2026-03-01T00:00:00.000Z', outside: 2, step_ms: 900_000 })
    expect(line.slots.reduce((sum, slot) => sum + slot.records, 0)).toBe(100)
  }, 60_000)

  it('ends when it is cancelled, also in the midst of the history, and leaves nothing', async () => {
    // Half a century of hours between two records: long to go through, quick to record.
    const at = (year: number) => rawRecord(year, { start_time: `${year}-03-01T00:00:00Z`, response: 'r' })
    await engine.call('events.append', { events: [at(1972), at(2026)] })
    await engine.call('settings.set', { reference: 'rolling' })
    const leaves = (await engine.call('workspace.status', {})).ledger.size
    const { job_id } = await engine.call('drift.backtest', { settings: { effect_floor: 0.5 } })
    expect(await engine.codeOf('drift.backtest_result', { job_id })).toBe('busy')
    while ((await engine.call('jobs.get', { id: job_id })).done === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    await engine.call('jobs.cancel', { id: job_id })
    const job = await engine.job(job_id)
    expect(job).toMatchObject({ state: 'cancelled', error: null })
    expect(job.done).toBeLessThan(job.total ?? 0)
    expect(await engine.codeOf('drift.backtest_result', { job_id })).toBe('cancelled')
    expect((await engine.call('workspace.status', {})).ledger.size).toBe(leaves)
  })
})
