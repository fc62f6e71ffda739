// SPDX-License-Identifier: Apache-2.0
// Windows of the drift engine: exact count tables of whole numbers, straight from the catalog.
import type { FilterExpression } from '../../shared/filter/filter.ts'
import type { AnyDb } from '../sqlite/open.ts'
import { filterSql } from './filter-sql.ts'
import { isoMs } from './rows.ts'

export interface WindowSelection {
  readonly filter: FilterExpression
  /** Series asked for; the model is the one that was requested. */
  readonly model?: string | undefined
  readonly source?: string | undefined
  /** Leaves from this seq on. */
  readonly fromSeq?: number | undefined
  /** Leaves before this seq. */
  readonly toSeq?: number | undefined
  /** Records that this filter selects below `toSeq` are left out: the baseline itself. */
  readonly except?: { readonly filter: FilterExpression; readonly toSeq: number } | undefined
}

/** Distinct values in order, with their counts. */
export interface ValueCounts {
  readonly values: readonly number[]
  readonly counts: readonly number[]
}

/** `total`: input + output tokens; `output`: output tokens alone. Windows of different basis are never compared. */
export type TokenBasis = 'total' | 'output'

export interface WindowTables {
  readonly records: number
  readonly from: string | null
  readonly to: string | null
  readonly fromSeq: number | null
  readonly toSeq: number | null
  /** Whole milliseconds. */
  readonly latency: ValueCounts
  readonly token_usage: ValueCounts
  readonly tokenBasis: TokenBasis
  /** Records left out of token_usage because only the other basis is known of them. */
  readonly otherBasis: number
  readonly response_length: ValueCounts
  readonly errors: number
  /** Records that have ended, whichever way: what errors are counted out of. */
  readonly ended: number
}

/** Count tables of the records that a selection holds. @param basis of token_usage; the one most records have when not given */
export function countTables(db: AnyDb, selection: WindowSelection, basis?: TokenBasis): WindowTables {
  const { where, params } = conditionOf(selection)
  const summary = db
    .prepare<
      (string | number)[],
      {
        n: number
        errors: number | null
        ended: number | null
        first: number | null
        last: number | null
        low: number | null
        high: number | null
        both: number | null
        single: number | null
      }
    >(`
SELECT count(*) AS n, sum(r.status = 'error') AS errors, sum(r.status <> 'incomplete') AS ended,
  min(r.time_us) AS first, max(r.time_us) AS last, min(r.seq) AS low, max(r.seq) AS high,
  sum(r.input_tokens IS NOT NULL AND r.output_tokens IS NOT NULL) AS both,
  sum(r.input_tokens IS NULL AND r.output_tokens IS NOT NULL) AS single
FROM record r
WHERE ${where}`)
    .get(...params)
  const both = summary?.both ?? 0
  const single = summary?.single ?? 0
  const tokenBasis: TokenBasis = basis ?? (both >= single && both > 0 ? 'total' : 'output')
  const tokens =
    tokenBasis === 'total'
      ? { value: 'r.input_tokens + r.output_tokens', known: 'r.input_tokens IS NOT NULL AND r.output_tokens IS NOT NULL' }
      : { value: 'r.output_tokens', known: 'r.input_tokens IS NULL AND r.output_tokens IS NOT NULL' }
  const table = (value: string, known: string): ValueCounts => {
    const rows = db
      .prepare<(string | number)[], { v: number; c: number }>(`
SELECT ${value} AS v, count(*) AS c
FROM record r
WHERE ${where}
  AND ${known}
GROUP BY v
ORDER BY v`)
      .all(...params)
    return { values: rows.map((row) => row.v), counts: rows.map((row) => row.c) }
  }
  return {
    records: summary?.n ?? 0,
    from: summary?.first == null ? null : isoMs(summary.first),
    to: summary?.last == null ? null : isoMs(summary.last),
    fromSeq: summary?.low ?? null,
    toSeq: summary?.high == null ? null : summary.high + 1,
    latency: table('(r.latency_us + 500) / 1000', 'r.latency_us IS NOT NULL'),
    token_usage: table(tokens.value, tokens.known),
    tokenBasis,
    otherBasis: tokenBasis === 'total' ? single : both,
    response_length: table('r.response_chars', 'r.response_chars IS NOT NULL'),
    errors: summary?.errors ?? 0,
    ended: summary?.ended ?? 0
  }
}

function conditionOf(selection: WindowSelection): { where: string; params: (string | number)[] } {
  const main = filterSql(selection.filter)
  const where = [main.where]
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
  if (selection.except) {
    const out = filterSql(selection.except.filter)
    // A comparison with an unknown value is unknown, not false: without ifnull it would leave the record out.
    where.push(`NOT ifnull(r.seq < ? AND ${out.where}, 0)`)
    params.push(selection.except.toSeq, ...out.params)
  }
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

/** Every (model, source) on record, most records first. */
export const listSeries = (db: AnyDb): SeriesRow[] =>
  db
    .prepare<[], { model: string; source: string; n: number; first_us: number; last_us: number; last_seq: number }>(
      'SELECT model, source, n, first_us, last_us, last_seq FROM series ORDER BY n DESC, model, source LIMIT 1000'
    )
    .all()
    .map((row) => ({
      model: row.model,
      source: row.source,
      records: row.n,
      first: isoMs(row.first_us),
      last: isoMs(row.last_us),
      lastSeq: row.last_seq
    }))
