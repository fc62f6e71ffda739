// SPDX-License-Identifier: Apache-2.0
// What the rules ask, held against the workspace as it is. Not legal advice; the firm's undertakings, policies and assessment are still needed.
import type { EvidenceLink, Requirement } from '../contract/compliance.ts'
import type { LeafType } from '../evidence/leaf-types.ts'
import type { ComplianceFacts, Seen } from './facts.ts'
import { type RequirementId, requirementIds } from './requirement-ids.ts'

interface Rule {
  readonly group: Requirement['group']
  readonly source: string
  /** The paragraph number was not checked against the official text. */
  readonly unchecked?: true
  readonly asked: string
  readonly judge: (facts: ComplianceFacts) => Judgement
}

interface Judgement {
  readonly state: Exclude<Requirement['state'], 'not_applicable'>
  readonly gap: string | null
  readonly label: string
  readonly link: EvidenceLink
}

const number = (n: number): string => n.toLocaleString('en-US')
const day = (time: string): string => time.slice(0, 10)
const plural = (n: number, one: string, many = `${one}s`): string => `${number(n)} ${n === 1 ? one : many}`

const backed = (label: string, link: EvidenceLink): Judgement => ({ state: 'backed', gap: null, label, link })
const partly = (gap: string, label: string, link: EvidenceLink): Judgement => ({ state: 'partly', gap, label, link })
const not = (gap: string, label: string, link: EvidenceLink): Judgement => ({ state: 'not', gap, label, link })
/** Backed when nothing is missing, partly when something is. */
const judged = (gaps: readonly string[], label: string, link: EvidenceLink): Judgement =>
  gaps.length === 0 ? backed(label, link) : partly(gaps.join('; '), label, link)

const seen = (facts: ComplianceFacts, type: LeafType): Seen | undefined => facts.events[type]
const countOf = (facts: ComplianceFacts, ...types: readonly LeafType[]): number =>
  types.reduce((sum, type) => sum + (facts.events[type]?.count ?? 0), 0)

const integrity: EvidenceLink = { to: 'compliance', view: 'integrity' }
const noRecord = 'No record has been taken yet'
const lifeOf = ({ records }: ComplianceFacts): EvidenceLink =>
  records.newest === null ? { to: 'records' } : { to: 'records', seq: records.newest }

function trail(facts: ComplianceFacts): Judgement {
  if (facts.records.count === 0) return partly(noRecord, 'Records', { to: 'records' })
  if (facts.problem !== null) return not('The workspace is open read-only: its history does not hold', 'Integrity', integrity)
  return backed('Life of one record, with proofs', lifeOf(facts))
}

function verification({ verified }: ComplianceFacts): Judgement {
  const label = `Verification log, ${verified.days} of ${plural(verified.of_days, 'day')}`
  if (verified.last === null) return not('The whole workspace has never been verified', 'Verification log', integrity)
  if (verified.last.verdict !== 'intact') return not(`The last verification, ${day(verified.last.time)}, found faults`, label, integrity)
  const gaps = []
  if (verified.days < verified.of_days) gaps.push(`Not verified on ${plural(verified.of_days - verified.days, 'day')}`)
  if (verified.faulty > 0) gaps.push(`${plural(verified.faulty, 'verification')} found faults`)
  return judged(gaps, label, integrity)
}

function backup(facts: ComplianceFacts): Judgement {
  const link: EvidenceLink = { to: 'settings' }
  const made = seen(facts, 'backup.made')
  const restored = seen(facts, 'restore.done')
  if (!made && !restored) return not('No backup is on record', 'Make a backup', link)
  const gaps = []
  if (!made || Date.parse(facts.now) - Date.parse(made.last) > 7 * 86_400_000) gaps.push('The last backup is older than a week')
  if (!restored) gaps.push('No restore has been tested')
  return judged(gaps, restored ? `Restore, ${day(restored.last)}` : `Backup, ${day(made?.last ?? facts.now)}`, link)
}

function rebuild(facts: ComplianceFacts): Judgement {
  const { records } = facts
  if (records.count === 0) return partly(noRecord, 'Records', { to: 'records' })
  const gaps = []
  const without = records.count - records.with_served
  if (records.with_prompt < records.count)
    gaps.push(`${plural(records.count - records.with_prompt, 'record')} without the text of a request`)
  if (without > 0) gaps.push(`The model that served is not named in ${plural(without, 'record')}`)
  if (countOf(facts, 'review.decided', 'review.signed') === 0) gaps.push('No human review is on record')
  return judged(gaps, 'Rebuild one answer', lifeOf(facts))
}

function access(facts: ComplianceFacts): Judgement {
  const link: EvidenceLink = { to: 'compliance', view: 'subjects' }
  const exported = seen(facts, 'subject.exported')
  return exported
    ? backed(`${plural(exported.count, 'request')} answered, last ${day(exported.last)}`, link)
    : partly('No request has been answered yet: nothing shows the way works', 'Subjects', link)
}

