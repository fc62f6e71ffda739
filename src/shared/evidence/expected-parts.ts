// SPDX-License-Identifier: Apache-2.0
import { fromBase64, toBase64 } from './bytes.ts'

const HASH_BYTES = 32
const FOUND = 1
/** Parts of one slab: memory grows by whole slabs, and nothing is copied when it does. */
const SLAB = 2 ** 15

interface Slab {
  readonly seqs: Float64Array
  readonly names: Uint16Array
  readonly states: Uint8Array
  readonly commits: Uint8Array
}

const emptySlab = (): Slab => ({
  seqs: new Float64Array(SLAB),
  names: new Uint16Array(SLAB),
  states: new Uint8Array(SLAB),
  commits: new Uint8Array(SLAB * HASH_BYTES)
})

/**
 * Commitments of leaves that are still to be opened. 43 bytes a part, so that a bundle of a million records fits into the memory of a
 * verifier. Leaves come in the order of their seq; where a damaged bundle has another order, look-ups go through an index.
 */
export class ExpectedParts {
  readonly #slabs: Slab[] = []
  #count = 0
  #left = 0
  #last = 0
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
      if (at % SLAB === 0) this.#slabs.push(emptySlab())
      if (at > 0 && seq < this.#last) this.#sorted = false
      this.#last = seq
      const { seqs, names } = this.#slab(at)
      seqs[at % SLAB] = seq
      names[at % SLAB] = this.#number(name)
      this.#index?.set(`${seq}.${name}`, at)
      this.#count++
      this.#left++
    }
    this.#slab(at).commits.set(canonical(commit) ?? new Uint8Array(HASH_BYTES), (at % SLAB) * HASH_BYTES)
  }

  /** The commitment of a part that was not taken yet, and takes it; undefined when no leaf has it or it was taken. */
  take(seq: number, name: string): Uint8Array | undefined {
    const at = this.#find(seq, name)
    if (at === undefined) return undefined
    const { states, commits } = this.#slab(at)
    if (states[at % SLAB] === FOUND) return undefined
    states[at % SLAB] = FOUND
    this.#left--
    return commits.subarray((at % SLAB) * HASH_BYTES, ((at % SLAB) + 1) * HASH_BYTES)
  }

  /** All parts, and whether they were taken. */
  *all(): Generator<{ readonly seq: number; readonly part: string; readonly taken: boolean }> {
    for (let at = 0; at < this.#count; at++)
      yield { seq: this.#seq(at), part: this.#name(at), taken: this.#slab(at).states[at % SLAB] === FOUND }
  }

  /** What was not taken. */
  *left(): Generator<{ readonly seq: number; readonly part: string }> {
    for (const { seq, part, taken } of this.all()) if (!taken) yield { seq, part }
  }

  #slab(at: number): Slab {
    const slab = this.#slabs[Math.floor(at / SLAB)]
    if (!slab) throw new RangeError('no such part')
    return slab
  }

  #seq(at: number): number {
    return this.#slab(at).seqs[at % SLAB] ?? 0
  }

  #name(at: number): string {
    return this.#nameOf[this.#slab(at).names[at % SLAB] ?? 0] ?? ''
  }

  #find(seq: number, name: string): number | undefined {
    const number = this.#numberOf.get(name)
    if (number === undefined) return undefined
    if (!this.#sorted) {
      this.#index ??= new Map(Array.from({ length: this.#count }, (_, at) => [`${this.#seq(at)}.${this.#name(at)}`, at] as const))
      return this.#index.get(`${seq}.${name}`)
    }
    let low = 0
    let high = this.#count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#seq(middle) < seq) low = middle + 1
      else high = middle
    }
    for (let at = low; at < this.#count && this.#seq(at) === seq; at++) if (this.#slab(at).names[at % SLAB] === number) return at
    return undefined
  }

  #number(name: string): number {
    const known = this.#numberOf.get(name)
    if (known !== undefined) return known
    const number = this.#nameOf.push(name) - 1
    this.#numberOf.set(name, number)
    return number
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
