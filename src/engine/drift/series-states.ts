// SPDX-License-Identifier: Apache-2.0
// The state of each series, from the newest numbers against what it is compared with now.
import type { DriftSeries, VerdictNumbers } from '../../shared/contract/drift.ts'
import type { Settings } from '../../shared/contract/workspace.ts'
import type { SeriesRow } from '../catalog/windows.ts'
import type { LatestVerdicts } from './history.ts'
import type { Episode, StoredBaseline } from './listings.ts'
import type { SeriesName } from './plans.ts'

/** What the states are derived from. */
export interface SeriesParts {
  readonly baselines: readonly StoredBaseline[]
  readonly verdicts: readonly LatestVerdicts[]
  /** What series without a baseline are compared with. */
  readonly reference: Settings['reference']
}

const sameSeries = (name: SeriesName) => (one: SeriesName) => one.model === name.model && one.source === name.source

/** What a series is compared with now: its active baseline, or the kind of a reference that moves; null for nothing. */
export function referenceOf(
  name: SeriesName,
  { baselines, reference }: SeriesParts
): { readonly id: string; readonly pinned: boolean } | null {
  const baseline = baselines.find((one) => one.active && sameSeries(name)(one))
  if (baseline) return { id: baseline.id, pinned: true }
  return reference === 'none' ? null : { id: reference, pinned: false }
}

/** The newest look at a series against what it is compared with now. Numbers against another reference say nothing of this one. */
export function currentVerdicts(name: SeriesName, parts: SeriesParts): LatestVerdicts | undefined {
  const reference = referenceOf(name, parts)
  return reference === null ? undefined : parts.verdicts.find((one) => sameSeries(name)(one) && one.reference === reference.id)
}

function lookedState(numbers: readonly VerdictNumbers[]): DriftSeries['state'] {
  if (numbers.some((one) => one.alarmed)) return 'alarmed'
  if (numbers.some((one) => one.reasons.includes('waiting_for_second_look'))) return 'waiting'
  return numbers.some((one) => one.state === 'tested') ? 'quiet' : 'collecting'
}

/** Each series with its state; `open` are the alerts that are not resolved. */
export function seriesStates(series: readonly SeriesRow[], open: readonly Episode[], parts: SeriesParts): DriftSeries[] {
  return series.map((row): DriftSeries => {
    const reference = referenceOf(row, parts)
    const verdict = currentVerdicts(row, parts)
    const alert = open.find(sameSeries(row))
    const numbers = verdict?.numbers ?? []
    const tested = numbers.filter((one) => one.state === 'tested')
    return {
      model: row.model,
      source: row.source,
      records: row.records,
      first: row.first,
      last: row.last,
      state: alert ? 'alarmed' : reference === null ? 'no_baseline' : verdict ? lookedState(numbers) : 'not_looked',
      baseline_id: reference?.pinned ? reference.id : null,
      reference: reference === null ? null : reference.pinned ? 'baseline' : (parts.reference as Exclude<Settings['reference'], 'none'>),
      alert_id: alert?.id ?? null,
      score: tested.length === 0 ? null : Math.max(...tested.map((one) => one.l ?? 0)),
      numbers,
      looked_at: verdict?.time ?? null
    }
  })
}
