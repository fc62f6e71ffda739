// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { countTableOf } from './count-table.ts'
import { effectLowerBound, minimumDetectableGap, minimumDetectableRise, noiseMargin, requestsNeeded } from './effect.ts'
import { fisherExactP, newcombeLowerBound } from './fisher.ts'
import { ksTables } from './ks.ts'
import { seededRandom } from './testing.ts'

const rule = { pThreshold: 1 / 168 / 24, floor: 0.1 }

describe('lower bound of the effect', () => {
  it('is the observed gap less two margins', () => {
    expect(effectLowerBound(0.6, 500, 120)).toBeCloseTo(0.6 - Math.sqrt(Math.log(320) / 1000) - Math.sqrt(Math.log(320) / 240), 15)
    expect(effectLowerBound(0.2, 500, 120)).toBe(0)
    expect(effectLowerBound(0.363, 500, 120, { k: 1 })).toBeCloseTo(0.1617, 4)
    expect(effectLowerBound(1, 0, 120)).toBe(0)
    expect(effectLowerBound(1, 1e12, 1e12)).toBeGreaterThan(0.99999)
  })
})

describe('minimum detectable effect of a gap', () => {
  // Two-valued distributions are the hardest case for a gap, so the promise of 80 % is tested there.
  const power = (n: number, m: number, d: number): number => {
    const random = seededRandom(n * 7 + m)
    const q = Math.max(0, 0.5 - (d * m) / (n + m))
    const share = (size: number, p: number): number => {
      let count = 0
      for (let i = 0; i < size; i++) if (random() < p) count++
      return count
    }
    const table = (ones: number, size: number) => countTableOf(Array.from({ length: size }, (_, i) => (i < ones ? 1 : 2)))
    let found = 0
    for (let run = 0; run < 800; run++) {
      const result = ksTables(table(share(n, Math.min(1, q + d)), n), table(share(m, Math.min(1, q + d) - d), m), { maxSteps: 0 })
      if (result.p <= rule.pThreshold && effectLowerBound(result.d, n, m) >= rule.floor) found++
    }
    return found / 800
  }

  it('is found with 80 % power by the rule', () => {
    for (const [n, m] of [
      [500, 120],
      [300, 300],
      [2000, 60]
    ] as const) {
      const d = minimumDetectableGap(n, m, rule) ?? 0
      expect(power(n, m, d)).toBeGreaterThan(0.76)
      expect(power(n, m, d)).toBeLessThan(0.86)
      expect(power(n, m, d - 0.05)).toBeLessThan(0.6)
    }
  })

  it('exceeds 1.78 / root n, falls with n and ends at the floor', () => {
    const effective = (500 * 120) / 620
    expect(minimumDetectableGap(500, 120, rule) ?? 0).toBeGreaterThan(1.78 / Math.sqrt(effective))
    let previous = 1
    for (const n of [100, 200, 1000, 1e4, 1e6, 1e9]) {
      const d = minimumDetectableGap(n, n, rule) ?? 1
      expect(d).toBeLessThan(previous)
      previous = d
    }
    expect(previous).toBeCloseTo(0.1, 3)
  })

  it('turns into the number of requests a gap needs', () => {
    for (const d of [0.2, 0.35, 0.7]) {
      const m = requestsNeeded(d, 1000, rule) ?? 0
      expect(minimumDetectableGap(1000, m, rule) ?? 1).toBeLessThanOrEqual(d)
      expect(minimumDetectableGap(1000, m - 1, rule) ?? 1).toBeGreaterThan(d)
    }
    expect(requestsNeeded(0.05, 1000, rule)).toBeUndefined()
    expect(requestsNeeded(0, 1000, rule)).toBeUndefined()
    expect(requestsNeeded(1, 0, rule)).toBeUndefined()
  })

  it('does not exist where no data can alarm', () => {
    expect(noiseMargin(10, 10)).toBeGreaterThan(0.9)
    expect(minimumDetectableGap(10, 10, rule)).toBeUndefined()
    expect(minimumDetectableGap(0, 10, rule)).toBeUndefined()
  })
})

describe('minimum detectable rise of an error rate', () => {
  it('is found with 80 % power by the rule, and a little less is not', () => {
    const random = seededRandom(9)
    const reference = { errors: 12, total: 600 }
    const m = 200
    const rateRule = { ...rule, floor: 0.02 }
    const rise = minimumDetectableRise(reference, m, rateRule) ?? 0
    const power = (by: number): number => {
      let found = 0
      for (let run = 0; run < 600; run++) {
        let errors = 0
        for (let i = 0; i < m; i++) if (random() < 0.02 + by) errors++
        const current = { errors, total: m }
        if (fisherExactP(reference, current) <= rule.pThreshold && newcombeLowerBound(reference, current, 0.05 / 4) >= 0.02) found++
      }
      return found / 600
    }
    expect(power(rise)).toBeGreaterThan(0.75)
    expect(power(rise)).toBeLessThan(0.86)
    expect(power(rise * 0.8)).toBeLessThan(0.65)
  })

  it('does not exist where no number of errors can alarm', () => {
    expect(minimumDetectableRise({ errors: 600, total: 600 }, 100, rule)).toBeUndefined()
    expect(minimumDetectableRise({ errors: 0, total: 600 }, 1, rule)).toBeUndefined()
    expect(minimumDetectableRise({ errors: 0, total: 0 }, 1, rule)).toBeUndefined()
  })
})
