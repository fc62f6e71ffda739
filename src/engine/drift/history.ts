// SPDX-License-Identifier: Apache-2.0
// What earlier looks left behind, read on a reader thread.
import type { VerdictNumbers } from '../../shared/contract/drift.ts'
import type { HistoryBody } from '../../shared/event/drift-bodies.ts'
import { DAY_US } from '../catalog/project-drift.ts'
import { isoMs } from '../catalog/rows.ts'
import type { AnyDb } from '../sqlite/open.ts'
import type { ReaderContext } from '../threads/reader-context.ts'
import { type Alarm, alarmOf, type LookTrigger } from './look.ts'

/** A look without its verdicts. `to_seq`: it judged records before this leaf. */
export interface LookRow {
  readonly seq: number
  readonly id: string
  readonly time_us: number
  readonly to_seq: number
}

/** The newest look, or the newest of one trigger. */
export const lastLook = (db: AnyDb, trigger?: LookTrigger): LookRow | null =>
  db
    .prepare<[string | null], LookRow>('SELECT seq, id, time_us, to_seq FROM look WHERE cause = ifnull(?, cause) ORDER BY seq DESC LIMIT 1')
    .get(trigger ?? null) ?? null

/** The latest verdicts of one series against one reference. `look` is the leaf of that look. */
export interface LatestVerdicts extends ReferredSeries {
  readonly look: number
  readonly time: string
  readonly numbers: VerdictNumbers[]
}

/** Verdicts of the latest look at each series that was ever looked at, for each reference; newest first. Features are in their fixed order. */
export const latestVerdicts = (db: AnyDb): LatestVerdicts[] =>
  db
    .prepare<[], { model: string; source: string; reference: string; look: number; time_us: number; numbers: string }>(
      'SELECT model, source, reference, look, time_us, numbers FROM look_series ORDER BY look DESC'
    )
    .all()
    .map(({ time_us, numbers, ...row }) => ({ ...row, time: isoMs(time_us), numbers: JSON.parse(numbers) as VerdictNumbers[] }))

/** A series with what it is compared with: the id of a baseline, or the kind of a reference that moves. */
export interface ReferredSeries {
  readonly model: string
  readonly source: string
  readonly reference: string
}

/** A series that waits for a second look: at requests from this leaf on, which the first one did not judge, for the features that it fired for. */
export interface Waiting {
  readonly from: number
  readonly features: ReadonlySet<string>
}

/** Days of history that the gate counts, today included. */
const HISTORY_DAYS = 28

/** What earlier looks say of a series, with statements prepared once. */
export class HistoryReader {
  readonly #features
  readonly #judged

