// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  countTableFromJson,
  countTableOf,
  countTableOfMap,
  countTableOfRows,
  countTableToJson,
  EMPTY_COUNT_TABLE,
  ecdf,
  mergeCountTables,
  orderStatistic,
  quantile
} from './count-table.ts'
import { StatsError } from './stats-error.ts'

const codeOf = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    return error instanceof StatsError ? error.code : 'another error'
  }
  return 'no error'
}

const integers = fc.array(fc.oneof(fc.integer({ min: -5, max: 20 }), fc.maxSafeNat()), { maxLength: 60 })

describe('count tables', () => {
  it('has distinct ascending values with counts', () => {
    const table = countTableOf([3, 1, 3, -2, 3, -0, 0])
    expect(countTableToJson(table)).toEqual({ dv: [-2, 2, 1, 2], c: [1, 2, 1, 3] })
    expect(table.total).toBe(7)
    expect(Object.is(table.values[1], 0)).toBe(true)
  })

  it('of a map is the table of its rows', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: -9, max: 99 }), fc.nat(5))), (rows) => {
        const map = new Map(rows)
        expect(countTableToJson(countTableOfMap(map))).toEqual(countTableToJson(countTableOfRows(map)))
      })
    )
    expect(codeOf(() => countTableOfMap(new Map([[0.5, 1]])))).toBe('stats.not_an_integer')
    expect(codeOf(() => countTableOfMap(new Map([[1, -1]])))).toBe('stats.bad_count')
  })

  it('merging is the table of both samples, in any order and from rows', () => {
    fc.assert(
      fc.property(integers, integers, (a, b) => {
        const batch = countTableToJson(countTableOf([...a, ...b]))
        expect(countTableToJson(mergeCountTables(countTableOf(a), countTableOf(b)))).toEqual(batch)
        expect(countTableToJson(mergeCountTables(countTableOf(b), countTableOf(a)))).toEqual(batch)
        expect(countTableToJson(countTableOfRows([...b, ...a].map((value) => [value, 1])))).toEqual(batch)
      })
    )
  })

  it('survives its JSON form', () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), (values) => {
        const table = countTableOf(values)
        const text = JSON.stringify(countTableToJson(table))
        expect(countTableFromJson(JSON.parse(text))).toEqual(table)
      })
    )
  })

  it('quantiles are the inverse of the distribution function', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 80 }),
        fc.integer({ min: 0, max: 100 }),
        (values, percent) => {
          const table = countTableOf(values)
          const sorted = [...values].sort((a, b) => a - b)
          const rank = Math.max(1, Math.ceil((percent * values.length) / 100))
          const value = quantile(table, percent / 100)
          expect(value).toBe(sorted[rank - 1])
          expect(ecdf(table, value) * 100 * (1 + 1e-12)).toBeGreaterThanOrEqual(percent)
          expect(ecdf(table, value)).toBe(values.filter((x) => x <= value).length / values.length)
          expect(ecdf(table, -1)).toBe(0)
          expect(orderStatistic(table, values.length)).toBe(Math.max(...values))
        }
      )
    )
  })

  it('refuses what is not an integer table', () => {
    expect(codeOf(() => countTableOf([1.5]))).toBe('stats.not_an_integer')
    expect(codeOf(() => countTableOf([Number.NaN]))).toBe('stats.not_an_integer')
    expect(codeOf(() => countTableOf([2 ** 53]))).toBe('stats.not_an_integer')
    expect(codeOf(() => countTableOfRows([[1, -1]]))).toBe('stats.bad_count')
    expect(codeOf(() => quantile(EMPTY_COUNT_TABLE, 0.5))).toBe('stats.empty')
    expect(codeOf(() => quantile(countTableOf([1]), 1.1))).toBe('stats.bad_argument')
    expect(codeOf(() => orderStatistic(countTableOf([1]), 2))).toBe('stats.bad_argument')
    expect(codeOf(() => countTableToJson(countTableOf([-Number.MAX_SAFE_INTEGER, 1])))).toBe('stats.bad_table')
  })

  it('refuses JSON that is not canonical', () => {
    const hostile: unknown[] = [
      null,
      [],
      {},
      'x',
      { dv: [1], c: [] },
      { dv: [1, 0], c: [1, 1] },
      { dv: [1, -1], c: [1, 1] },
      { dv: [-0], c: [1] },
      { dv: [1], c: [0] },
      { dv: [1], c: [-3] },
      { dv: [1], c: [1.5] },
      { dv: ['1'], c: [1] },
      { dv: [null], c: [1] },
      { dv: [Number.MAX_SAFE_INTEGER, 1], c: [1, 1] },
      { dv: { length: 1, 0: 1 }, c: [1] }
    ]
    for (const json of hostile) expect(codeOf(() => countTableFromJson(json))).toBe('stats.bad_table')
    expect(codeOf(() => countTableFromJson({ dv: [1, 1], c: [Number.MAX_SAFE_INTEGER, 1] }))).toBe('stats.bad_count')
    expect(countTableFromJson({ dv: [], c: [] })).toEqual(EMPTY_COUNT_TABLE)
  })
})
