// SPDX-License-Identifier: Apache-2.0

/** What the alternative says of the first sample: `greater` = its distribution function lies above that of the second. */
export type Alternative = 'two-sided' | 'less' | 'greater'

/** No p-value is reported below this: read a p at the floor as "at most 1e-300". It keeps p positive, ordered and printable. */
export const P_FLOOR = 1e-300

/** A p-value in words of so many digits; at the floor it says so. */
export const probability = (p: number, digits: number): string => (p <= P_FLOOR ? '\u2264 1e-300' : p.toPrecision(digits))

/** Clamps a computed p-value into [P_FLOOR, 1]. */
export const clampP = (p: number): number => Math.min(1, Math.max(P_FLOOR, p))

/**
 * Survival function of Kolmogorov's limit distribution, P(K > t). Both of its series (Kolmogorov 1933; Feller 1948) are
 * used where they converge in a few terms, so the relative error is about 1e-15 on either side.
 */
export function kolmogorovSurvival(t: number): number {
  if (!(t > 0)) return 1
  if (t < 1) {
    const w = (Math.PI * Math.PI) / (8 * t * t)
    let sum = 0
    for (let k = 9; k >= 1; k -= 2) sum += Math.exp(-k * k * w)
    return 1 - (Math.sqrt(2 * Math.PI) / t) * sum
  }
  let sum = 0
  for (let k = 8; k >= 1; k--) sum += (k % 2 === 1 ? 1 : -1) * Math.exp(-2 * k * k * t * t)
  return Math.min(1, 2 * sum)
}

/**
 * Large-sample p-value of the two-sample statistic d at sizes n and m: Kolmogorov's limit with effective size nm / (n + m),
 * or Smirnov's exp(-2 d^2 nm / (n + m)) one-sided. It is conservative (too large) on tied data.
 */
export function asymptoticKsP(d: number, n: number, m: number, alternative: Alternative): number {
  const effective = n / (1 + n / m)
  return clampP(alternative === 'two-sided' ? kolmogorovSurvival(Math.sqrt(effective) * d) : Math.exp(-2 * effective * d * d))
}

/** The smallest d whose large-sample two-sided p-value at n and m is at most `p`; may exceed 1, and then no data reach it. */
export function criticalKsDistance(p: number, n: number, m: number): number {
  // Bisection on log p: the survival function is strictly decreasing, and 200 halvings end at neighbouring doubles.
  let low = 0
  let high = 40
  for (let i = 0; i < 200 && low < high; i++) {
    const middle = (low + high) / 2
    if (middle === low || middle === high) break
    if (kolmogorovSurvival(middle) <= p) high = middle
    else low = middle
  }
  return high / Math.sqrt(n / (1 + n / m))
}
