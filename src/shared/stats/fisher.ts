// SPDX-License-Identifier: Apache-2.0
import { devianceTerm, factorialRest } from './binomial.ts'
import { clampP } from './kolmogorov.ts'
import { normalQuantile } from './normal.ts'
import { StatsError } from './stats-error.ts'

/** `errors` failures among `total` trials. Whole numbers, 0 <= errors <= total. */
export interface Proportion {
  readonly errors: number
  readonly total: number
}

/** Throws `stats.bad_count` unless both numbers are whole and 0 <= errors <= total. */
export function requireProportion(proportion: Proportion): void {
  const { errors, total } = proportion
  if (!Number.isSafeInteger(errors) || !Number.isSafeInteger(total) || errors < 0 || errors > total) {
    throw new StatsError('stats.bad_count', 'a proportion is a whole number of errors among a whole number of trials')
  }
}

// A 2 x 2 table is fixed by its margins and one cell x; ln P(x) with the linear parts of the log-factorials cancelled
// algebraically: what remains is half the deviance, from exact integer numerators, and the slowly varying rests.
const logHypergeometric = (x: number, n1: number, n2: number, k: number): number => {
  const n = n1 + n2
  const term = (cell: number, row: number, column: number): number => {
    const expected = (row * column) / n
    return expected === 0 ? 0 : factorialRest(cell) + expected * devianceTerm((cell * n - row * column) / (row * column))
  }
  return (
    factorialRest(n1) +
    factorialRest(n2) +
    factorialRest(k) +
    factorialRest(n - k) -
    factorialRest(n) -
    term(x, n1, k) -
    term(n1 - x, n1, n - k) -
    term(k - x, n2, k) -
    term(n2 - k + x, n2, n - k)
  )
}

/** Sum of P(x), P(x + step), ... outwards from the mode, relative to P(x) = 1. */
const tailRatio = (x: number, step: 1 | -1, n1: number, n2: number, k: number): number => {
  let sum = 1
  let term = 1
  let at = x
  while (true) {
    term *= step === 1 ? ((n1 - at) / (at + 1)) * ((k - at) / (n2 - k + at + 1)) : (at / (n1 - at + 1)) * ((n2 - k + at) / (k - at + 1))
    at += step
    const next = sum + term
    if (!(term > 0) || next === sum) return sum
    sum = next
  }
}

// Tables whose probability equals the observed one up to rounding count as equally extreme, as in R's fisher.test.
const TIE = Math.log1p(1e-7)

/**
 * Fisher's exact test of equal proportions, two-sided: the probability, margins fixed, of all tables that are no more
 * probable than the observed one. Relative error about 1e-13 for margins up to 1e6 (saddle-point form of Loader 2000 for
 * the observed table, ratios outwards for the tails). In [1e-300, 1]. Throws `stats.bad_count`, and `stats.empty` when a
 * side has no trials.
 */
export function fisherExactP(a: Proportion, b: Proportion): number {
  requireProportion(a)
  requireProportion(b)
  const n1 = a.total
  const n2 = b.total
  if (n1 === 0 || n2 === 0) throw new StatsError('stats.empty', 'both proportions of a test need trials')
  const k = a.errors + b.errors
  const lowest = Math.max(0, k - n2)
  const highest = Math.min(n1, k)
  const log = (x: number): number => logHypergeometric(x, n1, n2, k)
  const observed = a.errors
  const logObserved = log(observed)
  const mode = Math.min(highest, Math.max(lowest, Math.floor(((k + 1) / (n1 + n2 + 2)) * (n1 + 1))))
  const isExtreme = (x: number): boolean => log(x) <= logObserved + TIE
  if (observed === mode || isExtreme(mode)) return 1
  const below = observed < mode
  const own = Math.exp(logObserved) * tailRatio(observed, below ? -1 : 1, n1, n2, k)
  // On the far side probabilities fall away from the mode: find the first that is extreme by halving.
  let inside = mode
  let outside = below ? highest + 1 : lowest - 1
  while (Math.abs(outside - inside) > 1) {
    const middle = Math.floor((inside + outside) / 2)
    if (isExtreme(middle)) outside = middle
    else inside = middle
  }
  const exists = outside >= lowest && outside <= highest
  const far = exists ? Math.exp(log(outside)) * tailRatio(outside, below ? 1 : -1, n1, n2, k) : 0
  return clampP(own + far)
}

/** Wilson's score interval of a proportion at `z` standard deviations (JASA 22, 1927), in [0, 1]. */
export function wilsonInterval(proportion: Proportion, z: number): readonly [low: number, high: number] {
  const { errors, total } = proportion
  const p = errors / total
  const centre = errors + (z * z) / 2
  const half = z * Math.sqrt(total * p * (1 - p) + (z * z) / 4)
  const width = total + z * z
  return [errors === 0 ? 0 : Math.max(0, (centre - half) / width), errors === total ? 1 : Math.min(1, (centre + half) / width)]
}

/**
 * Lower confidence bound of |difference| of two proportions: the lower end, towards 0, of Newcombe's hybrid score interval
 * (method 10; Statistics in Medicine 17, 1998, 873-890) at confidence 1 - `error`, two-sided because the direction is read
 * off the data. In [0, 1]; 0 when the interval holds no difference. Throws as fisherExactP does.
 */
export function newcombeLowerBound(a: Proportion, b: Proportion, error: number): number {
  requireProportion(a)
  requireProportion(b)
  if (a.total === 0 || b.total === 0) throw new StatsError('stats.empty', 'both proportions need trials')
  const z = normalQuantile(1 - error / 2)
  const [high, low] = a.errors / a.total >= b.errors / b.total ? [a, b] : [b, a]
  const p1 = high.errors / high.total
  const p2 = low.errors / low.total
  const [l1] = wilsonInterval(high, z)
  const [, u2] = wilsonInterval(low, z)
  return Math.max(0, p1 - p2 - Math.sqrt((p1 - l1) ** 2 + (u2 - p2) ** 2))
}