function erasure(facts: ComplianceFacts): Judgement {
  const link: EvidenceLink = { to: 'compliance', view: 'erasure' }
  const done = seen(facts, 'erasure.done')
  const refused = countOf(facts, 'erasure.refused')
  if (!done && refused === 0) return partly('No case so far: nothing shows the way works', 'Cases', link)
  const { last } = facts.verified
  if (done && (last === null || last.seq < done.seq)) return partly('Not verified since the last erasure', `Case at leaf ${done.seq}`, link)
  if (last && last.verdict !== 'intact') return not('The last verification found faults', 'Cases', link)
  return backed(done ? `${plural(done.count, 'case')}, log still verifies` : `${plural(refused, 'refusal')} with ground`, link)
}

function recipients(facts: ComplianceFacts): Judgement {
  const exports = countOf(facts, 'export.created')
  const label = exports === 0 ? 'No data left' : `${plural(exports, 'bundle')} with recipient`
  const link: EvidenceLink = { to: 'exports', view: 'history' }
  const told = countOf(facts, 'recipient.told')
  const cases = countOf(facts, 'erasure.done')
  return cases > 0 && exports > 0 && told === 0
    ? partly('After an erasure, no recipient is noted as told', label, link)
    : backed(label, link)
}

function protection(facts: ComplianceFacts): Judgement {
  const gaps = []
  if (facts.keys === 'key-file') gaps.push('Keys are protected by file permissions only')
  if (countOf(facts, 'restore.done') === 0) gaps.push('No restore has been tested')
  return judged(gaps, 'Key report', { to: 'settings' })
}

function controls(facts: ComplianceFacts): Judgement {
  const gaps = []
  if (facts.second_copy === 'none' || facts.second_copy === 'differs') gaps.push('No second copy of the head matches')
  if (facts.anchor === null) gaps.push('No anchor outside this machine')
  if (countOf(facts, 'user.added') < 2) gaps.push('Fewer than two people are set up: nothing that takes two can be done')
  if (facts.lost > 0) gaps.push(`${plural(facts.lost, 'event')} could not be recorded, and this is on record`)
  return judged(gaps, 'Settings and approvals', { to: 'compliance', view: 'approvals' })
}

function anomalies(facts: ComplianceFacts): Judgement {
  const label = `${plural(facts.alerts.total, 'alert')}, ${number(facts.alerts.answered)} answered`
  const link: EvidenceLink = { to: 'drift' }
  const gaps = []
  if (facts.baselines === 0) gaps.push('No series has a baseline: nothing is judged')
  if (facts.look_every_minutes === 0) gaps.push('Looks on a schedule are off')
  if (facts.alerts.answered < facts.alerts.total) gaps.push(`${plural(facts.alerts.total - facts.alerts.answered, 'alert')} unanswered`)
  return judged(gaps, label, link)
}

function inUse(facts: ComplianceFacts): Judgement {
  const unexplained = facts.gaps.filter((gap) => gap.reason !== 'stopped').length
  return judged(
    unexplained === 0 ? [] : [`${plural(unexplained, 'gap')} in 30 days that nobody ordered`],
    `${plural(facts.gaps.length, 'gap')} in 30 days`,
    integrity
  )
}

function retention(facts: ComplianceFacts): Judgement {
  const link: EvidenceLink = { to: 'compliance', view: 'retention' }
  const set = seen(facts, 'retention.set')
  const { oldest } = facts.records
  const label = set ? `Schedule, ${day(set.last)}` : oldest ? `Oldest record, ${day(oldest.time)}` : 'Schedule'
  return set ? backed(label, link) : partly('No schedule is set: everything is kept, and nothing says how long', label, link)
}

function floor(facts: ComplianceFacts): Judgement {
  const link: EvidenceLink = { to: 'compliance', view: 'retention' }
  const disposals = countOf(facts, 'disposal.done')
  return backed(disposals === 0 ? 'Nothing was disposed of' : `Floor 183 days, ${plural(disposals, 'disposal')}`, link)
}

function automatic(facts: ComplianceFacts): Judgement {
  const kinds = Object.keys(facts.events).length
  return facts.records.count === 0
    ? partly(noRecord, 'Event catalogue', integrity)
    : backed(`${plural(facts.size, 'leaf', 'leaves')} of ${plural(kinds, 'kind')} besides calls`, integrity)
}

function produced(facts: ComplianceFacts): Judgement {
  const link: EvidenceLink = { to: 'exports', view: 'history' }
  const last = seen(facts, 'export.created')
  return last
    ? backed(`Last export, ${day(last.last)}, leaf ${number(last.seq)}`, link)
    : partly('No export was made yet: make one as a drill', 'New export', { to: 'exports' })
}

function found(facts: ComplianceFacts): Judgement {
  return facts.search_ms === null
    ? partly(noRecord, 'Records', { to: 'records' })
    : backed(`Live search, ${Math.max(1, Math.round(facts.search_ms))} ms`, { to: 'records' })
}

