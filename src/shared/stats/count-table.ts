// SPDX-License-Identifier: Apache-2.0
import { StatsError } from './stats-error.ts'

/**
 * An exact empirical distribution of integers: distinct values in ascending order, each with how often it occurred.
 * A real window of 51 million values fits 917 entries; nothing is sampled or rounded, so a table is deterministic,
 * mergeable and hashable. Treat it as immutable. The numbers are safe integers.
 */
export interface CountTable {
  /** Distinct values, strictly ascending. */
  readonly values: ArrayLike<number>
  /** How often each value occurred, at least 1. */
  readonly counts: ArrayLike<number>
  /** Running sum of `counts`; the last entry is `total`. */
  readonly cumulative: ArrayLike<number>
  /** Number of observations. */
  readonly total: number
}

/** Canonical JSON form: the first value and then the differences (`dv`), and the counts (`c`), of equal length. */
export interface CountTableJson {
  readonly dv: readonly number[]
  readonly c: readonly number[]
}

const build = (values: Float64Array, counts: Float64Array): CountTable => {
  const cumulative = new Float64Array(counts.length)
  let total = 0
  for (let i = 0; i < counts.length; i++) {
    total += counts[i] ?? 0
    cumulative[i] = total
  }
  if (!Number.isSafeInteger(total)) throw new StatsError('stats.bad_count', 'the total count is beyond 2^53 - 1')
  return { values, counts, cumulative, total }
}

/** The table of no observations. */
export const EMPTY_COUNT_TABLE: CountTable = build(new Float64Array(0), new Float64Array(0))

/** The table of `values`, in any order. Throws `stats.not_an_integer` unless every value is a safe integer. */
export function countTableOf(values: ArrayLike<number>): CountTable {
  const sorted = Float64Array.from(values).sort()
  for (let i = 0; i < sorted.length; i++) {
    if (!Number.isSafeInteger(sorted[i])) throw new StatsError('stats.not_an_integer', 'a count table holds safe integers only')
  }
  const distinct = new Float64Array(sorted.length)
  const counts = new Float64Array(sorted.length)
  let used = 0
  for (let i = 0; i < sorted.length; i++) {
    // Adding 0 turns -0 into 0, so that equal tables have equal JSON.
    const value = (sorted[i] ?? 0) + 0
    if (used === 0 || value !== distinct[used - 1]) distinct[used++] = value
    counts[used - 1] = (counts[used - 1] ?? 0) + 1
  }
  return build(distinct.slice(0, used), counts.slice(0, used))
}

/**
 * The table of rows (value, count) in any order; rows of one value are added up and rows of count 0 are left out.
 * Throws `stats.not_an_integer` or `stats.bad_count` on a value or count that is no safe integer, or a negative count.
 */
export function countTableOfRows(rows: Iterable<readonly [value: number, count: number]>): CountTable {
  const sums = new Map<number, number>()
  for (const [value, count] of rows) {
    if (!Number.isSafeInteger(value)) throw new StatsError('stats.not_an_integer', 'a count table holds safe integers only')
    if (!Number.isSafeInteger(count) || count < 0) throw new StatsError('stats.bad_count', 'a count is a safe integer of at least 0')
    if (count > 0) sums.set(value + 0, (sums.get(value + 0) ?? 0) + count)
  }
  const values = Float64Array.from(sums.keys()).sort()
  return build(
    values,
    values.map((value) => sums.get(value) ?? 0)
  )
}

/**
 * The table of a map from value to count. Throws as {@link countTableOfRows} does; entries of count 0 are left out.
 */
export function countTableOfMap(map: ReadonlyMap<number, number>): CountTable {
  const values = new Float64Array(map.size)
  let used = 0
  for (const [value, count] of map) {
    if (!Number.isSafeInteger(value)) throw new StatsError('stats.not_an_integer', 'a count table holds safe integers only')
    if (!Number.isSafeInteger(count) || count < 0) throw new StatsError('stats.bad_count', 'a count is a safe integer of at least 0')
    if (count > 0) values[used++] = value + 0
  }
  const sorted = values.subarray(0, used).sort()
  return build(
    sorted,
    sorted.map((value) => map.get(value) ?? 0)
  )
}

/** The table of all observations of both tables: equal to the table of the two samples taken together. */
export function mergeCountTables(a: CountTable, b: CountTable): CountTable {
  const values = new Float64Array(a.values.length + b.values.length)
  const counts = new Float64Array(values.length)
  let used = 0
  let i = 0
  let j = 0
  while (i < a.values.length || j < b.values.length) {
    const x = a.values[i] ?? Number.POSITIVE_INFINITY
    const y = b.values[j] ?? Number.POSITIVE_INFINITY
    const value = Math.min(x, y)
    let count = 0
    if (x === value) count += a.counts[i++] ?? 0
    if (y === value) count += b.counts[j++] ?? 0
    values[used] = value
    counts[used++] = count
  }
  return build(values.slice(0, used), counts.slice(0, used))
}

