// SPDX-License-Identifier: Apache-2.0
import { AffidavitError } from '../../shared/contract/errors.ts'

const LONGEST_RETRY_MS = 3_600_000

/** Since when something waits for a connection, and when it is tried again: after a pause that doubles with each failure, up to an hour. */
export class Retry {
  readonly #firstMs: number
  #pauseMs: number
  #since: number | null = null
  #at = 0
  #message: string | null = null

  constructor(firstMs: number) {
    this.#firstMs = firstMs
    this.#pauseMs = firstMs
  }

  /** Milliseconds since 1970; null while nothing waits. */
  get since(): number | null {
    return this.#since
  }

  /** When it is tried again. */
  get at(): number {
    return this.#at
  }

  /** Why the last attempt failed; null when it went well. */
  get message(): string | null {
    return this.#message
  }

  succeeded(): void {
    this.#since = null
    this.#message = null
    this.#pauseMs = this.#firstMs
  }

  failed(error: unknown): void {
    this.#since ??= Date.now()
    this.#message = error instanceof AffidavitError ? error.message : 'the attempt failed for a reason of its own'
    this.#at = Date.now() + this.#pauseMs
    this.#pauseMs = Math.min(LONGEST_RETRY_MS, this.#pauseMs * 2)
  }

  /** Something changed that may make it work: tried again at once. */
  soon(): void {
    this.#at = 0
  }
}
