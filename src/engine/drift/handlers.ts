// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto'
import type { Baseline, DriftAlert, DriftFeature, DriftLook, DriftSeries, VerdictNumbers } from '../../shared/contract/drift.ts'
import { AffidavitError } from '../../shared/contract/errors.ts'
import type { Settings } from '../../shared/contract/workspace.ts'
import type { BaselineBody, LookBody } from '../../shared/event/drift-bodies.ts'
import type { FilterExpression } from '../../shared/filter/filter.ts'
import { formatFilter } from '../../shared/filter/format.ts'
import { filterOf } from '../catalog/handlers.ts'
import type { WindowTables } from '../catalog/windows.ts'
import type { Caller, Handlers } from '../handlers.ts'
import type { AppendResult, LeafDraft } from '../ledger/draft.ts'
import type { Projector } from '../threads/projector.ts'
import type { ReaderPool } from '../threads/reader-pool.ts'
import { alertDraft, bodyPart, judge, type LookInput, lookDraft, settingsBody } from './look.ts'
import { driftVerdict } from './verdict.ts'
import { windowBody } from './windows.ts'

export interface DriftDeps {
  readonly pool: ReaderPool
  readonly projector: Projector
  readonly ledgerSize: () => number
  readonly append: (drafts: readonly LeafDraft[]) => Promise<readonly AppendResult[]>
  readonly settings: () => Settings
  readonly onAlert: (alert: DriftAlert) => void
}

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
  | 'drift.resolve'

export interface DriftEngine {
  readonly handlers: Handlers<DriftOperation>
  /** The look of the schedule: only what was appended since the last look; nothing when nothing was. */
  scheduledLook(caller: Caller): Promise<DriftLook | null>
  /** The newest alerts in the short form of the statistics routes. */
  recentAlerts(): Promise<RecentAlert[]>
}

interface RecentAlert {
  readonly id: string
  readonly timestamp: string
  readonly drift_score: number
  readonly drifted_features: string
}

/** How far back a series' own history counts (DRIFT step 6). */
const HISTORY_MS = 28 * 86_400_000
const PATIENCE_MS = 2_000
const RECENT = 10

type StoredBaseline = Baseline & { readonly to_seq: number }

const micros = (text: string | undefined): number | undefined => (text === undefined ? undefined : Date.parse(text) * 1000)
const encodeCursor = (seq: number): string => Buffer.from(`a${seq}`, 'latin1').toString('base64url')

function decodeCursor(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const match = /^a(\d{1,15})$/.exec(Buffer.from(text, 'base64url').toString('latin1'))
  if (!match) throw new AffidavitError('invalid_cursor', 'this cursor was not given by a query')
  return Number(match[1])
}

const brief = (alert: DriftAlert): RecentAlert => ({
  id: alert.id,
  timestamp: alert.timestamp,
  drift_score: alert.drift_score,
  drifted_features: alert.drifted_features
})

