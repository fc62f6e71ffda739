// SPDX-License-Identifier: Apache-2.0
import { WIDE } from '../catalog/cells.ts'

/** Records by the hour they claim, hours since 1970 UTC in ascending order. */
export type HourCounts = Iterable<readonly [hour: number, records: number]>

/** The hours that most records claim, from the first to the last; `outside`: records that claim others. */
export interface ClaimedSpan {
  readonly first: number
  readonly last: number
  readonly outside: number
}

/** Share of the starts at either end that a wrong clock may have given, and the hours beyond which such a start counts as one. */
const STRAY = 0.05
const STRAY_HOURS = WIDE

/**
 * The span of claimed hours without the starts of a clock that was wrong: those more than a day outside of the middle nine tenths.
 * Undefined without a record.
 * @param slow further out by the length of the middle nine tenths too: a history whose traffic grew slowly keeps its beginning
 */
export function claimedSpan(counts: HourCounts, slow = false): ClaimedSpan | undefined {
  const hours = [...counts]
  const total = hours.reduce((sum, [, records]) => sum + records, 0)
  if (total === 0) return undefined
  const at = (share: number): number => {
    const rank = Math.min(total - 1, Math.floor(share * total))
    let seen = 0
    for (const [hour, records] of hours) {
      seen += records
      if (seen > rank) return hour
    }
    return 0
  }
  const [low, high] = [at(STRAY), at(1 - STRAY)]
  const margin = slow ? Math.max(STRAY_HOURS, high - low) : STRAY_HOURS
  const inside = hours.filter(([hour]) => hour >= low - margin && hour <= high + margin)
  return {
    first: inside[0]?.[0] ?? low,
    last: inside.at(-1)?.[0] ?? high,
    outside: total - inside.reduce((sum, [, records]) => sum + records, 0)
  }
}
