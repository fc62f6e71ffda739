// SPDX-License-Identifier: Apache-2.0
import { StatsError } from './stats-error.ts'

const HALF_LN_2PI = 0.9189385332046728

// ln z! - (z + 1/2) ln z + z - ln sqrt(2 pi): Stirling's error (Loader, "Fast and accurate computation of binomial
// probabilities", 2000). Small z from the exact factorial, the rest from five terms of the series, each to double precision.
const stirlingError = (z: number): number => {
  if (z >= 16) {
    const r = 1 / (z * z)
    return (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - r / 1188) * r) * r) * r) / z
  }
  let factorial = 1
  for (let k = 2; k <= z; k++) factorial *= k
  return Math.log(factorial) - (z + 0.5) * Math.log(z) + z - HALF_LN_2PI
}

/** ln z! - z ln z + z, the slowly varying part of a log-factorial; 0 at 0. */
export function factorialRest(z: number): number {
  return z === 0 ? 0 : HALF_LN_2PI + 0.5 * Math.log(z) + stirlingError(z)
}

/** Natural logarithm of z! for a whole z >= 0, relative error about 1e-15. */
export function logFactorial(z: number): number {
  return z === 0 ? 0 : z * Math.log(z) - z + factorialRest(z)
}

/** (1 + t) ln(1 + t) - t for t >= -1, without cancellation near 0: a cell's share of the deviance. */
export function devianceTerm(t: number): number {
  if (t <= -1) return 1
  const v = t / (2 + t)
  if (Math.abs(v) > 1 / 3) return (1 + t) * Math.log1p(t) - t
  const square = v * v
  let power = 2 * (1 + t) * v
  let sum = t * v
  for (let j = 3; j < 60; j += 2) {
    power *= square
    const next = sum + power / j
    if (next === sum) break
    sum = next
  }
  return sum
}

// k ln(k / mean) - k + mean; the quotient is split where it could overflow.
const deviance = (k: number, mean: number): number => {
  if (mean === 0) return 0
  const t = (k - mean) / mean
  return t > 1e6 ? k * (Math.log(k) - Math.log(mean) - 1) + mean : mean * devianceTerm(t)
}

const logPmf = (k: number, n: number, p: number): number => {
  const rests = factorialRest(n) - factorialRest(k) - factorialRest(n - k)
  return rests - deviance(k, n * p) - deviance(n - k, n * (1 - p))
}

const requireBinomial = (n: number, p: number): void => {
  if (!Number.isSafeInteger(n) || n < 0 || !(p >= 0 && p <= 1)) {
    throw new StatsError('stats.bad_argument', 'a binomial distribution needs a whole n and p in [0, 1]')
  }
}

/** P(X = k) for X binomial(n, p). */
export function binomialPmf(k: number, n: number, p: number): number {
  requireBinomial(n, p)
  if (k < 0 || k > n || !Number.isInteger(k)) return 0
  if (p === 0) return k === 0 ? 1 : 0
  if (p === 1) return k === n ? 1 : 0
  return Math.exp(logPmf(k, n, p))
}

/** P(X <= k) for X binomial(n, p): terms added outwards from the side away from the mean, so small tails keep their digits. */
export function binomialCdf(k: number, n: number, p: number): number {
  requireBinomial(n, p)
  if (k < 0) return 0
  if (k >= n || p === 0) return 1
  if (p === 1) return 0
  const at = Math.floor(k)
  const odds = p / (1 - p)
  const lower = at <= n * p
  let term = Math.exp(logPmf(lower ? at : at + 1, n, p))
  let sum = 0
  let x = lower ? at : at + 1
  while (x >= 0 && x <= n && term > 0) {
    const next = sum + term
    if (next === sum) break
    sum = next
    if (lower) {
      term *= x / (n - x + 1) / odds
      x--
    } else {
      term *= ((n - x) / (x + 1)) * odds
      x++
    }
  }
  return lower ? Math.min(1, sum) : Math.max(0, 1 - sum)
}

/** Smallest whole k with P(X <= k) >= level, for X binomial(n, p). */
export function binomialQuantile(level: number, n: number, p: number): number {
  requireBinomial(n, p)
  let low = 0
  let high = n
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (binomialCdf(middle, n, p) >= level) high = middle
    else low = middle + 1
  }
  return low
}
