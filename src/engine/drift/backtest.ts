// SPDX-License-Identifier: Apache-2.0
// What would have alarmed over the stored history under given settings: looks over the hourly counts of the catalog, on a reader thread.
import type { BacktestRun, BacktestSettings } from '../../shared/contract/drift-backtest.ts'
import { AffidavitError } from '../../shared/contract/errors.ts'
import { lookSettings } from '../../shared/drift/judge.ts'
import { rateOf, tableOf } from '../../shared/drift/window.ts'
import type { MovingReference, ReferenceKind } from '../../shared/event/drift-bodies.ts'
import {
  type CountTable,
  countTableOfMap,
  EMPTY_COUNT_TABLE,
  mergeCountTables,
  subtractCountTable
} from '../../shared/stats/count-table.ts'
import { FEATURES, type FeatureName } from '../../shared/stats/features.ts'
import { groupAlarms, runLook } from '../../shared/stats/look.ts'
import type { Series, SeriesHistory, Verdict } from '../../shared/stats/look-types.ts'
import { HOUR_US, hourOf, WIDE } from '../catalog/cells.ts'
import { isoMs } from '../catalog/rows.ts'
import { addCell, type CellRow, Tally } from '../catalog/tally.ts'
import type { ReaderContext, ReaderControl } from '../threads/reader-context.ts'
import { baselineBody } from './gather.ts'
import { listBaselines } from './listings.ts'
import { settingsBody } from './look.ts'
import { referenceHours } from './references.ts'

/** Claimed hours, the first and the one after the last. */
export interface BacktestArgs {
  readonly from: number
  readonly to: number
  readonly settings: BacktestSettings
}

/** Alarms listed; all are counted. */
const MOST_LISTED = 1_000
const HISTORY_HOURS = 28 * WIDE

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

