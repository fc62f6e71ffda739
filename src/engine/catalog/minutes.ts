// SPDX-License-Identifier: Apache-2.0
// Rollups per minute made anew from records, where some of these went or do not count any more.
import type { WritableDb } from '../sqlite/open.ts'
import { addTo, bucketOf, encodeHistogram, type Histogram } from './histogram.ts'

const MINUTE_US = 60_000_000

/** The minute of a time: whole minutes since 1970 UTC. */
export const minuteOf = (us: number): number => Math.floor(us / MINUTE_US)

/** Makes minutes anew from the records they have now; restricted ones do not count. */
export function recountMinutes(db: WritableDb, minutes: Iterable<number>): void {
  const rows = db.prepare<
    [number, number],
    { status: string; latency_us: number | null; input_tokens: number | null; output_tokens: number | null }
  >('SELECT status, latency_us, input_tokens, output_tokens FROM record WHERE time_us >= ? AND time_us < ? AND restricted = 0')
  const drop = db.prepare('DELETE FROM minute WHERE minute = ?')
  const put = db.prepare(`
INSERT OR REPLACE INTO minute (n, error, aborted, incomplete, input_tokens, output_tokens, latency, minute)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)`)
  for (const minute of minutes) {
    const latency: Histogram = new Map()
    const count = { n: 0, error: 0, aborted: 0, incomplete: 0, input: 0, output: 0 }
    for (const row of rows.iterate(minute * MINUTE_US, (minute + 1) * MINUTE_US)) {
      count.n++
      if (row.status === 'error' || row.status === 'aborted' || row.status === 'incomplete') count[row.status]++
      count.input += row.input_tokens ?? 0
      count.output += row.output_tokens ?? 0
      if (row.latency_us !== null) addTo(latency, bucketOf(row.latency_us), 1)
    }
    if (count.n === 0) drop.run(minute)
    else put.run(count.n, count.error, count.aborted, count.incomplete, count.input, count.output, encodeHistogram(latency), minute)
  }
}
