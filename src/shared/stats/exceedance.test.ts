// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { countTableOf, EMPTY_COUNT_TABLE } from './count-table.ts'
import { exceedanceP, tailExceedance } from './exceedance.ts'
import { seededRandom } from './testing.ts'

describe('exceedances of a high quantile', () => {
  it('meets sums of 40-digit arithmetic, far tails included', () => {
    const cases = [
      [3, 2, 100, 50, 0.10810810810810811],
      [5, 1, 200, 50, 0.0002710440727031501],
      [0, 3, 10, 10, 1],
      [12, 11, 1000, 500, 0.031691735799677],
      [40, 11, 1000, 500, 7.247633319559433e-12],
      [50, 3, 200, 50, 9.83831313272866e-51],
      [4, 10, 1000, 500, 0.678499181461006]
    ] as const
    for (const [k, r, n, m, p] of cases) expect(exceedanceP(k, r, n, m) / p, `${k} ${r} ${n} ${m}`).toBeCloseTo(1, 11)
    // One maximum among n + m equally likely places: P(at least one of m above the largest of n) = m / (n + m).
    expect(exceedanceP(1, 1, 30, 10)).toBeCloseTo(0.25, 14)
    expect(exceedanceP(11, 1, 30, 10)).toBe(0)
  })

  it('is the share of arrangements over all of them', () => {
    // 4 reference and 3 current values without ties: 35 arrangements.
    for (let r = 1; r <= 4; r++) {
      const counts = [0, 0, 0, 0]
      for (let mask = 0; mask < 1 << 7; mask++) {
        const places = Array.from({ length: 7 }, (_, i) => (mask >> i) & 1)
        if (places.reduce((a, b) => a + b, 0) !== 3) continue
        const reference = places.flatMap((isCurrent, at) => (isCurrent ? [] : [at]))
        const threshold = reference[4 - r] ?? 0
        const above = places.filter((isCurrent, at) => isCurrent && at > threshold).length
        counts[above] = (counts[above] ?? 0) + 1
      }
      for (let k = 0; k <= 3; k++) {
        expect(exceedanceP(k, r, 4, 3)).toBeCloseTo(counts.slice(k).reduce((a, b) => a + b, 0) / 35, 13)
      }
    }
  })

  it('sees a change of the tail alone, and holds its level', () => {
    const reference = countTableOf(Array.from({ length: 1000 }, (_, i) => i))
    const tail = countTableOf([...Array.from({ length: 188 }, (_, i) => 5 * i), ...Array(12).fill(50_000)])
    const found = tailExceedance(reference, tail)
    expect(found).toMatchObject({ threshold: 989, exceeding: 12, share: 0.06 })
    expect(found.referenceShare).toBeCloseTo(0.01, 12)
    expect(found.p).toBeLessThan(1e-4)
    const random = seededRandom(31)
    const draw = (size: number) => countTableOf(Array.from({ length: size }, () => Math.floor(random() * 1e9)))
    let rejected = 0
    for (let run = 0; run < 2000; run++) if (tailExceedance(draw(400), draw(150)).p <= 0.05) rejected++
    expect(rejected / 2000).toBeLessThan(0.065)
  })

  it('ties do not exceed; one distinct value has no tail', () => {
    const same = countTableOf([7, 7, 7])
    expect(tailExceedance(same, same)).toEqual({ level: 0.99, threshold: 7, exceeding: 0, share: 0, referenceShare: 0, p: 1 })
    expect(() => tailExceedance(same, EMPTY_COUNT_TABLE)).toThrow(expect.objectContaining({ code: 'stats.empty' }))
    expect(() => tailExceedance(same, same, 1)).toThrow(expect.objectContaining({ code: 'stats.bad_argument' }))
  })
})
