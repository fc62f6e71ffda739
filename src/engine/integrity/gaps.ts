// SPDX-License-Identifier: Apache-2.0
// What shows that nothing is missing in time: heartbeats, and the stretches without one.
import type { DisposedStretch, Gap } from '../../shared/contract/compliance.ts'
import { isoMs } from '../catalog/rows.ts'
import { TILE } from '../ledger/tiles.ts'
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

/** What stands between signs of life; oldest first. */
interface Stretches {
  readonly gaps: Gap[]
  /** Signs of life between may have gone with their tile: of these stretches nothing is said. */
  readonly disposed: DisposedStretch[]
}

/**
 * Stretches without a sign of life within a range. A clock that was moved is told from a silence, and so is a stretch whose leaves were disposed of
 * with their tile.
 */
export function gapsOf(db: AnyDb, { fromUs, toUs, size = Number.MAX_SAFE_INTEGER }: GapRange): Stretches {
  const gaps: Gap[] = []
  const disposed: DisposedStretch[] = []
  const tiles = db.prepare<[], { tile: number; intent: number }>('SELECT tile, intent FROM disposed_tile ORDER BY tile').all()
  let next = 0
  /** The intents that took the tiles up to a leaf; a tile goes with all of its signs. */
  const takenUpTo = (seq: number): number[] => {
    const from = next
    while ((tiles[next]?.tile ?? Number.POSITIVE_INFINITY) * TILE < seq) next++
    return [...new Set(tiles.slice(from, next).map(({ intent }) => intent))]
  }
  let before: Sign | undefined
  let heartbeat = -1
  const movedIn = (stretch: DisposedStretch | undefined, moved: number): boolean =>
    stretch !== undefined &&
    stretch.to_seq > heartbeat &&
    Date.parse(stretch.to) * 1000 - Date.parse(stretch.from) * 1000 >= moved - SILENCE_US
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
    const by = takenUpTo(sign.seq)
    if (before && by.length > 0) {
      if (silence > SILENCE_US)
        disposed.push({ from: isoMs(before.time_us), to: isoMs(sign.time_us), from_seq: before.seq, to_seq: sign.seq, by })
    } else if (sign.type === 'clock.jump') {
      const moved = (JSON.parse(sign.data) as { delta_ms: number }).delta_ms * 1000
      const last = gaps.at(-1)
      const seen =
        last && last.to_seq > heartbeat && last.reason === 'silent' ? Date.parse(last.to) * 1000 - Date.parse(last.from) * 1000 : 0
      if (before && moved > SILENCE_US) {
        // Leaves between the move and this one carry the new time already: the silence before them was the move.
        if (last && Math.abs(seen - moved) <= SILENCE_US) gaps[gaps.length - 1] = { ...last, reason: 'clock' }
        else if (!movedIn(disposed.at(-1), moved)) add(before, sign, 'clock')
      } else if (before && moved < 0 && silence - moved > SILENCE_US) add(before, sign, 'silent')
    } else if (before && silence > SILENCE_US) {
      add(before, sign, before.type === 'engine.stopped' ? 'stopped' : sign.type === 'engine.started' ? 'ended' : 'silent')
    }
    if (sign.type === 'heartbeat') heartbeat = sign.seq
    before = sign
  }
  return { gaps, disposed }
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
    ...gapsOf(db, { ...range, fromUs: signUpTo(db, fromUs, size) })
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
