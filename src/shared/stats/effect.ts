// SPDX-License-Identifier: Apache-2.0
import { binomialCdf } from './binomial.ts'
import { fisherExactP, newcombeLowerBound, type Proportion } from './fisher.ts'
import { criticalKsDistance } from './kolmogorov.ts'
import { normalQuantile } from './normal.ts'

/** How the error of the lower bounds is shared: probability `alpha` over the `k` features of a look. */
export interface BoundSettings {
  /** Default 0.05. */
  readonly alpha?: number
  /** Default 4. */
  readonly k?: number
}

/** The part of the decision rule that the data of one series can meet or miss. */
export interface DetectionRule extends BoundSettings {
  /** Largest p that alarms. */
  readonly pThreshold: number
  /** Smallest lower bound L that alarms. */
  readonly floor: number
  /** Chance with which the effect must be found. Default 0.8. */
  readonly power?: number
}

/** How far chance alone may carry the gap at n and m: the two Dvoretzky-Kiefer-Wolfowitz margins, alpha / 2k each. */
export function noiseMargin(n: number, m: number, settings: BoundSettings = {}): number {
  const { alpha = 0.05, k = 4 } = settings
  const log = Math.log((4 * k) / alpha)
  return Math.sqrt(log / (2 * n)) + Math.sqrt(log / (2 * m))
}

/**
 * L, a lower confidence bound of the true largest gap between two distribution functions, from the observed gap `d` at
 * sample sizes n and m: max(0, d - noiseMargin). Over k such bounds all hold with probability 1 - alpha (DKW inequality
 * with Massart's constant, Annals of Probability 18, 1990, once per sample). In [0, 1]; 0 when noise explains the gap;
 * more data do not inflate it.
 */
export function effectLowerBound(d: number, n: number, m: number, settings: BoundSettings = {}): number {
  return n > 0 && m > 0 ? Math.max(0, d - noiseMargin(n, m, settings)) : 0
}

const bisect = (low: number, high: number, holds: (x: number) => boolean): number => {
  let failing = low
  let holding = high
  for (let i = 0; i < 60 && holding - failing > 1e-9; i++) {
    const middle = (failing + holding) / 2
    if (holds(middle)) holding = middle
    else failing = middle
  }
  return holding
}

/**
 * Minimum detectable effect of a Kolmogorov-Smirnov series: the smallest true gap D that the rule (p <= pThreshold and
 * L >= floor) finds with the given power at sizes n and m, whatever the shape of the two distributions.
 *
 * Both conditions ask for an observed gap of at least d* = max(critical distance of pThreshold, floor + noiseMargin). The
 * observed gap is never below the difference of the two empirical shares at the place of the true gap, and that difference
 * is nearly normal with mean D and variance p(1-p)/n + q(1-q)/m, p - q = D, which is taken at its largest over p. So the
 * answer solves D = d* + z(power) * sd(D), and is sharp for distributions that differ in two values only; smooth shifts are
 * found a little earlier. The critical distance is the large-sample one, which is on the safe side too.
 * Undefined when even disjoint distributions (D = 1) would not alarm.
 */
export function minimumDetectableGap(n: number, m: number, rule: DetectionRule): number | undefined {
  if (!(n > 0 && m > 0)) return undefined
  const needed = Math.max(criticalKsDistance(rule.pThreshold, n, m), rule.floor + noiseMargin(n, m, rule))
  if (needed > 1) return undefined
  const z = normalQuantile(rule.power ?? 0.8)
  const deviation = (d: number): number => {
    // The variance is largest where its derivative over q is zero, or at the edge q = 0, p = 1.
    const q = Math.min(1 - d, Math.max(0, 0.5 - (d * m) / (n + m)))
    const p = q + d
    return Math.sqrt(Math.max(0, (p * (1 - p)) / n + (q * (1 - q)) / m))
  }
  return bisect(needed, 1, (d) => d - z * deviation(d) >= needed)
}

/**
 * Requests of the current window from which on the rule finds a true gap of `d` with its power, against a reference of n: the
 * smallest m whose minimumDetectableGap is at most `d`, up to 1e9. Undefined when no m is enough, because the floor or the
 * reference's own noise lies above.
 */
export function requestsNeeded(d: number, n: number, rule: DetectionRule): number | undefined {
  const enough = (m: number): boolean => (minimumDetectableGap(n, m, rule) ?? Number.POSITIVE_INFINITY) <= d
  let high = 1
  while (!enough(high)) {
    high *= 2
    if (high > 1e9) return undefined
  }
  let low = Math.floor(high / 2)
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (enough(middle)) high = middle
    else low = middle
  }
  return high
}

/**
 * Minimum detectable effect of an error-rate series: the smallest rise of the error rate above the reference's observed rate
 * that the rule (Fisher p <= pThreshold and Newcombe bound at alpha / k >= floor) finds with the given power among m current
 * requests. Exact: the smallest alarming number of errors by search, its probability from the binomial distribution.
 * Undefined when even m errors of m would not alarm.
 */
export function minimumDetectableRise(reference: Proportion, m: number, rule: DetectionRule): number | undefined {
  if (!(reference.total > 0 && m > 0)) return undefined
  const { alpha = 0.05, k = 4, power = 0.8 } = rule
  const rate = reference.errors / reference.total
  const alarms = (errors: number): boolean => {
    const current = { errors, total: m }
    return newcombeLowerBound(current, reference, alpha / k) >= rule.floor && fisherExactP(reference, current) <= rule.pThreshold
  }
  if (rate === 1 || !alarms(m)) return undefined
  let quiet = Math.floor(rate * m)
  let loud = m
  while (loud - quiet > 1) {
    const middle = Math.floor((loud + quiet) / 2)
    if (alarms(middle)) loud = middle
    else quiet = middle
  }
  return bisect(rate, 1, (p) => 1 - binomialCdf(loud - 1, m, p) >= power) - rate
}
