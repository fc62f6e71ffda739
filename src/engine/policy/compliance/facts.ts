// SPDX-License-Identifier: Apache-2.0
// Gathers what the compliance view is judged from, on a reader thread.
import type { Processing, Verification } from '../../../shared/contract/compliance.ts'
import type { LeafData, RequestKind } from '../../../shared/evidence/leaf-data.ts'
import type { LeafType } from '../../../shared/evidence/leaf-types.ts'
import { leafTypes } from '../../../shared/evidence/leaf-types.ts'
import type { ComplianceFacts, RequirementMark, Seen } from '../../../shared/policy/facts.ts'
import { type RequirementId, requirementIds } from '../../../shared/policy/requirement-ids.ts'
import { FLOOR_DAYS, type Period } from '../../../shared/policy/retention.ts'
import { widestAnchor } from '../../anchors/listings.ts'
import { checkAnchor } from '../../anchors/outside.ts'
import { phraseOf } from '../../catalog/full-text.ts'
import { bodyOf } from '../../catalog/project-event.ts'
import { isoMs } from '../../catalog/rows.ts'
import { completenessIn } from '../../integrity/gaps.ts'
import { recipientsToTell } from '../../privacy/recipients.ts'
import type { AnyDb } from '../../sqlite/open.ts'
import type { ReaderContext } from '../../threads/reader-context.ts'
import { keptOf, schedulesOf } from '../retention-view.ts'

/** What only the engine's own thread knows. */
export interface LiveFacts
  extends Pick<
    ComplianceFacts,
    | 'now'
    | 'created'
    | 'size'
    | 'checkpoint'
    | 'second_copy'
    | 'second_copy_note'
    | 'problem'
    | 'keys'
    | 'heartbeats'
    | 'unread'
    | 'look_every_minutes'
    | 'verify_every_hours'
  > {}

const DAY_US = 86_400_000_000
const WINDOW_DAYS = 30

/** Verifications on record, newest first; with a scope, only those. */
export function verificationsOf(db: AnyDb, limit: number, scope?: Verification['scope']): Verification[] {
  const rows = db
    .prepare<{ limit: number; scope: string | null }, { seq: number; time_us: number; actor: string; data: string }>(`
SELECT seq, time_us, actor, data
FROM event
WHERE type = 'verify.run'
  AND ($scope IS NULL OR json_extract(data, '$.scope') = $scope)
ORDER BY seq DESC
LIMIT $limit`)
    .all({ limit, scope: scope ?? null })
  return rows.map(({ seq, time_us, actor, data }) => {
    const { scope, verdict, size, faults } = JSON.parse(data) as LeafData<'verify.run'>
    return { seq, time: isoMs(time_us), actor, scope, verdict, size, faults }
  })
}

/** When the whole workspace was last verified to the end, whoever asked for it; its leaf and its time in microseconds, null when never. */
export const lastVerified = (db: AnyDb): { readonly seq: number; readonly time_us: number } | null =>
  db
    .prepare<[], { seq: number; time_us: number }>(`
SELECT seq, time_us
FROM event
WHERE type = 'verify.run'
  AND json_extract(data, '$.scope') = 'workspace'
  AND json_extract(data, '$.verdict') IN ('intact', 'damaged')
ORDER BY seq DESC
LIMIT 1`)
    .get() ?? null

function eventsOf(db: AnyDb): Partial<Record<LeafType, Seen>> {
  const newest = db.prepare<[string], { n: number; seq: number | null }>(`
SELECT count(*) AS n, max(seq) AS seq
FROM event
WHERE type = ?
  AND (type <> 'restore.done' OR json_extract(data, '$.verdict') = 'matches')
  AND (type <> 'export.created' OR json_extract(data, '$.bundle_sha256') IS NOT NULL)`)
  const time = db.prepare<[number], number>('SELECT time_us FROM event WHERE seq = ?').pluck()
  const events: Partial<Record<LeafType, Seen>> = {}
  for (const type of leafTypes) {
    const row = newest.get(type)
    if (row && row.seq !== null) events[type] = { count: row.n, seq: row.seq, last: isoMs(time.get(row.seq) ?? 0) }
  }
  return events
}

/** Services are `http` and `client:NAME`; whoever else is not the engine is a person. */
const actsOf = (db: AnyDb): number =>
  db
    .prepare<[], number>(`
SELECT count(*)
FROM event
WHERE type IN ('record.viewed', 'search.run', 'setting.changed', 'export.created')
  AND actor NOT IN ('engine', 'http')
  AND actor NOT GLOB 'client:*'`)
    .pluck()
    .get() ?? 0

