// SPDX-License-Identifier: Apache-2.0
// Episodes of a back-test beside each other and beside the alerts on record.
import type { DriftAlert, DriftFeature } from '../../../../shared/contract/drift.ts'
import type { BacktestAlarm } from '../../../../shared/contract/drift-backtest.ts'

/** Alarms of one series that would have been one alert. Times are milliseconds since 1970 UTC. */
export interface Episode {
  readonly model: string
  readonly source: string
  readonly reference: BacktestAlarm['reference']
  readonly from: number
  /** The last look that alarmed. */
  to: number
  alarms: number
  score: number
  features: DriftFeature[]
}

/** What would have happened, and what did, around the same time in one series. */
export interface EpisodeRow {
  readonly key: string
  readonly model: string
  readonly source: string
  readonly from: number
  readonly to: number
  readonly features: readonly string[]
  readonly score: number
  readonly tried: Episode | null
  readonly present: Episode | null
  readonly alert: DriftAlert | null
}

const nameOf = (one: { readonly model: string; readonly source: string }): string => JSON.stringify([one.model, one.source])

/** The episodes of a run, oldest first. An alarm in a cool-down opens nothing and belongs to the episode before it. */
export function episodesOf(list: readonly BacktestAlarm[]): Episode[] {
  const episodes: Episode[] = []
  const latest = new Map<string, Episode>()
  for (const alarm of list) {
    const time = Date.parse(alarm.time)
    const { model, source, reference, features, score } = alarm
    const open = latest.get(nameOf(alarm))
    if (alarm.opens) {
      const episode: Episode = { model, source, reference, from: time, to: time, alarms: 1, score, features: [...features] }
      episodes.push(episode)
      latest.set(nameOf(alarm), episode)
    } else if (open) {
      open.to = time
      open.alarms++
      open.score = Math.max(open.score, score)
      open.features = [...new Set([...open.features, ...features])]
    }
  }
  return episodes
}

interface Span {
  readonly from: number
  readonly to: number
}
const meet = (a: Span, b: Span, slack: number): boolean => a.from <= b.to + slack && b.from <= a.to + slack

interface Draft {
  readonly model: string
  readonly source: string
  tried: Episode | null
  present: Episode | null
  alert: DriftAlert | null
}

/** From the first opening to the last alarm; an alert on record counts at its opening. */
function spanOf({ tried, present, alert }: Draft): Span {
  const opened = alert ? Date.parse(alert.timestamp) : Number.NaN
  const times = [tried?.from, present?.from, opened].filter((time) => time !== undefined && !Number.isNaN(time)) as number[]
  const ends = [tried?.to, present?.to, opened].filter((time) => time !== undefined && !Number.isNaN(time)) as number[]
  return { from: Math.min(...times), to: Math.max(...ends) }
}

/**
 * One row for what is about the same time in the same series, newest first. Each episode and each alert is in one row.
 * @param tried null: only the settings as they are were tested
 * @param slack milliseconds between two things that still count as one
 */
export function episodeRows(
  tried: readonly Episode[] | null,
  present: readonly Episode[],
  alerts: readonly DriftAlert[],
  slack: number
): EpisodeRow[] {
  const series = new Map<string, Draft[]>()
  const place = (
    one: { readonly model: string; readonly source: string },
    span: Span,
    part: 'tried' | 'present' | 'alert',
    put: (row: Draft) => void
  ) => {
    const rows = series.get(nameOf(one)) ?? []
    series.set(nameOf(one), rows)
    let row = rows.find((other) => other[part] === null && meet(spanOf(other), span, slack))
    if (!row) {
      row = { model: one.model, source: one.source, tried: null, present: null, alert: null }
      rows.push(row)
    }
    put(row)
  }
  for (const one of tried ?? []) place(one, one, 'tried', (row) => (row.tried = one))
  for (const one of present) place(one, one, 'present', (row) => (row.present = one))
  for (const one of alerts) {
    const time = Date.parse(one.timestamp)
    place(one, { from: time, to: time }, 'alert', (row) => (row.alert = one))
  }
  return [...series.values()]
    .flat()
    .map((draft): EpisodeRow => {
      const span = spanOf(draft)
      const shown = draft.tried ?? draft.present
      return {
        ...draft,
        ...span,
        key: `${nameOf(draft)} ${span.from} ${draft.alert?.id ?? ''}`,
        features: shown?.features ?? draft.alert?.drifted_features.split(',') ?? [],
        score: shown?.score ?? draft.alert?.drift_score ?? 0
      }
    })
    .sort((a, b) => b.from - a.from || (a.key < b.key ? -1 : 1))
}

export type Difference = 'all' | 'tried' | 'present' | 'record'

/** Rows that only one side has: which of the settings decides. */
export const differs = (row: EpisodeRow, by: Difference): boolean =>
  by === 'all' ||
  (by === 'tried' && row.tried !== null && row.present === null) ||
  (by === 'present' && row.present !== null && row.tried === null) ||
  (by === 'record' && row.alert !== null && row.present === null && row.tried === null)
