// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { countTableOf } from './count-table.ts'
import { asymptoticKsP, criticalKsDistance, kolmogorovSurvival, P_FLOOR } from './kolmogorov.ts'
import { ksSamples, ksTables } from './ks.ts'
import { sortDoubles } from './sort.ts'
import { drawWith, seededRandom, tokenLike } from './testing.ts'

const casesFile = new URL('../../../../shared/data/ks-cases.json', import.meta.url)

interface KsCase {
  readonly id: string
  readonly x: readonly number[]
  readonly y: readonly number[]
  readonly alternative: 'two-sided' | 'less' | 'greater'
  readonly statistic: number
  readonly statistic_location: number
  readonly statistic_sign: number
  readonly p_exact_ties?: number
  readonly p_exact_no_ties: number
  readonly 'p_R_4.2.2_asymp': number
}

const alternatives = ['two-sided', 'less', 'greater'] as const
type Alternative = (typeof alternatives)[number]

const gap = (x: readonly number[], y: readonly number[], alternative: Alternative): number => {
  const share = (values: readonly number[], at: number): number => values.filter((value) => value <= at).length
  const differences = [...x, ...y].map((at) => share(x, at) * y.length - share(y, at) * x.length)
  const up = Math.max(0, ...differences)
  const down = Math.max(0, ...differences.map((d) => -d))
  return alternative === 'greater' ? up : alternative === 'less' ? down : Math.max(up, down)
}

/** p by its definition: the share of all ways to deal the pooled values into the two samples that are at least as far apart. */
const bruteForceP = (x: readonly number[], y: readonly number[], alternative: Alternative): number => {
  const pooled = [...x, ...y]
  const observed = gap(x, y, alternative)
  let extreme = 0
  let all = 0
  for (let mask = 0; mask < 1 << pooled.length; mask++) {
    let bits = 0
    for (let rest = mask; rest !== 0; rest &= rest - 1) bits++
    if (bits !== x.length) continue
    all++
    const first = pooled.filter((_, index) => (mask >> index) & 1)
    const second = pooled.filter((_, index) => !((mask >> index) & 1))
    if (gap(first, second, alternative) >= observed) extreme++
  }
  return extreme / all
}

/** p from whole numbers: arrangements that stay nearer at the end of every group of ties, taken from all of them. Nothing is rounded before the end. */
const countedP = (x: readonly number[], y: readonly number[], alternative: Alternative): number => {
  const [n, m] = [x.length, y.length]
  const observed = gap(x, y, alternative)
  const pooled = [...x, ...y].sort((a, b) => a - b)
  let ways = new Map<number, bigint>([[0, 1n]])
  let all = 1n
  for (const [at, value] of pooled.entries()) {
    const next = new Map<number, bigint>()
    for (const [i, w] of ways) {
      if (i < n) next.set(i + 1, (next.get(i + 1) ?? 0n) + w)
      if (at - i < m) next.set(i, (next.get(i) ?? 0n) + w)
    }
    if (pooled[at + 1] !== value)
      for (const i of next.keys()) {
        const up = i * m - (at + 1 - i) * n
        const far = alternative === 'greater' ? up : alternative === 'less' ? -up : Math.abs(up)
        if (far >= observed) next.delete(i)
      }
    ways = next
  }
  for (let i = 1n; i <= BigInt(n); i++) all = (all * (BigInt(m) + i)) / i
  const extreme = all - (ways.get(n) ?? 0n)
  const digits = 10n ** 400n
  // A quotient of whole numbers with more digits than a double has, however small it is.
  return Number(`${(extreme * digits) / all}e-400`)
}

const near = (value: number, wanted: number, relative = 1e-12): void => {
  expect(Math.abs(value - wanted)).toBeLessThanOrEqual(relative * Math.abs(wanted))
}

