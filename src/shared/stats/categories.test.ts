// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type CategoryCounts, categoryTest, PERMUTATIONS } from './categories.ts'
import { fisherExactP } from './fisher.ts'
import { seededRandom, shuffled } from './testing.ts'

const columns = (reference: readonly number[], current: readonly number[]): CategoryCounts[] =>
  reference.map((count, i) => ({ category: `c${i}`, reference: count, current: current[i] ?? 0 }))

const statistic = (counts: readonly CategoryCounts[]): number => {
  const n = counts.reduce((sum, one) => sum + one.reference, 0)
  const m = counts.reduce((sum, one) => sum + one.current, 0)
  return counts.reduce((sum, { reference, current }) => {
    const total = reference + current
    if (total === 0) return sum
    const before = (total * n) / (n + m)
    const after = (total * m) / (n + m)
    return sum + (reference - before) ** 2 / before + (current - after) ** 2 / after
  }, 0)
}

/** p by its definition: the share of all ways to deal the pooled requests onto the two sides that are at least as uneven. */
const bruteForceP = (counts: readonly CategoryCounts[]): number => {
  const pooled = counts.flatMap((one, i) => Array<number>(one.reference + one.current).fill(i))
  const n = counts.reduce((sum, one) => sum + one.reference, 0)
  const observed = statistic(counts)
  let extreme = 0
  let all = 0
  for (let mask = 0; mask < 1 << pooled.length; mask++) {
    let bits = 0
    for (let rest = mask; rest !== 0; rest &= rest - 1) bits++
    if (bits !== n) continue
    all++
    const reference = counts.map(() => 0)
    const current = counts.map(() => 0)
    for (const [at, category] of pooled.entries()) {
      const side = (mask >> at) & 1 ? reference : current
      side[category] = (side[category] ?? 0) + 1
    }
    if (statistic(columns(reference, current)) >= observed * (1 - 1e-9)) extreme++
  }
  return extreme / all
}

describe('categories', () => {
  it('has the textbook statistic and the direction of the largest change', () => {
    // SciPy 1.17.1, chi2_contingency without correction.
    expect(categoryTest(columns([10, 20, 30], [6, 9, 17])).chiSquare).toBeCloseTo(0.27157465150403504, 13)
    const test = categoryTest(columns([90, 8, 2, 0], [70, 20, 5, 5]))
    expect(test.chiSquare).toBeCloseTo(13.928571428571429, 12)
    expect(test.largest).toEqual({ category: 'c0', before: 0.9, after: 0.7 })
    expect(test.cramersV).toBeCloseTo(Math.sqrt(13.928571428571429 / 200), 14)
  })

  it('is exact over all splits of few requests', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3 })), { minLength: 2, maxLength: 4 }),
        (pairs) => {
          const counts = columns(
            pairs.map(([a]) => a),
            pairs.map(([, b]) => b)
          )
          const n = pairs.reduce((sum, [a]) => sum + a, 0)
          const m = pairs.reduce((sum, [, b]) => sum + b, 0)
          fc.pre(n > 0 && m > 0 && n + m <= 15)
          const test = categoryTest(counts)
          expect(test.method).toBe('exact')
          expect(test.chiSquare).toBeCloseTo(statistic(counts), 10)
          expect(test.p).toBeCloseTo(bruteForceP(counts), 10)
        }
      ),
      { numRuns: 60, seed: 2 }
    )
  })

  it('two categories of equal sides are Fisher’s test', () => {
    expect(categoryTest(columns([40, 60], [55, 45])).p).toBeCloseTo(
      fisherExactP({ errors: 40, total: 100 }, { errors: 55, total: 100 }),
      12
    )
  })

  it('drawn tables agree with the large-sample law, and always in the same way', () => {
    const counts = columns([9000, 800, 150, 50], [4400, 470, 95, 35])
    const test = categoryTest(counts)
    expect(test.method).toBe('permutation')
    // SciPy 1.17.1: 14.8273 at 3 degrees of freedom, p = 0.00197. A p of 9,999 draws is within 0.0014 of it (three deviations).
    expect(test.chiSquare).toBeCloseTo(14.82732004542327, 9)
    expect(Math.abs(test.p - 0.00197)).toBeLessThan(0.0014)
    expect(test).toEqual(categoryTest(shuffled(seededRandom(1), counts)))
    const renamed = counts.map((one) => ({ ...one, category: `x${one.category}` }))
    expect(categoryTest(renamed).p).toBe(test.p)
  })

  it('a permutation p has the right size under the null', () => {
    const random = seededRandom(77)
    const draw = (size: number): number[] => {
      const counts = [0, 0, 0, 0]
      for (let i = 0; i < size; i++) {
        const u = random()
        const at = u < 0.9 ? 0 : u < 0.96 ? 1 : u < 0.99 ? 2 : 3
        counts[at] = (counts[at] ?? 0) + 1
      }
      return counts
    }
    let rejected = 0
    const runs = 100
    for (let run = 0; run < runs; run++) if (categoryTest(columns(draw(600), draw(300))).p <= 0.1) rejected++
    expect(rejected / runs).toBeGreaterThan(0.04)
    expect(rejected / runs).toBeLessThan(0.17)
  }, 60_000)

  it('never claims less than its permutations show, and stays quick with millions of requests', () => {
    const test = categoryTest(columns([3_000_000, 900_000, 90_000, 10_000], [900_000, 300_000, 60_000, 40_000]))
    expect(test).toMatchObject({ method: 'permutation', p: 1 / (PERMUTATIONS + 1) })
  })

  it('one category, equal shares and unseen categories are no change; an empty side is refused', () => {
    expect(categoryTest(columns([5], [9]))).toMatchObject({ chiSquare: 0, p: 1, method: 'exact', cramersV: 0, largest: undefined })
    expect(categoryTest(columns([10, 20, 0], [5, 10, 0]))).toMatchObject({ chiSquare: 0, p: 1, largest: undefined })
    expect(categoryTest(columns([10, 0], [0, 10])).cramersV).toBe(1)
    expect(() => categoryTest(columns([0, 0], [1, 1]))).toThrow(expect.objectContaining({ code: 'stats.empty' }))
    for (const bad of [-1, 0.5, Number.NaN]) {
      expect(() => categoryTest(columns([bad], [1]))).toThrow(expect.objectContaining({ code: 'stats.bad_count' }))
    }
  })
})
