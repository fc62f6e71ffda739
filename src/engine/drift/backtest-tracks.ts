// SPDX-License-Identifier: Apache-2.0
// The series of a back-test with their hourly counts, and the window and reference that move over them.
import type { BacktestSettings } from '../../shared/contract/drift-backtest.ts'
import { AffidavitError } from '../../shared/contract/errors.ts'
import { rateOf, tableOf } from '../../shared/drift/window.ts'
import type { MovingReference, ReferenceKind } from '../../shared/event/drift-bodies.ts'
import {
  type CountTable,
  countTableOfMap,
  EMPTY_COUNT_TABLE,
  mergeCountTables,
  subtractCountTable
} from '../../shared/stats/count-table.ts'
import type { FeatureName } from '../../shared/stats/features.ts'
import type { PastVerdict } from '../../shared/stats/series-history.ts'
import { hourOf, WIDE } from '../catalog/cells.ts'
import { addCell, type CellRow, Tally } from '../catalog/tally.ts'
import type { ReaderContext, ReaderControl } from '../threads/reader-context.ts'
import { listBaselines } from './listings.ts'
import { baselineBody } from './plans.ts'
import { referenceHours } from './references.ts'

/** Claimed hours, the first and the one after the last. */
export interface BacktestArgs {
  readonly from: number
  readonly to: number
  readonly settings: BacktestSettings
}

/** Counts of one series over some hours. */
interface Counts {
  readonly latency: CountTable
  readonly total: CountTable
  readonly output: CountTable
  readonly chars: CountTable
  readonly errors: number
  readonly ended: number
  readonly records: number
}

export const NOTHING: Counts = {
  latency: EMPTY_COUNT_TABLE,
  total: EMPTY_COUNT_TABLE,
  output: EMPTY_COUNT_TABLE,
  chars: EMPTY_COUNT_TABLE,
  errors: 0,
  ended: 0,
  records: 0
}

function countsOf(cell: CellRow): Counts {
  const tally = new Tally()
  addCell(tally, cell)
  return {
    latency: countTableOfMap(tally.latency),
    total: countTableOfMap(tally.total),
    output: countTableOfMap(tally.output),
    chars: countTableOfMap(tally.chars),
    errors: tally.errors,
    ended: tally.ended,
    records: tally.records
  }
}

const combine = (a: Counts, b: Counts, how: (x: CountTable, y: CountTable) => CountTable, sign: 1 | -1): Counts => ({
  latency: how(a.latency, b.latency),
  total: how(a.total, b.total),
  output: how(a.output, b.output),
  chars: how(a.chars, b.chars),
  errors: a.errors + sign * b.errors,
  ended: a.ended + sign * b.ended,
  records: a.records + sign * b.records
})
export const plus = (a: Counts, b: Counts): Counts => (a.records === 0 ? b : b.records === 0 ? a : combine(a, b, mergeCountTables, 1))
const minus = (a: Counts, b: Counts): Counts => (b.records === 0 ? a : combine(a, b, subtractCountTable, -1))

export type Past = PastVerdict & { readonly hour: number }

/** One series as the back-test goes through its hours. */
export interface Track {
  readonly model: string
  readonly source: string
  readonly kind: ReferenceKind
  readonly cells: readonly { readonly hour: number; readonly counts: Counts }[]
  /** Tables of a pinned baseline. */
  readonly pinned: {
    readonly tables: Readonly<Record<'latency' | 'token_usage' | 'response_length', CountTable>>
    readonly errors: number
    readonly ended: number
    readonly basis: 'total' | 'output'
  } | null
  /** Index of the first cell that was not judged yet, and of the first that no look has reached. */
  since: number
  next: number
  current: Counts
  /** The sliding reference: cells [low, high). */
  low: number
  high: number
  sliding: Counts
  readonly past: Map<FeatureName, Past[]>
  judged: boolean
  open: boolean
  closedAt: number
}

