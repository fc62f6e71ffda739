// SPDX-License-Identifier: Apache-2.0
import type { DriftFeature } from '../../../shared/contract/drift.ts'
import type { DriftTimeline } from '../../../shared/contract/drift-compare.ts'
import { AffidavitError } from '../../../shared/contract/errors.ts'
import type { FilterExpression } from '../../../shared/filter/filter.ts'
import { formatFilter } from '../../../shared/filter/format.ts'
import { bucketEdges, bucketOfReal } from '../../../shared/stats/bucket-table.ts'
import { HOUR_US } from '../../catalog/cells.ts'
import { isoMs } from '../../catalog/rows.ts'
import type { AnyDb } from '../../sqlite/open.ts'
import { claimedSpan } from '../claimed-span.ts'
import { selectionSql, tokenBasis } from './samples.ts'

/** Which series, in how many slots at most. */
export interface TimelineArgs {
  readonly filter: FilterExpression
  readonly feature: DriftFeature
  readonly slots: number
  readonly at: number
}

const MINUTE = 60_000
const DAY = 86_400_000
/** Lengths of a slot that a person can name. */
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720].map((minutes) => minutes * MINUTE)

const stepFor = (span: number, slots: number): number => {
  const least = Math.ceil(span / slots)
  return STEPS.find((step) => step >= least) ?? Math.ceil(least / DAY) * DAY
}

interface Slot {
  records: number
  errors: number
  ended: number
  values: number
  readonly buckets: Map<number, number>
}

// The middle of the bucket that holds the value of this rank.
const quantileOf = (slot: Slot, level: number): number | null => {
  if (slot.values === 0) return null
  const rank = Math.max(1, Math.ceil(level * slot.values))
  let seen = 0
  for (const [bucket, count] of [...slot.buckets].sort(([a], [b]) => a - b)) {
    seen += count
    if (seen >= rank) {
      const { low, high } = bucketEdges(bucket)
      return (low + high) / 2
    }
  }
  return null
}

const values: Record<DriftFeature, { readonly total: string; readonly output: string; readonly unit: string }> = {
  latency: { total: 'r.latency_us / 1000.0', output: 'r.latency_us / 1000.0', unit: 'ms' },
  token_usage: {
    total: 'r.input_tokens + r.output_tokens',
    output: 'CASE WHEN r.input_tokens IS NULL THEN r.output_tokens END',
    unit: 'tokens'
  },
  response_length: { total: 'r.response_chars', output: 'r.response_chars', unit: 'characters' },
  error_rate: { total: 'NULL', output: 'NULL', unit: 'share of requests' }
}

/**
 * The records of a filter in slots of equal length, from the first claimed start to the last; what a wrong clock claimed is counted, and in no
 * slot. @throws AffidavitError cancelled
 */
export function timelineOf(db: AnyDb, args: TimelineArgs, cancelled: () => boolean): DriftTimeline {
  const { filter, feature, at } = args
  const { where, params } = selectionSql({ filter, at })
  const hours = db
    .prepare<(string | number)[], { hour: number; n: number; first: number; last: number }>(`
SELECT r.time_us / ${HOUR_US} AS hour, count(*) AS n, min(r.time_us) AS first, max(r.time_us) AS last
FROM record r
WHERE ${where}
GROUP BY hour
ORDER BY hour`)
    .all(...params)
  const { unit } = values[feature]
  const base = { query: formatFilter(filter), feature, unit }
  const span = claimedSpan(
    hours.map(({ hour, n }) => [hour, n]),
    true
  )
  const ends = { first: hours.find((one) => one.hour === span?.first)?.first, last: hours.find((one) => one.hour === span?.last)?.last }
  if (!span || ends.first === undefined || ends.last === undefined)
    return { ...base, from: null, to: null, step_ms: 0, outside: 0, slots: [] }
  const step = stepFor((ends.last - ends.first) / 1000 + 1, Math.max(1, args.slots - 1))
  const start = Math.floor(ends.first / 1000 / step) * step
  const length = Math.floor((ends.last / 1000 - start) / step) + 1
  const slots = Array.from({ length }, (): Slot => ({ records: 0, errors: 0, ended: 0, values: 0, buckets: new Map() }))
  const rows = db.prepare<(string | number)[], { t: number; v: number | null; status: string }>(
    `SELECT r.time_us AS t, ${values[feature][tokenBasis(db, { filter, at })]} AS v, r.status FROM record r WHERE ${where}`
  )
  let read = 0
  for (const row of rows.iterate(...params)) {
    if (++read % 10_000 === 0 && cancelled()) throw new AffidavitError('cancelled', 'cancelled')
    const slot = slots[Math.floor((row.t / 1000 - start) / step)]
    if (!slot) continue
    slot.records++
    if (row.status === 'error') slot.errors++
    if (row.status !== 'incomplete') slot.ended++
    // The sum of two counts beyond the safe integers is no value, as in the windows of looks.
    if (row.v === null || row.v > Number.MAX_SAFE_INTEGER) continue
    slot.values++
    const bucket = bucketOfReal(row.v)
    slot.buckets.set(bucket, (slot.buckets.get(bucket) ?? 0) + 1)
  }
  const time = (ms: number): string => isoMs(ms * 1000)
  return {
    ...base,
    from: time(start),
    to: time(start + length * step),
    step_ms: step,
    outside: span.outside,
    slots: slots.map((slot, i) => ({
      from: time(start + i * step),
      records: slot.records,
      p50: quantileOf(slot, 0.5),
      p90: quantileOf(slot, 0.9),
      errors: slot.errors,
      ended: slot.ended
    }))
  }
}
