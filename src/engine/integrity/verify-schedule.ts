// SPDX-License-Identifier: Apache-2.0
import { type Clock, Elapsed } from '../clock.ts'

/** What background verification runs on. */
export interface VerifyScheduleParts {
  /** Hours between verifications of the whole workspace, read at each tick; 0 is off. */
  readonly everyHours: () => number
  /** When the whole workspace was last verified, by whom ever; milliseconds since 1970, null when never. */
  readonly lastVerified: () => Promise<number | null>
  /** Verifies as a job; resolves when it has ended. */
  readonly verify: () => Promise<unknown>
  readonly onFailed: (error: unknown) => void
  readonly clock: Clock
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
  readonly #started: Elapsed
  /** The time of the last one, as on record. */
  #recorded: number | null = null
  #last: Elapsed | undefined
  #running: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(parts: VerifyScheduleParts) {
    this.#parts = parts
    this.#started = new Elapsed(parts.clock)
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
    const dueIn = this.#dueIn()
    return dueIn === null ? null : new Date(this.#parts.clock.now() + dueIn)
  }

  #dueIn(): number | null {
    const every = this.#parts.everyHours() * HOUR_MS
    if (every === 0) return null
    return Math.max(0, SETTLE_MS - this.#started.ms, this.#last ? every - this.#last.ms : 0)
  }

  /** Verifies when it is due; resolves when that has ended. */
  async tick(): Promise<void> {
    if (this.#running) return
    await this.#read()
    if (this.#running || this.#dueIn() !== 0) return
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
      this.#last = new Elapsed(this.#parts.clock)
    } finally {
      this.#running = undefined
    }
  }

  async #read(): Promise<void> {
    try {
      const last = await this.#parts.lastVerified()
      if (last === null || last === this.#recorded) return
      this.#recorded = last
      this.#last = new Elapsed(this.#parts.clock, last)
    } catch (error) {
      this.#parts.onFailed(error)
    }
  }
}