/** The table of the observations of `a` without those of `b`. Throws `stats.bad_count` when `b` holds any that `a` does not. */
export function subtractCountTable(a: CountTable, b: CountTable): CountTable {
  const values = new Float64Array(a.values.length)
  const counts = new Float64Array(a.values.length)
  let used = 0
  let j = 0
  for (let i = 0; i < a.values.length; i++) {
    const value = a.values[i] ?? 0
    let count = a.counts[i] ?? 0
    if (j < b.values.length && b.values[j] === value) count -= b.counts[j++] ?? 0
    if (count < 0) break
    if (count === 0) continue
    values[used] = value
    counts[used++] = count
  }
  const left = build(values.slice(0, used), counts.slice(0, used))
  if (left.total !== a.total - b.total) throw new StatsError('stats.bad_count', 'a table cannot lose observations it does not hold')
  return left
}

/**
 * The canonical JSON form. Equal distributions have equal forms, so its RFC 8785 bytes are fit for hashing.
 * Throws `stats.bad_table` when neighbouring values lie further apart than a safe integer can say.
 */
export function countTableToJson(table: CountTable): CountTableJson {
  const dv: number[] = []
  const c: number[] = []
  let previous = 0
  for (let i = 0; i < table.values.length; i++) {
    const value = table.values[i] ?? 0
    if (!Number.isSafeInteger(value - previous)) throw new StatsError('stats.bad_table', 'two values lie too far apart for the JSON form')
    dv.push(value - previous)
    c.push(table.counts[i] ?? 0)
    previous = value
  }
  return { dv, c }
}

const isNumberArray = (value: unknown): value is readonly number[] => Array.isArray(value) && value.every((x) => typeof x === 'number')

/**
 * Reads the canonical JSON form from untrusted input. Throws `stats.bad_table` unless `dv` and `c` are arrays of equal
 * length, values are strictly ascending safe integers and counts are positive safe integers with a safe sum.
 */
export function countTableFromJson(json: unknown): CountTable {
  const bad = (): StatsError => new StatsError('stats.bad_table', 'not the canonical form {dv, c} of a count table')
  if (typeof json !== 'object' || json === null || !('dv' in json) || !('c' in json)) throw bad()
  const { dv, c } = json
  if (!isNumberArray(dv) || !isNumberArray(c) || dv.length !== c.length) throw bad()
  const values = new Float64Array(dv.length)
  const counts = new Float64Array(c.length)
  let value = 0
  for (let i = 0; i < dv.length; i++) {
    const delta = dv[i] ?? 0
    const count = c[i] ?? 0
    if (!Number.isSafeInteger(delta) || Object.is(delta, -0) || (i > 0 && delta < 1)) throw bad()
    if (!Number.isSafeInteger(count) || count < 1) throw bad()
    value += delta
    if (!Number.isSafeInteger(value)) throw bad()
    values[i] = value
    counts[i] = count
  }
  return build(values, counts)
}

/** First index at which `sorted` is greater than `x`; its length when none is. */
export function upperBound(sorted: ArrayLike<number>, x: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle] ?? 0) <= x) low = middle + 1
    else high = middle
  }
  return low
}

/** Share of observations that are at most `x`, in [0, 1]. Throws `stats.empty` on an empty table. */
export function ecdf(table: CountTable, x: number): number {
  if (table.total === 0) throw new StatsError('stats.empty', 'an empty table has no distribution')
  const index = upperBound(table.values, x)
  return index === 0 ? 0 : (table.cumulative[index - 1] ?? 0) / table.total
}

/** The observation of rank `rank` (1 = smallest, `total` = largest). Throws `stats.bad_argument` outside of that range. */
export function orderStatistic(table: CountTable, rank: number): number {
  if (!(rank >= 1 && rank <= table.total))
    throw new StatsError('stats.bad_argument', 'a rank lies between 1 and the number of observations')
  return table.values[upperBound(table.cumulative, Math.ceil(rank) - 1)] ?? 0
}

/** Rank of the p-quantile among n: the smallest k with k / n >= p, guarded against the rounding of p * n, and at least 1. */
export function quantileRank(p: number, n: number): number {
  return Math.min(n, Math.max(1, Math.ceil(p * n * (1 - 1e-14))))
}

/**
 * The p-quantile as the inverse of the empirical distribution function: the smallest observed value v with F(v) >= p
 * (definition 1 of Hyndman and Fan, The American Statistician 50, 1996). p = 0 is the minimum.
 * Throws `stats.empty` on an empty table and `stats.bad_argument` unless p is in [0, 1].
 */
export function quantile(table: CountTable, p: number): number {
  if (table.total === 0) throw new StatsError('stats.empty', 'an empty table has no quantiles')
  if (!(p >= 0 && p <= 1)) throw new StatsError('stats.bad_argument', 'a quantile level lies in [0, 1]')
  return orderStatistic(table, quantileRank(p, table.total))
}
