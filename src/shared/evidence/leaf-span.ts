// SPDX-License-Identifier: Apache-2.0
// What a bundle shows about the leaves between those that it holds.
import type { BundleCase } from './bundle-layout.ts'

type Range = NonNullable<BundleCase['range']>

/** Counts leaves from their first to their last, and those of a range that has to be whole. */
export class LeafSpan {
  readonly #range: Range | undefined
  #first = -1
  #last = -1
  #leaves = 0
  #within = 0

  constructor(range: Range | undefined) {
    this.#range = range
  }

  add(seq: number): void {
    if (this.#leaves === 0) this.#first = seq
    this.#last = seq
    this.#leaves++
    if (this.#range && seq >= this.#range.first && seq <= this.#range.last) this.#within++
  }

  /** Whether these are the first and the last leaf. */
  is(first: number | null, last: number | null): boolean {
    return this.#leaves === 0 ? first === null && last === null : first === this.#first && last === this.#last
  }

  /** Whether every leaf of the range is here; of a range that holds none, no. */
  get whole(): boolean {
    return this.#range !== undefined && this.#range.first <= this.#range.last && this.#within === this.#range.last - this.#range.first + 1
  }

  /** Which leaves are here, and how many between them are not; the same words in every verifier. */
  words(): string {
    if (this.#leaves === 0) return 'no leaf'
    if (this.#range && this.whole) {
      const more = this.#leaves - this.#within
      return `leaves ${this.#range.first} to ${this.#range.last}, no gap${more === 0 ? '' : `, and ${more} more`}`
    }
    const missing = this.#last - this.#first + 1 - this.#leaves
    return missing <= 0
      ? `leaves ${this.#first} to ${this.#last}, no gap`
      : `leaves ${this.#first} to ${this.#last}, ${missing} leaves between are not here`
  }
}