const NOTHING: Counts = {
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
const plus = (a: Counts, b: Counts): Counts => (a.records === 0 ? b : b.records === 0 ? a : combine(a, b, mergeCountTables, 1))
const minus = (a: Counts, b: Counts): Counts => (b.records === 0 ? a : combine(a, b, subtractCountTable, -1))

interface Past {
  readonly hour: number
  readonly d: number
  readonly l: number
  readonly alarmed: boolean
  readonly fired: boolean
}

/** One series as the back-test goes through its hours. */
interface Track {
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

function tracksOf(context: ReaderContext, { from, to, settings }: BacktestArgs, control: ReaderControl): Track[] {
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
function newestHours(track: Track, records: number, hours: number): void {
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
function referenceOf(track: Track, end: number, days: number): Counts {
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

function historyOf(past: readonly Past[] | undefined, hour: number): SeriesHistory | undefined {
  const counted = past?.filter((one) => one.hour > hour - HISTORY_HOURS) ?? []
  const last = counted.at(-1)
  if (!last) return undefined
  return {
    looks: counted.length,
    maxUnalarmedL: Math.max(0, ...counted.filter((one) => !one.alarmed).map((one) => one.l)),
    maxD: Math.max(0, ...counted.map((one) => one.d)),
    previousFired: last.fired
  }
}

function seriesOf(track: Track, hour: number, days: number): Series[] {
  const { model, source, pinned, current } = track
  const moving = pinned ? NOTHING : referenceOf(track, hour, days)
  const basis = pinned ? pinned.basis : moving.total.total > 0 && moving.total.total >= moving.output.total ? 'total' : 'output'
  const before = pinned?.tables ?? { latency: moving.latency, token_usage: moving[basis], response_length: moving.chars }
  const after = { latency: current.latency, token_usage: current[basis], response_length: current.chars }
  return FEATURES.map((feature): Series => {
    const history = historyOf(track.past.get(feature.name), hour)
    const name = { model, source, ...(history ? { history } : {}) }
    if (feature.kind === 'fisher')
      return {
        ...name,
        kind: 'fisher',
        feature: feature.name,
        reference: pinned ? { errors: pinned.errors, total: pinned.ended } : { errors: moving.errors, total: moving.ended },
        current: { errors: current.errors, total: current.ended }
      }
    return { ...name, kind: 'ks', feature: feature.name, reference: before[feature.name], current: after[feature.name] }
  })
}

function remember(track: Track, verdicts: readonly Verdict[], hour: number): void {
  for (const verdict of verdicts) {
    if (verdict.state !== 'tested') continue
    const list = track.past.get(verdict.feature) ?? []
    list.push({ hour, d: verdict.d, l: verdict.l, alarmed: verdict.alarmed, fired: verdict.fired })
    track.past.set(verdict.feature, list)
  }
}

/**
 * Goes through the stored hours as the schedule would have: looks at whole hours, windows that grow until there are enough requests, the
 * gate with its history, the budget over all series of a look. Nobody resolves alerts in a back-test: an episode ends with the first
 * tested look that does not alarm, and the cool-down begins there. An interval below an hour is taken as an hour.
 * @throws AffidavitError nothing_selected: no series with a reference has records in these hours; cancelled
 */
export function backtest(context: ReaderContext, args: BacktestArgs, control: ReaderControl): BacktestRun {
  const { from, to, settings } = args
  const tracks = context.catalog.transaction(() => tracksOf(context, args, control))()
  if (tracks.length === 0)
    throw new AffidavitError(
      'nothing_selected',
      'no series with a reference has records in this time: pin a baseline or choose another reference'
    )
  const rule = { ...lookSettings(settingsBody(settings)), minimumEffect: false }
  const every = Math.max(1, Math.ceil((settings.look_every_minutes || 60) / 60))
  const total = Math.ceil((to - from) / every)
  let looks = 0
  let tests = 0
  let alarms = 0
  let alerts = 0
  const list: BacktestRun['list'] = []
  for (let hour = from + every; hour < to + every; hour += every) {
    if (control.cancelled()) throw new AffidavitError('cancelled', 'cancelled')
    control.progress(Math.ceil((hour - from) / every), total)
    const fresh = tracks.filter((track) => {
      for (let cell = track.cells[track.next]; cell && cell.hour < hour; cell = track.cells[++track.next])
        track.current = plus(track.current, cell.counts)
      if (!track.judged && track.current.records > 0) newestHours(track, settings.min_current, every)
      return track.current.records > 0
    })
    if (fresh.length === 0) continue
    looks++
    const result = runLook(
      fresh.flatMap((track) => seriesOf(track, hour, settings.reference_days)),
      rule
    )
    tests += result.tests
    const groups = groupAlarms(result.verdicts)
    for (const [i, track] of fresh.entries()) {
      const verdicts = result.verdicts.slice(i * FEATURES.length, (i + 1) * FEATURES.length)
      const judged = verdicts.some((one) => one.feature === 'error_rate' && one.state === 'tested')
      remember(track, verdicts, hour)
      const group = groups.find((one) => one.model === track.model && one.source === track.source)
      if (group) {
        const opens = !track.open && hour >= track.closedAt + settings.cooldown_hours
        alarms++
        if (opens) alerts++
        track.open ||= opens
        if (list.length < MOST_LISTED)
          list.push({
            time: isoMs(hour * HOUR_US),
            model: track.model,
            source: track.source,
            reference: track.kind,
            features: [...group.features],
            score: group.driftScore,
            opens
          })
      } else if (judged && track.open) {
        track.open = false
        track.closedAt = hour
      }
      if (!judged) continue
      track.judged = true
      track.since = track.next
      track.current = NOTHING
    }
  }
  return { settings, looks, tests, series: tracks.length, alarms, alerts, list }
}

/** The claimed hours on record: the first, and the one after the last; undefined without a record. */
export function hoursOnRecord({ catalog }: ReaderContext): { readonly from: number; readonly to: number } | undefined {
  const row = catalog
    .prepare<[], { low: number | null; high: number | null }>('SELECT min(start) AS low, max(start) AS high FROM cell WHERE span = 1')
    .get()
  return row?.low == null || row.high === null ? undefined : { from: row.low, to: row.high + 1 }
}
