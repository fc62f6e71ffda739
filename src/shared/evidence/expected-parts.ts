// SPDX-License-Identifier: Apache-2.0
import { fromBase64, toBase64 } from './bytes.ts'

const HASH_BYTES = 32
const FOUND = 1

/**
 * Commitments of leaves that are still to be opened. About 42 bytes a part, so that a bundle of a million records fits into the memory of a
 * verifier. Leaves come in the order of their seq; where a damaged bundle has another order, look-ups go through an index.
 */
export class ExpectedParts {
  #seqs = new Float64Array(1024)
  #names = new Uint16Array(1024)
  #states = new Uint8Array(1024)
  #commits = new Uint8Array(1024 * HASH_BYTES)
  #count = 0
  #left = 0
  #sorted = true
  #index: Map<string, number> | undefined
  readonly #nameOf: string[] = []
  readonly #numberOf = new Map<string, number>()

  /** Parts that were neither found nor named yet. */
  get size(): number {
    return this.#left
  }

  /** @param commit base64; one that is not written canonically fits no content */
  add(seq: number, name: string, commit: string): void {
    const known = this.#find(seq, name)
    const at = known ?? this.#count
    if (known === undefined) {
      if (at === this.#seqs.length) this.#grow()
      if (at > 0 && seq < (this.#seqs[at - 1] ?? 0)) this.#sorted = false
      this.#seqs[at] = seq
      this.#names[at] = this.#number(name)
      this.#index?.set(`${seq}.${name}`, at)
      this.#count++
      this.#left++
    }
    this.#commits.set(canonical(commit) ?? new Uint8Array(HASH_BYTES), at * HASH_BYTES)
  }

  /** The commitment of a part that was not taken yet, and takes it; undefined when no leaf has it or it was taken. */
  take(seq: number, name: string): Uint8Array | undefined {
    const at = this.#find(seq, name)
    if (at === undefined || this.#states[at] === FOUND) return undefined
    this.#states[at] = FOUND
    this.#left--
    return this.#commits.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES)
  }

  /** All parts, and whether they were taken. */
  *all(): Generator<{ readonly seq: number; readonly part: string; readonly taken: boolean }> {
    for (let at = 0; at < this.#count; at++)
      yield { seq: this.#seqs[at] ?? 0, part: this.#nameOf[this.#names[at] ?? 0] ?? '', taken: this.#states[at] === FOUND }
  }

  /** What was not taken. */
  *left(): Generator<{ readonly seq: number; readonly part: string }> {
    for (const { seq, part, taken } of this.all()) if (!taken) yield { seq, part }
  }

  #find(seq: number, name: string): number | undefined {
    const number = this.#numberOf.get(name)
    if (number === undefined) return undefined
    if (!this.#sorted) {
      this.#index ??= new Map(
        Array.from({ length: this.#count }, (_, at) => [`${this.#seqs[at]}.${this.#nameOf[this.#names[at] ?? 0]}`, at] as const)
      )
      return this.#index.get(`${seq}.${name}`)
    }
    let low = 0
    let high = this.#count
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#seqs[middle] ?? 0) < seq) low = middle + 1
      else high = middle
    }
    for (let at = low; at < this.#count && this.#seqs[at] === seq; at++) if (this.#names[at] === number) return at
    return undefined
  }

  #number(name: string): number {
    const known = this.#numberOf.get(name)
    if (known !== undefined) return known
    const number = this.#nameOf.push(name) - 1
    this.#numberOf.set(name, number)
    return number
  }

  #grow(): void {
    const room = this.#seqs.length * 2
    const larger = <T extends Float64Array | Uint16Array | Uint8Array>(next: T, old: T): T => {
      next.set(old)
      return next
    }
    this.#seqs = larger(new Float64Array(room), this.#seqs)
    this.#names = larger(new Uint16Array(room), this.#names)
    this.#states = larger(new Uint8Array(room), this.#states)
    this.#commits = larger(new Uint8Array(room * HASH_BYTES), this.#commits)
  }
}

function canonical(text: string): Uint8Array | undefined {
  try {
    const bytes = fromBase64(text)
    return bytes.length === HASH_BYTES && toBase64(bytes) === text ? bytes : undefined
  } catch {
    return undefined
  }
}
