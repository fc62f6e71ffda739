// SPDX-License-Identifier: Apache-2.0
import { logFactorial } from './binomial.ts'
import { clampP } from './kolmogorov.ts'
import { StatsError } from './stats-error.ts'

/** How often one category occurred on either side: a finish reason, a served model, a language. Whole numbers of at least 0. */
export interface CategoryCounts {
  readonly category: string
  readonly reference: number
  readonly current: number
}

/** A test of equal shares over categories. Shown beside a verdict, never deciding. */
export interface CategoryTest {
  /** Pearson's statistic over the categories that occur. 0 and up. */
  readonly chiSquare: number
  /** In (0, 1]. */
  readonly p: number
  /** `exact`: over all tables with these margins. `permutation`: over PERMUTATIONS random ones; `p` is then at least 1 / (PERMUTATIONS + 1). */
  readonly method: 'exact' | 'permutation'
  /** Cramér's V in [0, 1]: 0 for equal shares, 1 when no category occurs on both sides. */
  readonly cramersV: number
  /** Largest difference of shares among the categories, and the category where it is; undefined when nothing differs. */
  readonly largest: { readonly category: string; readonly before: number; readonly after: number } | undefined
}

/** Random tables that stand for all of them where these are too many. */
export const PERMUTATIONS = 9_999
// Tables that are still counted one by one.
const MOST_TABLES = 20_000
// Statistics that differ by rounding alone count as equal.
const TIE = 1e-9

/** Uniform numbers in [0, 1) from a 64-bit state (two 32-bit halves of xorshift128, Marsaglia 2003), seeded by `seedOf`. */
const generator = (seed: readonly [number, number, number, number]): (() => number) => {
  let [x, y, z, w] = seed
  const next = (): number => {
    const t = x ^ (x << 11)
    x = y
    y = z
    z = w
    w = w ^ (w >>> 19) ^ t ^ (t >>> 8)
    return w >>> 0
  }
  for (let i = 0; i < 16; i++) next()
  return () => (next() * 2097152 + (next() >>> 11)) / 9007199254740992
}

/**
 * The seed, from the counts alone: FNV-1a (32 bits, four different starts) over their decimal digits, columns in ascending
 * order of (reference, current). So the same data always give the same p, in any order of the categories and under any names.
 */
const seedOf = (columns: readonly (readonly [number, number])[]): [number, number, number, number] => {
  const text = columns.map(([a, b]) => `${a},${b};`).join('')
  const hash = (start: number): number => {
    let h = (0x811c9dc5 ^ start) >>> 0
    for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193) >>> 0
    return h | 0
  }
  // A state of zeros would stay zero.
  return [hash(0) | 1, hash(0x9e3779b9), hash(0x3c6ef372), hash(0xdaa66d2b)]
}

/** Number drawn from the hypergeometric distribution: successes among `draws` from `successes` of `total`, by inversion from the mode. */
const hypergeometric = (random: () => number, successes: number, total: number, draws: number): number => {
  const failures = total - successes
  const low = Math.max(0, draws - failures)
  const high = Math.min(draws, successes)
  if (low === high) return low
  const mode = Math.min(high, Math.max(low, Math.floor(((successes + 1) * (draws + 1)) / (total + 2))))
  const logChoose = (a: number, b: number): number => logFactorial(a) - logFactorial(b) - logFactorial(a - b)
  const top = Math.exp(logChoose(successes, mode) + logChoose(failures, draws - mode) - logChoose(total, draws))
  let left = random() - top
  if (left < 0) return mode
  let up = mode
  let down = mode
  let pUp = top
  let pDown = top
  while (true) {
    let moved = false
    if (up < high && pUp > 0) {
      pUp *= ((successes - up) / (up + 1)) * ((draws - up) / (failures - draws + up + 1))
      up++
      left -= pUp
      if (left < 0) return up
      moved = true
    }
    if (down > low && pDown > 0) {
      pDown *= (down / (successes - down + 1)) * ((failures - draws + down) / (draws - down + 1))
      down--
      left -= pDown
      if (left < 0) return down
      moved = true
    }
    // What rounding left over belongs to no table; the mode takes it.
    if (!moved) return mode
  }
}

/** Number of tables with these column totals and first row, counted up to a little over `most`. */
const tablesUpTo = (totals: readonly number[], row: number, most: number): number => {
  let ways = new Map<number, number>([[0, 1]])
  for (const total of totals) {
    const next = new Map<number, number>()
    if (ways.size * (Math.min(total, row) + 1) > 50 * most) return most + 1
    for (const [sum, count] of ways) {
      for (let k = 0; k <= Math.min(total, row - sum); k++) next.set(sum + k, (next.get(sum + k) ?? 0) + count)
    }
    ways = next
  }
  return ways.get(row) ?? 0
}

