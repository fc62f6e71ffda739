// SPDX-License-Identifier: Apache-2.0
import type { CallLog } from '../../../shared/event/otlp/map.ts'

/** How long pieces of a call wait for each other. Milliseconds, counts. */
export interface JoinLimits {
  /** How long a request with log records, or with a span whose content is to be expected, is held for the other piece. */
  readonly waitMs: number
  /** How long log records are remembered for a span that comes later. */
  readonly rememberMs: number
  /** Log records remembered, at most. */
  readonly most: number
}

export const joinLimits: JoinLimits = { waitMs: 2_000, rememberMs: 600_000, most: 20_000 }

interface Piece {
  readonly logs: CallLog[]
  /** The span has taken them; settles when its record is on disk or was refused. */
  taken: Promise<boolean> | null
  at: number
}

/**
 * Brings the log records of a call to its span, by trace and span id. A piece is held for a short time only; log records whose span does
 * not come in time become a record of their own and are remembered, so that a span that comes later still holds the content.
 */
export class CallJoin {
  readonly #limits: JoinLimits
  readonly #pieces = new Map<string, Piece>()
  readonly #sources = new Map<string, number>()
  readonly #wakes = new Set<() => void>()
  #count = 0

  constructor(limits: JoinLimits) {
    this.#limits = limits
  }

  /** Log records have come: spans may take them from now on. */
  offer(logs: readonly CallLog[], source: string): void {
    const now = performance.now()
    this.#forget(now)
    if (this.#sources.size >= 1_000) this.#sources.clear()
    this.#sources.set(source, now)
    for (const log of logs) {
      const piece = this.#pieces.get(log.key) ?? { logs: [], taken: null, at: now }
      // A second delivery of the same log record is no second message.
      if (
        piece.logs.some(
          (known) => known.timeUs === log.timeUs && known.name === log.name && JSON.stringify(known.fields) === JSON.stringify(log.fields)
        )
      )
        continue
      piece.logs.push(log)
      piece.at = now
      this.#count++
      this.#pieces.delete(log.key)
      this.#pieces.set(log.key, piece)
    }
    this.#wake()
  }

  /** The log records of a call, if they are here. `recorded` settles once the record that holds them is on disk (true) or was refused. */
  take(key: string, recorded: Promise<boolean>): readonly CallLog[] {
    const piece = this.#pieces.get(key)
    if (piece === undefined) return []
    piece.taken ??= recorded
    this.#wake()
    return piece.logs
  }

  /** Whether this application has lately sent content as log records. */
  expects(source: string): boolean {
    return performance.now() - (this.#sources.get(source) ?? Number.NEGATIVE_INFINITY) < this.#limits.rememberMs
  }

  /** Resolves when log records of all these calls are here, or the time is up. */
  async arrived(keys: readonly string[]): Promise<void> {
    await this.#until(() => keys.every((key) => this.#pieces.has(key)))
  }

  /** Waits for spans; true for each call whose record, content and all, is on disk. */
  async recorded(keys: readonly string[]): Promise<ReadonlyMap<string, boolean>> {
    await this.#until(() => keys.every((key) => this.#pieces.get(key)?.taken != null))
    const out = new Map<string, boolean>()
    for (const key of keys) out.set(key, (await this.#pieces.get(key)?.taken) ?? false)
    return out
  }

  async #until(done: () => boolean): Promise<void> {
    const end = performance.now() + this.#limits.waitMs
    while (!done()) {
      const left = end - performance.now()
      if (left <= 0) return
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          clearTimeout(timer)
          this.#wakes.delete(wake)
          resolve()
        }
        const timer = setTimeout(wake, left)
        this.#wakes.add(wake)
      })
    }
  }

  #wake(): void {
    for (const wake of [...this.#wakes]) wake()
  }

  /** Oldest first, which is the order of the map. */
  #forget(now: number): void {
    for (const [key, piece] of this.#pieces) {
      if (this.#count < this.#limits.most && now - piece.at < this.#limits.rememberMs) return
      this.#count -= piece.logs.length
      this.#pieces.delete(key)
    }
  }
}
