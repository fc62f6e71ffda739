// SPDX-License-Identifier: Apache-2.0
import type { DriftAlert } from '../../shared/contract/drift.ts'
import type { Notice } from '../../shared/contract/webhooks.ts'

const isBack = (alert: DriftAlert): boolean => alert.history.at(-1)?.what === 'returned'

/** Whether an alert has only just opened, or came back from its rest. */
const asksAttention = (alert: DriftAlert): boolean => alert.history.length === 1 || isBack(alert)

const seriesOf = (alert: DriftAlert): string => `${alert.model}, ${alert.source}`

/** What the desktop says of an alert: series, features and score, no text of a request. */
const noticeOf = (alert: DriftAlert): Notice => ({
  alert_id: alert.id,
  title: `${isBack(alert) ? 'Drift, snooze over' : 'Drift'}: ${seriesOf(alert)}`.slice(0, 120),
  body: `${alert.drifted_features.replaceAll(',', ', ').replaceAll('_', ' ')} · score ${alert.drift_score.toFixed(2)}`
})

/** Alerts at once that are announced one by one. */
const MOST_SINGLE = 3

/** What the desktop says of alerts that came at once; many are one notice, which leads to the one with the largest score. */
export function noticesOf(alerts: readonly DriftAlert[]): Notice[] {
  const asking = alerts.filter(asksAttention)
  const [worst] = [...asking].sort((a, b) => b.drift_score - a.drift_score)
  if (!worst || asking.length <= MOST_SINGLE) return asking.map(noticeOf)
  return [
    {
      alert_id: worst.id,
      title: `Drift: ${asking.length} alerts`,
      body: `${seriesOf(worst).slice(0, 120)}, score ${worst.drift_score.toFixed(2)}, and ${asking.length - 1} more`
    }
  ]
}

/** Gathers the alerts of one turn, so that a look that opens many tells of them once. */
export class Announcer {
  readonly #tell: (alerts: readonly DriftAlert[]) => void
  #waiting: DriftAlert[] = []

  constructor(tell: (alerts: readonly DriftAlert[]) => void) {
    this.#tell = tell
  }

  add(alert: DriftAlert): void {
    if (this.#waiting.push(alert) > 1) return
    setImmediate(() => {
      const alerts = this.#waiting
      this.#waiting = []
      this.#tell(alerts)
    })
  }
}
