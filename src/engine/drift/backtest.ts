// SPDX-License-Identifier: Apache-2.0
// What would have alarmed over the stored history under given settings: looks over the hourly counts of the catalog, on a reader thread.
import type { BacktestRun } from '../../shared/contract/drift-backtest.ts'
import { AffidavitError } from '../../shared/contract/errors.ts'
import { lookSettings } from '../../shared/drift/judge.ts'
import { FEATURES } from '../../shared/stats/features.ts'
import { groupAlarms, runLook } from '../../shared/stats/look.ts'
import type { Series, SeriesHistory, Verdict } from '../../shared/stats/look-types.ts'
import { seriesHistory } from '../../shared/stats/series-history.ts'
import { HOUR_US, WIDE } from '../catalog/cells.ts'
import { isoMs } from '../catalog/rows.ts'
import type { ReaderContext, ReaderControl } from '../threads/reader-context.ts'
import { type BacktestArgs, NOTHING, newestHours, type Past, plus, referenceOf, type Track, tracksOf } from './backtest-tracks.ts'
import { claimedSpan } from './claimed-span.ts'
import { settingsBody } from './look.ts'

/** Alarms listed; all are counted. */
const MOST_LISTED = 1_000
const HISTORY_HOURS = 28 * WIDE

const historyOf = (past: readonly Past[] | undefined, hour: number): SeriesHistory | undefined =>
  seriesHistory(past?.filter((one) => one.hour > hour - HISTORY_HOURS) ?? [])

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

/** The claimed hours on record. */
export interface HoursOnRecord {
  /** The first hour, and the one after the last. */
  readonly from: number
  readonly to: number
  /** The same without what a wrong clock may have claimed, and how many records that is. */
  readonly usual: { readonly from: number; readonly to: number; readonly outside: number }
}

/** Undefined without a record. */
export function hoursOnRecord({ catalog }: ReaderContext): HoursOnRecord | undefined {
  const hours = catalog
    .prepare<[], [number, number]>('SELECT start, sum(records) FROM cell WHERE span = 1 GROUP BY start ORDER BY start')
    .raw()
    .all()
  const span = claimedSpan(hours, true)
  const [first, last] = [hours[0]?.[0], hours.at(-1)?.[0]]
  if (!span || first === undefined || last === undefined) return undefined
  return { from: first, to: last + 1, usual: { from: span.first, to: span.last + 1, outside: span.outside } }
}
