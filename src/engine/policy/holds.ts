// SPDX-License-Identifier: Apache-2.0
// Which records are held. Runs on reader threads; what a hold is about is read from its encrypted body each time.
import type { Hold, HoldScope } from '../../shared/contract/retention.ts'
import type { Leaf } from '../../shared/evidence/leaf.ts'
import type { LeafData } from '../../shared/evidence/leaf-data.ts'
import { withoutChanging } from '../../shared/filter/filter.ts'
import { parseFilter } from '../../shared/filter/parse.ts'
import { normaliseIdentifier } from '../../shared/privacy/kinds.ts'
import { filterSql, type SqlCondition } from '../catalog/filter-sql.ts'
import { bodyOf } from '../catalog/project-event.ts'
import { isoMs } from '../catalog/rows.ts'
import { wrappersAmong } from '../catalog/wrappers.ts'
import type { ReaderContext } from '../threads/reader-context.ts'
import { identifiersOn, subjectsOf } from './record-subjects.ts'

/** A hold that is not released, with the seqs it keeps among those asked about. */
export interface HeldBy {
  readonly id: string
  /** The leaf that placed it. */
  readonly seq: number
  readonly matter: string
  readonly seqs: readonly number[]
}

interface StoredHold {
  readonly id: string
  readonly seq: number
  readonly time_us: number
  readonly actor: string
  readonly future: number
  readonly released_seq: number | null
  readonly released_us: number | null
  readonly released_by: string | null
}

interface HoldBody {
  readonly matter: string
  readonly reason: string
  readonly scope: HoldScope
}

const held = ({ payloads }: ReaderContext, seq: number): HoldBody => bodyOf(payloads, seq) as unknown as HoldBody

/** A filter that no longer parses would hold nothing: then everything is held, until a person looks. */
const everything: SqlCondition = { where: '1', params: [] }

/** A review, a correction or a restriction of a record must not take it from a hold: terms that name them are left out. */
function conditionOf(scope: Exclude<HoldScope, { kind: 'seqs' | 'subject' }>): SqlCondition {
  if (scope.kind === 'filter') {
    const parsed = parseFilter(scope.query)
    return parsed.ok ? filterSql(withoutChanging(parsed.filter)) : everything
  }
  const from = Date.parse(scope.from) * 1000
  const to = scope.to === undefined ? Number.MAX_SAFE_INTEGER : Date.parse(scope.to) * 1000
  // By either time: a claimed start is a claim, and a hold leaves nothing out on the word of a client.
  return {
    where: '((r.time_us >= ? AND r.time_us < ?) OR (r.appended_us >= ? AND r.appended_us < ?))',
    params: [from, to, from, to]
  }
}

/** Seqs in [first, end) of records, and of wrappers unless a filter of records says which, that a scope covers, ascending. */
function covered(context: ReaderContext, scope: HoldScope, first: number, end: number): number[] {
  const { catalog } = context
  if (scope.kind === 'seqs') return scope.seqs.filter((seq) => seq >= first && seq < end).sort((a, b) => a - b)
  if (scope.kind === 'subject') return ofSubject(context, scope.subject, first, end)
  const { where, params } = conditionOf(scope)
  const seqsIn = (table: string): number[] =>
    catalog
      .prepare<(string | number)[], number>(`SELECT r.seq FROM ${table} r WHERE r.seq >= ? AND r.seq < ? AND ${where} ORDER BY r.seq`)
      .pluck()
      .all(first, end, ...params)
  if (scope.kind === 'filter') return seqsIn('record')
  return [...seqsIn('record'), ...seqsIn('(SELECT * FROM aside WHERE wrapper = 1)')].sort((a, b) => a - b)
}

/**
 * What is about a subject in [first, end): all that the subject index finds for the identifier, and the conversations of that name, as recorded and
 * as corrected since.
 */
