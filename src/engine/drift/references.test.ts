// SPDX-License-Identifier: Apache-2.0
// References that move, looks by count, and windows made of hourly counts: pure parts first, then the real engine.
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { movingReferences } from '../../shared/event/drift-bodies.ts'
import { HOUR_US } from '../catalog/cells.ts'
import type { Counted } from '../catalog/tally.ts'
import { rawRecord, type TestEngine, testEngine } from '../test/test-engine.ts'
import { movingWindow, referenceHours } from './references.ts'

const counted = (hour: number, seq = 0): Counted => ({
  seq,
  time: hour * HOUR_US,
  status: 'success',
  latency: 1000,
  input: 1,
  output: 1,
  chars: 1,
  finish: null,
  served: null,
  script: null
})

describe('hours of a reference', () => {
  it('lie before the window and never count twice', () => {
    const hour = fc.integer({ min: 400_000, max: 500_000 })
    fc.assert(
      fc.property(
        fc.constantFrom(...movingReferences),
        hour,
        fc.integer({ min: 0, max: 2_000 }),
        fc.integer({ min: 1, max: 90 }),
        (kind, first, length, days) => {
          let before = Number.NEGATIVE_INFINITY
          for (const [from, to] of referenceHours(kind, first, first + length, days)) {
            expect(from).toBeGreaterThanOrEqual(before)
            expect(to).toBeGreaterThan(from)
            expect(to).toBeLessThanOrEqual(first)
            before = to
          }
        }
      )
    )
  })
  it('are the days before, the same hours of four weeks, or of the day before', () => {
    expect(referenceHours('rolling', 1000, 1002, 7)).toEqual([[832, 1000]])
    expect(referenceHours('hour_of_day', 1000, 1001, 7)).toEqual([[976, 978]])
    expect(referenceHours('hour_of_week', 1000, 1000, 7)).toEqual([
      [328, 329],
      [496, 497],
      [664, 665],
      [832, 833]
    ])
    // A window of two days has no yesterday but its own first day: the day before is all there is.
    expect(referenceHours('hour_of_day', 1000, 1047, 7)).toEqual([[976, 1000]])
  })
})

describe('a window of new records', () => {
  it('is not moved by a clock that was wrong for a few requests', () => {
    const usual = Array.from({ length: 98 }, (_, i) => counted(1000 + (i % 3), i))
    const window = movingWindow([counted(0), ...usual, counted(900_000)])
    expect(window).toMatchObject({ first: 1000, last: 1002 })
    // The start of 1970 belongs to no window; the one of the future is judged, and moves no reference.
    expect(window?.tally.records).toBe(99)
    expect(movingWindow([])).toBeUndefined()
  })
})

describe('references that move', () => {
  let engine: TestEngine
  beforeEach(async () => {
    engine = await testEngine()
  })
  afterEach(() => engine.remove())
  /** `count` requests within one hour that begins `hour` hours after 2026-03-01. */
  const hour = (from: number, at: number, count: number, more = {}) =>
    Array.from({ length: count }, (_, i) =>
      rawRecord(from + i, {
        start_time: new Date(Date.UTC(2026, 2, 1) + at * 3_600_000 + i * 1000).toISOString(),
        response_model: 'gpt-4-0613',
        ...more
      })
    )
  const slow = { latency_ms: 9000 }

  it('judge series that nobody pinned anything for, and are stored once', async () => {
    expect(await engine.codeOf('drift.look', {})).toBe('nothing_selected')
    await engine.call('settings.set', { reference: 'rolling', reference_days: 2 })
    await engine.call('events.append', { events: [...hour(0, 0, 150), ...hour(1000, 20, 150), ...hour(2000, 30, 100, slow)] })
    const look = await engine.call('drift.look', {})
    expect(look.series).toMatchObject([{ model: 'gpt-4', source: 'desk', baseline_id: 'rolling' }])
    expect(look.series[0]?.numbers[0]).toMatchObject({ feature: 'latency', n: 300, m: 100, d: 1, alarmed: true })
    const verdict = await engine.call('drift.verdict', { alert_id: look.opened[0] ?? '', feature: 'latency' })
    expect(verdict.reference).toMatchObject({ kind: 'rolling', records: 300, seq: look.seq, from: '2026-02-28T06:00:00.000Z' })
    expect(verdict.reference.hash).toMatch(/^[0-9a-f]{64}$/)
    const again = await engine.call('drift.look', {})
    expect(again.opened).toEqual([])
    const second = await engine.call('drift.verdict', { model: 'gpt-4', source: 'desk', feature: 'latency' })
    // The table is in the leaf of the first look that used it, and named by its hash ever since.
    expect(second.reference).toMatchObject({ seq: look.seq, hash: verdict.reference.hash })
    expect((await engine.call('drift.series', {})).series).toMatchObject([{ reference: 'rolling', state: 'alarmed' }])
    const { job_id } = await engine.call('workspace.rebuild', {})
    await engine.job(job_id)
    expect(await engine.call('drift.verdict', { model: 'gpt-4', source: 'desk', feature: 'latency' })).toEqual(second)
  })

  it('take the same hours of the day before, or of the weeks before', async () => {
    const events = [...hour(0, 0, 210), ...hour(1000, 5, 300, slow), ...hour(2000, 24, 60), ...hour(3000, 168, 60)]
    await engine.call('events.append', { events })
    const latency = async (reference: 'hour_of_day' | 'hour_of_week', from: string, to: string) => {
      await engine.call('settings.set', { reference })
      return (await engine.call('drift.look', { from, to })).series[0]?.numbers[0]
    }
    expect(await latency('hour_of_day', '2026-03-02T00:00:00Z', '2026-03-02T01:00:00Z')).toMatchObject({ n: 210, m: 60, alarmed: false })
    expect(await latency('hour_of_week', '2026-03-08T00:00:00Z', '2026-03-08T01:00:00Z')).toMatchObject({ n: 210, m: 60, alarmed: false })
    expect(await latency('hour_of_day', '2026-03-08T00:00:00Z', '2026-03-08T01:00:00Z')).toMatchObject({ state: 'collecting', n: 0, m: 60 })
  })
})