/** Probability of all tables, margins fixed, whose statistic is at least the observed one. */
const exactP = (
  totals: readonly number[],
  n: number,
  all: number,
  atLeast: number,
  share: (k: number, total: number) => number
): number => {
  const logAll = logFactorial(all) - logFactorial(n) - logFactorial(all - n)
  let extreme = 0
  const visit = (index: number, left: number, statistic: number, log: number): void => {
    const total = totals[index]
    if (total === undefined) {
      if (left === 0 && statistic >= atLeast) extreme += Math.exp(log - logAll)
      return
    }
    let rest = 0
    for (let i = index + 1; i < totals.length; i++) rest += totals[i] ?? 0
    for (let k = Math.max(0, left - rest); k <= Math.min(total, left); k++) {
      visit(index + 1, left - k, statistic + share(k, total), log + logFactorial(total) - logFactorial(k) - logFactorial(total - k))
    }
  }
  visit(0, n, 0, 0)
  return extreme
}

/**
 * Tests whether categories have the same shares on both sides: Pearson's chi-square with its permutation distribution, that is
 * over all ways to deal the pooled requests onto the two sides (margins fixed), so that small expected counts do no harm. All
 * tables are counted where there are at most 20,000 of them; otherwise 9,999 are drawn and p = (1 + extreme) / (1 + drawn), which
 * never claims less than was shown (Phipson and Smyth, Statistical Applications in Genetics and Molecular Biology 9, 2010). The
 * seed is derived from the counts, so the answer is always the same. Throws `stats.bad_count`, and `stats.empty` when a side has
 * no observations.
 */
export function categoryTest(counts: readonly CategoryCounts[]): CategoryTest {
  for (const { reference, current } of counts) {
    if (!Number.isSafeInteger(reference) || !Number.isSafeInteger(current) || reference < 0 || current < 0) {
      throw new StatsError('stats.bad_count', 'a category occurs a whole number of times of at least 0')
    }
  }
  const present = counts
    .filter(({ reference, current }) => reference + current > 0)
    .sort((a, b) => a.reference - b.reference || a.current - b.current)
  const n = present.reduce((sum, one) => sum + one.reference, 0)
  const m = present.reduce((sum, one) => sum + one.current, 0)
  if (n === 0 || m === 0) throw new StatsError('stats.empty', 'both sides of a test need observations')
  const all = n + m
  // Both rows together: (k - e)^2 / e + (k - e)^2 / (total - e) with e = total n / all, from one exact integer difference.
  const share = (k: number, total: number): number => (k * all - total * n) ** 2 / (total * n * m)
  const totals = present.map((one) => one.reference + one.current)
  const chiSquare = present.reduce((sum, one) => sum + share(one.reference, one.reference + one.current), 0)
  const atLeast = chiSquare * (1 - TIE)

  const largest = present
    .map((one) => ({ category: one.category, before: one.reference / n, after: one.current / m }))
    .sort((a, b) => Math.abs(b.after - b.before) - Math.abs(a.after - a.before) || (a.category < b.category ? -1 : 1))[0]
  const rest = {
    chiSquare,
    cramersV: Math.min(1, Math.sqrt(chiSquare / all)),
    largest: largest !== undefined && largest.before !== largest.after ? largest : undefined
  }
  if (present.length === 1 || chiSquare === 0) return { ...rest, p: 1, method: 'exact' }
  if (tablesUpTo(totals, n, MOST_TABLES) <= MOST_TABLES) {
    return { ...rest, p: clampP(exactP(totals, n, all, atLeast, share)), method: 'exact' }
  }
  const random = generator(seedOf(present.map((one) => [one.reference, one.current])))
  // The widest column first: later columns are then mostly settled by what is left.
  const ordered = [...totals].sort((a, b) => b - a)
  let extreme = 0
  for (let run = 0; run < PERMUTATIONS; run++) {
    let pool = all
    let left = n
    let statistic = 0
    for (const total of ordered) {
      const k = hypergeometric(random, total, pool, left)
      statistic += share(k, total)
      pool -= total
      left -= k
    }
    if (statistic >= atLeast) extreme++
  }
  return { ...rest, p: (1 + extreme) / (1 + PERMUTATIONS), method: 'permutation' }
}
