// SPDX-License-Identifier: Apache-2.0
// What may be disposed of now; runs on reader threads.
import type { DisposalPreview } from '../../shared/contract/retention.ts'
import type { LeafType } from '../../shared/evidence/leaf-types.ts'
import { type SeqRange, seqsIn, toRanges } from '../../shared/policy/ranges.ts'
import { FLOOR_DAYS, keptUntil, LOG_CLASS, latestPast, rulesOf, scheduleWindows } from '../../shared/policy/retention.ts'
import { REMOVED } from '../backup/history.ts'
import { noteLeaves } from '../catalog/notes-on-records.ts'
import { isoMs } from '../catalog/rows.ts'
import { lastCheckpoint } from '../ledger/store.ts'
import { TILE } from '../ledger/tiles.ts'
import type { ReaderContext } from '../threads/reader-context.ts'
import { type HeldBy, holdsOn } from './holds.ts'
import { subjectsOf } from './record-subjects.ts'
import { happenedOf, schedulesOf } from './retention-view.ts'

/** Most records of one disposal: its intent lists them, and the catalog forgets them in one transaction. */
const MOST = 200_000
/** Most tiles of one disposal. */
const MOST_TILES = 2_000

/** Events that say nothing that is still in force: with their tile they may go. All others keep the tile. See also {@link REMOVED}. */
const passing: readonly LeafType[] = [
  'heartbeat',
  'engine.started',
  'engine.stopped',
  'clock.jump',
  'import.started',
  'import.done',
  'record.viewed',
  'payload.unmasked',
  'search.run',
  'bundle.opened',
  'verify.run',
  'session.opened',
  'session.closed',
  'session.failed',
  'backup.made',
  'backup.keys',
  'backup.removed',
  'disposal.proposed'
]

interface Row {
  readonly seq: number
  readonly class: string
  readonly source: string
  readonly time_us: number
  readonly appended_us: number
}

/** What is past its time at `nowUs` and not held, and what is held back. */
export interface Due {
  readonly rows: readonly Row[]
  readonly held: readonly HeldBy[]
  readonly heldSeqs: ReadonlySet<number>
  /** There is more than one disposal takes. */
  readonly more: boolean
}

/** Calls past their time, oldest first, held ones set apart. With `only`, nothing else is looked at. */
function dueOf(context: ReaderContext, nowUs: number, only?: readonly SeqRange[]): Due {
  const { catalog } = context
  const versions = schedulesOf(context)
  const events = happenedOf(context)
  const bySubject = events.some((event) => event.scope === 'subject')
  const floor = latestPast(nowUs, { years: 0, months: 0, days: FLOOR_DAYS })
  // Nothing below the last checkpoint is missed later, and nothing above it is touched: what goes was signed for.
  const sealed = lastCheckpoint(context.ledger)?.size ?? 0
  const classes = catalog.prepare<[], string>('SELECT DISTINCT class FROM record UNION SELECT DISTINCT class FROM aside').pluck().all()
  const rows: Row[] = []
  for (const name of classes) {
    for (const window of scheduleWindows(versions)) {
      const rules = rulesOf(window, name)
      if (rules.length === 0) continue
      const conditions = ['class = ?', 'seq >= ?', 'seq < ?', 'appended_us <= ?']
      const params: (string | number)[] = [name, window.from, Math.min(window.to, sealed), floor]
      for (const { trigger, period } of rules) {
        if (trigger === 'event') continue
        conditions.push(trigger === 'append' ? 'appended_us <= ?' : 'time_us <= ?')
        params.push(latestPast(nowUs, period))
      }
      const waits = rules.some((rule) => rule.trigger === 'event')
      const where = conditions.join(' AND ')
      const found = catalog
        .prepare<(string | number)[], Row>(`
SELECT seq, class, source, time_us, appended_us FROM record WHERE ${where}
UNION ALL
SELECT seq, class, source, time_us, appended_us FROM aside WHERE ${where}
ORDER BY seq`)
        .iterate(...params, ...params)
      for (const row of found) {
        if (waits) {
          const subjects = bySubject ? subjectsOf(context, row.seq) : []
          const { until_us: until } = keptUntil({ ...row, subjects, start_us: row.time_us }, versions, events)
          if (until === null || until > nowUs) continue
        }
        rows.push(row)
        if (only === undefined && rows.length > 2 * MOST) break
      }
    }
  }
  rows.sort((a, b) => a.seq - b.seq)
  const wanted = only && new Set(seqsIn(only))
  const all = wanted ? rows.filter((row) => wanted.has(row.seq)) : rows
  const held = holdsOn(
    context,
    all.map((row) => row.seq)
  )
  const heldSeqs = new Set(held.flatMap((hold) => hold.seqs))
  const free = all.filter((row) => !heldSeqs.has(row.seq))
  return { rows: free.slice(0, MOST), held, heldSeqs, more: free.length > MOST }
}

