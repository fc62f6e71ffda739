// SPDX-License-Identifier: Apache-2.0
import type { CountTable } from './count-table.ts'
import { type Alternative, asymptoticKsP, clampP } from './kolmogorov.ts'
import { exactKsP } from './ks-exact.ts'
import { sortDoubles } from './sort.ts'
import { StatsError } from './stats-error.ts'

/** State updates that a single investigation may spend on an exact p-value; a whole look has 2e7. */
export const INVESTIGATION_STEPS = 5e7

/** How to test. `maxSteps` bounds the work of the exact p-value; 0 asks for the asymptotic one. */
export interface KsOptions {
  /** Default `two-sided`. `greater`: the distribution function of x lies above that of y (x tends to be smaller); as in SciPy. */
  readonly alternative?: Alternative
  /** Default INVESTIGATION_STEPS. Beyond it the result is labelled `asymptotic`. */
  readonly maxSteps?: number
}

/** A two-sample Kolmogorov-Smirnov test. */
export interface KsResult {
  /** The largest gap between the two empirical distribution functions in the direction asked for, in [0, 1]. */
  readonly d: number
  /** The observed value at which the gap is attained: the smallest such x, else the smallest such y (SciPy's choice). */
  readonly dLocation: number
  /** 1 when the distribution function of x is above that of y at `dLocation` (y tends to be larger), else -1. */
  readonly dSign: 1 | -1
  /** In [1e-300, 1]; the floor means "at most". */
  readonly p: number
  /** `exact`: given the ties, relative error about 1e-15 times the root of n + m. `asymptotic`: Kolmogorov's limit. */
  readonly method: 'exact' | 'asymptotic'
  readonly n: number
  readonly m: number
  /** State updates spent on the exact p-value. */
  readonly steps: number
}

/** A sample in ascending order, made by sortSample once and used in many tests. */
export interface SortedSample {
  /** Finite numbers, ascending. */
  readonly sorted: Float64Array
}

/** Extremes of i m - j n over the distinct pooled values, with their places. Exact integers up to n m = 2^53. */
interface Gap {
  readonly max: number
  readonly maxAt: number
  readonly min: number
  readonly minAt: number
}

/** A sorted copy of a sample of real numbers. Throws `stats.not_a_number` when one of them is NaN or infinite. */
export function sortSample(values: ArrayLike<number>): SortedSample {
  const sorted = sortDoubles(values)
  // NaN is sorted last, so both ends tell of all.
  if (sorted.length > 0 && !(Number.isFinite(sorted[0]) && Number.isFinite(sorted[sorted.length - 1]))) {
    throw new StatsError('stats.not_a_number', 'a sample holds finite numbers only')
  }
  return { sorted }
}

// First index from `from` on at which `sorted` exceeds `value`, by doubling steps: cheap when it is near.
const gallop = (sorted: Float64Array, value: number, from: number): number => {
  let step = 1
  let low = from
  while (low + step <= sorted.length && (sorted[low + step - 1] ?? 0) <= value) {
    low += step
    step *= 2
  }
  let high = Math.min(sorted.length, low + step - 1)
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle] ?? 0) <= value) low = middle + 1
    else high = middle
  }
  return low
}

const BLOCK = 64

// Cuts the pooled values into segments, evaluates the difference at the cuts, and merges only those segments that could
// hold an extreme: between (i0, j0) and (i1, j1) it lies between i0 m - j1 n and i1 m - j0 n. Exact, and for large samples
// many times faster than a full merge, whose branches cannot be predicted.
const gapOfSorted = (x: Float64Array, y: Float64Array): Gap => {
  const n = x.length
  const m = y.length
  const longer = n >= m ? x : y
  const cuts = Math.ceil(longer.length / BLOCK) + 1
  const is = new Float64Array(cuts + 1)
  const js = new Float64Array(cuts + 1)
  let coarseMax = Number.NEGATIVE_INFINITY
  let coarseMin = Number.POSITIVE_INFINITY
  for (let cut = 1; cut <= cuts; cut++) {
    const isLast = cut === cuts
    const value = longer[Math.min(longer.length, cut * BLOCK) - 1] ?? 0
    const i = isLast ? n : gallop(x, value, is[cut - 1] ?? 0)
    const j = isLast ? m : gallop(y, value, js[cut - 1] ?? 0)
    is[cut] = i
    js[cut] = j
    const s = i * m - j * n
    if (s > coarseMax) coarseMax = s
    if (s < coarseMin) coarseMin = s
  }

  let max = coarseMax
  let maxAt: number | undefined
  let min = coarseMin
  let minAt: number | undefined
  let minInX = false
  for (let cut = 1; cut <= cuts; cut++) {
    let i = is[cut - 1] ?? 0
    let j = js[cut - 1] ?? 0
    const iEnd = is[cut] ?? n
    const jEnd = js[cut] ?? m
    if (iEnd * m - j * n < max && i * m - jEnd * n > min) continue
    let a = i < iEnd ? (x[i] ?? 0) : Number.POSITIVE_INFINITY
    let b = j < jEnd ? (y[j] ?? 0) : Number.POSITIVE_INFINITY
    while (i < iEnd || j < jEnd) {
      const value = a < b ? a : b
      const inX = a === value
      if (inX) {
        do i++
        while (i < iEnd && x[i] === value)
        a = i < iEnd ? (x[i] ?? 0) : Number.POSITIVE_INFINITY
      }
      if (b === value) {
        do j++
        while (j < jEnd && y[j] === value)
        b = j < jEnd ? (y[j] ?? 0) : Number.POSITIVE_INFINITY
      }
      const s = i * m - j * n
      // The largest difference is always attained at an x, because only those raise it.
      if (s > max || (s === max && maxAt === undefined)) {
        max = s
        maxAt = value
      }
      if (s < min || (s === min && (minAt === undefined || (inX && !minInX)))) {
        min = s
        minAt = value
        minInX = inX
      }
    }
  }
  return { max, maxAt: maxAt ?? 0, min, minAt: minAt ?? 0 }
}

