// SPDX-License-Identifier: Apache-2.0
import { type CountTable, upperBound } from './count-table.ts'
import { StatsError } from './stats-error.ts'

/** Shares of two distributions over the same bins. Bins are (from, to], the first one holds its lower end too. */
export interface SharedHistogram {
  /** Whether the bins are equally wide on a logarithmic scale. */
  readonly log: boolean
  readonly bins: readonly { readonly from: number; readonly to: number; readonly a: number; readonly b: number }[]
}

const below = (table: CountTable, x: number): number => {
  const index = upperBound(table.values, x)
  return index === 0 ? 0 : (table.cumulative[index - 1] ?? 0)
}

/**
 * Both tables over the same at most `most` bins from the smallest to the largest value of either: equally wide, or equally wide
 * in the logarithm where all values are positive and span more than two decades. For looking at; no test uses it.
 * Throws `stats.empty` when either table has no observations.
 */
export function sharedHistogram(a: CountTable, b: CountTable, most = 32): SharedHistogram {
  if (a.total === 0 || b.total === 0) throw new StatsError('stats.empty', 'a histogram needs observations on both sides')
  const low = Math.min(a.values[0] ?? 0, b.values[0] ?? 0)
  const high = Math.max(a.values[a.values.length - 1] ?? 0, b.values[b.values.length - 1] ?? 0)
  const log = low > 0 && high / low > 100
  const number = Math.max(1, Math.min(most, high - low))
  const edge = (i: number): number => {
    if (i === number) return high
    return log ? low * (high / low) ** (i / number) : low + ((high - low) * i) / number
  }
  const bins = Array.from({ length: number }, (_, i) => {
    const from = edge(i)
    const to = edge(i + 1)
    const part = (table: CountTable): number => (below(table, to) - (i === 0 ? 0 : below(table, from))) / table.total
    return { from, to, a: part(a), b: part(b) }
  })
  return { log, bins }
}