/** The register with its clock: a request is late from the day after its day on, also once it was answered. */
function requestsIn(db: AnyDb, now: string): ComplianceFacts['requests'] {
  const count = db.prepare<[string, string, string], { open: number; overdue: number; late: number }>(`
SELECT
  ifnull(sum(state = 'open'), 0) AS open,
  ifnull(sum(state = 'open' AND due < ?), 0) AS overdue,
  ifnull(sum(state IN ('done', 'refused') AND date(closed_us / 1000000, 'unixepoch') > due AND due >= date(?, '-1 year')), 0) AS late
FROM request
WHERE kind = ?`)
  const today = now.slice(0, 10)
  const of = (kind: RequestKind) => count.get(today, today, kind) ?? { open: 0, overdue: 0, late: 0 }
  return { access: of('access'), erasure: of('erasure'), restriction: of('restriction'), rectification: of('rectification') }
}

/** The newest `setting.changed` leaf of each name that begins so, with its body. */
function notesOf(context: ReaderContext, prefix: string) {
  const rows = context.catalog
    .prepare<[string], { name: string; seq: number; time_us: number; actor: string }>(`
SELECT json_extract(data, '$.name') AS name, max(seq) AS seq, time_us, actor
FROM event
WHERE type = 'setting.changed'
  AND json_extract(data, '$.name') GLOB ?
GROUP BY name`)
    .all(`${prefix}*`)
  return rows.map((row) => ({ ...row, key: row.name.slice(prefix.length), body: bodyOf(context.payloads, row.seq) }))
}

/** What people noted on requirements. */
export function marksOf(context: ReaderContext): Partial<Record<RequirementId, RequirementMark>> {
  const marks: Partial<Record<RequirementId, RequirementMark>> = {}
  for (const { key, seq, time_us, actor, body } of notesOf(context, 'requirement.')) {
    const id = requirementIds.find((one) => one === key)
    if (!id) continue
    const { reason, document, document_sha256, applies } = body
    marks[id] = {
      applies: applies !== false,
      reason: typeof reason === 'string' ? reason : '',
      document: typeof document === 'string' ? document : null,
      document_sha256: typeof document_sha256 === 'string' ? document_sha256 : null,
      by: actor,
      seq,
      time: isoMs(time_us)
    }
  }
  return marks
}

const nothingStated: Processing = { controller: '', contact: '', officer: '', purposes: '', subjects: '', transfers: '' }

/** What the firm stated for its record of processing; empty texts when nothing. */
export function statedOf(context: ReaderContext): Processing {
  const body = notesOf(context, 'processing.').find((one) => one.key === 'stated')?.body ?? {}
  const text = (name: keyof Processing): string => (typeof body[name] === 'string' ? body[name] : '')
  return {
    ...nothingStated,
    controller: text('controller'),
    contact: text('contact'),
    officer: text('officer'),
    purposes: text('purposes'),
    subjects: text('subjects'),
    transfers: text('transfers')
  }
}

function recordsOf(db: AnyDb, nowUs: number): ComplianceFacts['records'] {
  const total = db.prepare<[], { n: number; newest: number | null }>('SELECT count(*) AS n, max(seq) AS newest FROM record').get()
  const oldest = db.prepare<[], { seq: number; time_us: number }>('SELECT seq, time_us FROM record ORDER BY time_us, seq LIMIT 1').get()
  const counted = db
    .prepare<[], { prompt: number | null; served: number | null; automated: number | null }>(
      "SELECT sum(preview <> '') AS prompt, sum(served IS NOT NULL) AS served, sum(channel <> 'file') AS automated FROM record"
    )
    .get()
  const unanswered = db
    .prepare<[number], number>("SELECT count(*) FROM record WHERE time_us >= ? AND status IN ('aborted', 'incomplete')")
    .pluck()
    .get(nowUs - DAY_US)
  return {
    count: total?.n ?? 0,
    newest: total?.newest ?? null,
    oldest: oldest ? { seq: oldest.seq, time: isoMs(oldest.time_us) } : null,
    with_prompt: counted?.prompt ?? 0,
    with_served: counted?.served ?? 0,
    automated: counted?.automated ?? 0,
    unanswered_day: unanswered ?? 0,
    sources: db.prepare<[], number>('SELECT count(DISTINCT source) FROM series').pluck().get() ?? 0
  }
}

function verifiedOf(db: AnyDb, createdUs: number, nowUs: number): ComplianceFacts['verified'] {
  const since = Math.max(createdUs, nowUs - WINDOW_DAYS * DAY_US)
  const rows = db
    .prepare<[number], { seq: number; time_us: number; data: string }>(
      "SELECT seq, time_us, data FROM event WHERE type = 'verify.run' AND time_us >= ? ORDER BY seq"
    )
    .all(since)
    .map((row) => ({ ...row, ...(JSON.parse(row.data) as LeafData<'verify.run'>) }))
    .filter((row) => row.scope === 'workspace' && row.verdict !== 'cancelled')
  const [last] = verificationsOf(db, 1, 'workspace')
  const intact = new Set(rows.filter((row) => row.verdict === 'intact').map((row) => isoMs(row.time_us).slice(0, 10)))
  return {
    days: intact.size,
    of_days: Math.max(1, Math.floor(nowUs / DAY_US) - Math.floor(since / DAY_US) + 1),
    faulty: rows.filter((row) => row.verdict !== 'intact').length,
    last: last ? { seq: last.seq, time: last.time, verdict: last.verdict, size: last.size, faults: last.faults } : null
  }
}

