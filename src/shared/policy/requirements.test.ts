// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import type { LeafType } from '../evidence/leaf-types.ts'
import type { ComplianceFacts } from './facts.ts'
import type { RequirementId } from './requirement-ids.ts'
import { requirementIds } from './requirement-ids.ts'
import { requirementOf, requirementsOf } from './requirements.ts'

const NOW = '2026-11-25T12:00:00.000Z'

const empty: ComplianceFacts = {
  now: NOW,
  created: '2026-11-25T11:00:00.000Z',
  size: 1,
  events: { 'engine.started': { count: 1, seq: 0, last: NOW } },
  records: { count: 0, oldest: null, newest: null, with_prompt: 0, with_served: 0, automated: 0, unanswered_day: 0, sources: 0 },
  search: null,
  drill_ms: null,
  verified: { days: 0, of_days: 1, faulty: 0, last: null },
  anchor: null,
  checkpoint: null,
  second_copy: 'none',
  problem: null,
  keys: 'key-file',
  heartbeats: { seen: 0, expected: 0 },
  gaps: [],
  lost: 0,
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
const full: ComplianceFacts = {
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
  drill_ms: 12_000,
  verified: { days: 30, of_days: 30, faulty: 0, last: { seq: 4_990, time: NOW, verdict: 'intact', size: 4_990 } },
  anchor: { size: 4_000, time: NOW, kind: 'rfc3161' },
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

const without = (...types: readonly LeafType[]): ComplianceFacts => ({
  ...full,
  events: Object.fromEntries(Object.entries(full.events).filter(([type]) => !types.includes(type as LeafType)))
})
const noRecords: ComplianceFacts = { ...full, records: empty.records, search: null, kept: null }
const faulty: ComplianceFacts = { ...full, verified: { ...full.verified, last: { seq: 4_990, time: NOW, verdict: 'damaged', size: 1 } } }

/** What each row cannot be backed without. */
const needed: Readonly<Record<RequirementId, readonly ComplianceFacts[]>> = {
  S1: [noRecords, faulty, { ...full, problem: 'rollback' }, without('user.added'), { ...full, verified: empty.verified }],
  S3: [
    { ...full, records: { ...full.records, automated: 0 } },
    without('record.viewed', 'search.run', 'setting.changed', 'export.created')
  ],
  S4: [
    faulty,
    { ...full, verified: empty.verified },
    { ...full, lost: 1 },
    { ...full, verify_every_hours: 0 },
    { ...full, verified: { ...full.verified, days: 29 } }
  ],
  S6: [without('export.created')],
  S7: [without('backup.made'), without('restore.done'), { ...full, now: '2026-12-25T12:00:00.000Z' }],
  S8: [noRecords, { ...full, search: { ms: 1, found: false } }],
  S9: [{ ...full, marks: {} }, without('session.opened'), without('export.created')],
  S11: [
    { ...full, schedule: null },
    { ...full, schedule: { seq: 1, time: NOW, rules: 1, longest_years: 5, shortest_years: 5 } },
    noRecords
  ],
  S13: [
    noRecords,
    without('review.decided'),
    { ...full, records: { ...full.records, with_served: 9 } },
    { ...full, records: { ...full.records, with_prompt: 9 } }
  ],
  G2: [without('subject.exported')],
  G3: [
    without('erasure.done'),
    faulty,
    { ...full, verified: { ...full.verified, last: { seq: 1, time: NOW, verdict: 'intact', size: 1 } } }
  ],
  G4: [without('erasure.done', 'restrict.set'), without('recipient.told')],
  G5: [{ ...full, keys: 'key-file' }, without('restore.done'), { ...full, verified: empty.verified }],
  G6: [{ ...full, processing_stated: false }],
  A1: [noRecords, { ...full, records: { ...full.records, automated: 0 } }, { ...full, lost: 2 }],
  A3: [noRecords, { ...full, kept: { seq: 7, text: '', floor: false } }],
  N1: [{ ...full, anchor: null }, { ...full, second_copy: 'differs' }, without('user.added'), { ...full, lost: 1 }],
  C1: [
    { ...full, baselines: 0 },
    { ...full, look_every_minutes: 0 },
    without('drift.look'),
    { ...full, alerts: { total: 2, answered: 1 } }
  ],
  F1: [noRecords, faulty, without('export.created'), without('user.added')],
  I1: [without('heartbeat'), { ...full, gaps: [{ from: NOW, to: NOW, from_seq: 1, to_seq: 2, reason: 'silent' }] }]
}

describe('a requirement', () => {
  it('is backed by nothing in an empty workspace', () => {
    expect(requirementsOf(empty).filter((one) => one.state === 'backed')).toEqual([])
    for (const one of requirementsOf(empty)) expect(one.gap, one.id).toBeTruthy()
  })

  it('is backed when all that an examiner asks for is there, and says nothing is missing', () => {
    expect(requirementsOf(full).map((one) => [one.id, one.state, one.gap])).toEqual(requirementIds.map((id) => [id, 'backed', null]))
  })

  it.each(requirementIds)('%s is not backed without any one piece of its evidence', (id) => {
    for (const facts of needed[id]) {
      const row = requirementOf(id, facts)
      expect(['partly', 'not']).toContain(row.state)
      expect(row.gap).toBeTruthy()
    }
  })

  it('names the leaves it rests on, and is not applicable only with a reason on record', () => {
    expect(requirementOf('S6', full).evidence).toMatchObject({
      label: 'Last export in 12 seconds, 24 Nov 2026',
      link: { to: 'exports', view: 'history', seq: full.events['export.created']?.seq },
      leaves: [{ type: 'export.created', count: 2 }]
    })
    const marks = {
      F1: { applies: false, reason: 'no predicate rule', document: null, document_sha256: null, by: 'co', seq: 9, time: NOW }
    }
    expect(requirementOf('F1', { ...full, marks })).toMatchObject({
      state: 'not_applicable',
      gap: 'Marked not applicable by co, 25 Nov 2026: no predicate rule',
      evidence: { label: 'Reason, leaf 9' },
      note: { by: 'co' }
    })
  })
})
