// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  bucketEdges,
  bucketOfReal,
  bucketQuantile,
  bucketTableFromJson,
  bucketTableOf,
  bucketTableToJson,
  ksBuckets,
  mergeBucketTables
} from './bucket-table.ts'
import { ksSamples } from './ks.ts'
import { seededRandom } from './testing.ts'

const reals = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { maxLength: 60 })
// Close together, so that buckets hold several values of both sides.
const crowded = fc.array(fc.double({ min: 900, max: 905, noNaN: true }), { minLength: 1, maxLength: 60 })
const alternatives = ['two-sided', 'less', 'greater'] as const

describe('log-linear buckets', () => {
  it('every number lies in its bucket, whose width is at most 2^-10 of it', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const { low, high } = bucketEdges(bucketOfReal(value))
        expect(low <= value && value <= high).toBe(true)
        if (Math.abs(value) >= 2 ** -1022) expect(high - low).toBeLessThanOrEqual(Math.abs(value) * 2 ** -10)
      }),
      { numRuns: 2000 }
    )
    expect([bucketOfReal(0), bucketOfReal(-0), bucketOfReal(5e-324), bucketOfReal(-5e-324)]).toEqual([0, 0, 1, -1])
    expect(bucketEdges(bucketOfReal(1024))).toEqual({ low: 1024, high: 1025 })
    expect(bucketEdges(bucketOfReal(-1024))).toEqual({ low: -1025, high: -1024 })
    expect(bucketEdges(bucketOfReal(Number.MAX_VALUE)).high).toBe(Number.MAX_VALUE)
  })

  it('bucket numbers are in the order of the values', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.double({ noNaN: true, noDefaultInfinity: true }), (a, b) => {
        if (a < b) expect(bucketOfReal(a)).toBeLessThanOrEqual(bucketOfReal(b))
      }),
      { numRuns: 2000 }
    )
  })

  it('merging is the table of both samples, and the same sample gives the same bytes in any order', () => {
    fc.assert(
      fc.property(reals, reals, (a, b) => {
        const batch = JSON.stringify(bucketTableToJson(bucketTableOf([...a, ...b])))
        expect(JSON.stringify(bucketTableToJson(mergeBucketTables(bucketTableOf(a), bucketTableOf(b))))).toBe(batch)
        expect(JSON.stringify(bucketTableToJson(bucketTableOf([...b, ...a])))).toBe(batch)
        expect(JSON.stringify(bucketTableToJson(bucketTableFromJson(JSON.parse(batch))))).toBe(batch)
      })
    )
  })

  it('brackets the statistic and the p-value of the raw numbers, on every side', () => {
    const check = (x: number[], y: number[]) => {
      for (const alternative of alternatives) {
        const raw = ksSamples(x, y, { alternative, maxSteps: 0 })
        const { d, p } = ksBuckets(bucketTableOf(x), bucketTableOf(y), alternative)
        expect(d.low).toBeLessThanOrEqual(raw.d)
        expect(d.high).toBeGreaterThanOrEqual(raw.d)
        expect(p.low).toBeLessThanOrEqual(raw.p)
        expect(p.high).toBeGreaterThanOrEqual(raw.p)
      }
    }
    fc.assert(fc.property(crowded, crowded, check))
    fc.assert(
      fc.property(
        reals.filter((x) => x.length > 0),
        reals.filter((x) => x.length > 0),
        check
      )
    )
  })

  it('both ends of the bracket are attained by numbers in the same buckets', () => {
    fc.assert(
      fc.property(crowded, crowded, (x, y) => {
        const a = bucketTableOf(x)
        const b = bucketTableOf(y)
        const { d } = ksBuckets(a, b)
        const place = (values: number[], share: number) =>
          values.map((value) => {
            const { low, high } = bucketEdges(bucketOfReal(value))
            return low + (high - low) * share
          })
        // All numbers of a bucket equal: the gap is the one at the edges. One side first, or the other: the largest possible.
        expect(ksSamples(place(x, 0), place(y, 0), { maxSteps: 0 }).d).toBeCloseTo(d.low, 12)
        const ends = [ksSamples(place(x, 0), place(y, 0.5), { maxSteps: 0 }).d, ksSamples(place(x, 0.5), place(y, 0), { maxSteps: 0 }).d]
        expect(Math.max(...ends)).toBeCloseTo(d.high, 12)
      })
    )
  })

  it('the bracket of spread-out numbers is narrow', () => {
    const random = seededRandom(8)
    const draw = (median: number) =>
      Array.from({ length: 20_000 }, () => median * Math.exp(Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())))
    const { d } = ksBuckets(bucketTableOf(draw(3.2)), bucketTableOf(draw(3.9)))
    expect(d.high - d.low).toBeLessThan(0.002)
    const quantile = bucketQuantile(bucketTableOf([1, 2, 1000.25, 5000]), 0.75)
    expect(quantile).toEqual({ low: 1000, high: 1000.5 })
  })

  it('one distinct value on both sides: no gap for sure, and zero has a bucket without width', () => {
    expect(ksBuckets(bucketTableOf([0, 0, -0]), bucketTableOf([0]))).toEqual({ d: { low: 0, high: 0 }, p: { low: 1, high: 1 }, n: 3, m: 1 })
    expect(ksBuckets(bucketTableOf([3.3, 3.3]), bucketTableOf([3.3])).d).toEqual({ low: 0, high: 1 })
  })

  it('refuses what is no number, no observation or not canonical', () => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      expect(() => bucketTableOf([1, bad])).toThrow(expect.objectContaining({ code: 'stats.not_a_number' }))
    }
    expect(() => ksBuckets(bucketTableOf([]), bucketTableOf([1]))).toThrow(expect.objectContaining({ code: 'stats.empty' }))
    for (const json of [
      null,
      {},
      { dv: [], c: [] },
      { bits: 9, dv: [], c: [] },
      { bits: 10, dv: [1e9], c: [1] },
      { bits: 10, dv: [-3e6], c: [1] }
    ]) {
      expect(() => bucketTableFromJson(json)).toThrow(expect.objectContaining({ code: 'stats.bad_table' }))
    }
  })
})