  constructor(db: AnyDb) {
    this.#features = db.prepare<
      [string, string, string, number, number],
      { feature: string; looks: number; max_l: number; max_d: number; last: number; fired: number }
    >(`
SELECT feature, sum(looks) AS looks, max(max_l) AS max_l, max(max_d) AS max_d, max(last) AS last, max(fired) AS fired
FROM look_history
WHERE model = ?
  AND source = ?
  AND reference = ?
  AND day > ?
  AND day <= ?
GROUP BY feature`)
    this.#judged = db.prepare<[string, string, string], { judged_to: number; counted_to: number; waits_from: number; waits_for: string }>(
      'SELECT judged_to, counted_to, waits_from, waits_for FROM look_series WHERE model = ? AND source = ? AND reference = ?'
    )
  }

  /**
   * What the looks of the last 28 UTC days say of one series, by feature (DRIFT step 6). Looks against another reference compared something
   * else and do not count; neither do those in which the feature was still collecting, nor those of a day still to come, when a clock was ahead.
   * @param nowUs microseconds since 1970 UTC
   */
  of(series: ReferredSeries, nowUs: number): Readonly<Record<string, HistoryBody>> {
    const today = Math.floor(nowUs / DAY_US)
    const rows = this.#features.all(series.model, series.source, series.reference, today - HISTORY_DAYS, today)
    return Object.fromEntries(
      rows.map((row) => [
        row.feature,
        { looks: row.looks, max_unalarmed_l: row.max_l, max_d: row.max_d, previous_fired: row.fired === row.last }
      ])
    )
  }

  /** What a series waits for against its reference; undefined when it does not wait for a second look. */
  waiting(series: ReferredSeries): Waiting | undefined {
    const row = this.#judged.get(series.model, series.source, series.reference)
    return row === undefined || row.waits_from === 0 ? undefined : { from: row.waits_from, features: new Set(row.waits_for.split(',')) }
  }

  /**
   * The leaf from which a look of the schedule judges a series: where the last one that had enough requests to test ended. Until there are
   * enough the window grows, so that a quiet series is judged too, only later. 0 before the first.
   */
  judgedUpTo(series: ReferredSeries): number {
    return this.#judged.get(series.model, series.source, series.reference)?.judged_to ?? 0
  }

  /** The leaf from which the next look by count counts: where the last one ended, also when it had too few requests to test. 0 before the first. */
  countedUpTo(series: ReferredSeries): number {
    const row = this.#judged.get(series.model, series.source, series.reference)
    return Math.max(row?.judged_to ?? 0, row?.counted_to ?? 0)
  }
}

/** Whether an alert was resolved within the cool-down of a time. After it as well as before: what a clock that was ahead says holds no longer. */
const COOLING = 'abs(resolved_us - ?) < ?'

/** An episode that keeps a series from opening another alert: not resolved, or resolved within the cool-down. */
export interface Latched {
  readonly model: string
  readonly source: string
  readonly baseline: string
}

/** Episodes that are latched at a time, both microseconds. */
export const latchedEpisodes = (db: AnyDb, nowUs: number, cooldownUs: number): Latched[] =>
  db
    .prepare<[number, number], Latched>(`SELECT model, source, baseline FROM alert WHERE state <> 'resolved' OR ${COOLING}`)
    .all(nowUs, cooldownUs)

/**
 * An alarm of the newest look that has no alert although none was latched then: the process ended between the two commits. An alert that was
 * resolved by a later leaf was latched. What was compared with a baseline that was replaced since opens none. `look` is its leaf.
 * From the catalog alone: the body of a look holds megabytes of tables.
 */
export function missingAlerts({ catalog }: Pick<ReaderContext, 'catalog'>, cooldownUs: number): (Alarm & { readonly look: number })[] {
  const last = lastLook(catalog)
  if (!last) return []
  const alarmed = catalog
    .prepare<[number, number], { model: string; source: string; reference: string; numbers: string }>(`
SELECT model, source, reference, numbers
FROM look_series
WHERE look = ?
  AND instr(numbers, '"alarmed":true') > 0
  AND NOT EXISTS (
    SELECT 1
    FROM baseline
    WHERE baseline.model = look_series.model
      AND baseline.source = look_series.source
      AND baseline.seq >= ?
  )
ORDER BY model, source, reference`)
    .all(last.seq, last.to_seq)
  const latched = catalog
    .prepare<[string, string, string, number, number, number, number, number], number>(`
SELECT 1
FROM alert
WHERE model = ?
  AND source = ?
  AND baseline = ?
  AND (look = ? OR seq < ? AND (resolved_us IS NULL OR changed_seq > ? OR ${COOLING}))`)
    .pluck()
  return alarmed.flatMap(({ model, source, reference, numbers }) => {
    const features = (JSON.parse(numbers) as VerdictNumbers[]).filter((one) => one.alarmed)
    if (features.length === 0) return []
    if (latched.get(model, source, reference, last.seq, last.seq, last.seq, last.time_us, cooldownUs) !== undefined) return []
    const score = Math.max(...features.map((one) => one.l ?? 0))
    return [{ look: last.seq, ...alarmOf({ model, source, baseline: reference, score, features }) }]
  })
}
