// SPDX-License-Identifier: Apache-2.0
import type { ReaderPool } from '../threads/reader-pool.ts'

/** What the end of a rest needs. */
export interface SnoozeParts {
  readonly pool: Pick<ReaderPool, 'run'>
  /** Whether the catalog shows all that is on record: else an answer given meanwhile would be overlooked. */
  readonly caughtUp: () => Promise<boolean>
  /** Ends the rest of one alert: a leaf, and people are told. */
  readonly end: (id: string) => Promise<unknown>
  readonly onFailed: (error: unknown) => void
  readonly now?: () => number
}

const TICK_MS = 1_000
/** Pause after a failure: a full disk is not asked every second. */
const PAUSE_MS = 60_000

/** Ends the rest of snoozed alerts when their time has come, also of those whose time came while nothing ran. */
export class SnoozeEnds {
  readonly #parts: SnoozeParts
  readonly #now: () => number
  /** When the next rest ends, milliseconds since 1970 UTC; at first unknown, so that the first tick asks. */
  #next = Number.NEGATIVE_INFINITY
  /** When it last asked, by the same clock: one that was set back since makes nothing of the next end. */
  #asked = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | undefined
  #running = false

  constructor(parts: SnoozeParts) {
    this.#parts = parts
    this.#now = parts.now ?? Date.now
  }

  start(): void {
    this.#timer = setInterval(() => void this.tick(), TICK_MS)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** An alert rests until a time. */
  snoozed(until: Date): void {
    this.#next = Math.min(this.#next, until.getTime())
  }

  /** Ends what is due. */
  async tick(): Promise<void> {
    const now = this.#now()
    if (this.#running || (now < this.#next && now >= this.#asked)) return
    this.#asked = now
    this.#running = true
    const { pool, caughtUp, end } = this.#parts
    // What is snoozed while this runs comes on top of what is read here.
    this.#next = Number.POSITIVE_INFINITY
    try {
      if (!(await caughtUp())) {
        this.#next = Number.NEGATIVE_INFINITY
        return
      }
      const { due, next } = await pool.run('snoozes', { nowUs: this.#now() * 1000 })
      for (const id of due) await end(id)
      if (next !== null) this.#next = Math.min(this.#next, next / 1000)
    } catch (error) {
      this.#next = Math.min(this.#next, this.#now() + PAUSE_MS)
      this.#parts.onFailed(error)
    } finally {
      this.#running = false
    }
  }
}
