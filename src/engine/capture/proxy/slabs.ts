// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer'

/** Memory that the copies and held bodies of all calls share. */
export class CopyBudget {
  #left: number

  constructor(bytes: number) {
    this.#left = bytes
  }

  take(bytes: number): boolean {
    if (bytes > this.#left) return false
    this.#left -= bytes
    return true
  }

  give(bytes: number): void {
    this.#left += bytes
  }
}

const SMALLEST = 1024
const LARGEST = 256 * 1024

/**
 * Bytes put together from chunks of any size: however small they are, they take little more memory than their bytes, because they are copied into
 * few larger pieces. A copy also lets go of the large buffer that a chunk may be a view of.
 */
export class Slabs {
  readonly #budget: CopyBudget
  #slabs: Buffer[] = []
  #last: Buffer = Buffer.alloc(0)
  #used = 0
  #taken = 0
  #size = 0

  constructor(budget: CopyBudget) {
    this.#budget = budget
  }

  get size(): number {
    return this.#size
  }

  /** Keeps a chunk; false when there is no memory for the whole of it. */
  add(chunk: Buffer): boolean {
    const free = this.#last.length - this.#used
    const more = chunk.length - free
    if (more > 0) {
      // The first chunk is often all there is.
      const next = this.#slabs.length === 0 ? more : Math.max(more, Math.min(LARGEST, Math.max(SMALLEST, this.#size)))
      if (!this.#budget.take(next)) return false
      this.#taken += next
      chunk.copy(this.#last, this.#used, 0, free)
      const slab = Buffer.allocUnsafeSlow(next)
      this.#slabs.push(slab)
      this.#last = slab
      chunk.copy(slab, 0, free)
      this.#used = more
    } else {
      chunk.copy(this.#last, this.#used)
      this.#used += chunk.length
    }
    this.#size += chunk.length
    return true
  }

  /** The pieces in order; valid until the memory is given back. */
  *pieces(): Generator<Buffer> {
    let left = this.#size
    for (const slab of this.#slabs) {
      const piece = slab.subarray(0, Math.min(slab.length, left))
      left -= piece.length
      yield piece
    }
  }

  /** Everything in one; nothing is kept afterwards and the memory given back. */
  take(): Buffer {
    const [only] = this.#slabs
    const whole = this.#slabs.length === 1 && only ? only.subarray(0, this.#size) : Buffer.concat(this.#slabs, this.#size)
    this.clear()
    return whole
  }

  clear(): void {
    this.#budget.give(this.#taken)
    this.#slabs = []
    this.#last = Buffer.alloc(0)
    this.#used = 0
    this.#taken = 0
    this.#size = 0
  }
}
