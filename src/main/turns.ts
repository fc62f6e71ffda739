// SPDX-License-Identifier: Apache-2.0

/** Runs work one after another, in the order it came; a failure of one does not reach the next. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve()

  take<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work, work)
    this.#last = mine.catch(() => {})
    return mine
  }
}
