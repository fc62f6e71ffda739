// SPDX-License-Identifier: Apache-2.0
// The clock of the machine is set back a day while the engine runs: nothing waits for that day to pass again.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { Retry } from './anchors/retry.ts'
import { type Clock, Elapsed } from './clock.ts'
import { Jobs } from './jobs/jobs.ts'
import { rawRecord, type TestEngine, testEngine } from './test/test-engine.ts'

// Whole engines, on a machine that may do other work; a wait for the day would be a thousand times longer.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const HOUR = 3_600_000
const DAY = 24 * HOUR
let test: TestEngine | undefined
afterEach(async () => {
  vi.useRealTimers()
  await test?.remove()
  test = undefined
})

/** Sets the wall clock of this process; timers and the monotonic clock go on as they are. */
const setBack = (ms: number) => vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - ms })

function movable(): Clock & { wall: number; steady: number } {
  const clock = { wall: 1_000 * DAY, steady: 0, now: () => clock.wall, monotonic: () => clock.steady }
  return clock
}

describe('a wall clock that was set back', () => {
  it('makes nothing younger than it is', () => {
    const clock = movable()
    const since = new Elapsed(clock, clock.wall - 5 * HOUR)
    expect(since.ms).toBe(5 * HOUR)
    clock.wall -= DAY
    clock.steady += HOUR
    expect(since.ms).toBe(6 * HOUR)
    expect(new Elapsed(clock, clock.wall + DAY).ms).toBe(0)
    // A machine that slept: only the wall clock went on.
    clock.wall += 3 * DAY
    expect(since.ms).toBe(2 * DAY + 5 * HOUR)
  })

  it('delays no attempt at an anchor', () => {
    const clock = movable()
    const retry = new Retry(clock, 60_000)
    expect(retry.dueIn).toBe(0)
    retry.failed(new Error('no connection'))
    clock.wall -= DAY
    expect(retry.dueIn).toBe(60_000)
    clock.steady += 60_000
    expect(retry.dueIn).toBe(0)
    retry.failed(new Error('no connection'))
    expect(retry.dueIn).toBe(120_000)
    retry.soon()
    expect(retry.dueIn).toBe(0)
  })

  it('holds up no checkpoint, no proof, no export and no stop', async () => {
    const engine = await testEngine()
    test = engine
    await engine.call('events.append', { events: [rawRecord(1)] })
    await engine.call('records.proof', { seq: 0 })
    const signed = () => engine.engine.status().checkpoint?.size ?? 0
    const before = signed()
    setBack(DAY)
    await engine.call('events.append', { events: [rawRecord(2)] })
    await engine.call('records.proof', { seq: before })
    expect(signed()).toBeGreaterThan(before)
    const { job_id } = await engine.call('export.start', {
      recipient: 'Examiner',
      purpose: 'Test',
      out: join(engine.root, 'b.affidavit.zip')
    })
    expect((await engine.job(job_id)).error).toBeNull()
    const { size } = engine.engine.status().ledger
    await engine.restart()
    expect(signed()).toBeGreaterThan(size)
  })

  it('puts off no backup of the plan', async () => {
    const clock = { back: 0, on: 0 }
    const engine = await testEngine({
      clock: { now: () => Date.now() - clock.back, monotonic: () => performance.now() + clock.on }
    })
    test = engine
    const folder = mkdtempSync(join(tmpdir(), 'affidavit-backups-'))
    try {
      await engine.call('backup.set_plan', { folder, every_hours: 4, keep: 0, key_days: 1 })
      const due = () => engine.engine.backups.tick()
      expect(await engine.job(due()?.id ?? '')).toMatchObject({ state: 'done' })
      clock.back = DAY
      clock.on = 3 * HOUR
      expect(due()).toBeNull()
      const next = Date.parse((await engine.call('backup.overview', {})).next ?? '')
      expect(Math.abs(next - (Date.now() - DAY + HOUR))).toBeLessThan(60_000)
      clock.on = 4 * HOUR
      expect(await engine.job(due()?.id ?? '')).toMatchObject({ state: 'done' })
      // Nor after a restart: what is on record is then still to come.
      await engine.restart()
      clock.on = 9 * HOUR
      expect(await engine.job(due()?.id ?? '')).toMatchObject({ state: 'done' })
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  it('delays neither what a job reports nor the end of jobs', async () => {
    const jobs = new Jobs()
    let ends = (): void => {}
    const told: number[] = []
    jobs.onChange((job) => told.push(job.done))
    const { id } = jobs.start('backup', 'Backup', 'bytes', undefined, (control) => {
      control.progress(1)
      return new Promise<void>((resolve) => {
        ends = resolve
        control.signal.addEventListener('abort', () => resolve())
      })
    })
    setBack(DAY)
    await expect.poll(() => told, { timeout: 5_000 }).toContain(1)
    await jobs.close()
    expect(jobs.get(id).state).not.toBe('running')
    ends()
  })
})
