// SPDX-License-Identifier: Apache-2.0
import type { Clock } from '../clock.ts'
import type { LeafDraft } from '../ledger/draft.ts'
import type { Ledger } from '../ledger/ledger.ts'

const HEARTBEAT_MS = 60_000
/** The wall clock may differ by this much from the other one, in milliseconds, before that is a jump. */
const JUMP_MS = 5_000
const SYSTEM = { ref: 'engine', kind: 'system' } as const

export const jumpDraft = (deltaMs: number): LeafDraft => ({
  type: 'clock.jump',
  actor: SYSTEM,
  data: { delta_ms: Math.round(deltaMs) },
  parts: []
})

/** How far the clock stands before the last leaf at a start, as a jump; undefined within a few seconds. It may have been set back while nothing ran. */
export function jumpAtStart(lastLeafMs: number | undefined, nowMs: number): LeafDraft | undefined {
  return lastLeafMs !== undefined && lastLeafMs - nowMs > JUMP_MS ? jumpDraft(nowMs - lastLeafMs) : undefined
}

export interface HeartbeatParts {
  readonly ledger: Pick<Ledger, 'size' | 'failed' | 'append'>
  /** Records that are visible to queries. */
  readonly records: () => number
  readonly clock: Clock
  readonly onFailed: (error: unknown) => void
}

/**
 * A leaf a minute, with what happened since the last one: a quiet log then shows a quiet server, not a stopped one. Where the wall clock and
 * the monotonic one have come apart by more than a few seconds, `clock.jump` goes before it: the clock was set, or the machine slept.
 */
export class Heartbeats {
  readonly #parts: HeartbeatParts
  readonly #started: number
  #leaves: number
  #records: number
  #failed = 0
  #wall: number
  #monotonic: number
  #timer: NodeJS.Timeout | undefined

  constructor(parts: HeartbeatParts) {
    this.#parts = parts
    this.#wall = parts.clock.now()
    this.#monotonic = parts.clock.monotonic()
    this.#started = this.#monotonic
    this.#leaves = parts.ledger.size
    this.#records = parts.records()
  }

  start(): void {
    this.#timer = setInterval(() => void this.beat(), HEARTBEAT_MS)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** One heartbeat; resolves when it is on disk, or could not be written. */
  async beat(): Promise<void> {
    const { ledger, clock } = this.#parts
    const [wall, monotonic, leaves, failed, records] = [clock.now(), clock.monotonic(), ledger.size, ledger.failed, this.#parts.records()]
    const apart = wall - this.#wall - (monotonic - this.#monotonic)
    this.#wall = wall
    this.#monotonic = monotonic
    const data = {
      leaves: leaves - this.#leaves,
      records: Math.max(0, records - this.#records),
      failed: failed - this.#failed,
      uptime_s: Math.floor((monotonic - this.#started) / 1000)
    }
    const jump = Math.abs(apart) > JUMP_MS ? [jumpDraft(apart)] : []
    try {
      await ledger.append([...jump, { type: 'heartbeat', actor: SYSTEM, data, parts: [] }])
      this.#leaves = leaves
      this.#records = records
      this.#failed = failed
    } catch (error) {
      this.#parts.onFailed(error)
    }
  }
}
