// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto'
import { AffidavitError } from '../../shared/contract/errors.ts'
import { whoMay } from '../../shared/contract/permissions.ts'
import type { PrivacySettings } from '../../shared/contract/privacy.ts'
import { type FilterExpression, fromQueryBody } from '../../shared/filter/filter.ts'
import { formatFilter } from '../../shared/filter/format.ts'
import { parseFilter } from '../../shared/filter/parse.ts'
import { Continuations } from '../activity/continuations.ts'
import type { Caller, Handlers } from '../handlers.ts'
import { bodyPart } from '../ledger/body-part.ts'
import type { LeafDraft } from '../ledger/draft.ts'
import type { Projector } from '../threads/projector.ts'
import type { ReaderPool } from '../threads/reader-pool.ts'
import { asksForRestricted } from './filter-sql.ts'
import type { ResultSet } from './results.ts'

export interface CatalogDeps {
  readonly pool: ReaderPool
  readonly projector: Projector
  readonly ledgerSize: () => number
  /** Appends a leaf that a read leaves behind; null when the workspace is read-only. */
  readonly record: (draft: LeafDraft) => Promise<number | null>
  /** What is masked in a record that is shown. */
  readonly privacy: () => PrivacySettings
  /** Whether somebody may see records that are restricted. */
  readonly seesRestricted: (caller: Caller) => boolean
  /** Whether somebody may see who read what. In a review everybody: a bundle holds only what goes out with it. */
  readonly seesReads: (caller: Caller) => boolean
  readonly recentAlerts: () => Promise<
    readonly { readonly id: string; readonly timestamp: string; readonly drift_score: number; readonly drifted_features: string }[]
  >
}

/** Results kept open at once; the least recently used one goes. */
const MOST_HANDLES = 32
/** How long a read waits for what was acknowledged before it (ARCHITECTURE, read your writes). */
const PATIENCE_MS = 2_000

/** The filter of a text. @throws AffidavitError invalid_filter, with the position of the fault */
export function filterOf(text: string): FilterExpression {
  const result = parseFilter(text)
  if (!result.ok)
    throw new AffidavitError('invalid_filter', result.problem.message, { position: result.problem.position, problem: result.problem.code })
  return result.filter
}

const micros = (text: string | undefined): number | undefined => (text === undefined ? undefined : Date.parse(text) * 1000)

/** Says that a record is restricted, to whoever may not see it. */
export const restricted = (): AffidavitError =>
  new AffidavitError('forbidden', `restricted records are not shown (GDPR 18): ${whoMay('privacy')}`, { permission: 'privacy' })

const expired = (): AffidavitError => new AffidavitError('handle_expired', 'this result is no longer kept: run the query again')

/**
 * The leaf of a search: what was searched is in its body, because a search text may name a person.
 * @param against the other filter of a comparison
 */
export const searchDraft = (caller: Caller, query: string, matched: number, against?: string): LeafDraft => ({
  type: 'search.run',
  actor: caller.actor,
  data: { matched },
  parts: [bodyPart(against === undefined ? { query } : { query, against }).part]
})

/** Queries over the catalog: result sets, records, statistics, dashboard. */
export function catalogHandlers(
  deps: CatalogDeps
): Handlers<
  | 'records.open'
  | 'records.page'
  | 'records.locate'
  | 'records.close'
  | 'records.facets'
  | 'records.get'
  | 'records.life'
  | 'records.query'
  | 'records.statistics'
  | 'workspace.dashboard'
  | 'export.list'