const gapOfTables = (x: CountTable, y: CountTable): Gap => {
  const xs = x.values
  const ys = y.values
  const n = x.total
  const m = y.total
  let max = Number.NEGATIVE_INFINITY
  let maxAt = 0
  let min = Number.POSITIVE_INFINITY
  let minAt = 0
  let minInX = false
  let i = 0
  let j = 0
  let cx = 0
  let cy = 0
  while (i < xs.length || j < ys.length) {
    const a = i < xs.length ? (xs[i] ?? 0) : Number.POSITIVE_INFINITY
    const b = j < ys.length ? (ys[j] ?? 0) : Number.POSITIVE_INFINITY
    const value = a < b ? a : b
    const inX = a === value
    if (inX) cx = x.cumulative[i++] ?? 0
    if (b === value) cy = y.cumulative[j++] ?? 0
    const s = cx * m - cy * n
    if (s > max) {
      max = s
      maxAt = value
    }
    if (s < min || (s === min && inX && !minInX)) {
      min = s
      minAt = value
      minInX = inX
    }
  }
  return { max, maxAt, min, minAt }
}

const groupsOfSorted = (x: Float64Array, y: Float64Array): ArrayLike<number> => {
  const groups: number[] = []
  let i = 0
  let j = 0
  while (i < x.length || j < y.length) {
    const value = Math.min(x[i] ?? Number.POSITIVE_INFINITY, y[j] ?? Number.POSITIVE_INFINITY)
    const before = i + j
    while (i < x.length && x[i] === value) i++
    while (j < y.length && y[j] === value) j++
    groups.push(i + j - before)
  }
  return groups
}

const groupsOfTables = (x: CountTable, y: CountTable): ArrayLike<number> => {
  const groups: number[] = []
  let i = 0
  let j = 0
  while (i < x.values.length || j < y.values.length) {
    const value = Math.min(x.values[i] ?? Number.POSITIVE_INFINITY, y.values[j] ?? Number.POSITIVE_INFINITY)
    let size = 0
    if (x.values[i] === value) size += x.counts[i++] ?? 0
    if (y.values[j] === value) size += y.counts[j++] ?? 0
    groups.push(size)
  }
  return groups
}

// A lower bound of the walk's cost: rows whose whole band of survivors fits, times the band. It spares large samples the plan.
const leastSteps = (n: number, m: number, d: number): number => {
  const rows = n + m - 2 * d * Math.max(n, m)
  const band = (2 * d * n) / (1 + n / m) - 1
  return Math.max(n + m, rows > 0 && band > 0 ? rows * band : 0)
}

const conclude = (gap: Gap, n: number, m: number, groups: () => ArrayLike<number>, options: KsOptions): KsResult => {
  const { alternative = 'two-sided', maxSteps = INVESTIGATION_STEPS } = options
  const up = Math.max(0, gap.max)
  const down = Math.max(0, -gap.min)
  const dSign = alternative === 'less' || (alternative === 'two-sided' && down > up) ? -1 : 1
  const scaled = dSign === 1 ? up : down
  const d = Math.min(1, scaled / (n * m))
  const base = { d, dLocation: dSign === 1 ? gap.maxAt : gap.minAt, dSign, n, m } as const
  const exact = leastSteps(n, m, d) <= maxSteps ? exactKsP({ groups: groups(), n, m, scaled, alternative, maxSteps }) : undefined
  if (exact !== undefined) return { ...base, p: clampP(exact.p), method: 'exact', steps: exact.steps }
  return { ...base, p: asymptoticKsP(d, n, m, alternative), method: 'asymptotic', steps: 0 }
}

const requireBoth = (n: number, m: number): void => {
  if (n === 0 || m === 0) throw new StatsError('stats.empty', 'both samples of a two-sample test need observations')
}

/** The two-sample test on two count tables: the same answer as on the values themselves. Throws `stats.empty`. */
export function ksTables(x: CountTable, y: CountTable, options: KsOptions = {}): KsResult {
  requireBoth(x.total, y.total)
  return conclude(gapOfTables(x, y), x.total, y.total, () => groupsOfTables(x, y), options)
}

/** The two-sample test on samples that sortSample has sorted, so that a reference is sorted once. Throws `stats.empty`. */
export function ksSorted(x: SortedSample, y: SortedSample, options: KsOptions = {}): KsResult {
  const a = x.sorted
  const b = y.sorted
  requireBoth(a.length, b.length)
  return conclude(gapOfSorted(a, b), a.length, b.length, () => groupsOfSorted(a, b), options)
}

/** The two-sample test on raw real numbers in any order. Throws `stats.empty` and `stats.not_a_number`. */
export function ksSamples(x: ArrayLike<number>, y: ArrayLike<number>, options: KsOptions = {}): KsResult {
  return ksSorted(sortSample(x), sortSample(y), options)
}
