// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { binomialCdf, binomialPmf, binomialQuantile, logFactorial } from './binomial.ts'
import { fisherExactP, newcombeLowerBound, wilsonInterval } from './fisher.ts'
import { normalQuantile } from './normal.ts'

const near = (value: number, wanted: number, relative = 1e-12): void => {
  expect(Math.abs(value / wanted - 1), `${value} is ${wanted}`).toBeLessThanOrEqual(relative)
}

const choose = (n: number, k: number): bigint => {
  let result = 1n
  for (let i = 1; i <= k; i++) result = (result * BigInt(n - k + i)) / BigInt(i)
  return result
}

describe('distributions', () => {
  it('normal quantiles to double precision', () => {
    // 40-digit arithmetic.
    near(normalQuantile(0.975), 1.9599639845400543, 5e-16)
    near(normalQuantile(0.8), 0.8416212335729142, 5e-16)
    near(normalQuantile(0.07), -1.4757910281791706, 1e-15)
    near(normalQuantile(1e-5), -4.264890793922825, 1e-15)
    near(normalQuantile(1e-20), -9.262340089798407, 1e-15)
    near(normalQuantile(0.99375), 2.497705474412373, 1e-15)
    expect(normalQuantile(0.5)).toBe(0)
    for (const p of [0, 1, -1, Number.NaN]) expect(() => normalQuantile(p)).toThrow(expect.objectContaining({ code: 'stats.bad_argument' }))
  })

  it('log-factorials', () => {
    expect([logFactorial(0), logFactorial(1)]).toEqual([0, expect.closeTo(0, 15)])
    near(logFactorial(10), Math.log(3628800), 1e-15)
    near(logFactorial(170), 706.5730622457874, 1e-15)
    near(logFactorial(1e6), 12815518.384658169, 1e-15)
  })

  it('binomial tails', () => {
    // 40-digit arithmetic.
    near(binomialCdf(3, 10, 0.5), 0.171875, 1e-14)
    near(binomialCdf(40, 1000, 0.1), 1.0419950326403894e-12)
    near(binomialCdf(120, 1000, 0.1), 0.9827427694733799, 1e-14)
    near(binomialCdf(0, 50, 0.01), 0.6050060671375367, 1e-14)
    near(binomialCdf(900, 1000, 0.95), 8.410251084877303e-11)
    expect([binomialCdf(-1, 5, 0.5), binomialCdf(5, 5, 0.5), binomialCdf(2, 5, 0), binomialCdf(2, 5, 1)]).toEqual([0, 1, 1, 0])
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 60 }), fc.double({ min: 0, max: 1, noNaN: true }), (n, p) => {
        let sum = 0
        for (let k = 0; k <= n; k++) {
          sum += binomialPmf(k, n, p)
          expect(binomialCdf(k, n, p)).toBeCloseTo(sum, 12)
        }
        expect(sum).toBeCloseTo(1, 12)
      }),
      { numRuns: 50 }
    )
    const median = binomialQuantile(0.5, 51_000_000, 0.5)
    expect(binomialCdf(median, 51_000_000, 0.5)).toBeGreaterThanOrEqual(0.5)
    expect(binomialCdf(median - 1, 51_000_000, 0.5)).toBeLessThan(0.5)
  })
})

describe("Fisher's exact test", () => {
  it('meets values of 40-digit arithmetic, margins of a million and far tails included', () => {
    const cases = [
      [3, 10, 8, 12, 0.19838056680161942],
      [0, 50, 9, 60, 0.0037233138769025135],
      [12, 600, 45, 500, 1.651509109858646e-7],
      [5000, 1_000_000, 5600, 1_000_000, 5.379635745441497e-9],
      [5000, 1_000_000, 6600, 1_000_000, 2.709603038103236e-50],
      [30, 1_000_000, 55, 1_000_000, 0.008834778826931898],
      [500_000, 1_000_000, 502_000, 1_000_000, 0.004698348307099466],
      [20_000, 999_999, 18_500, 1_000_000, 1.1613672419194188e-14],
      [300_000, 1_000_000, 10, 1000, 1.2383271181542894e-135],
      [1, 7, 6, 7, 0.02913752913752914],
      [0, 200, 50, 50, 7.419542332374555e-54]
    ] as const
    for (const [a, n1, b, n2, p] of cases) {
      near(fisherExactP({ errors: a, total: n1 }, { errors: b, total: n2 }), p)
      near(fisherExactP({ errors: b, total: n2 }, { errors: a, total: n1 }), p)
      near(fisherExactP({ errors: n1 - a, total: n1 }, { errors: n2 - b, total: n2 }), p)
    }
  })

  it('is the exact count of tables for every small margin', () => {
    for (const [n1, n2] of [
      [1, 1],
      [4, 9],
      [12, 12],
      [7, 40]
    ] as const) {
      for (let k = 0; k <= n1 + n2; k++) {
        const ways = Array.from({ length: n1 + 1 }, (_, x) => (x <= k && k - x <= n2 ? choose(n1, x) * choose(n2, k - x) : 0n))
        for (let x = Math.max(0, k - n2); x <= Math.min(n1, k); x++) {
          const extreme = ways.filter((w) => w <= (ways[x] ?? 0n)).reduce((a, b) => a + b, 0n)
          near(fisherExactP({ errors: x, total: n1 }, { errors: k - x, total: n2 }), Number(extreme) / Number(choose(n1 + n2, k)))
        }
      }
    }
  })

  it('stays positive, and refuses what is no proportion', () => {
    expect(fisherExactP({ errors: 0, total: 1e6 }, { errors: 1e6, total: 1e6 })).toBe(1e-300)
    expect(fisherExactP({ errors: 0, total: 10 }, { errors: 0, total: 10 })).toBe(1)
    for (const errors of [-1, 11, 1.5, Number.NaN]) {
      expect(() => fisherExactP({ errors, total: 10 }, { errors: 0, total: 10 })).toThrow(
        expect.objectContaining({ code: 'stats.bad_count' })
      )
    }
    expect(() => fisherExactP({ errors: 0, total: 0 }, { errors: 0, total: 10 })).toThrow(expect.objectContaining({ code: 'stats.empty' }))
  })
})

describe("Newcombe's bound", () => {
  it('meets the published intervals of method 10', () => {
    // Newcombe 1998, Table II: lower limits at 95 % for 56/70 v 48/80, 9/10 v 3/10, 10/10 v 0/10; 5/56 v 0/29 holds 0.
    const bound = (a: number, n: number, b: number, m: number) => newcombeLowerBound({ errors: a, total: n }, { errors: b, total: m }, 0.05)
    expect(bound(56, 70, 48, 80)).toBeCloseTo(0.0524, 4)
    expect(bound(9, 10, 3, 10)).toBeCloseTo(0.1705, 4)
    expect(bound(10, 10, 0, 10)).toBeCloseTo(0.6075, 4)
    expect(bound(5, 56, 0, 29)).toBe(0)
    expect(bound(48, 80, 56, 70)).toBe(bound(56, 70, 48, 80))
    expect(bound(0, 10, 0, 20)).toBe(0)
  })

  it("Wilson's interval holds the proportion and stays in [0, 1]", () => {
    expect(wilsonInterval({ errors: 0, total: 10 }, 1.959964)).toEqual([0, expect.closeTo(0.27753, 5)])
    expect(wilsonInterval({ errors: 81, total: 263 }, 1.959964)).toEqual([expect.closeTo(0.2553, 4), expect.closeTo(0.3662, 4)])
  })
})