/** Baselines, looks, alerts. Everything it knows is in leaves; nothing is kept only in memory. */
export function driftEngine(deps: DriftDeps): DriftEngine {
  const { pool, projector } = deps
  let looking = false
  const caughtUp = () => projector.waitFor(deps.ledgerSize(), PATIENCE_MS)
  const baselines = async (): Promise<StoredBaseline[]> => {
    await caughtUp()
    return pool.run('baselines', {})
  }
  const alerts = async (filter: Parameters<typeof pool.run<'alerts'>>[1]) => {
    await caughtUp()
    return pool.run('alerts', filter)
  }
  const baselineBody = async (baseline: Baseline): Promise<BaselineBody> => {
    const body = (await pool.run('leafBody', { seq: baseline.seq })) as unknown as Partial<BaselineBody>
    if (!body.window) throw new AffidavitError('payload_missing', 'the tables of this baseline cannot be opened')
    return body as BaselineBody
  }
  const window = (selection: Parameters<typeof pool.run<'countTables'>>[1]['selection'], basis?: WindowTables['tokenBasis']) =>
    pool.run('countTables', { selection, ...(basis === undefined ? {} : { basis }) })
  const one = async (id: string): Promise<DriftAlert> => {
    const [alert] = await alerts({ id, limit: 1 })
    if (!alert) throw new AffidavitError('not_found', 'there is no such alert')
    return alert
  }

  const look = async (
    caller: Caller,
    trigger: 'person' | 'schedule',
    filter: FilterExpression,
    fromSeq: number | undefined
  ): Promise<DriftLook> => {
    if (looking) throw new AffidavitError('busy', 'another look is under way')
    looking = true
    try {
      const active = (await baselines()).filter((baseline) => baseline.active)
      if (active.length === 0) throw new AffidavitError('nothing_selected', 'no series has a baseline yet: pin one first')
      const toSeq = deps.ledgerSize()
      const inputs: LookInput[] = []
      for (const baseline of active) {
        const reference = await baselineBody(baseline)
        const except = { filter: filterOf(baseline.query), toSeq: baseline.to_seq }
        const tables = await window(
          { filter, model: baseline.model, source: baseline.source, fromSeq, toSeq, except },
          reference.window.token_basis
        )
        const { to_seq: _, ...shown } = baseline
        inputs.push({ model: baseline.model, source: baseline.source, baseline: shown, reference, current: windowBody(tables) })
      }
      const history = await pool.run('seriesHistories', { sinceUs: (Date.now() - HISTORY_MS) * 1000 })
      const judged = judge(inputs, history, settingsBody(deps.settings()), formatFilter(filter))
      const { draft, id } = lookDraft(judged, caller.actor, trigger, { from: fromSeq ?? 0, to: toSeq })
      const [written] = await deps.append([draft])
      const lookSeq = written?.seq ?? 0
      const latched = await alerts({ limit: 1000 })
      const fresh = judged.alarms.filter(
        (alarm) =>
          !latched.some(
            (alert) =>
              alert.state !== 'resolved' &&
              alert.model === alarm.model &&
              alert.source === alarm.source &&
              alert.baseline_id === alarm.baseline
          )
      )
      const opened = fresh.map((alarm) => alertDraft(alarm, caller.actor, lookSeq))
      if (opened.length > 0) await deps.append(opened.map((one) => one.draft))
      for (const { id: alertId } of opened) deps.onAlert(await one(alertId))
      const { result } = judged
      return {
        seq: lookSeq,
        id,
        time: new Date().toISOString(),
        trigger,
        tests: result.tests,
        collecting: result.verdicts.length - result.tests,
        alarmed: result.alarms,
        level: result.level,
        threshold: result.threshold,
        series: judged.body.series.map((series) => ({
          model: series.model,
          source: series.source,
          baseline_id: series.baseline_id,
          numbers: series.verdicts.map((verdict) => verdict.numbers)
        })),
        opened: opened.map((one) => one.id)
      }
    } finally {
      looking = false
    }
  }

  const change = async (id: string, note: string, type: 'drift.ack' | 'drift.resolve', caller: Caller): Promise<DriftAlert> => {
    const alert = await one(id)
    if (alert.state === 'resolved') throw new AffidavitError('conflict', 'this alert is resolved already')
    if (type === 'drift.ack' && alert.state === 'acknowledged') throw new AffidavitError('conflict', 'this alert is acknowledged already')
    // The note is free text: it goes into the body, never into the leaf.
    await deps.append([
      { type, actor: caller.actor, data: { alert_id: id, alert: alert.seq }, parts: note === '' ? [] : [bodyPart({ note }).part] }
    ])
    const changed = await one(id)
    deps.onAlert(changed)
    return changed
  }

  const verdictOf = async (lookSeq: number, alertId: string | null, model: string, source: string, feature: DriftFeature) => {
    const [body, leaf, all] = await Promise.all([
      pool.run('leafBody', { seq: lookSeq }) as unknown as Promise<Partial<LookBody>>,
      pool.run('leafData', { seq: lookSeq }),
      baselines()
    ])
    const series = body.series?.find((one) => one.model === model && one.source === source)
    const numbers = series?.verdicts.find((one) => one.numbers.feature === feature)?.numbers
    const baseline = all.find((one) => one.id === series?.baseline_id)
    if (!series || !numbers || !baseline || !body.settings || !leaf) throw new AffidavitError('not_found', 'there is no such verdict')
    const data = leaf.data as { body_sha256: string; threshold: string; level: string; tests: number; from_seq: number; to_seq: number }
    const { to_seq: _, ...shown } = baseline
    return driftVerdict(
      {
        alertId,
        look: {
          seq: lookSeq,
          time: leaf.ts,
          sha256: data.body_sha256,
          threshold: Number(data.threshold),
          level: Number(data.level),
          tests: data.tests,
          fromSeq: data.from_seq,
          toSeq: data.to_seq
        },
        body: body as LookBody,
        series,
        baseline: shown,
        reference: await baselineBody(baseline),
        feature
      },
      numbers
    )
  }

  const recentAlerts = async (): Promise<RecentAlert[]> => (await alerts({ limit: RECENT })).map(brief)

  const handlers: Handlers<DriftOperation> = {
    'drift.series': async () => {
      const known = (await baselines()).filter((baseline) => baseline.active)
      const [series, verdicts, open, last] = await Promise.all([
        pool.run('series', {}),
        pool.run('latestVerdicts', {}),
        alerts({ limit: 1000 }),
        pool.run('lastLook', {})
      ])
      const minutes = deps.settings().look_every_minutes
      const lastMs = last ? last.time_us / 1000 : null
      return {
        series: series.map((row): DriftSeries => {
          const baseline = known.find((one) => one.model === row.model && one.source === row.source)
          const verdict = verdicts.find((one) => one.model === row.model && one.source === row.source)
          const alert = open.find((one) => one.model === row.model && one.source === row.source && one.state !== 'resolved')
          const numbers: VerdictNumbers[] = verdict?.numbers ?? []
          const tested = numbers.filter((one) => one.state === 'tested')
          const state = !baseline
            ? 'no_baseline'
            : alert
              ? 'alarmed'
              : !verdict
                ? 'not_looked'
                : tested.length === 0
                  ? 'collecting'
                  : 'quiet'
          return {
            model: row.model,
            source: row.source,
            records: row.records,
            first: row.first,
            last: row.last,
            state,
            baseline_id: baseline?.id ?? null,
            alert_id: alert?.id ?? null,
            score: tested.length === 0 ? null : Math.max(...tested.map((one) => one.l ?? 0)),
            numbers,
            looked_at: verdict?.time ?? null
          }
        }),
        last_look: lastMs === null ? null : new Date(lastMs).toISOString(),
        next_look: minutes === 0 || known.length === 0 ? null : new Date((lastMs ?? Date.now()) + minutes * 60_000).toISOString()
      }
    },
    'drift.alerts': async ({ limit, cursor, from, to, ...rest }) => {
      const found = await alerts({ ...rest, from: micros(from), to: micros(to), beforeSeq: decodeCursor(cursor), limit: limit + 1 })
      const page = found.slice(0, limit)
      const last = page.at(-1)
      return { alerts: page, next_cursor: found.length > limit && last ? encodeCursor(last.seq) : null }
    },
    'drift.statistics': async () => {
      await caughtUp()
      const counts = await pool.run('alertCounts', {})
      return {
        total_alerts: counts.total,
        unacknowledged_alerts: counts.open,
        avg_drift_score: counts.score,
        recent_alerts: await recentAlerts()
      }
    },
    'drift.verdict': async (input) => {
      if ('alert_id' in input) {
        const alert = await one(input.alert_id)
        return verdictOf(alert.look_seq, alert.id, alert.model, alert.source, input.feature)
      }
      await caughtUp()
      const latest = (await pool.run('latestVerdicts', {})).find((row) => row.model === input.model && row.source === input.source)
      if (!latest) throw new AffidavitError('not_found', 'this series has not been looked at yet')
      return verdictOf(latest.look, null, input.model, input.source, input.feature)
    },
    'drift.baselines': async () => ({ baselines: (await baselines()).map(({ to_seq: _, ...baseline }) => baseline) }),
    'drift.baseline_preview': async ({ query }) => {
      const filter = filterOf(query)
      await caughtUp()
      const tables = await window({ filter })
      const sum = (counts: readonly number[]): number => counts.reduce((total, n) => total + n, 0)
      return {
        query: formatFilter(filter),
        records: tables.records,
        from: tables.from,
        to: tables.to,
        per_feature: {
          latency: sum(tables.latency.counts),
          token_usage: sum(tables.token_usage.counts),
          response_length: sum(tables.response_length.counts),
          error_rate: tables.records
        }
      }
    },
    'drift.set_baseline': async ({ name, query, model, source }, caller) => {
      const filter = filterOf(query)
      await caughtUp()
      const toSeq = deps.ledgerSize()
      const tables = await window({ filter, toSeq })
      if (tables.records === 0) throw new AffidavitError('nothing_selected', 'this filter selects no record: nothing to pin')
      const body: BaselineBody = { name, query: formatFilter(filter), from: tables.from, to: tables.to, window: windowBody(tables) }
      const { part, sha256 } = bodyPart(body)
      const id = randomUUID()
      await deps.append([
        {
          type: 'baseline.set',
          actor: caller.actor,
          data: { baseline_id: id, model, source, records: tables.records, to_seq: toSeq, body_sha256: sha256 },
          parts: [part]
        }
      ])
      const found = (await baselines()).find((baseline) => baseline.id === id)
      if (!found) throw new AffidavitError('busy', 'the baseline is on record; its listing follows in a moment')
      const { to_seq: _, ...shown } = found
      return shown
    },
    'drift.look': async ({ from, to }, caller) => {
      const start = micros(from)
      const end = micros(to)
      const filter: FilterExpression =
        start === undefined && end === undefined
          ? { terms: [] }
          : { terms: [{ kind: 'time', ...(start === undefined ? {} : { from: start }), ...(end === undefined ? {} : { to: end }) }] }
      return look(caller, 'person', filter, undefined)
    },
    'drift.acknowledge': async ({ id, note }, caller) => change(id, note, 'drift.ack', caller),
    'drift.resolve': async ({ id, note }, caller) => change(id, note, 'drift.resolve', caller)
  }

  return {
    handlers,
    recentAlerts,
    scheduledLook: async (caller) => {
      const last = await pool.run('lastLook', {})
      if (!(await baselines()).some((baseline) => baseline.active)) return null
      const from = last?.to_seq ?? 0
      const newest = await pool.run('series', {})
      if (!newest.some((series) => series.lastSeq >= from)) return null
      return look(caller, 'schedule', { terms: [] }, from)
    }
  }
}
