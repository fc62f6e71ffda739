// SPDX-License-Identifier: Apache-2.0
import type { Settings } from '../../shared/contract/workspace.ts'

export interface ScheduleParts {
  readonly settings: () => Settings
  readonly look: () => Promise<unknown>
  readonly onFailed: (error: unknown) => void
  /** Monotonic milliseconds: a changed wall clock neither repeats nor skips looks. */
  readonly now?: () => number
}

const TICK_MS = 5_000

/** Looks on a schedule: every so many minutes, never two at once; 0 turns it off. */
export class LookSchedule {
  readonly #parts: ScheduleParts
  readonly #now: () => number
  #last: number
  #running = false
  #timer: NodeJS.Timeout | undefined

  constructor(parts: ScheduleParts) {
    this.#parts = parts
    this.#now = parts.now ?? (() => performance.now())
    this.#last = this.#now()
  }

  start(): void {
    this.#timer = setInterval(() => void this.tick(), TICK_MS)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Runs a look when one is due; resolves when it has ended. */
  async tick(): Promise<void> {
    const every = this.#parts.settings().look_every_minutes * 60_000
    if (this.#running || every === 0 || this.#now() - this.#last < every) return
    this.#running = true
    this.#last = this.#now()
    try {
      await this.#parts.look()
    } catch (error) {
      this.#parts.onFailed(error)
    } finally {
      this.#running = false
    }
  }
}