export function tracksOf(context: ReaderContext, { from, to, settings }: BacktestArgs, control: ReaderControl): Track[] {
  const { catalog } = context
  const back = settings.reference === 'hour_of_week' ? 28 : settings.reference === 'hour_of_day' ? 1 : settings.reference_days
  const baselines = new Map(
    listBaselines(catalog)
      .filter((one) => one.active)
      .map((one) => [JSON.stringify([one.model, one.source]), one])
  )
  const rows = catalog.prepare<[number, number], CellRow & { model: string; source: string; start: number }>(
    'SELECT * FROM cell WHERE span = 1 AND start >= ? AND start < ? ORDER BY model, source, start'
  )
  const tracks = new Map<string, Track & { cells: { hour: number; counts: Counts }[] }>()
  for (const row of rows.iterate(from - back * WIDE, to)) {
    if (control.cancelled()) throw new AffidavitError('cancelled', 'cancelled')
    const key = JSON.stringify([row.model, row.source])
    const baseline = baselines.get(key)
    if (!baseline && settings.reference === 'none') continue
    let track = tracks.get(key)
    if (!track) {
      const window = baseline ? baselineBody(context, baseline).window : null
      const pinned = window && {
        tables: {
          latency: tableOf(window, 'latency'),
          token_usage: tableOf(window, 'token_usage'),
          response_length: tableOf(window, 'response_length')
        },
        ...rateOf(window),
        ended: rateOf(window).total,
        basis: window.token_basis
      }
      track = {
        model: row.model,
        source: row.source,
        kind: baseline ? 'baseline' : (settings.reference as MovingReference),
        cells: [],
        pinned,
        since: 0,
        next: 0,
        current: NOTHING,
        low: 0,
        high: 0,
        sliding: NOTHING,
        past: new Map(),
        judged: baseline !== undefined,
        open: false,
        closedAt: Number.NEGATIVE_INFINITY
      }
      tracks.set(key, track)
    }
    // What a baseline was made of is not judged against it.
    if (baseline?.to && row.start <= hourOf(Date.parse(baseline.to) * 1000)) continue
    track.cells.push({ hour: row.start, counts: countsOf(row) })
  }
  for (const track of tracks.values()) {
    const first = track.cells.findIndex((cell) => cell.hour >= from)
    track.since = first === -1 ? track.cells.length : first
    track.next = track.since
  }
  return [...tracks.values()]
}

/** A series that was never judged is judged by its newest hours, as the schedule does; else nothing would lie before its window. */
export function newestHours(track: Track, records: number, hours: number): void {
  const last = track.cells[track.next - 1]?.hour ?? 0
  let since = track.next
  let counts = NOTHING
  for (let cell = track.cells[since - 1]; cell; cell = track.cells[since - 1]) {
    if (counts.records >= records && cell.hour <= last - hours) break
    counts = plus(cell.counts, counts)
    since--
  }
  track.since = since
  track.current = counts
}

/** The reference of a window that begins with a track's cell `since` and ends before the hour `end`. */
export function referenceOf(track: Track, end: number, days: number): Counts {
  const { cells } = track
  const first = cells[track.since]?.hour ?? end
  if (track.kind === 'rolling') {
    const [[low] = [first]] = referenceHours('rolling', first, end - 1, days)
    for (; track.high < track.since; track.high++) track.sliding = plus(track.sliding, cells[track.high]?.counts ?? NOTHING)
    for (; track.low < track.high && (cells[track.low]?.hour ?? low) < low; track.low++)
      track.sliding = minus(track.sliding, cells[track.low]?.counts ?? NOTHING)
    return track.sliding
  }
  if (track.kind === 'baseline') return NOTHING
  let sum = NOTHING
  for (const [low, high] of referenceHours(track.kind, first, end - 1, days))
    for (const cell of cells) if (cell.hour >= low && cell.hour < high) sum = plus(sum, cell.counts)
  return sum
}
