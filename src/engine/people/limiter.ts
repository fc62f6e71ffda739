// SPDX-License-Identifier: Apache-2.0

interface Failures {
  n: number
  /** Milliseconds of the caller's clock. */
  last: number
  /** Attempts turned away unchecked since the last failure. */
  refused: number
}

const FREE = 3
const LONGEST_MS = 300_000

/** How long the next attempt has to wait after so many failures in a row. */
export const delayAfter = (failures: number): number => (failures < FREE ? 0 : Math.min(LONGEST_MS, 1000 * 2 ** (failures - FREE)))

/**
 * Slows guessing down: three failures are free, then the pause doubles from a second to five minutes. One entry a person and one for all
 * names that nobody has, so that its size is bounded.
 */
export class SignInLimiter {
  readonly #failures = new Map<string, Failures>()
  readonly #now: () => number

  /** @param now milliseconds of a monotonic clock: setting the time of the machine does not shorten a pause */
  constructor(now: () => number) {
    this.#now = now
  }

  /** Milliseconds until an attempt will be looked at; 0: now. One that comes too early is counted. */
  take(key: string): number {
    const known = this.#failures.get(key)
    if (!known) return 0
    const wait = known.last + delayAfter(known.n) - this.#now()
    if (wait <= 0) return 0
    known.refused++
    return wait
  }

  /** Notes a failure: how long to wait now, and how many attempts were turned away before it. */
  failed(key: string): { readonly waitMs: number; readonly refused: number } {
    const known = this.#failures.get(key) ?? { n: 0, last: 0, refused: 0 }
    const { refused } = known
    const next = { n: known.n + 1, last: this.#now(), refused: 0 }
    this.#failures.set(key, next)
    return { waitMs: delayAfter(next.n), refused }
  }

  succeeded(key: string): void {
    this.#failures.delete(key)
  }

  /** Failures on record from before the start: their pause begins anew, so that a restart is no way round it. */
  remember(key: string, n: number): void {
    if (n > 0) this.#failures.set(key, { n, last: this.#now(), refused: 0 })
  }
}
