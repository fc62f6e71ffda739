// SPDX-License-Identifier: Apache-2.0
import type { DisposalPreview, DisposalProposal } from '../../shared/contract/retention.ts'
import type { LeafData } from '../../shared/evidence/leaf-data.ts'
import { isoMs } from '../catalog/rows.ts'
import { type Clock, Elapsed } from '../clock.ts'
import { bodyPart } from '../ledger/body-part.ts'
import type { ReaderContext } from '../threads/reader-context.ts'
import type { RetentionDeps } from './retention.ts'

export interface ProposalDeps extends RetentionDeps {
  /** Hours between two looks at what is past its time, read at each tick; 0 is off. */
  readonly everyHours: () => number
  readonly clock: Clock
  readonly onFailed: (error: unknown) => void
}

const SYSTEM = { ref: 'engine', kind: 'system' } as const
const TICK_MS = 60_000
const HOUR_MS = 3_600_000
/** A start is not the moment to look through everything. */
const SETTLE_MS = 5 * TICK_MS
/** What nobody took up is said again after so long, also when nothing has changed. */
const REMIND_MS = 30 * 24 * HOUR_MS

/** The newest proposal since the last disposal; null when there is none. */
export function lastProposal({ catalog }: ReaderContext): DisposalProposal | null {
  const row = catalog
    .prepare<[], { seq: number; time_us: number; data: string }>(`
SELECT seq, time_us, data
FROM event
WHERE type = 'disposal.proposed'
  AND seq > ifnull((SELECT max(seq) FROM disposal), -1)
ORDER BY seq DESC
LIMIT 1`)
    .get()
  if (!row) return null
  const { as_of, records, tiles, bytes, held } = JSON.parse(row.data) as LeafData<'disposal.proposed'>
  return { seq: row.seq, time: isoMs(row.time_us), as_of, records, tiles, bytes, held }
}

/**
 * Proposals of disposal: on a schedule, a dry run whose figures are put on record when something is past its time, so that it is not left to
 * somebody's memory. A proposal destroys nothing and counts for nobody: one person asks, another approves, as ever.
 */
export class Proposals {
  readonly #deps: ProposalDeps
  readonly #started: Elapsed
  /** Since it was last looked; undefined before the first time. */
  #looked: Elapsed | undefined
  #running = false
  #timer: NodeJS.Timeout | undefined

  constructor(deps: ProposalDeps) {
    this.#deps = deps
    this.#started = new Elapsed(deps.clock)
  }

  start(): void {
    this.#timer = setInterval(() => {
      if (this.#started.ms >= SETTLE_MS) void this.tick()
    }, TICK_MS)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Looks when it is time to; gives the leaf of the proposal, null when there is none to make. */
  async tick(): Promise<number | null> {
    const every = this.#deps.everyHours() * HOUR_MS
    if (every === 0 || this.#running || (this.#looked && this.#looked.ms < every)) return null
    this.#running = true
    try {
      return await this.#look(this.#deps.clock.now(), every)
    } catch (error) {
      this.#deps.onFailed(error)
      return null
    } finally {
      // Whatever failed, it is not tried again each minute.
      this.#looked = new Elapsed(this.#deps.clock)
      this.#running = false
    }
  }

  async #look(now: number, every: number): Promise<number | null> {
    const { pool, append, caughtUp } = this.#deps
    await caughtUp()
    const last = await pool.run('lastProposal', {})
    const age = last === null ? Number.POSITIVE_INFINITY : now - Date.parse(last.as_of)
    if (age >= 0 && age < every) return null
    if ((await pool.run('approvals', { state: 'asked', limit: 500 })).some((one) => one.action === 'disposal')) return null
    if ((await pool.run('disposals', {})).some((one) => one.done_seq === null && one.refused_seq === null)) return null
    const preview = await pool.run('previewDisposal', { nowUs: now * 1000 })
    if (preview.records === 0 && preview.tiles === 0) return null
    if (last !== null && same(last, preview) && age < REMIND_MS) return null
    const { as_of, records, tiles, bytes, held } = preview
    const { part, sha256 } = bodyPart({ ...preview })
    const data = { as_of, records, tiles, bytes, held, body_sha256: sha256 }
    const [leaf] = await append([{ type: 'disposal.proposed', actor: SYSTEM, data, parts: [part] }])
    return leaf?.seq ?? null
  }
}

const same = (last: DisposalProposal, now: DisposalPreview): boolean =>
  last.records === now.records && last.tiles === now.tiles && last.held === now.held
