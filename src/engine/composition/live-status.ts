// SPDX-License-Identifier: Apache-2.0
import type { WorkspaceStatus } from '../../shared/contract/workspace.ts'
import { type Anchors, NOT_ANCHORING } from '../anchors/anchors.ts'
import { Feed } from '../feed.ts'
import { lastCheckpoint } from '../ledger/store.ts'
import type { ReviewFile } from '../review/review-file.ts'
import { type LiveFigures, statusOf } from '../workspace/status.ts'
import type { Core } from './core.ts'

const HEARTBEAT_MS = 60_000
const FIGURES_MS = 5_000
const FAILURES_MS = 1_000
/** Between two notices of one trouble. */
const ANNOUNCE_MS = 600_000
const DAY_MS = 86_400_000

type Endpoint = WorkspaceStatus['endpoints']['compliance']

const notServed = (binding: Core['config']['compliance']): Endpoint => ({
  host: binding?.host ?? '127.0.0.1',
  port: binding?.port ?? 0,
  url: '',
  state: binding ? 'starting' : 'failed',
  message: binding ? null : 'not started for this command',
  suggested_port: null
})

/** The status as it is now, and the feed that pushes it: what of it must be counted is counted again every few seconds. */
export class LiveStatus {
  readonly feed: Feed
  endpoints: WorkspaceStatus['endpoints']
  /** The bundle under review, with its verdict as it is now. */
  review: ReviewFile | null
  anchors: Pick<Anchors, 'last' | 'state'> | undefined
  /** The last verification of this run, also when it could not be recorded. */
  verified: () => WorkspaceStatus['verified'] = () => null
  /** Calls that passed through the proxy without a record. */
  unread: () => number = () => 0
  readonly #core: Core
  readonly #started = new Date()
  #past: WorkspaceStatus['last_day'] = { lost: 0, incomplete: 0, clock_jumps: 0, gaps: 0, longest_gap_ms: 0 }
  #figures: Pick<LiveFigures, 'alerts' | 'heartbeats' | 'verified'> = {
    verified: null,
    alerts: { open: 0, acknowledged: 0, resting: 0, oldest_open: null },
    heartbeats: { seen: 0, expected: 0 }
  }
  #timers: NodeJS.Timeout[] = []
  /** Leaves that could not be recorded, as last announced, and when that was. */
  #announced = { failed: 0, at: Number.NEGATIVE_INFINITY }

  constructor(core: Core) {
    const { config, jobs, pool, projector, workspace } = core
    this.#core = core
    this.endpoints = { compliance: notServed(config.compliance), drift: notServed(config.drift), otlp: null }
    this.review = workspace.review
    this.feed = new Feed({
      status: this.now,
      newest: (limit) => pool.run('newestRecords', { limit }),
      applied: () => ({ applied: projector.applied, records: projector.records })
    })
    jobs.onChange((job) => {
      this.feed.job(job)
      if (job.kind !== 'verify_workspace' || job.state === 'running') return
      this.refresh().then(
        () => this.feed.statusChanged(),
        () => {}
      )
    })
    projector.onApplied = () => this.feed.applied()
  }

  readonly now = (): WorkspaceStatus => {
    const { config, ledgerSize, projector, signing, workspace } = this.#core
    const { ledger } = workspace
    return statusOf(workspace, config.appVersion, this.#started, {
      endpoints: this.endpoints,
      size: ledgerSize(),
      records: projector.records,
      waiting: ledger?.waiting ?? 0,
      unread: this.unread(),
      failing: ledger?.failing ?? null,
      commit: ledger?.commitLatency ?? { p50_ms: null, p99_ms: null },
      checkpoint: signing ? signing.checkpointer.last : lastCheckpoint(workspace.ledgerDb),
      previousSize: signing?.previousSize ?? 0,
      consistent: signing?.checkpointer.consistent ?? false,
      secondCopySize: signing?.copySize,
      copyTrouble: signing?.copyTrouble ?? null,
      projected: projector.applied,
      rebuilt: projector.rebuilding,
      perSecond: this.feed.perSecond(),
      anchor: this.anchors?.last ?? null,
      anchoring: this.anchors?.state ?? NOT_ANCHORING,
      last_day: this.#past,
      review: this.review,
      ...this.#figures
    })
  }

  /** Whoever sits at the machine hears that recording fails, at once and then every so often while it goes on (NIST AU-5). */
  #announceFailures(): void {
    const failed = this.#core.workspace.ledger?.failed ?? 0
    const more = failed - this.#announced.failed
    if (more <= 0 || performance.now() - this.#announced.at < ANNOUNCE_MS) return
    this.#announced = { failed, at: performance.now() }
    const body = `${more} ${more === 1 ? 'event' : 'events'} could not be recorded: see whether the disk is full or the folder is gone.`
    this.feed.notice({ alert_id: null, title: 'Recording fails', body })
  }

  /** Counts alerts and heartbeats again. */
  async refresh(): Promise<void> {
    const { pool, workspace } = this.#core
    const since = Math.max(Date.now() - DAY_MS, Date.parse(workspace.description.created))
    const counts = await pool.run('statusCounts', { heartbeatsSinceMs: since })
    this.#figures = {
      alerts: counts.alerts,
      verified: this.verified() ?? counts.verified,
      // The log of a bundle runs elsewhere.
      heartbeats: { seen: counts.heartbeats, expected: workspace.review ? 0 : Math.floor((Date.now() - since) / HEARTBEAT_MS) }
    }
  }

  async #refreshPast(): Promise<void> {
    const { lost, incomplete, clock_jumps, gaps } = await this.#core.pool.run('completeness', { days: 1, nowUs: Date.now() * 1000 })
    const longest = Math.max(0, ...gaps.map((gap) => Date.parse(gap.to) - Date.parse(gap.from)))
    this.#past = { lost, incomplete, clock_jumps, gaps: gaps.length, longest_gap_ms: longest }
  }

  /** Counts now, and from now on. */
  async start(): Promise<void> {
    await this.refresh()
    const quietly = (work: () => Promise<void>) => () => void work().catch(() => {})
    const past = quietly(() => this.#refreshPast())
    past()
    this.#timers = [
      setInterval(() => this.#announceFailures(), FAILURES_MS),
      setInterval(
        quietly(() => this.refresh()),
        FIGURES_MS
      ),
      setInterval(past, HEARTBEAT_MS)
    ]
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer)
  }
}
