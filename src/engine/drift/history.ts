// SPDX-License-Identifier: Apache-2.0
// What earlier looks left behind, read on a reader thread.
import type { VerdictNumbers } from '../../shared/contract/drift.ts'
import type { HistoryBody } from '../../shared/event/drift-bodies.ts'
import { isoMs } from '../catalog/rows.ts'
import type { AnyDb } from '../sqlite/open.ts'
import type { Alarm } from './look.ts'

/** A look without its verdicts. `to_seq`: it judged records before this leaf. */
export interface LookRow {
  readonly seq: number
  readonly id: string
  readonly time_us: number
  readonly to_seq: number
}

/** The newest look, or the newest of one trigger. */
export const lastLook = (db: AnyDb, trigger?: 'person' | 'schedule'): LookRow | null =>
  db
    .prepare<[string | null], LookRow>('SELECT seq, id, time_us, to_seq FROM look WHERE cause = ifnull(?, cause) ORDER BY seq DESC LIMIT 1')
    .get(trigger ?? null) ?? null

/** The latest verdicts of one series. `look` is the leaf of that look. */
export interface LatestVerdicts {
  readonly model: string
  readonly source: string
  readonly look: number
  readonly time: string
  readonly numbers: VerdictNumbers[]
}

/** Verdicts of the latest look of each series that ever had a baseline. Features are in their fixed order. */
export function latestVerdicts(db: AnyDb): LatestVerdicts[] {
  // Per feature one seek in the primary key: the table grows by four rows per series and look.
  const rows = db
    .prepare<[], { model: string; source: string; look: number; time_us: number; numbers: string }>(`
SELECT v.model, v.source, v.look, v.time_us, v.numbers
FROM (SELECT DISTINCT model, source FROM baseline) b
CROSS JOIN (SELECT 0 AS place, 'latency' AS feature UNION ALL SELECT 1, 'token_usage' UNION ALL SELECT 2, 'response_length' UNION ALL SELECT 3, 'error_rate') f
JOIN look_verdict v ON v.model = b.model AND v.source = b.source AND v.feature = f.feature
WHERE v.look = (SELECT max(w.look) FROM look_verdict w WHERE w.model = b.model AND w.source = b.source AND w.feature = f.feature)
ORDER BY v.model, v.source, f.place`)
    .all()
  const found = new Map<string, LatestVerdicts>()
  for (const row of rows) {
    const key = JSON.stringify([row.model, row.source])
    const entry = found.get(key) ?? { model: row.model, source: row.source, look: row.look, time: isoMs(row.time_us), numbers: [] }
    entry.numbers.push(JSON.parse(row.numbers) as VerdictNumbers)
    found.set(key, entry)
  }
  return [...found.values()]
}

/** A series with the baseline it is compared with. `baseline` is its id. */
export interface BaselineSeries {
  readonly model: string
  readonly source: string
  readonly baseline: string
}

/** The leaf of the first look since a time, undefined when there is none. */
export const firstLookSince = (db: AnyDb, sinceUs: number): number | undefined =>
  db.prepare<[number], number | null>('SELECT min(seq) FROM look WHERE time_us >= ?').pluck().get(sinceUs) ?? undefined

/**
 * What the looks from a leaf on say of one series, by feature (DRIFT step 6). Looks against another baseline compared something
 * else and do not count; neither do those in which the feature was still collecting.
 */
export function seriesHistory(db: AnyDb, series: BaselineSeries, first: number): Readonly<Record<string, HistoryBody>> {
  const rows = db
    .prepare<
      [string, string, string, number],
      { feature: string; looks: number; max_l: number | null; max_d: number; last: number; fired: number }
    >(`
SELECT feature, count(*) AS looks, max(CASE WHEN alarmed = 0 THEN l END) AS max_l, max(d) AS max_d, max(look) AS last,
  max(CASE WHEN fired = 1 THEN look END) AS fired
FROM look_verdict
WHERE model = ?
  AND source = ?
  AND baseline = ?
  AND state = 'tested'
  AND look >= ?
GROUP BY feature`)
    .all(series.model, series.source, series.baseline, first)
  return Object.fromEntries(
    rows.map((row) => [
      row.feature,
      { looks: row.looks, max_unalarmed_l: row.max_l ?? 0, max_d: row.max_d, previous_fired: row.fired === row.last }
    ])
  )
}

/**
 * The leaf from which a scheduled look judges a series: where the last scheduled look that had enough requests to test ended.
 * Until there are enough the window grows, so that a quiet series is judged too, only later. 0 before the first.
 */
export function judgedUpTo(db: AnyDb, series: BaselineSeries): number {
  const looks = db
    .prepare<[string, string, string], number>(`
SELECT l.to_seq
FROM look_verdict v
JOIN look l ON l.seq = v.look
WHERE v.model = ?
  AND v.source = ?
  AND v.feature = 'error_rate'
  AND v.baseline = ?
  AND v.state = 'tested'
  AND l.cause = 'schedule'
ORDER BY v.look DESC
LIMIT 1`)
    .pluck()
    .get(series.model, series.source, series.baseline)
  return looks ?? 0
}

/** An alarm of the newest look that has no alert although none was open: the process ended between the two commits. `look` is its leaf. */
export function missingAlerts(db: AnyDb): (Alarm & { readonly look: number })[] {
  const rows = db
    .prepare<[], { look: number; model: string; source: string; baseline: string; l: number; numbers: string }>(`
SELECT v.look, v.model, v.source, v.baseline, v.l, v.numbers
FROM (SELECT DISTINCT model, source FROM baseline) b
CROSS JOIN (SELECT 0 AS place, 'latency' AS feature UNION ALL SELECT 1, 'token_usage' UNION ALL SELECT 2, 'response_length' UNION ALL SELECT 3, 'error_rate') f
JOIN look_verdict v ON v.model = b.model AND v.source = b.source AND v.feature = f.feature AND v.look = (SELECT max(seq) FROM look)
WHERE v.alarmed = 1
  AND NOT EXISTS (
    SELECT 1
    FROM alert a
    WHERE a.model = v.model
      AND a.source = v.source
      AND a.baseline = v.baseline
      AND (a.look = v.look OR NOT EXISTS (SELECT 1 FROM alert_step s WHERE s.alert = a.id AND s.what = 'resolved' AND s.seq < v.look)))
ORDER BY v.model, v.source, f.place`)
    .all()
  const found = new Map<string, Alarm & { readonly look: number }>()
  for (const { look, model, source, baseline, l, numbers } of rows) {
    const key = JSON.stringify([model, source])
    const before = found.get(key)
    const feature = JSON.parse(numbers) as VerdictNumbers
    found.set(key, {
      look,
      model,
      source,
      baseline,
      score: Math.max(l, before?.score ?? 0),
      features: [...(before?.features ?? []), feature]
    })
  }
  return [...found.values()]
}
