// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { binsOver } from './statistics.ts'

it('bins cover the minutes asked for, begin at multiples of a width that has a name, and are at most as many', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 40_000_000 }),
      fc.integer({ min: 1, max: 30_000_000 }),
      fc.integer({ min: 8, max: 500 }),
      (first, span, most) => {
        const { start, width, count } = binsOver(first, first + span, most)
        expect(start % width).toBe(0)
        expect(start).toBeLessThanOrEqual(first)
        expect(start).toBeGreaterThan(first - width)
        expect(start + count * width).toBeGreaterThanOrEqual(first + span)
        expect(start + (count - 1) * width).toBeLessThan(first + span)
        expect(count).toBeLessThanOrEqual(most)
        expect([1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10_080, 20_160].includes(width) || width % 40_320 === 0).toBe(true)
      }
    )
  )
  // An hour, a day and the three weeks of the study in the 96 bins of the dashboard.
  expect([60, 1440, 31_653].map((span) => binsOver(28_000_000, 28_000_000 + span, 96).width)).toEqual([1, 30, 360])
})