function ofSubject(context: ReaderContext, subject: string, first: number, end: number): number[] {
  const { catalog, subjectKey } = context
  const named = catalog
    .prepare<[Buffer, number, number], number>('SELECT seq FROM subject_key WHERE key = ? AND seq >= ? AND seq < ?')
    .pluck()
    .all(subjectKey(subject), first, end)
  const spoken = catalog
    .prepare<[string, number, number, string, number, number], number>(`
SELECT seq FROM record WHERE conversation = ? AND seq >= ? AND seq < ?
UNION ALL
SELECT seq FROM aside WHERE conversation = ? AND seq >= ? AND seq < ?`)
    .pluck()
    .all(subject, first, end, subject, first, end)
  const corrected = catalog
    .prepare<[number, number], number>(`
SELECT DISTINCT json_extract(data, '$.record')
FROM event
WHERE type = 'record.corrected'
  AND json_extract(data, '$.record') >= ?
  AND json_extract(data, '$.record') < ?`)
    .pluck()
    .all(first, end)
    .filter((seq) => subjectsOf(context, seq).includes(subject))
  return [...new Set([...named, ...spoken, ...corrected])].sort((a, b) => a - b)
}

/** Records that a scope covers now, and how many of these are wrappers. */
export function countCovered(
  context: ReaderContext,
  scope: HoldScope,
  end: number = Number.MAX_SAFE_INTEGER
): { readonly records: number; readonly wrappers: number } {
  const seqs = covered(context, scope, 0, end)
  return { records: seqs.length, wrappers: wrappersAmong(context.catalog, seqs).length }
}

const endOf = (row: StoredHold): number => (row.future === 1 ? Number.MAX_SAFE_INTEGER : row.seq)

/** The holds on some leaves, released ones left out: what is in the answer may be neither disposed of nor erased. */
export function holdsOn(context: ReaderContext, seqs: readonly number[]): HeldBy[] {
  if (seqs.length === 0) return []
  const wanted = new Set(seqs)
  let first = Number.MAX_SAFE_INTEGER
  let last = 0
  for (const seq of seqs) {
    first = Math.min(first, seq)
    last = Math.max(last, seq)
  }
  // A request is held with the call it began, whose leaf comes later.
  const requests = new Map<number, number>()
  const calls = context.catalog
    .prepare<[number, number], { seq: number; request_seq: number }>(
      'SELECT seq, request_seq FROM record WHERE request_seq >= ? AND request_seq <= ?'
    )
    .all(first, last)
  for (const { seq, request_seq } of calls) {
    if (!wanted.has(request_seq)) continue
    requests.set(seq, request_seq)
    last = Math.max(last, seq)
  }
  const found: HeldBy[] = []
  for (const row of context.catalog.prepare<[], StoredHold>('SELECT * FROM hold WHERE released_seq IS NULL ORDER BY seq').all()) {
    const { scope, matter } = held(context, row.seq)
    const seqsHeld = covered(context, scope, first, Math.min(last + 1, endOf(row)))
      .flatMap((seq) => [seq, requests.get(seq)])
      .filter((seq): seq is number => seq !== undefined && wanted.has(seq))
    if (seqsHeld.length > 0) found.push({ id: row.id, seq: row.seq, matter, seqs: seqsHeld })
  }
  return found
}

/** Holds that cover or covered a record, by the leaves that placed and released them, oldest first. */
export function holdsOver(
  context: ReaderContext,
  seq: number
): { readonly placed: number; readonly released: number | null; readonly matter: string }[] {
  return context.catalog
    .prepare<[], StoredHold>('SELECT * FROM hold ORDER BY seq')
    .all()
    .flatMap((row) => {
      // A hold on what comes after it reaches no further than its release.
      const end = Math.min(endOf(row), row.released_seq ?? Number.MAX_SAFE_INTEGER)
      const { scope, matter } = held(context, row.seq)
      return covered(context, scope, seq, Math.min(seq + 1, end)).length === 0
        ? []
        : [{ placed: row.seq, released: row.released_seq, matter }]
    })
}

/** What an intent that is under way would still destroy, and the holds on it. */
export interface HeldIntent {
  /** Leaves whose content is still there. */
  readonly live: readonly number[]
  readonly holds: readonly HeldBy[]
}

