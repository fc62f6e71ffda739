// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'

const MOST_REMEMBERED = 10_000

/**
 * Where the next page of a search on record begins, for whoever ran it. A page that begins anywhere else, or that is of another search or another
 * caller, is a search of its own. Kept in memory: after a restart, or 10,000 pages later, going on is put on record once more.
 */
export class Continuations {
  readonly #given = new Set<string>()

  /** @param search who asked for what, in any form that JSON takes */
  give(search: unknown, position: string | number): void {
    const key = keyOf(search, position)
    this.#given.delete(key)
    this.#given.add(key)
    for (const old of this.#given) {
      if (this.#given.size <= MOST_REMEMBERED) break
      this.#given.delete(old)
    }
  }

  /** Whether a page of this search from here on was offered to this caller. */
  has(search: unknown, position: string | number): boolean {
    return this.#given.has(keyOf(search, position))
  }
}

const keyOf = (search: unknown, position: string | number): string =>
  createHash('sha256')
    .update(JSON.stringify([search, position]))
    .digest('base64')
