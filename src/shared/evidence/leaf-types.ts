// SPDX-License-Identifier: Apache-2.0

/** Everything a leaf can be: one closed catalogue, so that a verifier can name what it does not know. */
export const leafTypes = [
  'llm.request',
  'llm.response',
  'llm.error',
  'llm.aborted',
  'llm.recorded',
  'recovered.incomplete',
  'heartbeat',
  'engine.started',
  'engine.stopped',
  'logging.failed',
  'rollback.detected',
  'clock.jump',
  'import.started',
  'import.done',
  'drift.look',
  'drift.alert',
  'drift.ack',
  'drift.resolve',
  'drift.snooze',
  'baseline.set',
  'record.viewed',
  'record.corrected',
  'payload.unmasked',
  'search.run',
  'export.created',
  'recipient.told',
  'bundle.opened',
  'verify.run',
  'anchor.added',
  'review.opened',
  'review.decided',
  'review.signed',
  'hold.placed',
  'hold.released',
  'retention.set',
  'disposal.intent',
  'disposal.done',
  'erasure.intent',
  'erasure.done',
  'erasure.refused',
  'restrict.set',
  'subject.exported',
  'user.added',
  'user.changed',
  'session.opened',
  'session.failed',
  'approval.given',
  'approval.refused',
  'setting.changed',
  'price.set',
  'key.added',
  'key.retired',
  'key.revoked',
  'client.added',
  'client.revoked',
  'backup.made',
  'restore.done',
  'app.updated'
] as const

export type LeafType = (typeof leafTypes)[number]

/** How a call ended. A record without an end yet is *in flight* and has no status in its leaf. */
export const recordStatuses = ['success', 'error', 'aborted', 'incomplete'] as const
export type RecordStatus = (typeof recordStatuses)[number]

/** Leaf types that end a record (EVIDENCE: a record is emitted at its terminal leaf). */
export const terminalTypes = [
  'llm.recorded',
  'llm.response',
  'llm.error',
  'llm.aborted',
  'recovered.incomplete'
] as const satisfies readonly LeafType[]
