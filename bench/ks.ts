// SPDX-License-Identifier: Apache-2.0
import { type CountTable, countTableOf } from '../src/shared/stats/count-table.ts'
import { ksSorted, ksTables, sortSample } from '../src/shared/stats/ks.ts'
import { seededRandom } from '../src/shared/stats/testing.ts'
import type { BenchRow } from './row.ts'

const SIZE = 1_000_000

const logNormal = (random: () => number): number =>
  Math.exp(1.2 * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()))

/** Milliseconds: the middle of the runs, and the fastest of them, which other work on the machine disturbs least. */
interface Timing {
  readonly median: number
  readonly fastest: number
}

const timing = (times: readonly number[]): Timing => {
  const sorted = [...times].sort((a, b) => a - b)
  return { median: sorted[sorted.length >> 1] ?? Number.NaN, fastest: sorted[0] ?? Number.NaN }
}

const timed = (runs: number, work: () => unknown): Timing => {
  const times: number[] = []
  work()
  for (let run = 0; run < runs; run++) {
    const start = performance.now()
    work()
    times.push(performance.now() - start)
  }
  return timing(times)
}

/** The textbook way: the built-in sort of the current values and one merge with the sorted reference. */
const plainSortAndMerge = (reference: Float64Array, current: Float64Array): number => {
  const sorted = current.slice().sort()
  let i = 0
  let j = 0
  let d = 0
  while (i < reference.length && j < sorted.length) {
    const value = Math.min(reference[i] ?? 0, sorted[j] ?? 0)
    while (i < reference.length && reference[i] === value) i++
    while (j < sorted.length && sorted[j] === value) j++
    d = Math.max(d, Math.abs(i / reference.length - j / sorted.length))
  }
  return d
}

// A table with exactly `entries` values, as many as a real window of 51 million token counts has.
const tableOf = (random: () => number, entries: number): CountTable =>
  countTableOf(Array.from({ length: entries * 8 }, (_, i) => (i < entries ? i : Math.floor(entries * random() ** 2))))

/** Two-sample Kolmogorov-Smirnov: a million floats against a million with the reference sorted once, and count tables. */
export async function benchKs(): Promise<BenchRow[]> {
  const random = seededRandom(1)
  const referenceValues = Float64Array.from({ length: SIZE }, () => logNormal(random))
  const current = Float64Array.from({ length: SIZE }, () => logNormal(random))
  const reference = sortSample(referenceValues)
  const plain = timed(9, () => plainSortAndMerge(reference.sorted, current))
  const floats = timed(9, () => ksSorted(reference, sortSample(current)))
  if (Math.abs(ksSorted(reference, sortSample(current)).d - plainSortAndMerge(reference.sorted, current)) > 1e-12) {
    throw new Error('the two statistics differ')
  }

  const a = tableOf(random, 917)
  const b = tableOf(random, 917)
  const rounds = 500
  const tables = timed(21, () => {
    for (let round = 0; round < rounds; round++) ksTables(a, b, { maxSteps: 0 })
  })
  const micros = (ms: number): number => (ms / rounds) * 1000

  const small = countTableOf(Array.from({ length: 500 }, () => Math.round(100 * logNormal(random))))
  const window = countTableOf(Array.from({ length: 120 }, () => Math.round(160 * logNormal(random))))
  const { steps } = ksTables(small, window)
  const exact = timed(21, () => ksTables(small, window))

  return [
    {
      name: 'KS, 1e6 against 1e6 floats, reference sorted before',
      value: floats.median,
      unit: 'ms',
      limit: { name: 'built-in sort and merge', value: plain.median },
      ratio: floats.median / plain.median,
      target: 60,
      note: `fastest ${floats.fastest.toFixed(1)} ms, and ${plain.fastest.toFixed(1)} ms the plain way`
    },
    {
      name: 'KS on two count tables of 917 values',
      value: micros(tables.median),
      unit: 'µs',
      target: 10,
      note: `fastest ${micros(tables.fastest).toFixed(1)} µs`
    },
    { name: 'KS, exact p with ties, 500 against 120', value: exact.median, unit: 'ms', note: `${steps} state updates` }
  ]
}
