// SPDX-License-Identifier: Apache-2.0

/** What background verification runs on. */
export interface VerifyScheduleParts {
  /** Hours between verifications of the whole workspace, read at each tick; 0 is off. */
  readonly everyHours: () => number
  /** When the whole workspace was last verified, by whom ever; milliseconds since 1970, null when never. */
  readonly lastVerified: () => Promise<number | null>
  /** Verifies as a job; resolves when it has ended. */
  readonly verify: () => Promise<unknown>
  readonly onFailed: (error: unknown) => void
  readonly now?: () => number
}

const TICK_MS = 60_000
const HOUR_MS = 3_600_000
/** A start is not the moment to read everything: the first verification waits this long. */
const SETTLE_MS = 5 * 60_000

/**
 * Verifies the whole workspace in the background, so many hours after anybody last did (EVIDENCE; 17a-4(f)(2)(ii) asks for it to be automatic).
 * What is due is read from the ledger: a restart neither repeats nor loses one.
 */
export class VerifySchedule {
  readonly #parts: VerifyScheduleParts
  readonly #now: () => number
  readonly #started: number
  #last: number | null = null
  #running: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(parts: VerifyScheduleParts) {
    this.#parts = parts
    this.#now = parts.now ?? Date.now
    this.#started = this.#now()
  }

  start(): void {
    this.#timer = setInterval(() => void this.tick(), TICK_MS)
    this.#timer.unref()
    void this.#read()
  }

  /** Plans no further verification. The one under way is a job and ends with the jobs. */
  stop(): void {
    clearInterval(this.#timer)
  }

  /** When the next one falls due; null when they are off. */
  get next(): Date | null {
    const every = this.#parts.everyHours() * HOUR_MS
    if (every === 0) return null
    const settled = this.#started + SETTLE_MS
    return new Date(this.#last === null ? settled : Math.max(settled, this.#last + every))
  }

  /** Verifies when it is due; resolves when that has ended. */
  async tick(): Promise<void> {
    if (this.#running) return
    await this.#read()
    const next = this.next
    if (this.#running || next === null || this.#now() < next.getTime()) return
    this.#running = this.#verify()
    await this.#running
  }

  async #verify(): Promise<void> {
    try {
      await this.#parts.verify()
      await this.#read()
    } catch (error) {
      this.#parts.onFailed(error)
      // Whatever failed, it is not tried again each minute.
      this.#last = this.#now()
    } finally {
      this.#running = undefined
    }
  }

  async #read(): Promise<void> {
    try {
      const last = await this.#parts.lastVerified()
      if (last === null) return
      // A time still to come means that the clock was set back: counted from when that was first seen, or the next one would be put off for ever.
      this.#last = last > this.#now() ? (this.#last ?? this.#now()) : Math.max(last, this.#last ?? 0)
    } catch (error) {
      this.#parts.onFailed(error)
    }
  }
}
