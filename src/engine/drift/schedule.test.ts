// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { AffidavitError } from '../../shared/contract/errors.ts'
import { LookSchedule } from './schedule.ts'

const MINUTE = 60_000

function made(options: { every?: number; since?: number | null } = {}) {
  const state = { wall: 1e13, now: 5_000_000, every: options.every ?? 60, looks: 0, failures: [] as unknown[], look: async () => {} }
  const schedule = new LookSchedule({
    everyMinutes: () => state.every,
    sinceLast: async () => options.since ?? null,
    look: async () => {
      state.looks++
      await state.look()
    },
    onFailed: (error) => state.failures.push(error),
    clock: { now: () => state.wall, monotonic: () => state.now }
  })
  const dueIn = (): number => Math.round(((schedule.nextLook?.getTime() ?? Number.NaN) - state.wall) / MINUTE)
  return { state, schedule, dueIn }
}

describe('the schedule', () => {
  it('looks once a period and says when it looks next', async () => {
    const { state, schedule, dueIn } = made()
    for (let minute = 0; minute < 180; minute++) {
      state.now += MINUTE
      await schedule.tick()
    }
    expect(state.looks).toBe(3)
    expect(dueIn()).toBe(60)
    state.now += 45 * MINUTE
    expect(dueIn()).toBe(15)
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

  it('counts the time that the machine slept, over which the other clock may stand still', async () => {
    const { state, schedule, dueIn } = made()
    state.now += 20 * MINUTE
    state.wall += 20 * MINUTE
    expect(dueIn()).toBe(40)
    state.wall += 30 * MINUTE
    expect(dueIn()).toBe(10)
    await schedule.tick()
    expect(state.looks).toBe(0)
    state.wall += 600 * MINUTE
    expect(dueIn()).toBe(0)
    await schedule.tick()
    await schedule.tick()
    expect([state.looks, dueIn()]).toEqual([1, 60])
    // A wall clock that is set back puts nothing off.
    state.wall -= 600 * MINUTE
    state.now += 59 * MINUTE
    await schedule.tick()
    expect(state.looks).toBe(1)
    state.now += MINUTE
    await schedule.tick()
    expect(state.looks).toBe(2)
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
    const { state, schedule, dueIn } = made()
    state.look = () => (state.looks === 1 ? Promise.reject(new AffidavitError('busy', 'another look is under way')) : Promise.resolve())
    state.now += 60 * MINUTE
    await schedule.tick()
    expect([state.looks, state.failures.length]).toEqual([1, 0])
    state.now += 5_000
    await schedule.tick()
    expect(state.looks).toBe(2)
    expect(dueIn()).toBe(60)
  })

  it.each([
    ['in the middle of a period', 20 * MINUTE, 40],
    ['long overdue: soon, not at once', 1e12, 1],
    ['after the clock went back', -1e12, 60],
    ['never looked', null, 60]
  ])('goes on after a restart: %s', async (_, since, minutes) => {
    const { state, schedule, dueIn } = made({ since })
    await schedule.start()
    expect(dueIn()).toBe(minutes)
    state.now += (minutes - 0.5) * MINUTE
    await schedule.tick()
    expect(state.looks).toBe(0)
    state.now += MINUTE
    await schedule.tick()
    expect(state.looks).toBe(1)
    await schedule.stop()
  })
})
