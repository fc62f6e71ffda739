// SPDX-License-Identifier: Apache-2.0
import type { DriftAlert } from '../shared/contract/drift.ts'
import type { RecordRow } from '../shared/contract/record.ts'
import type { Notice } from '../shared/contract/webhooks.ts'
import type { Job, WorkspaceStatus } from '../shared/contract/workspace.ts'
import type { TopicSources } from './router.ts'

type Push<T> = (event: T) => void

export interface FeedParts {
  readonly status: () => WorkspaceStatus
  readonly newest: (limit: number) => Promise<readonly RecordRow[]>
  readonly applied: () => { readonly applied: number; readonly records: number }
}

const STATUS_MS = 1_000
const RECORDS_MS = 250
/** Rate of ingest over this many seconds. */
const RATE_SECONDS = 5

/** What the engine pushes. Bursts are folded: a status once a second, records at most four times a second, whatever the rate of ingest. */
export class Feed {
  readonly #parts: FeedParts
  readonly #status = new Set<Push<WorkspaceStatus>>()
  readonly #records = new Set<Push<{ total: number; applied_seq: number; newest: RecordRow[] }>>()
  readonly #jobs = new Set<Push<Job>>()
  readonly #alerts = new Set<Push<DriftAlert>>()
  readonly #notices = new Set<Push<Notice>>()
  readonly #clock: NodeJS.Timeout
  #recordsTimer: NodeJS.Timeout | undefined
  #announced = -1
  readonly #history: { at: number; records: number }[] = []

  constructor(parts: FeedParts) {
    this.#parts = parts
    this.#clock = setInterval(() => this.#tick(), STATUS_MS)
    this.#clock.unref()
  }

  /** Records that became visible per second, over the last seconds. */
  perSecond(): number {
    const first = this.#history[0]
    const last = this.#history.at(-1)
    if (!first || !last || last.at === first.at) return 0
    return Math.round((10_000 * (last.records - first.records)) / (last.at - first.at)) / 10
  }

  /** The projection moved on. */
  applied(): void {
    if (this.#records.size === 0 || this.#recordsTimer) return
    this.#recordsTimer = setTimeout(() => {
      this.#recordsTimer = undefined
      void this.#pushRecords()
    }, RECORDS_MS)
    this.#recordsTimer.unref()
  }

  /** Something in the status changed that should not wait for the clock. */
  statusChanged(): void {
    if (this.#status.size === 0) return
    const status = this.#parts.status()
    for (const push of this.#status) push(status)
  }

  job(job: Job): void {
    for (const push of this.#jobs) push(job)
  }

  /** What whoever sits at the machine should hear of. */
  notice(notice: Notice): void {
    for (const push of this.#notices) push(notice)
  }

  alert(alert: DriftAlert): void {
    for (const push of this.#alerts) push(alert)
  }

  get sources(): Omit<TopicSources, 'session'> {
    return {
      status: (push) => {
        push(this.#parts.status())
        return subscribe(this.#status, push)
      },
      records: (push) => subscribe(this.#records, push),
      jobs: (push) => subscribe(this.#jobs, push),
      alerts: (push) => subscribe(this.#alerts, push),
      notices: (push) => subscribe(this.#notices, push)
    }
  }

  close(): void {
    clearInterval(this.#clock)
    clearTimeout(this.#recordsTimer)
    for (const set of [this.#status, this.#records, this.#jobs, this.#alerts, this.#notices]) set.clear()
  }

  #tick(): void {
    this.#history.push({ at: performance.now(), records: this.#parts.applied().records })
    if (this.#history.length > RATE_SECONDS + 1) this.#history.shift()
    this.statusChanged()
  }

  async #pushRecords(): Promise<void> {
    const { applied, records } = this.#parts.applied()
    if (records === this.#announced) return
    const fresh = this.#announced < 0 ? 50 : Math.min(50, records - this.#announced)
    this.#announced = records
    try {
      const newest = [...(await this.#parts.newest(Math.max(1, fresh)))]
      for (const push of this.#records) push({ total: records, applied_seq: Math.max(0, applied - 1), newest })
    } catch {
      // A reader that is being restarted: the next batch brings the rows.
    }
  }
}

function subscribe<T>(set: Set<Push<T>>, push: Push<T>): () => void {
  set.add(push)
  return () => set.delete(push)
}
