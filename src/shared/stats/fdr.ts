// SPDX-License-Identifier: Apache-2.0
import { StatsError } from './stats-error.ts'

/** `BH`: Benjamini and Hochberg (1995), valid under positive dependence. `BY`: Benjamini and Yekutieli (2001), under any. */
export type FdrProcedure = 'BH' | 'BY'

/** A step-up test of a family of hypotheses. */
export interface FdrResult {
  /** Adjusted p-values in the order of the input: the smallest level at which that hypothesis is rejected. */
  readonly q: readonly number[]
  /** A hypothesis is rejected exactly when its p is at most this: max(1, rejections) * level / (tests * factor). */
  readonly threshold: number
  readonly rejections: number
}

/**
 * Step-up control of the false discovery rate at `level` over all `p`. While every null is true, the chance of any
 * rejection is at most `level`. Throws `stats.bad_argument` unless every p and the level are in [0, 1].
 */
export function falseDiscovery(p: readonly number[], level: number, procedure: FdrProcedure = 'BH'): FdrResult {
  if (!(level >= 0 && level <= 1) || !p.every((x) => x >= 0 && x <= 1)) {
    throw new StatsError('stats.bad_argument', 'p-values and the level lie in [0, 1]')
  }
  const tests = p.length
  let factor = 1
  if (procedure === 'BY') for (let i = 2; i <= tests; i++) factor += 1 / i
  const order = p.map((_, index) => index).sort((a, b) => (p[a] ?? 0) - (p[b] ?? 0) || a - b)
  const critical = (rank: number): number => (tests === 0 ? level : (rank * level) / (tests * factor))
  const q = new Array<number>(tests).fill(1)
  let rejections = 0
  let smallest = 1
  for (let rank = tests; rank >= 1; rank--) {
    const index = order[rank - 1] ?? 0
    const value = p[index] ?? 1
    if (rejections === 0 && value <= critical(rank)) rejections = rank
    smallest = Math.min(smallest, (value * tests * factor) / rank)
    q[index] = smallest
  }
  return { q, threshold: critical(Math.max(1, rejections)), rejections }
}
