// SPDX-License-Identifier: Apache-2.0
// References that move with the window they judge (DRIFT step 2), from the hourly counts of the catalog.
import { createHash } from 'node:crypto'
import type { MovingReference, ReferenceBody } from '../../shared/event/drift-bodies.ts'
import { type JsonValue, jcs } from '../../shared/evidence/jcs.ts'
import { type CellReader, HOUR_US, hourOf, WIDE } from '../catalog/cells.ts'
import { isoMs } from '../catalog/rows.ts'
import { type Counted, Tally, windowBody } from '../catalog/tally.ts'
import { claimedSpan } from './claimed-span.ts'

export const WEEK = 7 * WIDE
/** Weeks whose same hours make the reference `hour_of_week`. */
export const SLOT_WEEKS = 4

/** Ranges of hours, each from the first and before the second. */
export type HourRanges = readonly (readonly [from: number, to: number])[]

/**
 * The hours a window is compared with. Only hours before its first one count, so that no record is on both sides.
 * @param first the first hour of the window
 * @param last its last hour
 * @param days how far back `rolling` reaches
 */
export function referenceHours(kind: MovingReference, first: number, last: number, days: number): HourRanges {
  if (kind === 'rolling') return [[first - days * WIDE, first]]
  const period = kind === 'hour_of_week' ? WEEK : WIDE
  const steps = kind === 'hour_of_week' ? SLOT_WEEKS : 1
  const ranges: (readonly [number, number])[] = []
  for (let i = steps; i >= 1; i--) {
    // A window longer than the period would run into itself, or count an hour twice.
    const from = first - i * period
    const to = Math.min(last + 1 - i * period, from + period, first)
    if (from < to) ranges.push([from, to])
  }
  return ranges
}

/** The reference of one series, its RFC 8785 text, and the hash that names it. */
export function movingReference(
  cells: CellReader,
  series: { readonly model: string; readonly source: string },
  kind: MovingReference,
  ranges: HourRanges
): { readonly body: ReferenceBody; readonly sha256: string; readonly text: string } {
  const tally = new Tally()
  for (const [from, to] of ranges) cells.addRange(tally, series.model, series.source, from, to)
  const iso = (hour: number | undefined): string | null => (hour === undefined ? null : isoMs(hour * HOUR_US))
  const body: ReferenceBody = {
    kind,
    model: series.model,
    source: series.source,
    from: iso(ranges[0]?.[0]),
    to: iso(ranges.at(-1)?.[1]),
    window: windowBody(tally)
  }
  const text = jcs(body as unknown as JsonValue)
  return { body, text, sha256: createHash('sha256').update(text, 'utf8').digest('hex') }
}

/** The window of a series whose reference moves: the records of whole hours that count as current. */
export interface MovingWindow {
  readonly tally: Tally
  readonly first: number
  readonly last: number
}

/**
 * The window of records that arrived since the last look. Starts more than a day outside of the middle nine tenths move neither the window
 * nor its reference: they are of a clock that was wrong. Records that claim an earlier hour than the window's first belong to the history.
 * Undefined without a record.
 */
export function movingWindow(records: readonly Counted[]): MovingWindow | undefined {
  const counts = new Map<number, number>()
  for (const { time } of records) counts.set(hourOf(time), (counts.get(hourOf(time)) ?? 0) + 1)
  const span = claimedSpan([...counts].sort(([a], [b]) => a - b))
  if (!span) return undefined
  const { first, last } = span
  const tally = new Tally()
  for (const record of records) if (hourOf(record.time) >= first) tally.add(record)
  return { tally, first, last }
}

/** The newest hours of a series with at least so many records and so many hours: the window of a series that was never judged. */
export function newestWindow(
  cells: CellReader,
  series: { readonly model: string; readonly source: string },
  records: number,
  hours: number
): MovingWindow | undefined {
  const range = cells.newest(series.model, series.source, records, hours)
  if (!range) return undefined
  const tally = new Tally()
  cells.addRange(tally, series.model, series.source, range.first, range.last + 1)
  return { tally, ...range }
}
