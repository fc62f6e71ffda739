// SPDX-License-Identifier: Apache-2.0
import type { Baseline, DriftAlert, DriftLook } from '../../shared/contract/drift.ts'
import { AffidavitError } from '../../shared/contract/errors.ts'
import type { Settings } from '../../shared/contract/workspace.ts'
import type { BaselineBody, ValueFeature } from '../../shared/event/drift-bodies.ts'
import type { FilterExpression } from '../../shared/filter/filter.ts'
import { formatFilter } from '../../shared/filter/format.ts'
import { filterOf, searchDraft } from '../catalog/handlers.ts'
import type { Caller, Handlers } from '../handlers.ts'
import type { AppendResult, LeafDraft } from '../ledger/draft.ts'
import type { Projector } from '../threads/projector.ts'
import type { ReaderPool } from '../threads/reader-pool.ts'
import { type Alerts, brief, driftAlerts, type RecentAlert } from './alerts.ts'
import type { StoredBaseline } from './listings.ts'
import { baselineDraft } from './look.ts'
import { driftLooks } from './looks.ts'
import { currentVerdicts, type SeriesParts, seriesStates } from './series-states.ts'

/** What drift needs of the engine. */
export interface DriftDeps {
  readonly pool: ReaderPool
  readonly projector: Projector
  readonly ledgerSize: () => number
  readonly append: (drafts: readonly LeafDraft[]) => Promise<readonly AppendResult[]>
  /** Appends a leaf that a read leaves behind; null when the workspace is read-only. */
  readonly record: (draft: LeafDraft) => Promise<number | null>
  /** Copies the write-ahead log of the ledger into its database, on another thread than the writer's. */
  readonly drain: () => Promise<void>
  readonly settings: () => Settings
  /** Whether a caller may read what people wrote to an alert: a program may answer one without that. */
  readonly seesNotes: (caller: Caller) => boolean
  /** Told of each alert that opens or changes. */
  readonly onAlert: (alert: DriftAlert) => void
  /** Told until when an alert rests. */
  readonly onSnoozed?: (until: Date) => void
  /** When the schedule looks next; null when it is off. */
  readonly nextLook?: () => Date | null
  readonly now?: () => Date
  /** How long a look or a baseline waits for the catalog: it may not judge less than is on record. 20 s when not given. */
  readonly patienceMs?: number
}

/** The operations of this area. */
export type DriftOperation =
  | 'drift.series'
  | 'drift.alerts'
  | 'drift.statistics'
  | 'drift.verdict'
  | 'drift.baselines'
  | 'drift.baseline_preview'
  | 'drift.set_baseline'
  | 'drift.look'
  | 'drift.acknowledge'
  | 'drift.acknowledge_many'
  | 'drift.snooze'
  | 'drift.resolve'

/** Baselines, looks and alerts of one workspace. */
export interface DriftEngine {
  readonly handlers: Handlers<DriftOperation>
  /**
   * The look of the schedule: null, and no leaf, when there is no baseline or nothing new to judge.
   * @throws AffidavitError busy: a look is under way, or the catalog is far behind
   */
  scheduledLook(caller: Caller): Promise<DriftLook | null>
  /** Looks at the series that gathered as many new requests as the setting says; null when none did. @throws AffidavitError busy */
  countLook(caller: Caller): Promise<DriftLook | null>
  /** Milliseconds since the schedule last looked, or since the first baseline when it never did; null when there is neither. */
  sinceScheduledLook(): Promise<number | null>
  /** Opens the alerts of a look that ended between its own leaf and theirs. */
  finishLastLook(caller: Caller): Promise<void>
  /** Ends the rest of an alert whose time has come. */
  endSnooze(id: string, caller: Caller): Promise<void>
  /** The newest alerts in the short form of the statistics routes. */
  recentAlerts(): Promise<RecentAlert[]>
}

/** How long a read waits for what was acknowledged before it. */
const PATIENCE_MS = 2_000
const LONG_PATIENCE_MS = 20_000

