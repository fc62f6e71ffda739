// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { VerifySchedule } from './verify-schedule.ts'

const HOUR = 3_600_000

function scheduled(options: { last: number | null; every?: number }) {
  const state = { now: 1_000 * HOUR, monotonic: 0, last: options.last, every: options.every ?? 24, verified: 0, failed: 0, fails: false }
  const schedule = new VerifySchedule({
    everyHours: () => state.every,
    lastVerified: async () => state.last,
    verify: async () => {
      if (state.fails) throw new Error('the disk went away')
      state.verified++
      state.last = state.now
    },
    onFailed: () => {
      state.failed++
    },
    clock: { now: () => state.now, monotonic: () => state.monotonic }
  })
  return { state, schedule }
}

describe('background verification', () => {
  it('comes so many hours after the last one, whoever asked for that', async () => {
    const { state, schedule } = scheduled({ last: 990 * HOUR })
    await schedule.tick()
    expect(state.verified).toBe(0)
    state.now = 1_013 * HOUR
    state.last = 1_012 * HOUR
    await schedule.tick()
    expect(state.verified).toBe(0)
    state.now = 1_036 * HOUR
    await schedule.tick()
    await schedule.tick()
    expect(state.verified).toBe(1)
    expect(schedule.next?.getTime()).toBe(1_060 * HOUR)
  })

  it('lets a start settle first, and is off at 0', async () => {
    const { state, schedule } = scheduled({ last: null })
    await schedule.tick()
    expect(state.verified).toBe(0)
    state.now += 6 * 60_000
    await schedule.tick()
    expect(state.verified).toBe(1)
    state.every = 0
    state.now += 1_000 * HOUR
    await schedule.tick()
    expect(state.verified).toBe(1)
    expect(schedule.next).toBeNull()
  })

  it('does not fail each minute, nor stop for ever when the clock was set back', async () => {
    const { state, schedule } = scheduled({ last: 1_500 * HOUR })
    state.fails = true
    state.now = 1_100 * HOUR
    await schedule.tick()
    state.now = 1_125 * HOUR
    await schedule.tick()
    await schedule.tick()
    expect(state.failed).toBe(1)
    state.fails = false
    state.now = 1_150 * HOUR
    await schedule.tick()
    expect(state.verified).toBe(1)
  })

  it('comes at its time when the clock is set back in between', async () => {
    const { state, schedule } = scheduled({ last: 990 * HOUR })
    await schedule.tick()
    state.now -= 24 * HOUR
    state.monotonic += 13 * HOUR
    await schedule.tick()
    expect(state.verified).toBe(0)
    state.monotonic += HOUR
    await schedule.tick()
    expect(state.verified).toBe(1)
    // What is on record now is earlier than what was before.
    state.monotonic += 23 * HOUR
    await schedule.tick()
    expect(state.verified).toBe(1)
    state.monotonic += HOUR
    await schedule.tick()
    expect(state.verified).toBe(2)
  })
})
