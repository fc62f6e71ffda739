// SPDX-License-Identifier: Apache-2.0
import type { Alternative } from './kolmogorov.ts'

/** One exact evaluation: the null distribution of the two-sample statistic given which pooled values are tied. */
export interface ExactKsInput {
  /** Sizes of the groups of equal pooled values, in ascending order of value. They add up to n + m. */
  readonly groups: ArrayLike<number>
  readonly n: number
  readonly m: number
  /** The observed statistic times n m, an integer: |i m - j n| at its largest. */
  readonly scaled: number
  readonly alternative: Alternative
  /** Refuse work beyond this many state updates. */
  readonly maxSteps: number
}

/** An exact p-value and the state updates it took. */
export interface ExactKs {
  readonly p: number
  readonly steps: number
}

const floorDivide = (a: number, b: number): number => {
  let q = Math.floor(a / b)
  while (q * b > a) q--
  while ((q + 1) * b <= a) q++
  return q
}

/** Per tie group: states i >= `above` can only end absorbed above; at its end, states i <= `below` are absorbed below. */
interface Band {
  readonly above: number
  readonly below: number
}

const bandAt = (input: ExactKsInput, end: number): Band => {
  const { n, m, scaled, alternative } = input
  // i m - j n = i (n + m) - end n at the group's end, because j = end - i.
  const above = alternative === 'less' ? n + 1 : -floorDivide(-(scaled + end * n), n + m)
  const below = alternative === 'greater' ? -1 : floorDivide(end * n - scaled, n + m)
  return { above, below }
}

/** Cost of the walk without its probabilities: state updates and the widest row; undefined when beyond `maxSteps`. */
const plan = (input: ExactKsInput): { readonly steps: number; readonly width: number } | undefined => {
  const { groups, n, m, maxSteps } = input
  let steps = 0
  let width = 1
  let low = 0
  let high = 0
  let at = 0
  for (let g = 0; g < groups.length; g++) {
    const end = at + (groups[g] ?? 0)
    const { above, below } = bandAt(input, end)
    while (at < end) {
      at++
      high = Math.min(high + 1, n)
      low = Math.max(low, at - m)
      const row = high - low + 1
      steps += row
      if (steps > maxSteps) return undefined
      if (row > width) width = row
      if (high >= above) high = above - 1
      if (low <= below - (end - at)) low = below - (end - at) + 1
      if (low > high) return { steps, width }
    }
  }
  return { steps, width }
}

// The walk starts with this mass instead of 1: probabilities down to 1e-600 then stay normal numbers on their way.
const UNIT = 2 ** 1000

/**
 * Exact p-value of the two-sample Kolmogorov-Smirnov statistic, given the ties (Schröer and Trenkler, Computational
 * Statistics & Data Analysis 20, 1995: only the ends of tie groups are compared). Under the null every arrangement of the
 * pooled values is equally likely, so from (i, j) the next value belongs to the first sample with probability
 * (n - i) / (n + m - i - j). Probability mass is pushed through this walk, and mass that reaches the observed distance at
 * the end of a tie group is absorbed; the absorbed mass is p. All terms are positive, so no digit is lost to cancellation:
 * the relative error is about 1e-15 times the square root of n + m, far tail included. Mass inside a tie group that can no
 * longer return is absorbed at once, which keeps each row as wide as the band of surviving states.
 * Returns undefined when the walk would take more than `maxSteps` updates, or when n + m is too large for exact integers.
 */
export function exactKsP(input: ExactKsInput): ExactKs | undefined {
  const { groups, n, m, scaled, maxSteps } = input
  if (scaled <= 0) return { p: 1, steps: 0 }
  const size = n + m
  if (size > maxSteps || size > 9e7) return undefined
  const planned = plan(input)
  if (planned === undefined) return undefined

  const capacity = 2 * planned.width + 2
  const mass = new Float64Array(capacity)
  mass[0] = UNIT
  let base = 0
  let low = 0
  let high = 0
  let at = 0
  let absorbed = 0
  for (let g = 0; g < groups.length && low <= high; g++) {
    const end = at + (groups[g] ?? 0)
    const { above, below } = bandAt(input, end)
    while (at < end && low <= high) {
      const inverse = 1 / (size - at)
      if (high < n) {
        high++
        if (high - base >= capacity) {
          mass.copyWithin(0, low - base, high - base)
          base = low
        }
        mass[high - base] = 0
      }
      // In place and downwards: state i keeps its mass when the next value is a y and takes that of i - 1 when it is an x.
      const first = Math.max(low, at + 1 - m)
      let stay = (m - at + high) * inverse
      let move = (n - high + 1) * inverse
      const bottom = low - base
      for (let index = high - base; index > bottom; index--) {
        mass[index] = (mass[index] ?? 0) * stay + (mass[index - 1] ?? 0) * move
        stay = (m - at + base + index - 1) * inverse
        move = (n - base - index + 2) * inverse
      }
      mass[bottom] = (mass[bottom] ?? 0) * stay
      low = first
      at++
      while (high >= above && high >= low) absorbed += mass[high-- - base] ?? 0
      while (low <= below - (end - at) && low <= high) absorbed += mass[low++ - base] ?? 0
    }
  }
  return { p: absorbed / UNIT, steps: planned.steps }
}
