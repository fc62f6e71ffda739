// SPDX-License-Identifier: Apache-2.0
// What shows that nothing is missing in time: heartbeats, and the stretches without one.
import type { Gap } from '../../shared/contract/compliance.ts'
import { isoMs } from '../catalog/rows.ts'
import type { AnyDb } from '../sqlite/open.ts'

/** Heartbeats come each minute; two and a half without a sign of life are a gap. */
const SILENCE_US = 150_000_000

interface Sign {
  readonly seq: number
  readonly time_us: number
  readonly type: string
  readonly data: string
}

/** A range of time in microseconds, and of leaves: only those below `size` count. */
export interface GapRange {
  readonly fromUs: number
  readonly toUs: number
  readonly size?: number | undefined
}

/** Stretches without a sign of life within a range; oldest first. A clock that was moved is told from a silence. */
export function gapsOf(db: AnyDb, { fromUs, toUs, size = Number.MAX_SAFE_INTEGER }: GapRange): Gap[] {
  const gaps: Gap[] = []
  let before: Sign | undefined
  let heartbeat = -1
  const add = (from: Sign, to: Sign, reason: Gap['reason']) =>
    gaps.push({ from: isoMs(from.time_us), to: isoMs(to.time_us), from_seq: from.seq, to_seq: to.seq, reason })
  const signs = db.prepare<[number, number, number], Sign>(`
SELECT seq, time_us, type, data
FROM event
WHERE time_us >= ?
  AND time_us < ?
  AND seq < ?
ORDER BY seq`)
  for (const sign of signs.iterate(fromUs, toUs, size)) {
    const silence = before ? sign.time_us - before.time_us : 0
    if (sign.type === 'clock.jump') {
      const moved = (JSON.parse(sign.data) as { delta_ms: number }).delta_ms * 1000
      const last = gaps.at(-1)
      const seen =
        last && last.to_seq > heartbeat && last.reason === 'silent' ? Date.parse(last.to) * 1000 - Date.parse(last.from) * 1000 : 0
      if (before && moved > SILENCE_US) {
        // Leaves between the move and this one carry the new time already: the silence before them was the move.
        if (last && Math.abs(seen - moved) <= SILENCE_US) gaps[gaps.length - 1] = { ...last, reason: 'clock' }
        else add(before, sign, 'clock')
      } else if (before && moved < 0 && silence - moved > SILENCE_US) add(before, sign, 'silent')
    } else if (before && silence > SILENCE_US) {
      add(before, sign, before.type === 'engine.stopped' ? 'stopped' : sign.type === 'engine.started' ? 'ended' : 'silent')
    }
    if (sign.type === 'heartbeat') heartbeat = sign.seq
    before = sign
  }
  return gaps
}

/** The newest sign of life up to a time; that time itself without one. */
const signUpTo = (db: AnyDb, us: number, size: number): number =>
  db.prepare<[number, number], number | null>('SELECT max(time_us) FROM event WHERE time_us <= ? AND seq < ?').pluck().get(us, size) ?? us

/**
 * Heartbeats, losses, recovered requests and moves of the clock within a range, and the gaps that reach into it: one that began before shows
 * whole.
 */
export function completenessIn(db: AnyDb, range: GapRange) {
  const { fromUs, toUs, size = Number.MAX_SAFE_INTEGER } = range
  const figures = db
    .prepare<[number, number, number], Record<'heartbeats' | 'lost' | 'incomplete' | 'clock_jumps', number | null>>(`
SELECT
  sum(type = 'heartbeat') AS heartbeats,
  sum(CASE WHEN type = 'logging.failed' THEN json_extract(data, '$.lost') END) AS lost,
  sum(type = 'recovered.incomplete') AS incomplete,
  sum(type = 'clock.jump') AS clock_jumps
FROM event
WHERE time_us >= ?
  AND time_us < ?
  AND seq < ?`)
    .get(fromUs, toUs, size)
  return {
    from: isoMs(fromUs),
    to: isoMs(toUs),
    heartbeats: figures?.heartbeats ?? 0,
    lost: figures?.lost ?? 0,
    incomplete: figures?.incomplete ?? 0,
    clock_jumps: figures?.clock_jumps ?? 0,
    gaps: gapsOf(db, { ...range, fromUs: signUpTo(db, fromUs, size) })
  }
}

/**
 * Completeness around a selection: from the last sign of life before it to the first one after it, so that a gap at its edge shows.
 * Only leaves below `size` count: the same selection and size give the same figures.
 */
export function completenessAround(db: AnyDb, from: string | null, to: string | null, size: number) {
  if (from === null || to === null) return null
  const signFrom = db.prepare<[number, number], number | null>('SELECT min(time_us) FROM event WHERE time_us >= ? AND seq < ?').pluck()
  const toUs = Date.parse(to) * 1000
  const fromUs = signUpTo(db, Date.parse(from) * 1000, size)
  return completenessIn(db, { fromUs, toUs: (signFrom.get(toUs, size) ?? toUs) + 1, size })
}
