// SPDX-License-Identifier: Apache-2.0
import { type CountTable, quantile, upperBound } from './count-table.ts'
import { StatsError } from './stats-error.ts'

/** Companion distances of a verdict: shown beside it, never deciding. */
export interface Companions {
  /** Population stability index over reference-decile bins, natural logarithm. 0 and up. */
  readonly psi: number
  /** Jensen-Shannon divergence over the same bins, base 2, in [0, 1]. */
  readonly js: number
  /** First Wasserstein distance of ln(1 + value): 0.69 is a doubling of large values. */
  readonly wassersteinLog: number
}

const requireSameBins = (p: ArrayLike<number>, q: ArrayLike<number>): void => {
  if (p.length !== q.length) throw new StatsError('stats.bad_argument', 'two distributions over bins need the same bins')
}

/**
 * Population stability index, sum of (q - p) ln(q / p), of two distributions over the same bins (Siddiqi, Credit Risk
 * Scorecards, 2006; Jeffreys' divergence). Infinite when a bin is empty on one side only: smooth first.
 */
export function psiOfShares(p: ArrayLike<number>, q: ArrayLike<number>): number {
  requireSameBins(p, q)
  let sum = 0
  for (let i = 0; i < p.length; i++) {
    const a = p[i] ?? 0
    const b = q[i] ?? 0
    if (a !== b) sum += (b - a) * Math.log(b / a)
  }
  return sum
}

/** Jensen-Shannon divergence, base 2, in [0, 1] (Lin, IEEE Transactions on Information Theory 37, 1991). Its root is a metric. */
export function jsOfShares(p: ArrayLike<number>, q: ArrayLike<number>): number {
  requireSameBins(p, q)
  let sum = 0
  for (let i = 0; i < p.length; i++) {
    const a = p[i] ?? 0
    const b = q[i] ?? 0
    const middle = (a + b) / 2
    if (a > 0) sum += (a / 2) * Math.log2(a / middle)
    if (b > 0) sum += (b / 2) * Math.log2(b / middle)
  }
  return Math.min(1, Math.max(0, sum))
}

/** Upper edges of the inner bins: the distinct i/bins-quantiles of the reference. Bins are (-inf, e1], (e1, e2], ..., (ek, inf). */
export function referenceEdges(reference: CountTable, bins = 10): readonly number[] {
  const edges: number[] = []
  for (let i = 1; i < bins; i++) {
    const edge = quantile(reference, i / bins)
    if (edges.at(-1) !== edge) edges.push(edge)
  }
  return edges
}

/** Shares of a table over the bins of `edges`, half an observation added to each bin, so that none is empty. */
export function smoothedShares(table: CountTable, edges: readonly number[]): readonly number[] {
  const bins = edges.length + 1
  const shares: number[] = []
  let below = 0
  for (let i = 0; i < bins; i++) {
    const edge = edges[i]
    const index = edge === undefined ? table.values.length : upperBound(table.values, edge)
    const cumulative = index === 0 ? 0 : (table.cumulative[index - 1] ?? 0)
    shares.push((cumulative - below + 0.5) / (table.total + bins / 2))
    below = cumulative
  }
  return shares
}

/**
 * First Wasserstein distance between two tables, the area between their distribution functions, on the scale that the
 * increasing function `scale` gives to values. Throws `stats.empty`.
 */
export function wasserstein(x: CountTable, y: CountTable, scale: (value: number) => number = (value) => value): number {
  if (x.total === 0 || y.total === 0) throw new StatsError('stats.empty', 'both sides of a distance need observations')
  let i = 0
  let j = 0
  let area = 0
  let previous: number | undefined
  let gap = 0
  while (i < x.values.length || j < y.values.length) {
    const a = i < x.values.length ? (x.values[i] ?? 0) : Number.POSITIVE_INFINITY
    const b = j < y.values.length ? (y.values[j] ?? 0) : Number.POSITIVE_INFINITY
    const value = Math.min(a, b)
    const at = scale(value)
    if (previous !== undefined) area += Math.abs(gap) * (at - previous)
    if (a === value) i++
    if (b === value) j++
    gap = (i === 0 ? 0 : (x.cumulative[i - 1] ?? 0)) / x.total - (j === 0 ? 0 : (y.cumulative[j - 1] ?? 0)) / y.total
    previous = at
  }
  return area
}

/** First Wasserstein distance between two samples of real numbers, in their own unit. Throws `stats.empty`. */
export function wassersteinOfSamples(x: ArrayLike<number>, y: ArrayLike<number>): number {
  if (x.length === 0 || y.length === 0) throw new StatsError('stats.empty', 'both sides of a distance need observations')
  const a = Float64Array.from(x).sort()
  const b = Float64Array.from(y).sort()
  let i = 0
  let j = 0
  let area = 0
  let previous = Math.min(a[0] ?? 0, b[0] ?? 0)
  while (i < a.length || j < b.length) {
    const value = Math.min(a[i] ?? Number.POSITIVE_INFINITY, b[j] ?? Number.POSITIVE_INFINITY)
    area += Math.abs(i / a.length - j / b.length) * (value - previous)
    while (i < a.length && a[i] === value) i++
    while (j < b.length && b[j] === value) j++
    previous = value
  }
  return area
}

// Below zero the logarithm is mirrored, so that a table of any integers has a distance.
const symmetricLog = (value: number): number => Math.sign(value) * Math.log1p(Math.abs(value))

/** The companions of a verdict. Throws `stats.empty` when either table has no observations. */
export function companions(reference: CountTable, current: CountTable): Companions {
  if (reference.total === 0 || current.total === 0) throw new StatsError('stats.empty', 'both sides of a distance need observations')
  const edges = referenceEdges(reference)
  const p = smoothedShares(reference, edges)
  const q = smoothedShares(current, edges)
  return { psi: psiOfShares(p, q), js: jsOfShares(p, q), wassersteinLog: wasserstein(reference, current, symmetricLog) }
}
