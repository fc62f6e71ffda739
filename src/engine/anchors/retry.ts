// SPDX-License-Identifier: Apache-2.0
import { AffidavitError } from '../../shared/contract/errors.ts'
import { type Clock, Elapsed } from '../clock.ts'

const LONGEST_RETRY_MS = 3_600_000

/** Since when something waits for a connection, and when it is tried again: after a pause that doubles with each failure, up to an hour. */
export class Retry {
  readonly #clock: Clock
  readonly #firstMs: number
  #nextPauseMs: number
  #since: number | null = null
  #failed: Elapsed
  #pauseMs = 0
  #message: string | null = null

  constructor(clock: Clock, firstMs: number) {
    this.#clock = clock
    this.#firstMs = firstMs
    this.#nextPauseMs = firstMs
    this.#failed = new Elapsed(clock)
  }

  /** Milliseconds since 1970; null while nothing waits. */
  get since(): number | null {
    return this.#since
  }

  /** Milliseconds until it is tried again; 0: now. */
  get dueIn(): number {
    return Math.max(0, this.#pauseMs - this.#failed.ms)
  }

  /** Why the last attempt failed; null when it went well. */
  get message(): string | null {
    return this.#message
  }

  succeeded(): void {
    this.#since = null
    this.#message = null
    this.#nextPauseMs = this.#firstMs
  }

  failed(error: unknown): void {
    this.#since ??= this.#clock.now()
    this.#message = error instanceof AffidavitError ? error.message : 'the attempt failed for a reason of its own'
    this.#failed = new Elapsed(this.#clock)
    this.#pauseMs = this.#nextPauseMs
    this.#nextPauseMs = Math.min(LONGEST_RETRY_MS, this.#nextPauseMs * 2)
  }

  /** Something changed that may make it work: tried again at once. */
  soon(): void {
    this.#pauseMs = 0
  }
}
