// SPDX-License-Identifier: Apache-2.0
import type { CountTable } from './count-table.ts'
import { countTableOf, orderStatistic } from './count-table.ts'

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

/** A change of version: what was seen before it and after it, in order of arrival. */
export interface VersionChange {
  readonly old: readonly number[]
  readonly now: readonly number[]
}

/**
 * Share of `runs` random halves of the old values for which the condition holds against `size` of the new ones: drawn at random too, or with
 * `first` the first ones.
 */
export function powerOf(
  { old, now }: VersionChange,
  size: number,
  runs: number,
  holds: (reference: CountTable, current: CountTable) => boolean,
  first = false
): number {
  const random = seededRandom(size + 17)
  let found = 0
  for (let run = 0; run < runs; run++) {
    const reference = countTableOf(shuffled(random, old).slice(0, Math.floor(old.length / 2)))
    if (holds(reference, countTableOf((first ? now : shuffled(random, now)).slice(0, size)))) found++
  }
  return found / runs
}
