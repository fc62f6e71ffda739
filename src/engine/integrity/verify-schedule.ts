// SPDX-License-Identifier: Apache-2.0
import { type Clock, Elapsed } from '../clock.ts'

/** What background verification runs on. */
export interface VerifyScheduleParts {
  /** Hours between verifications of the whole workspace, read at each tick; 0 is off. */
  readonly everyHours: () => number
  /** When the whole workspace was last verified to the end, by whom ever; its leaf, and milliseconds since 1970; null when never. */
  readonly lastVerified: () => Promise<{ readonly seq: number; readonly at: number } | null>
  /** The first leaf of this run. */
  readonly firstSeq: number
  /** Verifies as a job; resolves when it has ended, with whether it came to its end. */
  readonly verify: () => Promise<boolean>
  readonly onFailed: (error: unknown) => void
  readonly clock: Clock
}

const TICK_MS = 60_000
const HOUR_MS = 3_600_000
/** A start is not the moment to read everything: the first verification waits this long. */
const SETTLE_MS = 5 * 60_000
/** Before one that failed or was cancelled is tried again. */
const RETRY_MS = HOUR_MS

/**
 * Verifies the whole workspace in the background (EVIDENCE; 17a-4(f)(2)(ii) asks for it to be automatic): soon after each start, because files
 * that nobody held may have been changed and the start itself checks samples only, and then so many hours after anybody last did.
 */
export class VerifySchedule {
  readonly #parts: VerifyScheduleParts
  readonly #started: Elapsed
  /** The leaf of the last one. */
  #recorded = -1
  #last: Elapsed | undefined
  /** Since one did not come to its end. */
  #tried: Elapsed | undefined
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
    const left = this.#last && this.#recorded >= this.#parts.firstSeq ? every - this.#last.ms : SETTLE_MS - this.#started.ms
    return Math.max(0, left, this.#tried ? RETRY_MS - this.#tried.ms : 0)
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
    let whole = false
    try {
      whole = await this.#parts.verify()
      await this.#read()
    } catch (error) {
      this.#parts.onFailed(error)
    } finally {
      // Whatever failed, it is not tried again each minute.
      this.#tried = whole ? undefined : new Elapsed(this.#parts.clock)
      this.#running = undefined
    }
  }

  async #read(): Promise<void> {
    try {
      const last = await this.#parts.lastVerified()
      if (last === null || last.seq === this.#recorded) return
      this.#recorded = last.seq
      this.#last = new Elapsed(this.#parts.clock, last.at)
    } catch (error) {
      this.#parts.onFailed(error)
    }
  }
}
