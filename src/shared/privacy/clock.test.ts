// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { daysLeft, dueDay } from './clock.ts'

describe('the clock of a request', () => {
  it.each([
    ['2026-01-15', false, '2026-02-15'],
    ['2026-01-31', false, '2026-02-28'],
    ['2028-01-31', false, '2028-02-29'],
    ['2026-12-31', false, '2027-01-31'],
    ['2026-11-30', true, '2027-02-28'],
    ['2026-08-31', true, '2026-11-30']
  ])('%s, extended %s: due %s', (received, extended, due) => expect(dueDay(received, extended)).toBe(due))

  it('counts days to both sides', () => {
    expect([daysLeft('2026-03-01', '2026-02-27'), daysLeft('2026-03-01', '2026-03-01'), daysLeft('2026-03-01', '2026-03-04')]).toEqual([
      2, 0, -3
    ])
  })
})
