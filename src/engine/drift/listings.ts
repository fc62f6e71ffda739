// SPDX-License-Identifier: Apache-2.0
// Alerts and baselines as the screens and the HTTP routes list them, read on a reader thread.
import type { Baseline, DriftAlert } from '../../shared/contract/drift.ts'
import type { Webhook } from '../../shared/contract/webhooks.ts'
import type { AlertBody } from '../../shared/event/drift-bodies.ts'
import { bodyOf } from '../catalog/project-event.ts'
import { isoMs } from '../catalog/rows.ts'
import type { AnyDb } from '../sqlite/open.ts'
import type { PayloadReader } from '../vault/payload-reader.ts'

interface AlertRow {
  readonly id: string
  readonly seq: number
  readonly time_us: number
  readonly model: string
  readonly source: string
  readonly state: DriftAlert['state']
  readonly score: number
  readonly features: string
  readonly look: number
  readonly baseline: string
  readonly changed_seq: number
  readonly snoozed_until_us: number | null
}

/** Which alerts; absent conditions hold for all. Times are microseconds since 1970 UTC of the opening, `to` excluded. */
export interface AlertFilter {
  readonly id?: string | undefined
  readonly ids?: readonly string[] | undefined
  readonly state?: string | undefined
  readonly from?: number | undefined
  readonly to?: number | undefined
  readonly model?: string | undefined
  readonly source?: string | undefined
  readonly feature?: string | undefined
  /** Alerts opened before this leaf. */
  readonly beforeSeq?: number | undefined
  /** As they stood in the tree of this size. */
  readonly size?: number | undefined
  readonly limit: number
}

type Step = Omit<DriftAlert['history'][number], 'time'> & { readonly time_us: number }

/** State of an alert after its first steps. */
function stateAfter(db: AnyDb, steps: readonly Step[]): Pick<AlertRow, 'state' | 'snoozed_until_us'> {
  const last = steps.at(-1)
  const decided = steps.findLast((step) => step.what === 'acknowledged' || step.what === 'resolved')
  const until =
    last?.what === 'snoozed'
      ? db.prepare<[number], string>("SELECT json_extract(data, '$.until') FROM event WHERE seq = ?").pluck().get(last.seq)
      : undefined
  return {
    state: decided?.what === 'acknowledged' || decided?.what === 'resolved' ? decided.what : 'open',
    snoozed_until_us: until === undefined ? null : Date.parse(until) * 1000
  }
}

/** One alert with its history up to a tree size. */
function alertOf(db: AnyDb, payloads: PayloadReader, row: AlertRow, size = Number.MAX_SAFE_INTEGER): DriftAlert {
  const steps = db
    .prepare<[string], Step>('SELECT seq, time_us, what, actor, note FROM alert_step WHERE alert = ? ORDER BY seq')
    .all(row.id)
    .filter((step) => step.seq < size)
  const { state, snoozed_until_us } = row.changed_seq < size ? row : stateAfter(db, steps)
  const body = bodyOf(payloads, row.seq) as Partial<AlertBody>
  return {
    id: row.id,
    seq: row.seq,
    timestamp: isoMs(row.time_us),
    model: row.model,
    source: row.source,
    state,
    drift_score: row.score,
    drifted_features: row.features,
    features: [...(body.features ?? [])],
    look_seq: row.look,
    baseline_id: row.baseline,
    snoozed_until: snoozed_until_us === null ? null : isoMs(snoozed_until_us),
    history: steps.map(({ time_us, ...step }) => ({ ...step, time: isoMs(time_us) }))
  }
}

/** Alerts, newest first. */
export function listAlerts(db: AnyDb, payloads: PayloadReader, filter: AlertFilter): DriftAlert[] {
  const where: string[] = ['1']
  const params: (string | number)[] = []
  const add = (sql: string, value: string | number | undefined) => {
    if (value === undefined) return
    where.push(sql)
    params.push(value)
  }
  add('id = ?', filter.id)
  add('id IN (SELECT value FROM json_each(?))', filter.ids && JSON.stringify(filter.ids))
  add('state = ?', filter.state)
  add('time_us >= ?', filter.from)
  add('time_us < ?', filter.to)
  add('model = ?', filter.model)
  add('source = ?', filter.source)
  add("instr(',' || features || ',', ',' || ? || ',') > 0", filter.feature)
  add('seq < ?', filter.beforeSeq)
  return db
    .prepare<(string | number)[], AlertRow>(`SELECT * FROM alert WHERE ${where.join(' AND ')} ORDER BY seq DESC LIMIT ?`)
    .all(...params, filter.limit)
    .map((row) => alertOf(db, payloads, row, filter.size))
}

