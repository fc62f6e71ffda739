// SPDX-License-Identifier: Apache-2.0
// Windows of the drift engine: exact count tables of whole numbers, straight from the catalog's records.
import type { WindowBody } from '../../shared/event/drift-bodies.ts'
import type { FilterExpression } from '../../shared/filter/filter.ts'
import { inRanges, type SeqRange } from '../../shared/policy/ranges.ts'
import type { AnyDb } from '../sqlite/open.ts'
import { filterSql } from './filter-sql.ts'
import { isoMs } from './rows.ts'
import { type Counted, Tally, type TokenBasis, windowBody } from './tally.ts'

export interface WindowSelection {
  readonly filter: FilterExpression
  /** Series asked for; the model is the one that was requested. */
  readonly model?: string | undefined
  readonly source?: string | undefined
  /** Leaves from this seq on. */
  readonly fromSeq?: number | undefined
  /** Leaves before this seq. */
  readonly toSeq?: number | undefined
}

type Row = readonly [
  number,
  number,
  string,
  number | null,
  number | null,
  number | null,
  number | null,
  string | null,
  string | null,
  string | null
]

/** The columns of a record that a tally counts, in the order of {@link countedOf}. */
const COUNTED = 'r.seq, r.time_us, r.status, r.latency_us, r.input_tokens, r.output_tokens, r.response_chars, r.finish, r.served, r.script'

const countedOf = ([seq, time, status, latency, input, output, chars, finish, served, script]: Row): Counted => ({
  seq,
  time,
  status,
  latency,
  input,
  output,
  chars,
  finish,
  served,
  script
})

/** Counts the records that a selection holds, in one pass. @param except ascending runs of leaves that are left out */
export function tallyOf(db: AnyDb, selection: WindowSelection, except: readonly SeqRange[] = []): Tally {
  const { where, params } = conditionOf(selection)
  const rows = db.prepare<(string | number)[], Row>(`SELECT ${COUNTED} FROM record r WHERE ${where}`).raw()
  const tally = new Tally()
  for (const row of rows.iterate(...params)) if (!inRanges(except, row[0])) tally.add(countedOf(row))
  return tally
}

/** Count tables of the records that a selection holds. @param basis of token_usage; the one most records have when not given */
export const countTables = (db: AnyDb, selection: WindowSelection, basis?: TokenBasis): WindowBody =>
  windowBody(tallyOf(db, selection), basis)

/** Reads leaves in a range once and hands each record to whoever counts its series. */
export function eachRecord(db: AnyDb, selection: WindowSelection, take: (model: string, source: string, record: Counted) => void): void {
  const { where, params } = conditionOf(selection)
  const rows = db
    .prepare<(string | number)[], [string, string, ...Row]>(`SELECT r.model, r.source, ${COUNTED} FROM record r WHERE ${where}`)
    .raw()
  for (const [model, source, ...row] of rows.iterate(...params)) take(model, source, countedOf(row))
}

/** Restricted records are counted in no window (GDPR 18(2)). */
export const NOT_RESTRICTED = 'r.restricted = 0'

function conditionOf(selection: WindowSelection): { where: string; params: (string | number)[] } {
  const main = filterSql(selection.filter)
  const where = [main.where, NOT_RESTRICTED]
  const params = [...main.params]
  const add = (sql: string, value: string | number | undefined) => {
    if (value === undefined) return
    where.push(sql)
    params.push(value)
  }
  // New leaves of a series are few: the plus keeps SQLite from reading the whole series by its index instead.
  const plain = (selection.fromSeq ?? 0) === 0
  add(plain ? 'r.model = ?' : '+r.model = ?', selection.model)
  add(plain ? 'r.source = ?' : '+r.source = ?', selection.source)
  add('r.seq >= ?', selection.fromSeq)
  add('r.seq < ?', selection.toSeq)
  return { where: where.join('\n  AND '), params }
}

export interface SeriesRow {
  readonly model: string
  readonly source: string
  readonly records: number
  readonly first: string
  readonly last: string
  readonly lastSeq: number
}

/** Every (model, source) on record, most records first; at most a thousand unless told otherwise. */
export const listSeries = (db: AnyDb, limit = 1000): SeriesRow[] =>
  db
    .prepare<[number], { model: string; source: string; n: number; first_us: number; last_us: number; last_seq: number }>(
      'SELECT model, source, n, first_us, last_us, last_seq FROM series ORDER BY n DESC, model, source LIMIT ?'
    )
    .all(limit)
    .map((row) => ({
      model: row.model,
      source: row.source,
      records: row.n,
      first: isoMs(row.first_us),
      last: isoMs(row.last_us),
      lastSeq: row.last_seq
    }))
