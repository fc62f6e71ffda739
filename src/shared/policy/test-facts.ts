// SPDX-License-Identifier: Apache-2.0
// Compliance facts for tests: of an empty workspace, and of one in which nothing is missing.
import type { LeafType } from '../evidence/leaf-types.ts'
import type { ComplianceFacts } from './facts.ts'

export const NOW = '2026-11-25T12:00:00.000Z'

const quiet = { open: 0, overdue: 0, late: 0 }

/** Just made. */
export const empty: ComplianceFacts = {
  now: NOW,
  created: '2026-11-25T11:00:00.000Z',
  size: 1,
  events: { 'engine.started': { count: 1, seq: 0, last: NOW } },
  records: { count: 0, oldest: null, newest: null, with_prompt: 0, with_served: 0, automated: 0, unanswered_day: 0, sources: 0 },
  search: null,
  acts: 0,
  requests: { access: quiet, erasure: quiet, restriction: quiet, rectification: quiet },
  erasing: 0,
  recipients: { due: 0, told: 0 },
  drill_ms: null,
  verified: { days: 0, of_days: 1, faulty: 0, last: null },
  anchor: null,
  checkpoint: null,
  second_copy: 'none',
  second_copy_note: null,
  problem: null,
  keys: 'key-file',
  heartbeats: { seen: 0, expected: 0 },
  gaps: [],
  disposed: [],
  lost: 0,
  unread: 0,
  alerts: { total: 0, answered: 0 },
  baselines: 0,
  look_every_minutes: 60,
  verify_every_hours: 24,
  schedule: null,
  kept: null,
  marks: {},
  processing_stated: false
}

const kinds: readonly LeafType[] = [
  'engine.started',
  'heartbeat',
  'record.viewed',
  'search.run',
  'export.created',
  'verify.run',
  'backup.made',
  'restore.done',
  'retention.set',
  'review.decided',
  'subject.exported',
  'erasure.intent',
  'erasure.done',
  'restrict.set',
  'recipient.told',
  'user.added',
  'session.opened',
  'approval.given',
  'drift.look',
  'setting.changed'
]

/** A workspace in which every row has what an examiner asks for. */
export const full: ComplianceFacts = {
  ...empty,
  created: '2026-01-01T00:00:00.000Z',
  size: 5_000,
  events: Object.fromEntries(kinds.map((type, i) => [type, { count: 2, seq: 4_000 + i, last: '2026-11-24T12:00:00.000Z' }])),
  records: {
    count: 10,
    oldest: { seq: 7, time: '2026-01-02T00:00:00.000Z' },
    newest: 4_999,
    with_prompt: 10,
    with_served: 10,
    automated: 10,
    unanswered_day: 0,
    sources: 1
  },
  search: { ms: 3, found: true },
  acts: 8,
  requests: { ...empty.requests, access: { open: 1, overdue: 0, late: 0 } },
  recipients: { due: 2, told: 2 },
  drill_ms: 12_000,
  verified: { days: 30, of_days: 30, faulty: 0, last: { seq: 4_990, time: NOW, verdict: 'intact', size: 4_990, faults: 0 } },
  anchor: { size: 4_000, time: NOW, kind: 'rfc3161', state: 'pass', message: '' },
  second_copy: 'matches',
  keys: 'safe-storage',
  baselines: 1,
  schedule: { seq: 4_010, time: NOW, rules: 2, longest_years: 6, shortest_years: 3 },
  kept: { seq: 7, text: 'Kept until 2 Jan 2032', floor: true },
  marks: {
    S9: { applies: true, reason: 'on file', document: 'u.pdf', document_sha256: 'a'.repeat(64), by: 'co', seq: 4_500, time: NOW }
  },
  processing_stated: true
}
