// SPDX-License-Identifier: Apache-2.0
import type { CountTable } from './count-table.ts'
import { orderStatistic } from './count-table.ts'

/** Uniform numbers in [0, 1) that depend on the seed alone (mulberry32), so that a statistical test always runs the same way. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/** `size` values drawn from `values` with replacement. */
export function drawWith(random: () => number, values: ArrayLike<number>, size: number): number[] {
  return Array.from({ length: size }, () => values[Math.floor(random() * values.length)] ?? 0)
}

/** The values in a random order (Fisher and Yates). */
export function shuffled<T>(random: () => number, values: readonly T[]): T[] {
  const out = [...values]
  for (let i = out.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    const a = out[i]
    const b = out[j]
    if (a !== undefined && b !== undefined) {
      out[i] = b
      out[j] = a
    }
  }
  return out
}

/** `size` values drawn from the distribution of a table, with replacement. */
export function drawFrom(random: () => number, table: CountTable, size: number): number[] {
  return Array.from({ length: size }, () => orderStatistic(table, 1 + Math.floor(random() * table.total)))
}

/** Whole, tied, long-tailed values that look like token counts: rounded log-normal with the given median. */
export function tokenLike(random: () => number, size: number, median = 120, spread = 0.8): number[] {
  return Array.from({ length: size }, () => {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
    return Math.round(median * Math.exp(spread * normal))
  })
}
