// SPDX-License-Identifier: Apache-2.0

/** Does a piece of work when those asked for before it have ended, however they ended. */
export type InTurn = <T>(work: () => Promise<T>) => Promise<T>

/** A queue of one: for work that looks first and then appends, and must not see what another is about to change. */
export function takingTurns(): InTurn {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const mine = last.then(work)
    last = mine.catch(() => {})
    return mine
  }
}