async function anchorOf(context: ReaderContext): Promise<ComplianceFacts['anchor']> {
  const anchor = widestAnchor(context.catalog)
  if (!anchor) return null
  const { size, time, kind } = anchor
  return { size, time, kind: kind === 'rfc3161' ? 'timestamp by an authority' : 'witness', ...(await checkAnchor(context, anchor)) }
}

/** Looks for the oldest record with a text by the longest words of its beginning, as a person would. */
function searchNow(db: AnyDb): ComplianceFacts['search'] {
  const oldest = db
    .prepare<[], { rid: number; preview: string }>("SELECT rid, preview FROM record WHERE preview <> '' ORDER BY time_us, seq LIMIT 1")
    .get()
  const words = oldest?.preview.match(/[\p{L}\p{N}]{3,}/gu) ?? []
  if (oldest === undefined || words.length === 0) return null
  // The last word of a preview may be cut.
  const asked = words
    .slice(0, Math.max(1, words.length - 1))
    .sort((a, b) => b.length - a.length)
    .slice(0, 3)
  const started = performance.now()
  const hit = db
    .prepare<[string, number], number>('SELECT rowid FROM record_text WHERE record_text MATCH ? AND rowid = ?')
    .pluck()
    .get(asked.map(phraseOf).join(' '), oldest.rid)
  return { ms: performance.now() - started, found: hit === oldest.rid }
}

function drillOf(db: AnyDb): number | null {
  const data = db
    .prepare<[], string>(
      "SELECT data FROM event WHERE type = 'export.created' AND json_extract(data, '$.bundle_sha256') IS NOT NULL ORDER BY seq DESC LIMIT 1"
    )
    .pluck()
    .get()
  return data === undefined
    ? null
    : ((JSON.parse(data) as Exclude<LeafData<'export.created'>, { readonly kind: string }>).duration_ms ?? null)
}

const yearsOf = ({ years, months, days }: Period): number => years + months / 12 + days / 365.25

function scheduleOf(context: ReaderContext): ComplianceFacts['schedule'] {
  const last = schedulesOf(context).at(-1)
  if (!last) return null
  const years = last.rules.map((rule) => yearsOf(rule.period))
  const time = context.catalog.prepare<[number], number>('SELECT time_us FROM event WHERE seq = ?').pluck().get(last.seq)
  return {
    seq: last.seq,
    time: isoMs(time ?? 0),
    rules: last.rules.length,
    longest_years: Math.max(0, ...years),
    shortest_years: years.length === 0 ? 0 : Math.min(...years)
  }
}

function keptNow(context: ReaderContext, seq: number): ComplianceFacts['kept'] {
  const [kept] = keptOf(context, [seq])
  const appended = context.catalog.prepare<[number], number>('SELECT appended_us FROM record WHERE seq = ?').pluck().get(seq)
  if (!kept || appended === undefined) return null
  return { seq, text: kept.text, floor: kept.until === null || Date.parse(kept.until) * 1000 >= appended + FLOOR_DAYS * DAY_US - 1000 }
}

/** Everything the compliance view rests on. */
export async function complianceFacts(context: ReaderContext, live: LiveFacts): Promise<ComplianceFacts> {
  const { catalog } = context
  const nowUs = Date.parse(live.now) * 1000
  const since = nowUs - WINDOW_DAYS * DAY_US
  const records = recordsOf(catalog, nowUs)
  const stated = statedOf(context)
  const alerts = catalog
    .prepare<[], { total: number; answered: number | null }>("SELECT count(*) AS total, sum(state <> 'open') AS answered FROM alert")
    .get()
  const past = completenessIn(catalog, { fromUs: since, toUs: nowUs })
  return {
    ...live,
    events: eventsOf(catalog),
    records,
    search: searchNow(catalog),
    acts: actsOf(catalog),
    requests: requestsIn(catalog, live.now),
    erasing: catalog.prepare<[], number>('SELECT count(*) FROM erasure WHERE done_seq IS NULL').pluck().get() ?? 0,
    recipients: recipientsToTell(context),
    drill_ms: drillOf(catalog),
    verified: verifiedOf(catalog, Date.parse(live.created) * 1000, nowUs),
    anchor: await anchorOf(context),
    gaps: past.gaps,
    disposed: past.disposed,
    lost: past.lost,
    alerts: { total: alerts?.total ?? 0, answered: alerts?.answered ?? 0 },
    baselines: catalog.prepare<[], number>('SELECT count(*) FROM (SELECT DISTINCT model, source FROM baseline)').pluck().get() ?? 0,
    schedule: scheduleOf(context),
    kept: records.oldest === null ? null : keptNow(context, records.oldest.seq),
    marks: marksOf(context),
    processing_stated: [stated.controller, stated.contact, stated.purposes, stated.subjects].every((text) => text.trim() !== '')
  }
}