/** Whole tiles of which nothing is left to keep once these records are gone. */
function tilesOf(context: ReaderContext, nowUs: number, ranges: readonly SeqRange[]): number[] {
  const { catalog, ledger } = context
  const versions = schedulesOf(context)
  const windows = scheduleWindows(versions)
  const sealed = Math.floor((lastCheckpoint(ledger)?.size ?? 0) / TILE)
  const counts = new Map<number, number>()
  const add = (tile: number, n: number) => counts.set(tile, (counts.get(tile) ?? 0) + n)
  const addRange = (first: number, last: number) => {
    for (let seq = first; seq <= last; ) {
      const tile = Math.floor(seq / TILE)
      const end = Math.min(last, (tile + 1) * TILE - 1)
      add(tile, end - seq + 1)
      seq = end + 1
    }
  }
  for (const window of windows) {
    const rules = rulesOf(window, LOG_CLASS)
    if (rules.length === 0 || rules.some((rule) => rule.trigger === 'event')) continue
    const past = Math.min(...rules.map((rule) => latestPast(nowUs, rule.period)))
    const events = catalog
      .prepare<(string | number)[], { tile: number; n: number }>(`
SELECT seq / ${TILE} AS tile, count(*) AS n
FROM event
WHERE type IN (${passing.map(() => '?').join(', ')})
  AND time_us <= ?
  AND seq >= ?
  AND seq < ?
  AND (type NOT IN ('backup.made', 'backup.keys') OR ${REMOVED})
GROUP BY tile`)
      .all(...passing, past, window.from, window.to)
    for (const { tile, n } of events) add(tile, n)
  }
  if (counts.size === 0) return []
  for (const [first, last] of ranges) addRange(first, last)
  const disposed = catalog.prepare<[], { first_seq: number; last_seq: number }>('SELECT first_seq, last_seq FROM disposed').all()
  for (const { first_seq, last_seq } of disposed) addRange(first_seq, last_seq)
  const gone = ledger.prepare<[number], number>('SELECT tile FROM disposed_tile WHERE tile = ?').pluck()
  const whole = [...counts]
    .filter(([tile, n]) => n === TILE && tile < sealed && gone.get(tile) === undefined)
    .map(([tile]) => tile)
    .sort((a, b) => a - b)
    .slice(0, MOST_TILES)
  if (whole.length === 0) return []
  const held = holdsOn(context, [...seqsIn(whole.map((tile): SeqRange => [tile * TILE, (tile + 1) * TILE - 1]))])
  const kept = new Set(held.flatMap((hold) => hold.seqs.map((seq) => Math.floor(seq / TILE))))
  return whole.filter((tile) => !kept.has(tile))
}

/** Leaves that go with some records, given in ascending order: their corrections are content of theirs. */
function rangesOf({ catalog }: ReaderContext, rows: readonly Row[]): SeqRange[] {
  const seqs = rows.map((row) => row.seq)
  return toRanges([...seqs, ...noteLeaves(catalog, 'record.corrected', seqs)].sort((a, b) => a - b))
}

/** What a disposal would take, for the intent: runs of records with their corrections, and numbers of tiles. `only`: what was asked for, as far as it may still go. */
export function disposalOf(
  context: ReaderContext,
  nowUs: number,
  only?: { readonly ranges: readonly SeqRange[]; readonly tiles: readonly number[] }
): { readonly ranges: SeqRange[]; readonly tiles: number[]; readonly records: number; readonly bytes: number } {
  const due = dueOf(context, nowUs, only?.ranges)
  const ranges = rangesOf(context, due.rows)
  const tiles = tilesOf(context, nowUs, ranges)
  const wanted = only && new Set(only.tiles)
  return {
    ranges,
    tiles: wanted ? tiles.filter((tile) => wanted.has(tile)) : tiles,
    records: due.rows.length,
    bytes: bytesOf(context, ranges)
  }
}

function bytesOf({ ledger }: ReaderContext, ranges: readonly SeqRange[]): number {
  const sum = ledger.prepare<[number, number], number>('SELECT ifnull(sum(length(ct)), 0) FROM payload WHERE seq >= ? AND seq <= ?').pluck()
  return ranges.reduce((total, [first, last]) => total + (sum.get(first, last) ?? 0), 0)
}

/** The dry run: what would go, by class, and what is held back and why. */
export function previewDisposal(context: ReaderContext, nowUs: number): DisposalPreview {
  const due = dueOf(context, nowUs)
  const ranges = rangesOf(context, due.rows)
  const tiles = tilesOf(context, nowUs, ranges)
  const classes = [...new Set(due.rows.map((row) => row.class))].sort()
  return {
    as_of: isoMs(nowUs),
    records: due.rows.length,
    bytes: bytesOf(context, ranges),
    tiles: tiles.length,
    leaves: tiles.length * TILE,
    more: due.more,
    by_class: classes.map((name) => {
      const rows = due.rows.filter((row) => row.class === name)
      const times = rows.map((row) => row.appended_us)
      return {
        class: name,
        records: rows.length,
        bytes: bytesOf(context, rangesOf(context, rows)),
        oldest: isoMs(times.reduce((a, b) => Math.min(a, b), Number.MAX_SAFE_INTEGER)),
        newest: isoMs(times.reduce((a, b) => Math.max(a, b), 0))
      }
    }),
    held: due.heldSeqs.size,
    holds: due.held.map(({ id, seq, matter, seqs }) => ({ id, seq, matter, records: seqs.length }))
  }
}

/** The intent of a disposal that took a leaf away; null when none did. */
export const disposedBy = ({ catalog }: ReaderContext, seq: number): number | null =>
  catalog
    .prepare<[number, number], number>('SELECT intent FROM disposed WHERE first_seq <= ? AND last_seq >= ? LIMIT 1')
    .pluck()
    .get(seq, seq) ?? null

interface StoredDisposal {
  readonly id: string
  readonly seq: number
  readonly time_us: number
  readonly actor: string
  readonly approval: string
  readonly records: number
  readonly tiles: number
  readonly bytes: number
  readonly done_seq: number | null
  readonly done_us: number | null
  readonly refused_seq: number | null
}

/** Disposals, newest first. */
export const listDisposals = ({ catalog }: ReaderContext) =>
  catalog
    .prepare<[], StoredDisposal>('SELECT * FROM disposal ORDER BY seq DESC LIMIT 200')
    .all()
    .map(({ time_us, done_us, ...row }) => ({ ...row, time: isoMs(time_us), done: done_us === null ? null : isoMs(done_us) }))