/**
 * The holds on what an erasure or a disposal is about to destroy, though the catalog has let go of it with the intent: times and subjects are
 * read from the leaves and their contents. A search cannot be made any more, so a hold by search that was placed since counts for all of it.
 * @param since the leaf from which on holds were not looked at when the intent was written
 */
export function holdsOnIntent(context: ReaderContext, seqs: readonly number[], since: number): HeldIntent {
  const { catalog, ledger, payloads } = context
  const rows = catalog.prepare<[], StoredHold>('SELECT * FROM hold WHERE released_seq IS NULL ORDER BY seq').all()
  if (rows.length === 0) return { live: [], holds: [] }
  payloads.forget()
  const identifiersIn = identifiersOn(context)
  const isLive = (seq: number): boolean => payloads.ciphertext(seq) !== undefined && payloads.key(seq)?.some((byte) => byte !== 0) === true
  const live = seqs.filter(isLive)
  const bytesOf = ledger.prepare<[number], Buffer>('SELECT bytes FROM leaf WHERE seq = ?').pluck()
  const leafOf = (seq: number): Leaf | undefined => {
    const bytes = bytesOf.get(seq)
    return bytes && (JSON.parse(bytes.toString('utf8')) as Leaf)
  }
  /** A correction is held with its record, whether that is still there or not. */
  const recordOf = (seq: number): number => {
    const leaf = leafOf(seq)
    return leaf?.type === 'record.corrected' ? (leaf.data as LeafData<'record.corrected'>).record : seq
  }
  const timesOf = (seq: number): number[] => {
    const leaf = leafOf(seq)
    if (!leaf) return []
    const { ts, start_us } = leaf
    const appended = Date.parse(ts) * 1000
    return [appended, start_us ?? appended]
  }
  const keeps = (row: StoredHold, scope: HoldScope): ((seq: number) => boolean) => {
    switch (scope.kind) {
      case 'seqs': {
        const named = new Set(scope.seqs)
        return (seq) => named.has(recordOf(seq))
      }
      case 'time': {
        const from = Date.parse(scope.from) * 1000
        const to = scope.to === undefined ? Number.MAX_SAFE_INTEGER : Date.parse(scope.to) * 1000
        return (seq) => timesOf(recordOf(seq)).some((us) => us >= from && us < to)
      }
      case 'subject': {
        const subject = normaliseIdentifier(scope.subject)
        const names = (seq: number): boolean =>
          subjectsOf(context, seq).includes(scope.subject) || identifiersIn(seq).some((one) => normaliseIdentifier(one) === subject)
        return (seq) => names(seq) || (recordOf(seq) !== seq && names(recordOf(seq)))
      }
      case 'filter':
        return () => row.seq >= since
    }
  }
  const holds = rows.flatMap((row) => {
    const { scope, matter } = held(context, row.seq)
    const keep = keeps(row, scope)
    const kept = live.filter((seq) => seq < endOf(row) && keep(seq))
    return kept.length === 0 ? [] : [{ id: row.id, seq: row.seq, matter, seqs: kept }]
  })
  return { live, holds }
}

/** All holds, newest first, with what they keep now. */
export function listHolds(context: ReaderContext): Hold[] {
  const { catalog } = context
  const asked = new Set(
    catalog
      .prepare<[], number>("SELECT seq FROM approval WHERE action = 'hold_release' AND state = 'asked'")
      .pluck()
      .all()
      .map((seq) => bodyOf(context.payloads, seq).hold_id)
  )
  return catalog
    .prepare<[], StoredHold>('SELECT * FROM hold ORDER BY seq DESC')
    .all()
    .map((row) => {
      const { matter, reason, scope } = held(context, row.seq)
      const released = row.released_seq !== null
      return {
        id: row.id,
        seq: row.seq,
        placed: isoMs(row.time_us),
        placed_by: row.actor,
        matter,
        reason,
        scope,
        future: row.future === 1,
        ...(released ? { records: 0, wrappers: 0 } : countCovered(context, scope, endOf(row))),
        state: released ? 'released' : asked.has(row.id) ? 'release_asked' : 'held',
        released: row.released_us === null ? null : isoMs(row.released_us),
        released_by: row.released_by
      }
    })
}
