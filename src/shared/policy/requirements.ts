// SPDX-License-Identifier: Apache-2.0
// What the rules ask, held against the workspace as it is. Not legal advice; the firm's undertakings, policies and assessment are still needed.
import type { Requirement } from '../contract/compliance.ts'
import type { LeafType } from '../evidence/leaf-types.ts'
import type { ComplianceFacts } from './facts.ts'
import { day, type Judgement, number } from './judgement.ts'
import * as judge from './judgements.ts'
import * as privacy from './privacy-judgements.ts'
import { type RequirementId, requirementIds } from './requirement-ids.ts'

interface Rule {
  readonly group: Requirement['group']
  readonly source: string
  /** The paragraph number was not checked against the official text. */
  readonly unchecked?: true
  readonly asked: string
  readonly judge: (facts: ComplianceFacts) => Judgement
}

const rules: Readonly<Record<RequirementId, Rule>> = {
  S1: { group: 'sec', source: 'SEC 17a-4(f)(2)(i)(A)', asked: 'Every change kept, with time and actor; original kept', judge: judge.trail },
  S3: { group: 'sec', source: '17a-4, adopting release', asked: 'Human and automated actors are covered', judge: judge.actors },
  S4: {
    group: 'sec',
    source: '17a-4(f)(2)(ii)',
    asked: 'Storing is checked by the system, complete and accurate',
    judge: judge.verification
  },
  S6: {
    group: 'sec',
    source: '17a-4(f)(2)(iv)',
    unchecked: true,
    asked: 'Record and trail download in a readable, usable form',
    judge: judge.produced
  },
  S7: { group: 'sec', source: '17a-4(f)(2)(v)', unchecked: true, asked: 'A backup or other redundancy is kept', judge: judge.backup },
  S8: { group: 'sec', source: '17a-4(f)(3)', asked: 'Records are indexed and can be found at once', judge: judge.found },
  S9: {
    group: 'sec',
    source: '17a-4(f)(3)(v)',
    unchecked: true,
    asked: 'A designated officer or third party has access',
    judge: judge.undertaking
  },
  S11: {
    group: 'sec',
    source: '17a-4(b)(4), FINRA 4511',
    asked: 'Communications kept three years, other records six',
    judge: judge.retention
  },
  S13: { group: 'sec', source: 'FINRA RN 24-09', asked: 'Prompt, output, model version, parameters, tools, review', judge: judge.rebuild },
  G2: { group: 'gdpr', source: 'GDPR 15, 20, 12(3)', asked: 'A subject’s data can be handed over within one month', judge: privacy.access },
  G3: { group: 'gdpr', source: 'GDPR 17, 17(3)', asked: 'Erase without delay, or record the ground for refusing', judge: privacy.erasure },
  G4: { group: 'gdpr', source: 'GDPR 18, 19', asked: 'Restrict, and tell every recipient of the data', judge: privacy.recipients },
  G5: { group: 'gdpr', source: 'GDPR 25, 32', asked: 'Encryption, restore and regular testing', judge: privacy.protection },
  G6: { group: 'gdpr', source: 'GDPR 30', asked: 'A record of processing', judge: privacy.processingRecord },
  A1: { group: 'ai_act', source: 'EU AI Act 12', asked: 'Events recorded automatically, over the whole lifetime', judge: judge.automatic },
  A3: {
    group: 'ai_act',
    source: 'EU AI Act 19, 26(6)',
    asked: 'Logs kept at least six months, longest rule wins; confirm the date of application before quoting it',
    judge: judge.floor
  },
  N1: {
    group: 'other',
    source: 'NIST 800-53 AU-5, 8–11',
    asked: 'Alert on failed logging, UTC, signed hashes, two people',
    judge: judge.controls
  },
  C1: { group: 'other', source: 'SOC 2 CC7', asked: 'Changes and anomalies are found, judged and answered', judge: judge.anomalies },
  F1: {
    group: 'other',
    source: '21 CFR 11.10(e)',
    asked: 'Time-stamped trail; changes never obscure what was there',
    judge: judge.trailAndCopy
  },
  I1: { group: 'other', source: 'ISO/IEC 42001 A.6.2.8', asked: 'Event logs at least while the system is in use', judge: judge.inUse }
}

/** How often each kind is on record, and its newest leaf; kinds without any are left out. */
const leavesOf = (facts: ComplianceFacts, types: readonly LeafType[]): Requirement['evidence']['leaves'] =>
  types.flatMap((type) => {
    const seen = facts.events[type]
    return seen ? [{ type, count: seen.count, seq: seen.seq, time: seen.last }] : []
  })

/** One row of the compliance view. */
export function requirementOf(id: RequirementId, facts: ComplianceFacts): Requirement {
  const rule = rules[id]
  const mark = facts.marks[id]
  const row = {
    id,
    group: rule.group,
    source: rule.source,
    see_rule: rule.unchecked === true,
    asked: rule.asked,
    note: mark === undefined ? null : { ...mark }
  }
  if (mark && !mark.applies) {
    return {
      ...row,
      state: 'not_applicable',
      gap: `Marked not applicable by ${mark.by}, ${day(mark.time)}: ${mark.reason}`,
      evidence: { label: `Reason, leaf ${number(mark.seq)}`, link: { to: 'compliance', view: 'requirements' }, leaves: [] }
    }
  }
  const { state, gap, label, link, leaves } = rule.judge(facts)
  return { ...row, state, gap, evidence: { label, link, leaves: leavesOf(facts, leaves) } }
}

/** All rows in their order. */
export const requirementsOf = (facts: ComplianceFacts): Requirement[] => requirementIds.map((id) => requirementOf(id, facts))