const undertaking = (facts: ComplianceFacts): Judgement => {
  const mark = facts.marks.S9
  return mark?.document
    ? backed(`Undertaking on file, leaf ${number(mark.seq)}`, { to: 'compliance', view: 'requirements' })
    : not('No signed undertaking on file', 'Add undertaking', { to: 'compliance', view: 'requirements' })
}

const processingRecord = (facts: ComplianceFacts): Judgement => {
  const link: EvidenceLink = { to: 'compliance', view: 'processing' }
  return facts.processing_stated
    ? backed('Record of processing', link)
    : partly('Controller, purposes and contact are not stated', 'Record of processing', link)
}

const automated = (facts: ComplianceFacts): Judgement =>
  facts.records.automated === 0
    ? partly('No automated event is on record yet', 'Records', { to: 'records' })
    : backed(`${plural(facts.records.automated, 'record')} by services`, { to: 'records' })

const rules: Readonly<Record<RequirementId, Rule>> = {
  S1: { group: 'sec', source: 'SEC 17a-4(f)(2)(i)(A)', asked: 'Every change kept, with time and actor; original kept', judge: trail },
  S3: { group: 'sec', source: '17a-4, adopting release', asked: 'Human and automated actors are covered', judge: automated },
  S4: { group: 'sec', source: '17a-4(f)(2)(ii)', asked: 'Storing is checked by the system, complete and accurate', judge: verification },
  S6: {
    group: 'sec',
    source: '17a-4(f)(2)(iv)',
    unchecked: true,
    asked: 'Record and trail download in a readable, usable form',
    judge: produced
  },
  S7: { group: 'sec', source: '17a-4(f)(2)(v)', unchecked: true, asked: 'A backup or other redundancy is kept', judge: backup },
  S8: { group: 'sec', source: '17a-4(f)(3)', asked: 'Records are indexed and can be found at once', judge: found },
  S9: {
    group: 'sec',
    source: '17a-4(f)(3)(v)',
    unchecked: true,
    asked: 'A designated officer or third party has access',
    judge: undertaking
  },
  S11: { group: 'sec', source: '17a-4(b)(4), FINRA 4511', asked: 'Communications kept three years, other records six', judge: retention },
  S13: { group: 'sec', source: 'FINRA RN 24-09', asked: 'Prompt, output, model version, parameters, tools, review', judge: rebuild },
  G2: { group: 'gdpr', source: 'GDPR 15, 20, 12(3)', asked: 'A subject’s data can be handed over within one month', judge: access },
  G3: { group: 'gdpr', source: 'GDPR 17, 17(3)', asked: 'Erase without delay, or record the ground for refusing', judge: erasure },
  G4: { group: 'gdpr', source: 'GDPR 18, 19', asked: 'Restrict, and tell every recipient of the data', judge: recipients },
  G5: { group: 'gdpr', source: 'GDPR 25, 32', asked: 'Encryption, restore and regular testing', judge: protection },
  G6: { group: 'gdpr', source: 'GDPR 30', asked: 'A record of processing', judge: processingRecord },
  A1: { group: 'ai_act', source: 'EU AI Act 12', asked: 'Events recorded automatically, over the whole lifetime', judge: automatic },
  A3: {
    group: 'ai_act',
    source: 'EU AI Act 19, 26(6)',
    asked: 'Logs kept at least six months, longest rule wins; confirm the date of application before quoting it',
    judge: floor
  },
  N1: {
    group: 'other',
    source: 'NIST 800-53 AU-5, 8–11',
    asked: 'Alert on failed logging, UTC, signed hashes, two people',
    judge: controls
  },
  C1: { group: 'other', source: 'SOC 2 CC7', asked: 'Changes and anomalies are found, judged and answered', judge: anomalies },
  F1: { group: 'other', source: '21 CFR 11.10(e)', asked: 'Time-stamped trail; changes never obscure what was there', judge: trail },
  I1: { group: 'other', source: 'ISO/IEC 42001 A.6.2.8', asked: 'Event logs at least while the system is in use', judge: inUse }
}

/** One row of the compliance view. */
export function requirementOf(id: RequirementId, facts: ComplianceFacts): Requirement {
  const rule = rules[id]
  const row = { id, group: rule.group, source: rule.source, see_rule: rule.unchecked === true, asked: rule.asked }
  const mark = facts.marks[id]
  if (mark && !mark.applies) {
    return {
      ...row,
      state: 'not_applicable',
      gap: `Marked not applicable by ${mark.by}, ${day(mark.time)}: ${mark.reason}`,
      evidence: { label: `Reason, leaf ${number(mark.seq)}`, link: { to: 'compliance', view: 'requirements' } }
    }
  }
  const { state, gap, label, link } = rule.judge(facts)
  return { ...row, state, gap, evidence: { label, link } }
}

/** All rows in their order. */
export const requirementsOf = (facts: ComplianceFacts): Requirement[] => requirementIds.map((id) => requirementOf(id, facts))
