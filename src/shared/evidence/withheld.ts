// SPDX-License-Identifier: Apache-2.0
import type { BundleCase } from './bundle-layout.ts'

type Entry = BundleCase['withheld'][number]

interface Run {
  readonly first: number
  readonly last: number
  /** Place in the list of the case. */
  readonly entry: number
}

/** Finds what a case names as withheld: a part of one leaf, or of every leaf of the bundle in a run that has this part. */
export class WithheldIndex {
  readonly #runs = new Map<string, Run[]>()
  /** Entries that name something that another entry names too. */
  readonly doubled: ReadonlySet<number>

  constructor(entries: readonly Entry[]) {
    for (const [entry, { seq, last = seq, part }] of entries.entries()) {
      const runs = this.#runs.get(part)
      if (runs) runs.push({ first: seq, last, entry })
      else this.#runs.set(part, [{ first: seq, last, entry }])
    }
    const doubled = new Set<number>()
    for (const runs of this.#runs.values()) {
      runs.sort((a, b) => a.first - b.first)
      let last = -1
      for (const run of runs) {
        if (run.first <= last) doubled.add(run.entry)
        last = Math.max(last, run.last)
      }
    }
    this.doubled = doubled
  }

  /** The place in the list of the entry that names this part; undefined when none does. */
  find(seq: number, part: string): number | undefined {
    const runs = this.#runs.get(part)
    if (!runs) return undefined
    let low = 0
    let high = runs.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((runs[middle]?.first ?? 0) <= seq) low = middle + 1
      else high = middle
    }
    const run = runs[low - 1]
    return run !== undefined && seq <= run.last ? run.entry : undefined
  }
}
