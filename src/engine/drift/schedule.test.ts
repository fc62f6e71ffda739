// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { AffidavitError } from '../../shared/contract/errors.ts'
import { LookSchedule } from './schedule.ts'

const MINUTE = 60_000

function made(options: { every?: number; since?: number | null } = {}) {
  const state = { now: 5_000_000, every: options.every ?? 60, looks: 0, failures: [] as unknown[], look: async () => {} }
  const schedule = new LookSchedule({
    everyMinutes: () => state.every,
    sinceLast: async () => options.since ?? null,
    look: async () => {
      state.looks++
      await state.look()
    },
    onFailed: (error) => state.failures.push(error),
    now: () => state.now
  })
  return { state, schedule }
}

const dueIn = (schedule: LookSchedule): number => Math.round(((schedule.nextLook?.getTime() ?? Number.NaN) - Date.now()) / MINUTE)

describe('the schedule', () => {
  it('looks once a period and says when it looks next', async () => {
    const { state, schedule } = made()
    for (let minute = 0; minute < 180; minute++) {
      state.now += MINUTE
      await schedule.tick()
    }
    expect(state.looks).toBe(3)
    expect(dueIn(schedule)).toBe(60)
    state.now += 45 * MINUTE
    expect(dueIn(schedule)).toBe(15)
  })

  it('is off at 0 and follows the setting', async () => {
    const { state, schedule } = made({ every: 0 })
    state.now += 1000 * MINUTE
    await schedule.tick()
    expect([state.looks, schedule.nextLook]).toEqual([0, null])
    state.every = 5
    await schedule.tick()
    expect(state.looks).toBe(1)
  })

  it('never runs two at once, and waits for the one under way when it stops', async () => {
    const { state, schedule } = made()
    let end = () => {}
    let ended = false
    state.look = async () => {
      await new Promise<void>((resolve) => {
        end = resolve
      })
      ended = true
    }
    state.now += 60 * MINUTE
    void schedule.tick()
    state.now += 600 * MINUTE
    await schedule.tick()
    expect(state.looks).toBe(1)
    const stopped = schedule.stop()
    end()
    await stopped
    expect(ended).toBe(true)
    await schedule.tick()
    expect(state.looks).toBe(1)
  })

  it('tells of a failure and goes on', async () => {
    const { state, schedule } = made()
    state.look = () => Promise.reject(new Error('no'))
    for (let i = 0; i < 2; i++) {
      state.now += 60 * MINUTE
      await schedule.tick()
    }
    expect([state.looks, state.failures.length]).toEqual([2, 2])
  })

  it('tries again at the next tick what found another look under way', async () => {
    const { state, schedule } = made()
    state.look = () => (state.looks === 1 ? Promise.reject(new AffidavitError('busy', 'another look is under way')) : Promise.resolve())
    state.now += 60 * MINUTE
    await schedule.tick()
    expect([state.looks, state.failures.length]).toEqual([1, 0])
    state.now += 5_000
    await schedule.tick()
    expect(state.looks).toBe(2)
    expect(dueIn(schedule)).toBe(60)
  })

  it.each([
    ['in the middle of a period', 20 * MINUTE, 40],
    ['long overdue: soon, not at once', 1e12, 1],
    ['after the clock went back', -1e12, 60],
    ['never looked', null, 60]
  ])('goes on after a restart: %s', async (_, since, minutes) => {
    const { state, schedule } = made({ since })
    await schedule.start()
    expect(dueIn(schedule)).toBe(minutes)
    state.now += (minutes - 0.5) * MINUTE
    await schedule.tick()
    expect(state.looks).toBe(0)
    state.now += MINUTE
    await schedule.tick()
    expect(state.looks).toBe(1)
    await schedule.stop()
  })
})
