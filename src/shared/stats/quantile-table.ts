// SPDX-License-Identifier: Apache-2.0
import { binomialQuantile } from './binomial.ts'
import { type CountTable, orderStatistic, quantile, upperBound } from './count-table.ts'
import { criticalKsDistance } from './kolmogorov.ts'
import { StatsError } from './stats-error.ts'

/** A value with a confidence interval; undefined ends are unbounded: the sample is too small to limit that side. */
export interface Estimate {
  readonly value: number
  readonly low: number | undefined
  readonly high: number | undefined
}

/** One quantile before and after. */
export interface QuantileRow {
  /** Level in (0, 1). */
  readonly p: number
  readonly before: Estimate
  readonly after: Estimate
}

/** How far the current distribution lies from the reference at one quantile of the reference. */
export interface QuantileShift extends Estimate {
  readonly p: number
  /** The reference's p-quantile, to which the shift is added. */
  readonly at: number
}

/** The quantiles of the table of a verdict. */
export const TABLE_LEVELS: readonly number[] = [0.5, 0.9, 0.95, 0.99]

/** Every 5 %: the quantiles of the shift plot. */
export const SHIFT_LEVELS: readonly number[] = Array.from({ length: 19 }, (_, i) => (i + 1) / 20)

const requireBoth = (reference: CountTable, current: CountTable): void => {
  if (reference.total === 0 || current.total === 0) throw new StatsError('stats.empty', 'a comparison of quantiles needs observations')
}

// Distribution-free interval [X(l), X(u)]: P(B <= l - 1) <= error / 2 and P(B <= u - 1) >= 1 - error / 2, B binomial(n, p).
const orderInterval = (table: CountTable, p: number, error: number): Estimate => {
  const n = table.total
  // The largest l whose lower tail fits is the quantile itself, because P(B <= quantile - 1) stays below its level.
  const l = binomialQuantile(error / 2, n, p)
  const u = binomialQuantile(1 - error / 2, n, p) + 1
  return {
    value: quantile(table, p),
    low: l >= 1 ? orderStatistic(table, l) : undefined,
    high: u <= n ? orderStatistic(table, u) : undefined
  }
}

/**
 * Quantiles before and after, with intervals that all hold at once with probability at least 1 - alpha: distribution-free
 * order-statistic intervals (David and Nagaraja, Order Statistics, 7.1), exact binomial, with Bonferroni's correction over
 * levels and both windows. Conservative on tied data. Throws `stats.empty`.
 */
export function quantileTable(
  reference: CountTable,
  current: CountTable,
  options: { readonly alpha?: number; readonly levels?: readonly number[] } = {}
): readonly QuantileRow[] {
  requireBoth(reference, current)
  const { alpha = 0.05, levels = TABLE_LEVELS } = options
  const error = alpha / (2 * levels.length)
  return levels.map((p) => ({ p, before: orderInterval(reference, p, error), after: orderInterval(current, p, error) }))
}

/**
 * The shift function with a simultaneous band: at each reference quantile x, how much larger the current value of the same
 * rank is. The band inverts the two-sample Kolmogorov-Smirnov test (the S-band of Doksum and Sievers, Biometrika 63, 1976):
 * for all levels at once the shift lies between the current quantiles at F(x) - c and F(x) + c, less x, where c is the
 * large-sample critical distance at alpha. Conservative on tied data. Throws `stats.empty`.
 */
export function quantileShift(
  reference: CountTable,
  current: CountTable,
  options: { readonly alpha?: number; readonly levels?: readonly number[] } = {}
): readonly QuantileShift[] {
  requireBoth(reference, current)
  const { alpha = 0.05, levels = SHIFT_LEVELS } = options
  const m = current.total
  const c = criticalKsDistance(alpha, reference.total, m)
  return levels.map((p) => {
    const at = quantile(reference, p)
    const index = upperBound(reference.values, at)
    // With ties F(x) exceeds p; the wider of the two choices is taken on each side.
    const share = (reference.cumulative[index - 1] ?? 0) / reference.total
    const lowRank = Math.ceil((p - c) * m)
    const highRank = Math.floor((share + c) * m) + 1
    return {
      p,
      at,
      value: quantile(current, p) - at,
      low: lowRank >= 1 ? orderStatistic(current, lowRank) - at : undefined,
      high: highRank <= m ? orderStatistic(current, highRank) - at : undefined
    }
  })
}
