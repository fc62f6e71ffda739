// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import type { RequestKind } from '../evidence/leaf-data.ts'
import type { LeafType } from '../evidence/leaf-types.ts'
import type { ComplianceFacts } from './facts.ts'
import type { RequirementId } from './requirement-ids.ts'
import { requirementIds } from './requirement-ids.ts'
import { requirementOf, requirementsOf } from './requirements.ts'
import { empty, full, NOW } from './test-facts.ts'

const without = (...types: readonly LeafType[]): ComplianceFacts => ({
  ...full,
  events: Object.fromEntries(Object.entries(full.events).filter(([type]) => !types.includes(type as LeafType)))
})
const noRecords: ComplianceFacts = { ...full, records: empty.records, search: null, kept: null }
const faulty: ComplianceFacts = {
  ...full,
  verified: { ...full.verified, last: { seq: 4_990, time: NOW, verdict: 'damaged', size: 1, faults: 1 } }
}

const longAgo: ComplianceFacts = {
  ...full,
  verified: {
    days: 0,
    of_days: 30,
    faulty: 0,
    last: { seq: 4_990, time: '2026-09-01T12:00:00.000Z', verdict: 'intact', size: 4_990, faults: 0 }
  }
}
const late = (kind: RequestKind, what: 'overdue' | 'late'): ComplianceFacts => ({
  ...full,
  requests: { ...full.requests, [kind]: { open: 1, overdue: 0, late: 0, [what]: 1 } }
})

/** What each row cannot be backed without. */
const needed: Readonly<Record<RequirementId, readonly ComplianceFacts[]>> = {
  S1: [noRecords, faulty, { ...full, problem: 'rollback' }, without('user.added'), { ...full, verified: empty.verified }, longAgo],
  S3: [
    { ...full, records: { ...full.records, automated: 0 } },
    // Searches by services are on record all the same.
    { ...full, acts: 0 },
    without('user.added')
  ],
  S4: [
    faulty,
    longAgo,
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
  G2: [without('subject.exported'), late('access', 'overdue'), late('access', 'late'), late('rectification', 'overdue')],
  G3: [
    late('erasure', 'overdue'),
    late('erasure', 'late'),
    // One is done, another is not.
    { ...full, erasing: 1 },
    without('erasure.done'),
    faulty,
    { ...full, verified: { ...full.verified, last: { seq: 1, time: NOW, verdict: 'intact', size: 1, faults: 0 } } }
  ],
  G4: [without('erasure.done', 'restrict.set'), { ...full, recipients: { due: 2, told: 1 } }, late('restriction', 'overdue')],
  G5: [{ ...full, keys: 'key-file' }, without('restore.done'), { ...full, verified: empty.verified }],
  G6: [{ ...full, processing_stated: false }],
  A1: [noRecords, { ...full, records: { ...full.records, automated: 0 } }, { ...full, lost: 2 }],
  A3: [noRecords, { ...full, kept: { seq: 7, text: '', floor: false } }],
  N1: [
    { ...full, anchor: null },
    { ...full, anchor: full.anchor && { ...full.anchor, state: 'fail' } },
    { ...full, second_copy: 'differs' },
    without('user.added'),
    { ...full, lost: 1 }
  ],
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

  it('says what is late, unfinished or untold, and never that what is long ago never was', () => {
    const gap = (id: RequirementId, facts: ComplianceFacts) => requirementOf(id, facts).gap
    expect(gap('G2', late('access', 'overdue'))).toBe('1 request past its day')
    expect(gap('G3', late('erasure', 'late'))).toBe('1 request answered after its day in the last year')
    expect(gap('G3', { ...full, erasing: 2 })).toBe('2 erasures begun and not done')
    expect(gap('G4', { ...full, recipients: { due: 3, told: 1 } })).toBe('2 of 3 recipients not noted as told')
    expect(requirementOf('G4', { ...full, recipients: { due: 0, told: 0 } }).state).toBe('backed')
    expect(gap('S1', longAgo)).toBe('The proofs were last verified on 1 Sep 2026')
    expect(gap('S4', longAgo)).toBe('Not verified on 30 days')
    const disposed = [{ from: NOW, to: NOW, from_seq: 1, to_seq: 300, by: [1300] }]
    expect(requirementOf('I1', { ...full, disposed })).toMatchObject({
      state: 'backed',
      evidence: { label: expect.stringMatching(/, 0 gaps in 30 days, 1 stretch disposed of by leaf 1,300$/) }
    })
    const damagedThen = { ...longAgo, verified: { ...longAgo.verified, last: faulty.verified.last } }
    for (const id of ['S1', 'S4', 'G3'] as const) expect(requirementOf(id, damagedThen).state).toBe('not')
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
