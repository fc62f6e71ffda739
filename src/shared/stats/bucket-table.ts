// SPDX-License-Identifier: Apache-2.0
import {
  type CountTable,
  type CountTableJson,
  countTableFromJson,
  countTableOfRows,
  countTableToJson,
  mergeCountTables,
  quantile
} from './count-table.ts'
import { type Alternative, asymptoticKsP } from './kolmogorov.ts'
import { StatsError } from './stats-error.ts'

/** Mantissa bits that a bucket keeps: 1,024 buckets per power of two. */
const BITS = 10
const DROPPED = 20 - BITS
// Buckets of the positive doubles: 2,047 exponents; the first covers numbers below 2^-1022, whose width is absolute.
const LAST = 2047 << BITS

/**
 * The distribution of real numbers in log-linear buckets: every power of two is cut into 1,024 equal parts, on both sides of
 * zero, and zero has a bucket of its own. A bucket is at most 2^-10 of its values wide (below 2^-1022 the width is absolute).
 * Which bucket a number falls into depends on that number alone, so a table is deterministic, mergeable and hashable, and
 * nothing is sampled. `buckets.values` are bucket numbers in ascending order of value.
 */
export interface BucketTable {
  readonly buckets: CountTable
}

/** Canonical JSON form: mantissa bits, and the table of bucket numbers. Equal samples have equal forms. */
export interface BucketTableJson extends CountTableJson {
  readonly bits: typeof BITS
}

/** Both ends of an interval that surely holds the figure of the raw numbers. */
export interface Bracket {
  readonly low: number
  readonly high: number
}

/** The Kolmogorov-Smirnov figures of the raw numbers behind two bucket tables, as far as the buckets tell. */
export interface BracketedKs {
  /** The statistic of the raw numbers lies in [low, high]; each end is attained by numbers in these buckets. */
  readonly d: Bracket
  /** The large-sample p-values of the two ends; `high` belongs to `d.low` and is the one to decide by. */
  readonly p: Bracket
  readonly n: number
  readonly m: number
}

const word = new DataView(new ArrayBuffer(8))

/** Number of the bucket of a finite number: 0 for zero, k for positive numbers, -k for their negatives. */
export function bucketOfReal(value: number): number {
  if (!Number.isFinite(value)) throw new StatsError('stats.not_a_number', 'a bucket table holds finite numbers only')
  if (value === 0) return 0
  word.setFloat64(0, Math.abs(value))
  const bucket = (word.getUint32(0) >>> DROPPED) + 1
  return value > 0 ? bucket : -bucket
}

const leastOf = (bucket: number): number => {
  if (bucket > LAST) return Number.POSITIVE_INFINITY
  word.setUint32(0, (bucket - 1) << DROPPED)
  word.setUint32(4, 0)
  return word.getFloat64(0)
}

/**
 * The numbers of a bucket lie between these two: of a positive bucket the low end is in it and the high end is not, of a
 * negative one the other way round. Both ends of bucket 0 are 0.
 */
export function bucketEdges(bucket: number): Bracket {
  if (bucket === 0) return { low: 0, high: 0 }
  const size = Math.abs(bucket)
  const near = leastOf(size)
  const far = Math.min(Number.MAX_VALUE, leastOf(size + 1))
  return bucket > 0 ? { low: near, high: far } : { low: 0 - far, high: 0 - near }
}

/** The table of real numbers in any order. Throws `stats.not_a_number` when one of them is NaN or infinite. */
export function bucketTableOf(values: ArrayLike<number>): BucketTable {
  const counts = new Map<number, number>()
  for (let i = 0; i < values.length; i++) {
    const bucket = bucketOfReal(values[i] ?? Number.NaN)
    counts.set(bucket, (counts.get(bucket) ?? 0) + 1)
  }
  return { buckets: countTableOfRows(counts) }
}

/** The table of both samples taken together, the same as if they had been put in at once. */
export function mergeBucketTables(a: BucketTable, b: BucketTable): BucketTable {
  return { buckets: mergeCountTables(a.buckets, b.buckets) }
}

/** The canonical JSON form, fit for hashing over its RFC 8785 bytes. */
export function bucketTableToJson(table: BucketTable): BucketTableJson {
  return { bits: BITS, ...countTableToJson(table.buckets) }
}

/** Reads the canonical JSON form from untrusted input. Throws `stats.bad_table` on any other resolution, form or bucket number. */
export function bucketTableFromJson(json: unknown): BucketTable {
  const bad = (): StatsError => new StatsError('stats.bad_table', 'not the canonical form {bits, dv, c} of a bucket table')
  if (typeof json !== 'object' || json === null || !('bits' in json) || json.bits !== BITS) throw bad()
  const buckets = countTableFromJson(json)
  const { values } = buckets
  if (values.length > 0 && (Math.abs(values[0] ?? 0) > LAST || Math.abs(values[values.length - 1] ?? 0) > LAST)) throw bad()
  return { buckets }
}

/** The p-quantile of the raw numbers lies between the edges of its bucket. Throws as `quantile` does. */
export function bucketQuantile(table: BucketTable, p: number): Bracket {
  return bucketEdges(quantile(table.buckets, p))
}

/**
 * The two-sample Kolmogorov-Smirnov statistic of the raw numbers, bracketed without error. At the edge of a bucket both
 * distribution functions are known exactly, so the largest gap over the edges is a lower end. Inside a bucket the gap is at
 * most the one that arises when all of its numbers of one sample come before those of the other; the largest of these is the
 * upper end. In bucket 0 all numbers are equal, so nothing lies inside. Both ends are attained. Throws `stats.empty`.
 */
export function ksBuckets(x: BucketTable, y: BucketTable, alternative: Alternative = 'two-sided'): BracketedKs {
  const a = x.buckets
  const b = y.buckets
  const n = a.total
  const m = b.total
  if (n === 0 || m === 0) throw new StatsError('stats.empty', 'both sides of a test need observations')
  const up = alternative !== 'less'
  const down = alternative !== 'greater'
  let low = 0
  let high = 0
  let i = 0
  let j = 0
  let before = { x: 0, y: 0 }
  while (i < a.values.length || j < b.values.length) {
    const first = a.values[i] ?? Number.POSITIVE_INFINITY
    const second = b.values[j] ?? Number.POSITIVE_INFINITY
    const bucket = Math.min(first, second)
    const after = {
      x: first === bucket ? (a.cumulative[i++] ?? 0) : before.x,
      y: second === bucket ? (b.cumulative[j++] ?? 0) : before.y
    }
    const atEdge = after.x * m - after.y * n
    if (up) low = Math.max(low, atEdge)
    if (down) low = Math.max(low, -atEdge)
    if (bucket !== 0) {
      if (up) high = Math.max(high, after.x * m - before.y * n)
      if (down) high = Math.max(high, after.y * n - before.x * m)
    }
    before = after
  }
  const d = { low: low / (n * m), high: Math.max(low, high) / (n * m) }
  return { d, p: { low: asymptoticKsP(d.high, n, m, alternative), high: asymptoticKsP(d.low, n, m, alternative) }, n, m }
}
