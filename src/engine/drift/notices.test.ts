// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import type { DriftAlert } from '../../shared/contract/drift.ts'
import { Announcer, noticesOf } from './notices.ts'

const alert = (n: number, score: number, what: readonly string[] = ['opened']): DriftAlert =>
  ({
    id: `a${n}`,
    model: 'gpt-4',
    source: `app-${n}`,
    drift_score: score,
    drifted_features: 'latency,error_rate',
    history: what.map((one) => ({ what: one }))
  }) as unknown as DriftAlert

describe('notices of the desktop', () => {
  it('are of alerts that open or come back, one each while they are few', () => {
    expect(noticesOf([alert(1, 0.5), alert(2, 0.4, ['opened', 'acknowledged']), alert(3, 0.2, ['opened', 'snoozed', 'returned'])])).toEqual(
      [
        { alert_id: 'a1', title: 'Drift: gpt-4, app-1', body: 'latency, error rate · score 0.50' },
        { alert_id: 'a3', title: 'Drift, snooze over: gpt-4, app-3', body: 'latency, error rate · score 0.20' }
      ]
    )
    expect(noticesOf([])).toEqual([])
  })

  it('are one for many, which leads to the largest', async () => {
    const told: (readonly DriftAlert[])[] = []
    const announcer = new Announcer((alerts) => told.push(alerts))
    for (let n = 0; n < 50; n++) announcer.add(alert(n, n === 17 ? 0.9 : 0.3))
    await new Promise((resolve) => setImmediate(resolve))
    announcer.add(alert(60, 0.3))
    await new Promise((resolve) => setImmediate(resolve))
    expect(told.map((alerts) => alerts.length)).toEqual([50, 1])
    expect(noticesOf(told[0] ?? [])).toEqual([
      { alert_id: 'a17', title: 'Drift: 50 alerts', body: 'gpt-4, app-17, score 0.90, and 49 more' }
    ])
  })
})
