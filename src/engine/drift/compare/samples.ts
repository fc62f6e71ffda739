// SPDX-License-Identifier: Apache-2.0
// The records of a selection in one pass over the catalog: values of every feature, and counts by segment.

import type { DriftFeature } from '../../../shared/contract/drift.ts'
import { segmentFields } from '../../../shared/contract/drift-compare.ts'
import { AffidavitError } from '../../../shared/contract/errors.ts'
import type { FilterExpression } from '../../../shared/filter/filter.ts'
import { type CountTable, countTableOfRows } from '../../../shared/stats/count-table.ts'
import { filterSql } from '../../catalog/filter-sql.ts'
import { isoMs } from '../../catalog/rows.ts'
import { NOT_RESTRICTED } from '../../catalog/windows.ts'
import type { AnyDb } from '../../sqlite/open.ts'
import { type ParameterCounts, ParameterTally } from './parameters.ts'

export type SegmentField = (typeof segmentFields)[number]
export type TokenBasis = 'total' | 'output'
export type ValueFeature = Exclude<DriftFeature, 'error_rate'>

/** Which records. */
export interface Selection {
  readonly filter: FilterExpression
  /** Leaves before this one. */
  readonly at: number
  /** Records of this filter are left out. */
  readonly except?: FilterExpression | undefined
}

/** One value of a field. */
export interface SegmentSample {
  readonly records: number
  readonly errors: number
  readonly ended: number
  /** The earliest claimed start, microseconds. */
  readonly first: number
  /** Values of the wanted feature; empty for error_rate. */
  readonly table: CountTable
}

/** What one pass gathers. */
export interface Sample {
  readonly records: number
  readonly from: string | null
  readonly to: string | null
  readonly errors: number
  readonly ended: number
  readonly tables: Readonly<Record<ValueFeature, CountTable>>
  /** Fields with more than MOST_VALUES values are left out. */
  readonly segments: ReadonlyMap<SegmentField, ReadonlyMap<string, SegmentSample>>
  readonly parameters: ParameterCounts
}

/** Most values of a field that is cut into segments. */
export const MOST_VALUES = 12
/** Rows between two questions whether the caller still waits. */
const SLICE = 10_000

interface Row {
  readonly time_us: number
  readonly latency: number | null
  readonly input: number | null
  readonly output: number | null
  readonly chars: number | null
  readonly status: string
  readonly served: string | null
  readonly finish: string | null
  readonly error: string | null
  readonly operation: string
  readonly provider: string
  readonly model: string
  readonly source: string
  readonly params: string | null
}

type Counts = Map<number, number>
interface Gathering {
  records: number
  errors: number
  ended: number
  first: number
  readonly counts: Counts
}

/** The sum of two counts may be no safe integer: it is no value here, as in the windows of looks. */
const add = (counts: Counts, value: number | null): void => {
  if (value !== null && Number.isSafeInteger(value)) counts.set(value, (counts.get(value) ?? 0) + 1)
}

/** The condition of a selection. */
export function selectionSql({ filter, at, except }: Selection): { readonly where: string; readonly params: (string | number)[] } {
  const main = filterSql(filter)
  const where = [main.where, NOT_RESTRICTED, 'r.seq < ?']
  const params = [...main.params, at]
  if (except) {
    const out = filterSql(except)
    // A comparison with an unknown value is unknown, not false: without ifnull it would leave the record out.
    where.push(`NOT ifnull(${out.where}, 0)`)
    params.push(...out.params)
  }
  return { where: where.join(' AND '), params }
}

/** The basis of token_usage that most records of a selection have. */
export function tokenBasis(db: AnyDb, selection: Selection): TokenBasis {
  const { where, params } = selectionSql(selection)
  const row = db
    .prepare<(string | number)[], { both: number | null; single: number | null }>(`
SELECT sum(r.input_tokens IS NOT NULL AND r.output_tokens IS NOT NULL) AS both,
  sum(r.input_tokens IS NULL AND r.output_tokens IS NOT NULL) AS single
FROM record r
WHERE ${where}`)
    .get(...params)
  const both = row?.both ?? 0
  return both > 0 && both >= (row?.single ?? 0) ? 'total' : 'output'
}

/** Tokens of a record on a basis; null when they are not known on it. */
const tokensOf = (row: Row, basis: TokenBasis): number | null => {
  if (row.output === null) return null
  if (basis === 'total') return row.input === null ? null : row.input + row.output
  return row.input === null ? row.output : null
}

/** @throws AffidavitError cancelled */
export function sampleOf(
  db: AnyDb,
  selection: Selection,
  wanted: { readonly feature: DriftFeature; readonly basis: TokenBasis },
  cancelled: () => boolean
): Sample {
  const { where, params } = selectionSql(selection)
  const rows = db.prepare<(string | number)[], Row>(`
SELECT r.time_us, (r.latency_us + 500) / 1000 AS latency, r.input_tokens AS input, r.output_tokens AS output,
  r.response_chars AS chars, r.status, r.served, r.finish, r.error_type AS error, r.operation, r.provider, r.model, r.source, r.params
FROM record r
WHERE ${where}`)
  const all: Record<ValueFeature, Counts> = { latency: new Map(), token_usage: new Map(), response_length: new Map() }
  const segments = new Map<SegmentField, Map<string, Gathering> | null>(segmentFields.map((field) => [field, new Map()]))
  const parameters = new ParameterTally()
  let records = 0
  let errors = 0
  let ended = 0
  let first: number | undefined
  let last: number | undefined
  for (const row of rows.iterate(...params)) {
    if (++records % SLICE === 0 && cancelled()) throw new AffidavitError('cancelled', 'cancelled')
    const isError = row.status === 'error' ? 1 : 0
    const isEnded = row.status === 'incomplete' ? 0 : 1
    errors += isError
    ended += isEnded
    parameters.add(row.params, row.time_us)
    if (first === undefined || row.time_us < first) first = row.time_us
    if (last === undefined || row.time_us > last) last = row.time_us
    const values = { latency: row.latency, token_usage: tokensOf(row, wanted.basis), response_length: row.chars }
    add(all.latency, values.latency)
    add(all.token_usage, values.token_usage)
    add(all.response_length, values.response_length)
    const value = wanted.feature === 'error_rate' ? null : values[wanted.feature]
    for (const [field, known] of segments) {
      if (known === null) continue
      const name = row[field] ?? 'none'
      let part = known.get(name)
      if (part === undefined) {
        if (known.size === MOST_VALUES) {
          segments.set(field, null)
          continue
        }
        part = { records: 0, errors: 0, ended: 0, first: row.time_us, counts: new Map() }
        known.set(name, part)
      }
      part.records++
      part.errors += isError
      part.ended += isEnded
      part.first = Math.min(part.first, row.time_us)
      add(part.counts, value)
    }
  }
  const finished = new Map<SegmentField, ReadonlyMap<string, SegmentSample>>()
  for (const [field, known] of segments) {
    if (known === null) continue
    const parts = [...known].map(([name, { counts, ...rest }]): readonly [string, SegmentSample] => [
      name,
      { ...rest, table: countTableOfRows(counts) }
    ])
    finished.set(field, new Map(parts))
  }
  return {
    records,
    from: first === undefined ? null : isoMs(first),
    to: last === undefined ? null : isoMs(last),
    errors,
    ended,
    tables: {
      latency: countTableOfRows(all.latency),
      token_usage: countTableOfRows(all.token_usage),
      response_length: countTableOfRows(all.response_length)
    },
    segments: finished,
    parameters: parameters.done()
  }
}
