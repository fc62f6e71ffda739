// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import type { DriftAlert } from '../../../../shared/contract/drift.ts'
import type { BacktestAlarm } from '../../../../shared/contract/drift-backtest.ts'
import { differs, episodeRows, episodesOf } from './episodes.ts'

const HOUR = 3_600_000
const at = (hour: number): string => new Date(Date.UTC(2026, 2, 1) + hour * HOUR).toISOString()
const alarm = (hour: number, opens: boolean, more: Partial<BacktestAlarm> = {}): BacktestAlarm => ({
  time: at(hour),
  model: 'gpt-4',
  source: 'desk',
  reference: 'rolling',
  features: ['latency'],
  score: 0.2,
  opens,
  ...more
})
const alert = (id: string, hour: number, source = 'desk') =>
  ({ id, timestamp: at(hour), model: 'gpt-4', source, state: 'open', drifted_features: 'latency', drift_score: 0.3 }) as DriftAlert

describe('episodes of a back-test', () => {
  it('hold the alarms of a series up to its next opening', () => {
    const found = episodesOf([
      alarm(1, false),
      alarm(2, true),
      alarm(2, true, { source: 'web' }),
      alarm(3, false, { score: 0.4, features: ['latency', 'error_rate'] }),
      alarm(9, true)
    ])
    expect(found.map((one) => [one.source, one.alarms, one.score, one.to - one.from])).toEqual([
      ['desk', 2, 0.4, HOUR],
      ['web', 1, 0.2, 0],
      ['desk', 1, 0.2, 0]
    ])
    expect(found[0]?.features).toEqual(['latency', 'error_rate'])
  })

  it('stand in one row with those of the same time and series, and each in one row only', () => {
    const tried = episodesOf([alarm(10, true), alarm(12, false), alarm(50, true)])
    const present = episodesOf([alarm(12, true), alarm(13, true), alarm(80, true), alarm(11, true, { source: 'web' })])
    const rows = episodeRows(tried, present, [alert('a', 13), alert('b', 200), alert('c', 11, 'batch')], HOUR)
    const marks = rows.map((row) => [
      row.source,
      (row.from - Date.UTC(2026, 2, 1)) / HOUR,
      row.tried !== null,
      row.present !== null,
      row.alert?.id ?? ''
    ])
    expect(marks).toEqual([
      ['desk', 200, false, false, 'b'],
      ['desk', 80, false, true, ''],
      ['desk', 50, true, false, ''],
      ['desk', 13, false, true, ''],
      ['batch', 11, false, false, 'c'],
      ['web', 11, false, true, ''],
      ['desk', 10, true, true, 'a']
    ])
    expect(rows.filter((row) => differs(row, 'tried'))).toHaveLength(1)
    expect(rows.filter((row) => differs(row, 'present'))).toHaveLength(3)
    expect(rows.filter((row) => differs(row, 'record'))).toHaveLength(2)
    expect(new Set(rows.map((row) => row.key)).size).toBe(rows.length)
    expect(episodeRows(null, [], [], HOUR)).toEqual([])
  })
})
