// SPDX-License-Identifier: Apache-2.0
import { setImmediate as nextTurn } from 'node:timers/promises'

/** Bytes of a body from which its reading is cut into steps, each in a turn of its own. */
const STEP_BYTES = 128 * 1024

/** What is awaited between two steps of work on so many bytes: others get a turn when it is much. */
export const betweenSteps = (bytes: number): (() => Promise<unknown>) => (bytes < STEP_BYTES ? () => Promise.resolve() : () => nextTurn())

/** Long work in slices of time, with a turn of the event loop for others between two of them. */
export class TimeSlice {
  readonly #ms: number
  #from = performance.now()

  /** @param ms how long a slice is */
  constructor(ms: number) {
    this.#ms = ms
  }

  /** Whether the slice is used up: then {@link pause} is to be awaited. */
  get over(): boolean {
    return performance.now() - this.#from > this.#ms
  }

  async pause(): Promise<void> {
    await nextTurn()
    this.#from = performance.now()
  }
}
