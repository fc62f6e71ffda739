// SPDX-License-Identifier: Apache-2.0
import type { BundleCase } from '../../shared/evidence/bundle-layout.ts'

/** How many leaves keep which part closed for which reason. */
export interface WithheldGroup {
  readonly part: string
  readonly reason: string
  readonly leaves: number
}

/**
 * What a bundle withholds, told leaf by leaf. Parts of one name and reason become one entry as long as no leaf between them has that part and
 * shows it, so that the list stays short where a part is withheld of a million leaves.
 */
export class WithheldList {
  readonly #entries: BundleCase['withheld'] = []
  /** The entry of each part that the next leaf may go on with. */
  readonly #open = new Map<string, BundleCase['withheld'][number]>()
  readonly #groups = new Map<string, { part: string; reason: string; leaves: number }>()
  #parts = 0

  get entries(): BundleCase['withheld'] {
    return this.#entries
  }

  /** Parts withheld, each counted. */
  get parts(): number {
    return this.#parts
  }

  get groups(): readonly WithheldGroup[] {
    return [...this.#groups.values()]
  }

  /** Leaves are told in the order of their numbers. */
  withhold(seq: number, part: string, reason: string): void {
    this.#parts++
    const group = this.#groups.get(`${part}\n${reason}`)
    if (group) group.leaves++
    else this.#groups.set(`${part}\n${reason}`, { part, reason, leaves: 1 })
    const open = this.#open.get(part)
    if (open?.reason === reason) {
      open.last = seq
      return
    }
    const entry = { part, reason, seq }
    this.#entries.push(entry)
    this.#open.set(part, entry)
  }

  /** A leaf has this part, and it is not withheld. */
  show(part: string): void {
    this.#open.delete(part)
  }
}