describe('two-sample Kolmogorov-Smirnov', () => {
  const hasCases = existsSync(casesFile)
  if (!hasCases) console.warn('ks-cases.json is absent: brute force over generated samples stands in for it')

  it(hasCases ? 'meets every published and computed case' : 'ks-cases.json is absent: meets brute force instead', () => {
    if (!hasCases) {
      const random = seededRandom(7)
      for (let i = 0; i < 12; i++) {
        const x = drawWith(random, [1, 2, 3, 4, 5, 6, 7], 5)
        const y = drawWith(random, [1, 2, 3, 4, 5, 6, 7], 6)
        for (const alternative of alternatives) near(ksSamples(x, y, { alternative }).p, bruteForceP(x, y, alternative))
      }
      return
    }
    const { cases }: { cases: KsCase[] } = JSON.parse(readFileSync(casesFile, 'utf8'))
    expect(cases.length).toBeGreaterThanOrEqual(35)
    for (const one of cases) {
      const { alternative } = one
      const result = ksSamples(one.x, one.y, { alternative })
      expect(result.method).toBe('exact')
      near(result.p, one.p_exact_ties ?? one.p_exact_no_ties)
      near(result.d, one.statistic, 1e-15)
      expect(result.dSign).toBe(one.statistic_sign)
      // There the gap is attained at 0.5, 1.5 and 2.5, and rounding in SciPy's subtraction prefers the last.
      const isRounded = one.id === 'scipy-equal-shift-0.5/two-sided' || one.id === 'scipy-equal-shift-0.5/less'
      expect(result.dLocation, one.id).toBe(isRounded ? 0.5 : one.statistic_location)
      // R stops its series at 1e-6.
      const asymptotic = ksSamples(one.x, one.y, { alternative, maxSteps: 0 })
      expect(asymptotic.method).toBe('asymptotic')
      expect(Math.abs(asymptotic.p - one['p_R_4.2.2_asymp'])).toBeLessThan(4e-6)
    }
  })

  it('is exact over all splits of up to 16 tied values, whichever side and alternative', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 8 }),
        fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 8 }),
        fc.constantFrom(...alternatives),
        (x, y, alternative) => {
          const result = ksSamples(x, y, { alternative })
          near(result.d, gap(x, y, alternative) / (x.length * y.length), 1e-15)
          near(result.p, bruteForceP(x, y, alternative))
        }
      ),
      { numRuns: 60, seed: 1 }
    )
    near(
      ksSamples([1, 2, 2, 5, 5, 5, 8, 9], [2, 2, 3, 5, 8, 8, 8, 9]).p,
      bruteForceP([1, 2, 2, 5, 5, 5, 8, 9], [2, 2, 3, 5, 8, 8, 8, 9], 'two-sided')
    )
  }, 60_000)

  it('is exact with ties far below what all splits can show: whole numbers of arrangements, down to 1e-35', () => {
    const random = seededRandom(11)
    let least = 1
    for (const [n, m, shift] of [
      [50, 8, 4],
      [60, 40, 3],
      [80, 80, 6],
      [120, 70, 30]
    ] as const) {
      const x = drawWith(random, [1, 2, 3, 4, 5, 6, 7, 8], n)
      const y = drawWith(random, [1, 2, 3, 4, 5, 6, 7, 8], m).map((value) => value + shift)
      for (const alternative of alternatives) {
        const wanted = countedP(x, y, alternative)
        near(ksSamples(x, y, { alternative }).p, wanted)
        least = Math.min(least, wanted)
      }
    }
    expect(least).toBeLessThan(1e-35)
  })

  it('is exact without ties where the answer is known in closed form', () => {
    // Disjoint samples: two of C(n + m, n) arrangements are as extreme. Far below what subtraction from 1 could resolve.
    for (const [n, m] of [
      [60, 61],
      [3, 400],
      [200, 200]
    ] as const) {
      const x = Array.from({ length: n }, (_, i) => i)
      const y = Array.from({ length: m }, (_, i) => n + i)
      let choose = 1
      for (let i = 1; i <= n; i++) choose = (choose * (m + i)) / i
      near(ksSamples(x, y).p, 2 / choose, 1e-12)
      near(ksSamples(x, y, { alternative: 'greater' }).p, 1 / choose, 1e-12)
      expect(ksSamples(x, y, { alternative: 'less' }).p).toBe(1)
    }
  })

  it('stays positive and defined far below the smallest number', () => {
    const x = Array.from({ length: 2000 }, (_, i) => i)
    const y = x.map((value) => value + 5000)
    const result = ksSamples(x, y)
    expect(result).toMatchObject({ d: 1, p: P_FLOOR, method: 'exact' })
    expect(ksSamples(x, y, { maxSteps: 0 }).p).toBe(P_FLOOR)
  })

  it('keeps its digits over a long walk', () => {
    // The one-sided p of a shift by k ranks without ties is C(2n, n + k) / C(2n, n) at n = m (Gnedenko and Korolyuk, 1951).
    const n = 3000
    for (const k of [20, 100, 400]) {
      // Ranks such that D+ = k / n exactly: k x first, then alternating y and x, then k y.
      const x = Array.from({ length: n }, (_, i) => (i < k ? i : k + 2 * (i - k) + 1))
      const y = Array.from({ length: n }, (_, i) => (i < n - k ? k + 2 * i : 2 * n + i))
      let expected = 1
      for (let i = 1; i <= k; i++) expected *= (n - k + i) / (n + i)
      const result = ksSamples(x, y, { alternative: 'greater' })
      near(result.d, k / n, 1e-15)
      near(result.p, expected, 2e-12)
    }
  })

  it('count tables and raw values give the same answer', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 300 }),
        fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 300 }),
        fc.constantFrom(...alternatives),
        (x, y, alternative) => {
          expect(ksTables(countTableOf(x), countTableOf(y), { alternative })).toEqual(ksSamples(x, y, { alternative }))
        }
      )
    )
  })

  it('finds the same gap in large samples, where most segments are skipped', () => {
    const random = seededRandom(11)
    for (const [n, m, shift] of [
      [20_000, 30_000, 0],
      [50_000, 700, 3],
      [1, 40_000, 0],
      [20_000, 20_000, 100_000]
    ] as const) {
      const x = tokenLike(random, n, 500)
      const y = tokenLike(random, m, 500).map((value) => value + shift)
      const raw = ksSamples(x, y, { maxSteps: 0 })
      expect(raw).toEqual(ksTables(countTableOf(x), countTableOf(y), { maxSteps: 0 }))
      const back = ksSamples(y, x, { maxSteps: 0 })
      expect([back.d, back.p]).toEqual([raw.d, raw.p])
    }
  })

  it('says which way the values moved', () => {
    expect(ksSamples([1, 2, 3], [11, 12, 13])).toMatchObject({ d: 1, dSign: 1, dLocation: 3 })
    expect(ksSamples([11, 12, 13], [1, 2, 3])).toMatchObject({ d: 1, dSign: -1, dLocation: 3 })
  })

  it('spends no more than its budget', () => {
    const random = seededRandom(3)
    const x = countTableOf(tokenLike(random, 2000))
    const y = countTableOf(tokenLike(random, 2000))
    const { steps } = ksTables(x, y)
    expect(steps).toBeGreaterThan(4000)
    expect(ksTables(x, y, { maxSteps: steps })).toMatchObject({ method: 'exact', steps })
    expect(ksTables(x, y, { maxSteps: steps - 1 })).toMatchObject({ method: 'asymptotic', steps: 0 })
  })

  it('refuses empty samples and what is not a number', () => {
    expect(() => ksSamples([], [1])).toThrow(expect.objectContaining({ code: 'stats.empty' }))
    expect(() => ksTables(countTableOf([1]), countTableOf([]))).toThrow(expect.objectContaining({ code: 'stats.empty' }))
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      expect(() => ksSamples([1, bad, 2], [1])).toThrow(expect.objectContaining({ code: 'stats.not_a_number' }))
    }
  })
})