/** Alerts whose last change is a later leaf, in order of change: what a stream sends next. */
export const alertsAfter = (db: AnyDb, payloads: PayloadReader, seq: number, limit: number): { seq: number; alert: DriftAlert }[] =>
  db
    .prepare<[number, number], AlertRow>('SELECT * FROM alert WHERE changed_seq > ? ORDER BY changed_seq LIMIT ?')
    .all(seq, limit)
    .map((row) => ({ seq: row.changed_seq, alert: alertOf(db, payloads, row) }))

/** A webhook as its leaves say. */
export type ListedWebhook = Omit<Webhook, 'delivery'>

/** Webhooks, oldest first. */
export const listWebhooks = (db: AnyDb): ListedWebhook[] =>
  db
    .prepare<[], { id: string; url: string; enabled: number; time_us: number; actor: string }>(
      'SELECT id, url, enabled, time_us, actor FROM webhook ORDER BY seq'
    )
    .all()
    .map(({ time_us, enabled, ...row }) => ({ ...row, enabled: enabled === 1, added: isoMs(time_us) }))

/** An alert that is open or acknowledged: its series opens no second one against the same baseline. */
export interface Episode {
  readonly id: string
  readonly model: string
  readonly source: string
  readonly baseline: string
}

/** Every alert that is not resolved, newest first, without its content. */
export const openEpisodes = (db: AnyDb): Episode[] =>
  db.prepare<[], Episode>("SELECT id, model, source, baseline FROM alert WHERE state <> 'resolved' ORDER BY seq DESC").all()

/**
 * Alerts whose rest is over at a time, and when the next rest ends; microseconds. A rest that begins further ahead than it is long was set by a
 * clock that was ahead, and is over too.
 */
export function snoozes(db: AnyDb, nowUs: number): { readonly due: string[]; readonly next: number | null } {
  const rows = db
    .prepare<[], { id: string; since: number; until: number }>(`
SELECT alert.id, alert_step.time_us AS since, snoozed_until_us AS until
FROM alert
JOIN alert_step ON alert_step.seq = alert.changed_seq
WHERE snoozed_until_us IS NOT NULL
  AND state <> 'resolved'
ORDER BY snoozed_until_us`)
    .all()
  const over = ({ since, until }: (typeof rows)[number]): boolean => until <= nowUs || since - nowUs >= until - since
  return { due: rows.filter(over).map((row) => row.id), next: rows.find((row) => !over(row))?.until ?? null }
}

/** Counts and mean score over all alerts; the mean of none is 0. */
export function alertCounts(db: AnyDb): { readonly total: number; readonly open: number; readonly score: number } {
  const row = db
    .prepare<[], { total: number; open: number | null; score: number | null }>(
      "SELECT count(*) AS total, sum(state = 'open') AS open, avg(score) AS score FROM alert"
    )
    .get()
  return { total: row?.total ?? 0, open: row?.open ?? 0, score: row?.score ?? 0 }
}

interface BaselineRow {
  readonly id: string
  readonly seq: number
  readonly time_us: number
  readonly actor: string
  readonly model: string
  readonly source: string
  readonly records: number
  readonly to_seq: number
  readonly hash: string
  readonly name: string
  readonly query: string
  readonly from_us: number | null
  readonly to_us: number | null
}

/** `to_seq`: the records of the baseline lie before this leaf. */
export type StoredBaseline = Baseline & { readonly to_seq: number }

/** Baselines, newest first; the newest of a series is active. */
export function listBaselines(db: AnyDb): StoredBaseline[] {
  const seen = new Set<string>()
  return db
    .prepare<[], BaselineRow>('SELECT * FROM baseline ORDER BY seq DESC')
    .all()
    .map((row) => {
      const series = JSON.stringify([row.model, row.source])
      const active = !seen.has(series)
      seen.add(series)
      return {
        id: row.id,
        kind: 'baseline' as const,
        seq: row.seq,
        name: row.name,
        model: row.model,
        source: row.source,
        query: row.query,
        records: row.records,
        from: row.from_us === null ? null : isoMs(row.from_us),
        to: row.to_us === null ? null : isoMs(row.to_us),
        hash: row.hash,
        set_at: isoMs(row.time_us),
        actor: row.actor,
        active,
        to_seq: row.to_seq
      }
    })
}
