// SPDX-License-Identifier: Apache-2.0
import type { Dashboard } from '../../shared/contract/workspace.ts'
import type { AnyDb } from '../sqlite/open.ts'
import { type Histogram, mergeHistogram, quantiles } from './histogram.ts'
import { newestRecords } from './record-query.ts'
import { isoMs } from './rows.ts'

export interface RangeStatistics {
  readonly count: number
  readonly by_status: Record<string, number>
  readonly in_flight: number
  readonly avg_processing_time_ms: number
}

/** Exact counts and mean over ended, not restricted records whose timestamp is in [from, to), microseconds (PRODUCT, HTTP interface). */
export function rangeStatistics(db: AnyDb, from: number | undefined, to: number | undefined): RangeStatistics {
  const rows = db
    .prepare<{ from: number; to: number }, { status: string; n: number; timed: number; total: number | null }>(`
SELECT status, count(*) AS n, count(latency_us) AS timed, sum(latency_us) AS total
FROM record
WHERE time_us >= @from
  AND time_us < @to
GROUP BY status
UNION ALL
-- Restricted ones are taken off again: each sum is answered by an index that holds all it needs.
SELECT status, -count(*) AS n, -count(latency_us) AS timed, -sum(latency_us) AS total
FROM record
WHERE restricted <> 0
  AND time_us >= @from
  AND time_us < @to
GROUP BY status`)
    .all({ from: from ?? -Number.MAX_SAFE_INTEGER, to: to ?? Number.MAX_SAFE_INTEGER })
  const by_status: Record<string, number> = { success: 0, error: 0 }
  let count = 0
  let timed = 0
  let total = 0
  for (const row of rows) {
    by_status[row.status] = (by_status[row.status] ?? 0) + row.n
    count += row.n
    timed += row.timed
    total += row.total ?? 0
  }
  return { count, by_status, in_flight: inFlightIn(db, from, to), avg_processing_time_ms: timed === 0 ? 0 : total / timed / 1000 }
}

/** Requests on record that nothing has ended yet, begun in [from, to), microseconds. */
const inFlightIn = (db: AnyDb, from: number | undefined, to: number | undefined): number =>
  db
    .prepare<[number, number], number>('SELECT count(*) FROM open_request WHERE time_us >= ? AND time_us < ?')
    .pluck()
    .get(from ?? -Number.MAX_SAFE_INTEGER, to ?? Number.MAX_SAFE_INTEGER) ?? 0

interface Bin {
  n: number
  error: number
  aborted: number
  incomplete: number
  input: number
  output: number
  readonly latency: Histogram
}

const emptyBin = (): Bin => ({ n: 0, error: 0, aborted: 0, incomplete: 0, input: 0, output: 0, latency: new Map() })
const MINUTE_US = 60_000_000
const ms = (micros: number | null | undefined): number | null => (micros === null || micros === undefined ? null : micros / 1000)

const HOUR = 60
const DAY = 24 * HOUR
/** Widths of a bin in minutes that have a name; beyond these, whole multiples of four weeks. */
const WIDTHS = [1, 2, 5, 10, 15, 30, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 28 * DAY]

/** The narrowest such width of which at most `most` cover the minutes from `first` to before `last`, beginning at a multiple of it. */
export function binsOver(
  first: number,
  last: number,
  most: number
): { readonly start: number; readonly width: number; readonly count: number } {
  for (let i = 0; ; i++) {
    const width = WIDTHS[i] ?? 28 * DAY * (i - WIDTHS.length + 2)
    const start = Math.floor(first / width) * width
    const count = Math.max(1, Math.ceil((last - start) / width))
    if (count <= most) return { start, width, count }
  }
}

/** Totals and bins from the rollups per minute; the whole record when no range is given. A bin begins at a multiple of its width. */
export function dashboardOf(
  db: AnyDb,
  ledger: AnyDb,
  input: { readonly from?: number | undefined; readonly to?: number | undefined; readonly bins: number }
): Omit<Dashboard, 'applied_seq'> {
  const span = db
    .prepare<[], { first: number | null; last: number | null }>('SELECT min(minute) AS first, max(minute) AS last FROM minute')
    .get()
  const now = Math.ceil(Date.now() / 60_000)
  const first = input.from === undefined ? (span?.first ?? now - 60) : Math.floor(input.from / MINUTE_US)
  const last = input.to === undefined ? (input.from === undefined ? (span?.last ?? now) + 1 : now) : Math.ceil(input.to / MINUTE_US)
  const { start, width, count } = binsOver(first, last, input.bins)
  const bins = Array.from({ length: count }, emptyBin)
  const all = emptyBin()
  const rows = db.prepare<
    [number, number],
    {
      minute: number
      n: number
      error: number
      aborted: number
      incomplete: number
      input_tokens: number
      output_tokens: number
      latency: Buffer
    }
  >('SELECT * FROM minute WHERE minute >= ? AND minute < ? ORDER BY minute')
  for (const row of rows.iterate(first, last)) {
    const bin = bins[Math.floor((row.minute - start) / width)]
    for (const into of bin ? [bin, all] : [all]) {
      into.n += row.n
      into.error += row.error
      into.aborted += row.aborted
      into.incomplete += row.incomplete
      into.input += row.input_tokens
      into.output += row.output_tokens
      mergeHistogram(into.latency, row.latency)
    }
  }
  const latency = (bin: Bin) => {
    const [p50, p95, p99] = quantiles(bin.latency, [0.5, 0.95, 0.99])
    return { p50_ms: ms(p50), p95_ms: ms(p95), p99_ms: ms(p99) }
  }
  return {
    from: isoMs(first * MINUTE_US),
    to: isoMs(last * MINUTE_US),
    bin_ms: width * 60_000,
    totals: {
      records: all.n,
      in_flight: inFlightIn(db, input.from, input.to),
      success: all.n - all.error - all.aborted - all.incomplete,
      error: all.error,
      aborted: all.aborted,
      incomplete: all.incomplete,
      input_tokens: all.input,
      output_tokens: all.output,
      ...latency(all)
    },
    bins: bins.map((bin, i) => ({
      t: isoMs((start + i * width) * MINUTE_US),
      records: bin.n,
      error: bin.error,
      aborted: bin.aborted,
      incomplete: bin.incomplete,
      input_tokens: bin.input,
      output_tokens: bin.output,
      ...latency(bin)
    })),
    newest: newestRecords(db, ledger, 14)
  }
}

/** Models, sources and states on record, most frequent first, at most 200 each. */
export function facetsOf(db: AnyDb) {
  const list = db.prepare<[string], { value: string; count: number }>(
    'SELECT value, n AS count FROM facet WHERE kind = ? ORDER BY n DESC, value LIMIT 200'
  )
  const span = db
    .prepare<[], { first: number | null; last: number | null }>('SELECT min(time_us) AS first, max(time_us) AS last FROM record')
    .get()
  return {
    models: list.all('model'),
    sources: list.all('source'),
    statuses: list.all('status'),
    first: span?.first == null ? null : isoMs(span.first),
    last: span?.last == null ? null : isoMs(span.last)
  }
}
