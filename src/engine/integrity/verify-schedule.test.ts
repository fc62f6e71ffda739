// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { VerifySchedule } from './verify-schedule.ts'

const HOUR = 3_600_000

function scheduled(options: { last: number | null; every?: number }) {
  const state = {
    now: 1_000 * HOUR,
    monotonic: 0,
    last: options.last === null ? null : { seq: 5, at: options.last },
    every: options.every ?? 24,
    verified: 0,
    failed: 0,
    fails: false,
    whole: true
  }
  const verifiedNow = () => {
    state.last = { seq: (state.last?.seq ?? 10) + 10, at: state.now }
  }
  const schedule = new VerifySchedule({
    everyHours: () => state.every,
    lastVerified: async () => state.last,
    firstSeq: 10,
    verify: async () => {
      if (state.fails) throw new Error('the disk went away')
      state.verified++
      if (state.whole) verifiedNow()
      return state.whole
    },
    onFailed: () => {
      state.failed++
    },
    clock: { now: () => state.now, monotonic: () => state.monotonic }
  })
  const pass = (ms: number) => {
    state.now += ms
    state.monotonic += ms
  }
  return { state, schedule, pass, verifiedNow }
}
const MINUTE = 60_000

describe('background verification', () => {
  it('comes soon after each start, lets the start settle first, and is off at 0', async () => {
    const { state, schedule, pass } = scheduled({ last: 999 * HOUR })
    await schedule.tick()
    expect(state.verified).toBe(0)
    expect(schedule.next?.getTime()).toBe(1_000 * HOUR + 5 * MINUTE)
    pass(6 * MINUTE)
    await schedule.tick()
    await schedule.tick()
    expect(state.verified).toBe(1)
    state.every = 0
    pass(1_000 * HOUR)
    await schedule.tick()
    expect(state.verified).toBe(1)
    expect(schedule.next).toBeNull()
  })

  it('comes so many hours after the last one of this run, whoever asked for that', async () => {
    const { state, schedule, pass, verifiedNow } = scheduled({ last: 900 * HOUR })
    pass(2 * MINUTE)
    verifiedNow()
    pass(10 * HOUR)
    await schedule.tick()
    expect(state.verified).toBe(0)
    verifiedNow()
    pass(23 * HOUR)
    await schedule.tick()
    expect(state.verified).toBe(0)
    pass(HOUR)
    await schedule.tick()
    await schedule.tick()
    expect(state.verified).toBe(1)
    expect(schedule.next?.getTime()).toBe(state.now + 24 * HOUR)
  })

  it('that failed or was cancelled is tried again in an hour, not each minute', async () => {
    const { state, schedule, pass } = scheduled({ last: null })
    state.fails = true
    pass(6 * MINUTE)
    await schedule.tick()
    pass(MINUTE)
    await schedule.tick()
    expect(state.failed).toBe(1)
    state.fails = false
    state.whole = false
    pass(HOUR)
    await schedule.tick()
    pass(MINUTE)
    await schedule.tick()
    expect(state.verified).toBe(1)
    state.whole = true
    pass(HOUR)
    await schedule.tick()
    await schedule.tick()
    expect(state.verified).toBe(2)
  })

  it('comes at its time when the clock is set back, once and not for ever', async () => {
    const { state, schedule, pass } = scheduled({ last: 1_500 * HOUR })
    pass(6 * MINUTE)
    await schedule.tick()
    expect(state.verified).toBe(1)
    state.now -= 24 * HOUR
    state.monotonic += 23 * HOUR
    await schedule.tick()
    expect(state.verified).toBe(1)
    state.monotonic += HOUR
    await schedule.tick()
    // What is on record now is earlier than what was before.
    expect(state.verified).toBe(2)
    pass(23 * HOUR)
    await schedule.tick()
    expect(state.verified).toBe(2)
    pass(HOUR)
    await schedule.tick()
    expect(state.verified).toBe(3)
  })
})
