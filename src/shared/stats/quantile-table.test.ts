// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { countTableOf, EMPTY_COUNT_TABLE } from './count-table.ts'
import { quantileShift, quantileTable } from './quantile-table.ts'
import { seededRandom } from './testing.ts'

const uniform = (random: () => number, size: number, from = 0): number[] =>
  Array.from({ length: size }, () => from + Math.floor(random() * 1e9))

describe('quantiles before and after', () => {
  it('has the textbook interval of a median', () => {
    // n = 100 at 95 %: the 40th and the 61st value (Conover, Practical Nonparametric Statistics).
    const table = countTableOf(Array.from({ length: 100 }, (_, i) => i + 1))
    const [row] = quantileTable(table, table, { alpha: 0.1, levels: [0.5] })
    expect(row).toEqual({ p: 0.5, before: { value: 50, low: 40, high: 61 }, after: { value: 50, low: 40, high: 61 } })
  })

  it('all intervals hold at once in at least 95 % of windows', () => {
    const random = seededRandom(21)
    let held = 0
    const runs = 500
    for (let run = 0; run < runs; run++) {
      const rows = quantileTable(countTableOf(uniform(random, 300)), countTableOf(uniform(random, 80)))
      const covers = rows.every(({ p, before, after }) =>
        [before, after].every(({ low, high }) => (low ?? -1) <= p * 1e9 && p * 1e9 <= (high ?? 2e9))
      )
      if (covers) held++
    }
    expect(held / runs).toBeGreaterThan(0.945)
  })

  it('leaves open what a small window cannot limit', () => {
    const small = countTableOf([1, 2, 3, 4, 5])
    const rows = quantileTable(small, small)
    expect(rows.map((row) => row.p)).toEqual([0.5, 0.9, 0.95, 0.99])
    expect(rows[0]?.before).toEqual({ value: 3, low: undefined, high: undefined })
    expect(rows[3]?.after.high).toBeUndefined()
    expect(() => quantileTable(small, EMPTY_COUNT_TABLE)).toThrow(expect.objectContaining({ code: 'stats.empty' }))
  })

  it('outliers beyond a quantile do not move it', () => {
    const values = Array.from({ length: 1000 }, (_, i) => i + 1)
    const plain = quantileTable(countTableOf(values), countTableOf(values))
    const grafted = quantileTable(countTableOf(values), countTableOf([...values.slice(0, 999), 7_922_900]))
    expect(grafted.slice(0, 3)).toEqual(plain.slice(0, 3))
  })
})

describe('shift at each quantile', () => {
  it('recovers a pure shift, inside the band at every level', () => {
    const values = Array.from({ length: 2000 }, (_, i) => 3 * i)
    const rows = quantileShift(countTableOf(values), countTableOf(values.map((value) => value + 1000)))
    expect(rows.length).toBe(19)
    for (const { value, low, high, at, p } of rows) {
      expect(value).toBe(1000)
      expect(at).toBe(3 * (2000 * p - 1))
      if (low !== undefined) expect(low).toBeLessThan(1000)
      if (high !== undefined) expect(high).toBeGreaterThan(1000)
    }
    expect(rows[9]?.low).toBeGreaterThan(0)
  })

  it('the whole band holds in at least 95 % of windows', () => {
    const random = seededRandom(22)
    let held = 0
    const runs = 500
    for (let run = 0; run < runs; run++) {
      // True shift everywhere: 5e8.
      const rows = quantileShift(countTableOf(uniform(random, 200)), countTableOf(uniform(random, 100, 5e8)))
      if (rows.every(({ low, high }) => (low ?? -1e10) <= 5e8 && 5e8 <= (high ?? 1e10))) held++
    }
    expect(held / runs).toBeGreaterThan(0.945)
  })

  it('leaves the ends open', () => {
    const values = Array.from({ length: 60 }, (_, i) => i)
    const rows = quantileShift(countTableOf(values), countTableOf(values))
    expect(rows[0]?.low).toBeUndefined()
    expect(rows[18]?.high).toBeUndefined()
    expect(rows[9]).toMatchObject({ p: 0.5, value: 0 })
  })
})
