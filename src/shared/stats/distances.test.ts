// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { countTableOf, EMPTY_COUNT_TABLE } from './count-table.ts'
import { companions, jsOfShares, psiOfShares, referenceEdges, smoothedShares, wasserstein, wassersteinOfSamples } from './distances.ts'
import { seededRandom, tokenLike } from './testing.ts'

const casesFile = new URL('../../../../shared/data/distance-cases.json', import.meta.url)

interface DistanceCase {
  readonly id: string
  readonly type: 'cat' | 'num'
  readonly reference: readonly (number | string)[]
  readonly current: readonly (number | string)[]
  readonly evidently_psi: number
  readonly evidently_js: number
  readonly wasserstein_1?: number
  readonly binned_reference?: readonly number[]
  readonly binned_current?: readonly number[]
  readonly published?: { readonly psi?: number; readonly wasserstein?: number; readonly emd?: number }
}

const categoryShares = (values: readonly (number | string)[], categories: readonly (number | string)[]): number[] =>
  categories.map((category) => values.filter((value) => value === category).length / values.length)

// The values were computed with empty bins set to 0.0001, or a millionth of the least share where that is smaller.
const filled = (shares: readonly number[]): number[] => {
  const least = Math.min(...shares.filter((share) => share > 0))
  return shares.map((share) => (share > 0 ? share : least <= 0.0001 ? least / 1e6 : 0.0001))
}

describe('companion distances', () => {
  const hasCases = existsSync(casesFile)
  if (!hasCases) console.warn('distance-cases.json is absent: closed forms stand in for it')

  it(hasCases ? 'meet every computed and published case' : 'distance-cases.json is absent: meet closed forms instead', () => {
    if (!hasCases) {
      expect(psiOfShares([0.5, 0.5], [0.25, 0.75])).toBeCloseTo(0.25 * Math.log(3), 14)
      expect(wassersteinOfSamples([0, 1, 2], [1, 2, 3])).toBeCloseTo(1, 14)
      return
    }
    const { cases }: { cases: DistanceCase[] } = JSON.parse(readFileSync(casesFile, 'utf8'))
    expect(cases.length).toBeGreaterThanOrEqual(9)
    for (const one of cases) {
      const categories = [...new Set([...one.reference, ...one.current])]
      const p = one.binned_reference ?? categoryShares(one.reference, categories)
      const q = one.binned_current ?? categoryShares(one.current, categories)
      expect(psiOfShares(filled(p), filled(q)) / one.evidently_psi, `${one.id} psi`).toBeCloseTo(1, 11)
      // Theirs is the root of the natural-logarithm divergence, over bins that are not filled.
      expect(Math.sqrt(jsOfShares(p, q) * Math.LN2) / one.evidently_js, `${one.id} js`).toBeCloseTo(1, 3)
      if (one.published?.psi !== undefined) expect(psiOfShares(filled(p), filled(q))).toBeCloseTo(one.published.psi, 1)
      if (one.wasserstein_1 === undefined) continue
      const numbers = (values: readonly (number | string)[]): number[] => values.map(Number)
      expect(wassersteinOfSamples(numbers(one.reference), numbers(one.current)) / one.wasserstein_1, `${one.id} w`).toBeCloseTo(1, 12)
      const published = one.published?.wasserstein ?? one.published?.emd
      if (published !== undefined) expect(wassersteinOfSamples(numbers(one.reference), numbers(one.current))).toBeCloseTo(published, 7)
    }
  })

  it('Jensen-Shannon lies in [0, 1] in base 2', () => {
    expect(jsOfShares([1, 0], [0, 1])).toBe(1)
    expect(jsOfShares([0.25, 0.75], [0.25, 0.75])).toBe(0)
    expect(jsOfShares([1, 0], [0.5, 0.5])).toBeCloseTo(0.31127812445913283, 15)
    expect(() => jsOfShares([1], [0.5, 0.5])).toThrow(expect.objectContaining({ code: 'stats.bad_argument' }))
  })

  it('Wasserstein of tables is that of their values', () => {
    const random = seededRandom(2)
    const x = tokenLike(random, 300)
    const y = tokenLike(random, 200, 150)
    expect(wasserstein(countTableOf(x), countTableOf(y))).toBeCloseTo(wassersteinOfSamples(x, y), 9)
    const log = (value: number): number => Math.log1p(value)
    expect(wasserstein(countTableOf(x), countTableOf(y), log)).toBeCloseTo(wassersteinOfSamples(x.map(log), y.map(log)), 12)
  })

  it('smoothed shares add up to 1 over reference deciles, ties included', () => {
    const reference = countTableOf([1, 1, 1, 1, 1, 1, 2, 3, 4, 5])
    const edges = referenceEdges(reference)
    expect(edges).toEqual([1, 2, 3, 4])
    const shares = smoothedShares(reference, edges)
    expect(shares).toEqual([6.5, 1.5, 1.5, 1.5, 1.5].map((count) => count / 12.5))
    expect(smoothedShares(countTableOf([9, 9]), edges)).toEqual([0.5, 0.5, 0.5, 0.5, 2.5].map((count) => count / 4.5))
  })

  it('a doubling is 0.69 on the log scale, and one outlier moves none of the companions far', () => {
    const random = seededRandom(4)
    const values = tokenLike(random, 400, 8000)
    const reference = countTableOf(values)
    expect(companions(reference, countTableOf(values.map((value) => 2 * value))).wassersteinLog).toBeCloseTo(Math.LN2, 2)
    const drifted = values.slice(0, 50).map((value) => 2 * value)
    const plain = companions(reference, countTableOf(drifted))
    const grafted = companions(reference, countTableOf([...drifted, 7_922_900]))
    expect(Math.abs(grafted.psi / plain.psi - 1)).toBeLessThan(0.1)
    expect(Math.abs(grafted.js / plain.js - 1)).toBeLessThan(0.1)
    expect(Math.abs(grafted.wassersteinLog - plain.wassersteinLog)).toBeLessThan(0.15)
    expect(companions(reference, reference)).toEqual({ psi: 0, js: 0, wassersteinLog: 0 })
    expect(() => companions(reference, EMPTY_COUNT_TABLE)).toThrow(expect.objectContaining({ code: 'stats.empty' }))
  })
})