describe("Kolmogorov's limit", () => {
  it('meets published values and both series agree', () => {
    // Smirnov, Annals of Mathematical Statistics 19 (1948): 1 - L(z).
    near(kolmogorovSurvival(0.5), 1 - 0.036055, 1e-6)
    near(kolmogorovSurvival(1), 0.27, 1e-4)
    near(kolmogorovSurvival(1.3580986393225505), 0.05)
    near(kolmogorovSurvival(1 - 1e-13), kolmogorovSurvival(1 + 1e-13))
    expect([kolmogorovSurvival(0), kolmogorovSurvival(0.01)]).toEqual([1, 1])
  })

  it('critical distances invert it', () => {
    for (const p of [0.5, 0.05, 1e-6, 1e-200]) near(asymptoticKsP(criticalKsDistance(p, 300, 70), 300, 70, 'two-sided'), p, 1e-9)
  })
})

describe('sorting of doubles', () => {
  it('is the order of the built-in sort, long runs, signs and NaN included', () => {
    const random = seededRandom(5)
    const kinds: readonly (() => number)[] = [
      () => random() - 0.5,
      () => Math.exp(40 * random() - 20),
      () => 1.7e12 + random(),
      () => Math.floor(random() * 9) - 4,
      () => [0, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 5e-324, -5e-324][Math.floor(random() * 7)] ?? 0
    ]
    for (const kind of kinds) {
      const values = Float64Array.from({ length: 40_000 }, kind)
      expect(sortDoubles(values)).toEqual(values.slice().sort())
    }
    // A NaN with its sign bit set, as some processors make it, would otherwise sort first.
    const signed = new Float64Array(20_000).fill(1)
    new Uint32Array(signed.buffer).fill(0xffffffff, 0, 2)
    const sorted = sortDoubles(signed)
    expect([sorted[0], sorted[19_999]]).toEqual([1, Number.NaN])
  })
})
