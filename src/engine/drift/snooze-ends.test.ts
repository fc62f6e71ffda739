// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest'
import type { ReaderPool } from '../threads/reader-pool.ts'
import { SnoozeEnds } from './snooze-ends.ts'

it('asks again when the clock was set back, instead of waiting for a time that it went by', async () => {
  let now = 400 * 86_400_000
  let asked = 0
  const run = async () => {
    asked++
    return { due: [], next: (now + 3_600_000) * 1000 }
  }
  const ends = new SnoozeEnds({
    pool: { run: run as unknown as ReaderPool['run'] },
    caughtUp: async () => true,
    end: async () => {},
    onFailed: () => {},
    now: () => now
  })
  await ends.tick()
  now += 1000
  await ends.tick()
  expect(asked).toBe(1)
  now -= 365 * 86_400_000
  await ends.tick()
  expect(asked).toBe(2)
})
