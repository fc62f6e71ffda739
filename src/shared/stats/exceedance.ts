// SPDX-License-Identifier: Apache-2.0
import { logFactorial } from './binomial.ts'
import { type CountTable, ecdf, orderStatistic, quantileRank } from './count-table.ts'
import { clampP } from './kolmogorov.ts'
import { StatsError } from './stats-error.ts'

/** How many current values lie beyond a high quantile of the reference. Shown beside a verdict, never deciding. */
export interface TailExceedance {
  /** Level of the quantile, in (0, 1). */
  readonly level: number
  /** The reference's quantile; values above it exceed. */
  readonly threshold: number
  /** Current values above the threshold, and the share of all current values that they are. */
  readonly exceeding: number
  readonly share: number
  /** Share of reference values above the threshold: 1 - level without ties, less with them. */
  readonly referenceShare: number
  /** Chance of at least so many when both windows come from one distribution. In [1e-300, 1]. */
  readonly p: number
}

/**
 * P(X >= k) where X counts the values, among m, above the r-th largest of n others of the same continuous distribution:
 * X has the negative hypergeometric distribution C(x+r-1, x) C(n-r+m-x, m-x) / C(n+m, m), whatever the distribution of the
 * values (Gumbel and von Schelling, Annals of Mathematical Statistics 21, 1950). Terms of the shorter tail are added by their
 * ratio, so that small tails keep their digits.
 */
export function exceedanceP(k: number, r: number, n: number, m: number): number {
  if (k <= 0) return 1
  if (k > m) return 0
  const logChoose = (a: number, b: number): number => logFactorial(a) - logFactorial(b) - logFactorial(a - b)
  const term = (x: number): number => Math.exp(logChoose(x + r - 1, x) + logChoose(n - r + m - x, m - x) - logChoose(n + m, m))
  const mean = (m * r) / (n + 1)
  let sum = 0
  if (k > mean) {
    let value = term(k)
    for (let x = k; x <= m && value > 0; x++) {
      const next = sum + value
      if (next === sum) break
      sum = next
      value *= ((x + r) / (x + 1)) * ((m - x) / (n - r + m - x))
    }
    return Math.min(1, sum)
  }
  let value = term(k - 1)
  for (let x = k - 1; x >= 0 && value > 0; x--) {
    const next = sum + value
    if (next === sum) break
    sum = next
    value *= (x / (x + r - 1)) * ((n - r + m - x + 1) / (m - x + 1))
  }
  return Math.max(0, 1 - sum)
}

/**
 * Exceedances of the reference's `level`-quantile in the current window, with the exact chance of at least so many while
 * nothing drifts; ties with the threshold do not count as exceeding, which makes it conservative on tied data. A change of
 * the far tail alone, which hardly moves the Kolmogorov-Smirnov gap, shows here. Throws `stats.empty` and `stats.bad_argument`.
 */
export function tailExceedance(reference: CountTable, current: CountTable, level = 0.99): TailExceedance {
  if (reference.total === 0 || current.total === 0) throw new StatsError('stats.empty', 'both sides of a comparison need observations')
  if (!(level > 0 && level < 1)) throw new StatsError('stats.bad_argument', 'a tail begins at a level in (0, 1)')
  const n = reference.total
  const m = current.total
  const rank = quantileRank(level, n)
  const threshold = orderStatistic(reference, rank)
  const exceeding = m - Math.round(ecdf(current, threshold) * m)
  return {
    level,
    threshold,
    exceeding,
    share: exceeding / m,
    referenceShare: 1 - ecdf(reference, threshold),
    p: clampP(exceedanceP(exceeding, n - rank + 1, n, m))
  }
}
