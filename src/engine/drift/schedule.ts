// SPDX-License-Identifier: Apache-2.0
import { AffidavitError } from '../../shared/contract/errors.ts'
import { type Clock, Elapsed } from '../clock.ts'

/** What a schedule runs on. */
export interface ScheduleParts {
  /** Minutes between looks, read at each tick; 0 is off. */
  readonly everyMinutes: () => number
  /** Milliseconds since the last look of the schedule as the ledger says, so that a restart neither repeats nor loses one; null: unknown. */
  readonly sinceLast: () => Promise<number | null>
  readonly look: () => Promise<unknown>
  /** Called at each tick at which no look is due: looks by count. */
  readonly byCount?: () => Promise<unknown>
  /** A look failed; the next one comes at its time. One that found the engine busy is tried again at the next tick. */
  readonly onFailed: (error: unknown) => void
  readonly clock: Clock
}

const TICK_MS = 5_000
const MINUTE_MS = 60_000
const GRACE_MS = 2_000

/** Looks on a schedule: every so many minutes, never two at once; 0 turns it off. */
export class LookSchedule {
  readonly #parts: ScheduleParts
  /** Since the last look; a machine that slept is not waited for. */
  #last: Elapsed
  #running: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #stopped = false

  constructor(parts: ScheduleParts) {
    this.#parts = parts
    this.#last = new Elapsed(parts.clock)
  }

  /** Starts ticking. A look that fell due while nothing ran comes a minute after the start at the earliest. */
  async start(): Promise<void> {
    this.#timer = setInterval(() => void this.tick(), TICK_MS)
    this.#timer.unref()
    const started = this.#last
    const age = await this.#parts.sinceLast().catch((error: unknown) => {
      this.#parts.onFailed(error)
      return null
    })
    if (age === null || this.#last !== started) return
    const every = this.#parts.everyMinutes() * MINUTE_MS
    // The age is of the wall clock: after a jump it may be negative or years.
    const since = Math.min(Math.max(0, age), Math.max(0, every - MINUTE_MS))
    this.#last = new Elapsed(this.#parts.clock, this.#parts.clock.now() - since)
  }

  /** Ends the schedule; resolves when a look under way has ended, or after two seconds: its leaves are then refused by the closed ledger. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearInterval(this.#timer)
    if (!this.#running) return
    await Promise.race([this.#running, new Promise((resolve) => setTimeout(resolve, GRACE_MS).unref())])
  }

  /** When the next look falls due, by the wall clock of now; null when looks are off. */
  get nextLook(): Date | null {
    const every = this.#parts.everyMinutes() * MINUTE_MS
    return every === 0 ? null : new Date(this.#parts.clock.now() + Math.max(0, every - this.#last.ms))
  }

  /** Runs a look when one is due; resolves when it has ended. */
  async tick(): Promise<void> {
    const every = this.#parts.everyMinutes() * MINUTE_MS
    if (this.#stopped || this.#running) return
    const before = this.#last
    const due = every > 0 && before.ms >= every
    if (due) this.#last = new Elapsed(this.#parts.clock)
    const look = due ? this.#parts.look : this.#parts.byCount
    if (!look) return
    this.#running = this.#look(look, before)
    await this.#running
  }

  async #look(look: () => Promise<unknown>, before: Elapsed): Promise<void> {
    try {
      await look()
    } catch (error) {
      // Another look is under way, or the catalog is behind: it is still due.
      if (error instanceof AffidavitError && error.code === 'busy') this.#last = before
      else this.#parts.onFailed(error)
    } finally {
      this.#running = undefined
    }
  }
}
