// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { countTableOf, EMPTY_COUNT_TABLE } from './count-table.ts'
import { sharedHistogram } from './histogram.ts'

const whole = fc.array(fc.integer({ min: -50, max: 100_000 }), { minLength: 1, maxLength: 60 })

describe('histograms over the same bins', () => {
  it('hold every value once, on both sides', () => {
    fc.assert(
      fc.property(whole, whole, (x, y) => {
        const { bins } = sharedHistogram(countTableOf(x), countTableOf(y))
        expect(bins.reduce((sum, bin) => sum + bin.a, 0)).toBeCloseTo(1, 10)
        expect(bins.reduce((sum, bin) => sum + bin.b, 0)).toBeCloseTo(1, 10)
        for (const [i, bin] of bins.entries()) if (i > 0) expect(bin.from).toBe(bins[i - 1]?.to)
      })
    )
  })

  it('are logarithmic over more than two decades, and one bin for one value', () => {
    expect(sharedHistogram(countTableOf([1]), countTableOf([1000])).log).toBe(true)
    expect(sharedHistogram(countTableOf([0]), countTableOf([1000])).log).toBe(false)
    expect(sharedHistogram(countTableOf([7, 7]), countTableOf([7])).bins).toEqual([{ from: 7, to: 7, a: 1, b: 1 }])
    expect(() => sharedHistogram(countTableOf([1]), EMPTY_COUNT_TABLE)).toThrow(expect.objectContaining({ code: 'stats.empty' }))
  })
})
