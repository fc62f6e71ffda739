// SPDX-License-Identifier: Apache-2.0

/** First and last seq of a run, both included. */
export type SeqRange = readonly [number, number]

/** Ascending seqs as runs. */
export function toRanges(seqs: Iterable<number>): SeqRange[] {
  const ranges: [number, number][] = []
  for (const seq of seqs) {
    const last = ranges.at(-1)
    if (last && seq === last[1] + 1) last[1] = seq
    else ranges.push([seq, seq])
  }
  return ranges
}

/** Whether ascending runs hold a seq. */
export function inRanges(ranges: readonly SeqRange[], seq: number): boolean {
  let low = 0
  let high = ranges.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((ranges[middle]?.[1] ?? 0) < seq) low = middle + 1
    else high = middle
  }
  return low < ranges.length && (ranges[low]?.[0] ?? seq + 1) <= seq
}

/** The seqs of some runs, ascending. */
export function* seqsIn(ranges: readonly SeqRange[]): Generator<number> {
  for (const [first, last] of ranges) for (let seq = first; seq <= last; seq++) yield seq
}