const micros = (text: string | undefined): number | undefined => (text === undefined ? undefined : Date.parse(text) * 1000)
const shown = ({ to_seq: _, ...baseline }: StoredBaseline): Baseline => baseline
const encodeCursor = (seq: number): string => Buffer.from(`a${seq}`, 'latin1').toString('base64url')

function decodeCursor(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const match = /^a(\d{1,15})$/.exec(Buffer.from(text, 'base64url').toString('latin1'))
  if (!match) throw new AffidavitError('invalid_cursor', 'this cursor was not given by a query')
  return Number(match[1])
}

function timeFilter(from: number | undefined, to: number | undefined): FilterExpression {
  if (from !== undefined && to !== undefined && from >= to) throw new AffidavitError('bad_request', 'to: not later than from')
  if (from === undefined && to === undefined) return { terms: [] }
  return { terms: [{ kind: 'time', ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }] }
}

/** Baselines, looks, alerts. Everything it knows is in leaves; nothing is kept only in memory. */
export function driftEngine(deps: DriftDeps): DriftEngine {
  const { pool, projector } = deps
  const now = deps.now ?? (() => new Date())
  const caughtUp = () => projector.waitFor(deps.ledgerSize(), PATIENCE_MS)
  /** The size of the ledger, once the catalog shows all of it. Leaves appended meanwhile are left to the next look. */
  const settled = async (): Promise<number> => {
    const size = deps.ledgerSize()
    if ((await projector.waitFor(size, deps.patienceMs ?? LONG_PATIENCE_MS)) < size)
      throw new AffidavitError('busy', 'the catalog is still being built: try again when it has caught up with the ledger')
    return size
  }
  const alerts: Alerts = driftAlerts({
    pool,
    projector,
    append: deps.append,
    onAlert: deps.onAlert,
    onSnoozed: deps.onSnoozed ?? (() => {}),
    now
  })
  const listAlerts = async (filter: Parameters<Alerts['list']>[0]): Promise<DriftAlert[]> => {
    await caughtUp()
    return alerts.list(filter)
  }
  const baselines = async (): Promise<StoredBaseline[]> => {
    await caughtUp()
    return pool.run('baselines', {})
  }
  const seriesParts = async (): Promise<SeriesParts> => {
    const [pinned, verdicts] = await Promise.all([baselines(), pool.run('latestVerdicts', {})])
    return { baselines: pinned, verdicts, reference: deps.settings().reference }
  }
  const answered = (alert: DriftAlert, caller: Caller): DriftAlert =>
    deps.seesNotes(caller) ? alert : { ...alert, history: alert.history.map((step) => ({ ...step, note: '' })) }
  const looks = driftLooks({ pool, projector, append: deps.append, drain: deps.drain, settings: deps.settings, alerts, settled, now })

  const handlers: Handlers<DriftOperation> = {
    'drift.series': async () => {
      const parts = await seriesParts()
      const [series, open, last] = await Promise.all([pool.run('series', {}), pool.run('openEpisodes', {}), pool.run('lastLook', {})])
      const judged = parts.reference !== 'none' || parts.baselines.some((one) => one.active)
      return {
        series: seriesStates(series, open, parts),
        last_look: last ? new Date(last.time_us / 1000).toISOString() : null,
        next_look: judged ? (deps.nextLook?.()?.toISOString() ?? null) : null
      }
    },
    'drift.alerts': async ({ limit, cursor, from, to, ...rest }) => {
      const found = await listAlerts({ ...rest, from: micros(from), to: micros(to), beforeSeq: decodeCursor(cursor), limit: limit + 1 })
      const page = found.slice(0, limit)
      const last = page.at(-1)
      return { alerts: page, next_cursor: found.length > limit && last ? encodeCursor(last.seq) : null }
    },
    'drift.statistics': async () => {
      await caughtUp()
      const [counts, recent] = await Promise.all([pool.run('alertCounts', {}), alerts.recent()])
      return {
        total_alerts: counts.total,
        unacknowledged_alerts: counts.open,
        avg_drift_score: counts.score,
        recent_alerts: recent.map(brief)
      }
    },
    'drift.verdict': async (input, caller) => {
      await caughtUp()
      const options = { signal: caller.signal }
      if ('alert_id' in input) {
        const { id, look_seq, model, source } = await alerts.one(input.alert_id)
        return pool.run('driftVerdict', { alertId: id, look: look_seq, model, source, feature: input.feature }, options)
      }
      const latest = currentVerdicts(input, await seriesParts())
      if (!latest) throw new AffidavitError('not_found', 'this series has not been looked at against its present reference yet')
      return pool.run('driftVerdict', { alertId: null, look: latest.look, ...input }, options)
    },
    'drift.baselines': async () => ({ baselines: (await baselines()).map(shown) }),
    'drift.baseline_preview': async ({ query }, caller) => {
      const filter = filterOf(query)
      await caughtUp()
      const tables = await pool.run('countTables', { selection: { filter } }, { signal: caller.signal })
      if (filter.terms.length > 0) await deps.record(searchDraft(caller, formatFilter(filter), tables.records))
      const observations = (feature: ValueFeature): number => tables.tables[feature].c.reduce((total, n) => total + n, 0)
      return {
        query: formatFilter(filter),
        records: tables.records,
        from: tables.from,
        to: tables.to,
        per_feature: {
          latency: observations('latency'),
          token_usage: observations('token_usage'),
          response_length: observations('response_length'),
          error_rate: tables.error_rate.total
        }
      }
    },
    'drift.set_baseline': async ({ name, query, model, source }, caller) => {
      const filter = filterOf(query)
      const toSeq = await settled()
      const { window, selected } = await pool.run('pinnedWindow', { filter, model, source, toSeq }, { signal: caller.signal })
      if (window.records === 0) throw new AffidavitError('nothing_selected', 'this filter selects no record: nothing to pin')
      const { from, to } = window
      const body: BaselineBody = { model, source, name, query: formatFilter(filter), from, to, window, selected }
      const { draft, id } = baselineDraft(body, caller.actor, toSeq)
      await looks.replacing({ model, source }, () => deps.append([draft]))
      await settled()
      const found = (await baselines()).find((baseline) => baseline.id === id)
      if (!found) throw new AffidavitError('busy', 'the baseline is on record; its listing follows in a moment')
      return shown(found)
    },
    'drift.look': async ({ from, to }, caller) => {
      return looks.byPerson(caller, timeFilter(micros(from), micros(to)))
    },
    'drift.acknowledge': async ({ id, note }, caller) => {
      await caughtUp()
      return answered(await alerts.change(id, note, 'acknowledged', caller.actor), caller)
    },
    'drift.acknowledge_many': async ({ ids, note }, caller) => {
      await caughtUp()
      const done: DriftAlert[] = []
      const refused: { id: string; code: string; message: string }[] = []
      for (const id of new Set(ids)) {
        try {
          done.push(answered(await alerts.change(id, note, 'acknowledged', caller.actor), caller))
        } catch (error) {
          if (!(error instanceof AffidavitError) || (error.code !== 'conflict' && error.code !== 'not_found')) throw error
          refused.push({ id, code: error.code, message: error.message })
        }
      }
      return { alerts: done, refused }
    },
    'drift.snooze': async ({ id, until, reason }, caller) => {
      await caughtUp()
      return answered(await alerts.snooze(id, new Date(until), reason, caller.actor), caller)
    },
    'drift.resolve': async ({ id, note }, caller) => {
      await caughtUp()
      return answered(await alerts.change(id, note, 'resolved', caller.actor), caller)
    }
  }

  return {
    handlers,
    recentAlerts: async () => {
      await caughtUp()
      return (await alerts.recent()).map(brief)
    },
    endSnooze: (id, caller) => alerts.wake(id, caller.actor),
    finishLastLook: (caller) => looks.finishLast(caller),
    scheduledLook: (caller) => looks.bySchedule(caller),
    countLook: (caller) => looks.byCount(caller),
    sinceScheduledLook: async () => {
      const last = await pool.run('lastLook', { trigger: 'schedule' })
      const first = (await baselines()).at(-1)
      const since = last ? last.time_us / 1000 : first ? Date.parse(first.set_at) : null
      return since === null ? null : now().getTime() - since
    }
  }
}