> {
  const { pool, projector } = deps
  const results = new Map<string, ResultSet & { readonly owner: string }>()
  const continuations = new Continuations()

  const caughtUp = async () => {
    const size = deps.ledgerSize()
    const applied = await projector.waitFor(size, PATIENCE_MS)
    return { applied_seq: Math.max(0, applied - 1), acknowledged_seq: Math.max(0, size - 1) }
  }
  /** @throws AffidavitError forbidden: the filter asks for what the caller may not see */
  const mayAsk = (filter: FilterExpression, caller: Caller): boolean => {
    const sees = deps.seesRestricted(caller)
    if (!sees && asksForRestricted(filter)) throw restricted()
    return sees
  }
  /** A result is only for whoever ran the query: the next person at the same window runs it again, and that is recorded. */
  const resultOf = (handle: string, caller: Caller): ResultSet => {
    const set = results.get(handle)
    if (set?.owner !== caller.actor.ref) throw expired()
    results.delete(handle)
    results.set(handle, set)
    return set
  }

  return {
    'records.open': async ({ query, sort }, caller) => {
      const filter = filterOf(query)
      const seesRestricted = mayAsk(filter, caller)
      const seen = await caughtUp()
      const opened = await pool.run('openResult', { filter, sort, seesRestricted }, { signal: caller.signal })
      const handle = randomUUID()
      results.set(handle, { count: opened.count, rids: opened.rids, descending: opened.descending, owner: caller.actor.ref })
      for (const old of results.keys()) {
        if (results.size <= MOST_HANDLES) break
        results.delete(old)
      }
      const canonical = formatFilter(filter)
      await deps.record(searchDraft(caller, canonical, opened.count))
      return {
        handle,
        query: canonical,
        count: opened.count,
        total: opened.total,
        took_ms: opened.took_ms,
        ...seen,
        rail: [...opened.rail]
      }
    },
    'records.page': async ({ handle, offset, limit }, caller) => ({
      offset,
      rows: (await pool.run('pageOf', { set: resultOf(handle, caller), offset, limit }, { signal: caller.signal })).map((row) => {
        // Restricted since the query ran: positions stand, so the page as a whole is of no use any more.
        if (row.restricted && !deps.seesRestricted(caller)) throw expired()
        return row
      })
    }),
    'records.locate': async ({ handle, seq }, caller) => ({ offset: await pool.run('locate', { set: resultOf(handle, caller), seq }) }),
    'records.close': async ({ handle }) => {
      results.delete(handle)
      return {}
    },
    'records.facets': async () => {
      await caughtUp()
      return pool.run('facets', {})
    },
    'records.get': async ({ seq }, caller) => {
      await caughtUp()
      const detail = await pool.run('recordDetail', { seq, privacy: deps.privacy() })
      if (!detail) {
        const disposal = await pool.run('disposedBy', { seq })
        throw disposal === null
          ? new AffidavitError('not_found', 'there is no such record')
          : new AffidavitError('erased', `this record was disposed of after its retention, by event ${disposal}`, { disposal })
      }
      if (detail.row.restricted && !deps.seesRestricted(caller)) throw restricted()
      const view_seq = await deps.record({ type: 'record.viewed', actor: caller.actor, data: { seq }, parts: [] })
      return { ...detail, view_seq }
    },
    'records.life': async ({ seq }, caller) => {
      await caughtUp()
      const found = await pool.run('recordLife', { seq, reads: deps.seesReads(caller) }, { signal: caller.signal })
      if (!found) throw new AffidavitError('not_found', 'there is no such record')
      const { restricted: kept, ...life } = found
      if (kept && !deps.seesRestricted(caller)) throw restricted()
      // The same view as that of the record beside it, where this comes within a minute.
      if (kept !== null) await deps.record({ type: 'record.viewed', actor: caller.actor, data: { seq }, parts: [] })
      return life
    },
    'records.query': async (input, caller) => {
      const filter = fromQueryBody(input)
      const seesRestricted = deps.seesRestricted(caller)
      const seen = await caughtUp()
      const page = await pool.run(
        'queryRecords',
        { filter, limit: input.limit, cursor: input.cursor, seesRestricted },
        { signal: caller.signal }
      )
      const canonical = formatFilter(filter)
      const search = [caller.actor.ref, seesRestricted, canonical]
      if (input.cursor === undefined || !continuations.has(search, input.cursor))
        await deps.record(searchDraft(caller, canonical, page.records.length))
      if (page.next_cursor !== null) continuations.give(search, page.next_cursor)
      return { records: [...page.records], next_cursor: page.next_cursor, ...seen }
    },
    'records.statistics': async ({ from, to }) => {
      const seen = await caughtUp()
      const statistics = await pool.run('rangeStatistics', { from: micros(from), to: micros(to) })
      return {
        ...statistics,
        total_requests: statistics.count + statistics.in_flight,
        recent_alerts: [...(await deps.recentAlerts())],
        ...seen
      }
    },
    'workspace.dashboard': async ({ from, to, bins }) => {
      const seen = await caughtUp()
      const dashboard = await pool.run('dashboard', { from: micros(from), to: micros(to), bins })
      return { ...dashboard, applied_seq: seen.applied_seq }
    },
    'export.list': async () => {
      await caughtUp()
      return { exports: await pool.run('exports', {}) }
    }
  }
}
