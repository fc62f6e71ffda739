// SPDX-License-Identifier: Apache-2.0

/** The two clocks of a machine, both in milliseconds: the wall clock, which people set, and one that only goes forward. */
export interface Clock {
  readonly now: () => number
  readonly monotonic: () => number
}

export const systemClock: Clock = { now: () => Date.now(), monotonic: () => performance.now() }

/**
 * How long ago something was, by whichever clock says more: a wall clock that was set back puts nothing off, and a machine that slept, over which
 * the other clock may stand still, is not waited for.
 */
export class Elapsed {
  readonly #clock: Clock
  readonly #wall: number
  readonly #monotonic: number

  /** @param since milliseconds since 1970 of what is on record, now when left out; a time still to come means that the clock was set back, and counts as now */
  constructor(clock: Clock, since: number = clock.now()) {
    this.#clock = clock
    const age = Math.max(0, clock.now() - since)
    this.#wall = clock.now() - age
    this.#monotonic = clock.monotonic() - age
  }

  /** Milliseconds. */
  get ms(): number {
    return Math.max(this.#clock.now() - this.#wall, this.#clock.monotonic() - this.#monotonic)
  }
}
