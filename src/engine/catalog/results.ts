// SPDX-License-Identifier: Apache-2.0
// Result sets: a query runs once and leaves the ids of its rows; the grid then asks for rows by position. Never OFFSET.
import type { RecordRow, SortOrder } from '../../shared/contract/record.ts'
import type { FilterExpression } from '../../shared/filter/filter.ts'
import { type AnyDb, prepared } from '../sqlite/open.ts'
import { filterSql, searched } from './filter-sql.ts'
import { isoMs, type StoredRecord, sealedSize, toRow } from './rows.ts'

/** Rows of a result in order. `rids` null: all records in order of arrival, where position is arithmetic. */
export interface ResultSet {
  readonly count: number
  readonly rids: Uint32Array | null
  readonly descending: boolean
}

export interface OpenedResult extends ResultSet {
  readonly total: number
  readonly took_ms: number
  readonly rail: readonly { readonly offset: number; readonly seq: number; readonly timestamp: string }[]
}

const RAIL = 65

const order: Record<SortOrder['by'], string> = {
  seq: 'r.rid',
  time: 'r.time_us',
  latency: 'r.latency_us',
  tokens: '(ifnull(r.input_tokens, 0) + ifnull(r.output_tokens, 0))'
}

const lastRid = (db: AnyDb): number => db.prepare<[], number>('SELECT ifnull(max(rid), 0) FROM record').pluck().get() ?? 0

/** Whether records were disposed of: positions are no arithmetic then. */
const hasHoles = (db: AnyDb): boolean => db.prepare<[], number>('SELECT 1 FROM disposed LIMIT 1').pluck().get() !== undefined

/** Records that are restricted now. */
export const countRestricted = (db: AnyDb): number =>
  db.prepare<[], number>('SELECT count(*) FROM record WHERE restricted <> 0').pluck().get() ?? 0

/** The rid at a position. */
export function ridAt(set: ResultSet, offset: number): number {
  if (set.rids) return set.rids[offset] ?? 0
  return set.descending ? set.count - offset : offset + 1
}

/** Runs a filter once. The ids live in shared memory, so that any reader can page them. */
export function openResult(db: AnyDb, filter: FilterExpression, sort: SortOrder, seesRestricted: boolean): OpenedResult {
  const started = performance.now()
  const last = lastRid(db)
  const holes = hasHoles(db)
  const hidden = seesRestricted ? 0 : countRestricted(db)
  const all = (holes ? (db.prepare<[], number>('SELECT count(*) FROM record').pluck().get() ?? 0) : last) - hidden
  const descending = sort.dir === 'desc'
  const set =
    filter.terms.length === 0 && sort.by === 'seq' && !holes && hidden === 0
      ? { count: all, rids: null, descending }
      : select(db, filter, sort, last, seesRestricted)
  const rail = railOf(db, set)
  return { ...set, total: all, took_ms: performance.now() - started, rail }
}

function select(db: AnyDb, filter: FilterExpression, sort: SortOrder, upTo: number, seesRestricted: boolean): ResultSet {
  const { where, params } = filterSql(filter)
  const dir = sort.dir === 'desc' ? 'DESC' : 'ASC'
  const nulls = sort.by === 'latency' ? `${order.latency} IS NULL, ` : ''
  const rows = db
    .prepare<(string | number)[], number>(`
SELECT r.rid
FROM record r
WHERE r.rid <= ?
  AND ${searched(filter, where, seesRestricted)}
ORDER BY ${nulls}${order[sort.by]} ${dir}, r.rid ${dir}`)
    .pluck()
    .all(upTo, ...params)
  const rids = new Uint32Array(new SharedArrayBuffer(rows.length * 4))
  rids.set(rows)
  return { count: rows.length, rids, descending: sort.dir === 'desc' }
}

function railOf(db: AnyDb, set: ResultSet): OpenedResult['rail'] {
  if (set.count === 0) return []
  const find = db.prepare<[number], { seq: number; time_us: number }>('SELECT seq, time_us FROM record WHERE rid = ?')
  const marks = Math.min(RAIL, set.count)
  const rail: { offset: number; seq: number; timestamp: string }[] = []
  for (let i = 0; i < marks; i++) {
    const offset = marks === 1 ? 0 : Math.round((i * (set.count - 1)) / (marks - 1))
    const row = find.get(ridAt(set, offset))
    if (row) rail.push({ offset, seq: row.seq, timestamp: isoMs(row.time_us) })
  }
  return rail
}

/** Rows by position. */
export function pageOf(db: AnyDb, ledger: AnyDb, set: ResultSet, offset: number, limit: number): RecordRow[] {
  const find = prepared<[number], StoredRecord>(db, 'SELECT * FROM record WHERE rid = ?')
  const sealed = sealedSize(ledger)
  const rows: RecordRow[] = []
  // One read transaction: outside of one each row would take a lock of its own, which costs more than the row.
  db.transaction(() => {
    for (let i = offset; i < Math.min(set.count, offset + limit); i++) {
      const record = find.get(ridAt(set, i))
      if (record) rows.push(toRow(record, sealed))
    }
  })()
  return rows
}

/** Position of a leaf in a result; null when it is not in it. */
export function locate(db: AnyDb, set: ResultSet, seq: number): number | null {
  const rid = db.prepare<[number], number>('SELECT rid FROM record WHERE seq = ?').pluck().get(seq)
  if (rid === undefined) return null
  if (set.rids) {
    const at = set.rids.indexOf(rid)
    return at < 0 ? null : at
  }
  if (rid > set.count) return null
  return set.descending ? set.count - rid : rid - 1
}
