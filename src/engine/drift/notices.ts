// SPDX-License-Identifier: Apache-2.0
import type { DriftAlert } from '../../shared/contract/drift.ts'
import type { Notice } from '../../shared/contract/webhooks.ts'

const isBack = (alert: DriftAlert): boolean => alert.history.at(-1)?.what === 'returned'

/** Whether an alert has only just opened, or came back from its rest. */
export const asksAttention = (alert: DriftAlert): boolean => alert.history.length === 1 || isBack(alert)

/** What the desktop says of an alert: series, features and score, no text of a request. */
export const noticeOf = (alert: DriftAlert): Notice => ({
  alert_id: alert.id,
  title: `${isBack(alert) ? 'Drift, snooze over' : 'Drift'}: ${alert.model}, ${alert.source}`.slice(0, 120),
  body: `${alert.drifted_features.replaceAll(',', ', ').replaceAll('_', ' ')} · score ${alert.drift_score.toFixed(2)}`
})
