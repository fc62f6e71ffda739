// SPDX-License-Identifier: Apache-2.0
import type { DriftAlert } from '../../shared/contract/drift.ts'
import type { Notice } from '../../shared/contract/webhooks.ts'

/** Whether an alert has only just opened. */
export const isNew = (alert: DriftAlert): boolean => alert.history.length === 1

/** What the desktop says of an alert: series, features and score, no text of a request. */
export const noticeOf = (alert: DriftAlert): Notice => ({
  alert_id: alert.id,
  title: `Drift: ${alert.model}, ${alert.source}`.slice(0, 120),
  body: `${alert.drifted_features.replaceAll(',', ', ').replaceAll('_', ' ')} · score ${alert.drift_score.toFixed(2)}`
})
