// SPDX-License-Identifier: Apache-2.0
// How each requirement is judged, less those of data protection. A row is backed only by what an examiner would ask to see, found in this workspace just now.
import type { EvidenceLink } from '../contract/compliance.ts'
import type { LeafType } from '../evidence/leaf-types.ts'
import type { ComplianceFacts } from './facts.ts'
import {
  countOf,
  day,
  daysBetween,
  disposedBeside,
  type Evidence,
  history,
  integrity,
  type Judgement,
  judged,
  lifeOf,
  lossGap,
  noRecord,
  not,
  number,
  partly,
  plural,
  records,
  seen,
  unexplained
} from './judgement.ts'
import { FLOOR_DAYS } from './retention.ts'

/** S1: the trail of changes with time and person, the original beside it, and proofs that hold. */
export function trail(facts: ComplianceFacts): Judgement {
  const corrected = countOf(facts, 'record.corrected')
  const evidence: Evidence = {
    label: corrected === 0 ? 'Life of one record, with proofs' : `Original beside correction, ${plural(corrected, 'correction')}`,
    link: corrected === 0 ? lifeOf(facts) : { to: 'records', query: 'corrected:yes' },
    leaves: ['record.corrected', 'erasure.done', 'verify.run', 'user.added']
  }
  if (facts.problem !== null)
    return not('The workspace is open read-only: its history does not hold', { ...evidence, label: 'Integrity', link: integrity })
  if (facts.records.count === 0) return partly(noRecord, { ...evidence, label: 'Records' })
  const { last } = facts.verified
  if (last !== null && last.verdict !== 'intact')
    return not(`The last verification, ${day(last.time)}, found faults`, { ...evidence, label: 'Verification log', link: integrity })
  return judged(
    [
      last === null && 'The proofs of this workspace were never verified',
      last !== null && daysBetween(last.time, facts.now) > 30 && `The proofs were last verified on ${day(last.time)}`,
      countOf(facts, 'user.added') === 0 && 'No people are set up: the trail names one account for everybody'
    ],
    evidence
  )
}

/** S3: calls that no person started, and acts of people, both on record. */
export function actors(facts: ComplianceFacts): Judgement {
  const { automated } = facts.records
  const { acts } = facts
  // Whoever sits at the machine is one account then, not people.
  const nobody = countOf(facts, 'user.added') === 0
  return judged(
    [
      automated === 0 && 'No automated event is on record yet',
      acts === 0 && 'No act of a person is on record yet',
      nobody && acts > 0 && 'No people are set up: acts name one account for everybody'
    ],
    {
      label: `${plural(automated, 'call')} by services, ${plural(acts, 'act')} ${nobody ? 'at this machine' : 'by people'}`,
      link: automated === 0 ? records : { to: 'records', query: '-channel:file' },
      leaves: ['record.viewed', 'search.run', 'setting.changed', 'export.created']
    }
  )
}

/** S4: the system's own verification over the period, its failures, and what could not be stored. */
export function verification(facts: ComplianceFacts): Judgement {
  const { days, of_days, faulty, last } = facts.verified
  const evidence: Evidence = {
    label: `Verification log, ${days} of ${plural(of_days, 'day')}`,
    link: integrity,
    leaves: ['verify.run', 'logging.failed']
  }
  if (last === null) return not('The whole workspace has never been verified', { ...evidence, label: 'Verification log' })
  if (last.verdict !== 'intact') return not(`The last verification, ${day(last.time)}, found faults`, evidence)
  return judged(
    [
      days < of_days && `Not verified on ${plural(of_days - days, 'day')}`,
      faulty > 0 && `${plural(faulty, 'verification')} found faults`,
      facts.verify_every_hours === 0 && 'Verification on a schedule is off',
      lossGap(facts)
    ],
    evidence
  )
}

/** S6: a request-to-file drill: an export with its time. */
export function produced(facts: ComplianceFacts): Judgement {
  const last = seen(facts, 'export.created')
  if (!last) return partly('No export was made yet: make one as a drill', { label: 'New export', link: { to: 'exports', view: 'new' } })
  const seconds =
    facts.drill_ms === null ? '' : ` in ${facts.drill_ms < 1000 ? 'under a second' : plural(Math.round(facts.drill_ms / 1000), 'second')}`
  return judged([daysBetween(last.last, facts.now) > 365 && 'The last export is older than a year'], {
    label: `Last export${seconds}, ${day(last.last)}`,
    link: { ...history, seq: last.seq },
    leaves: ['export.created']
  })
}

/** S7: a second copy, and a restore whose root matched. */
export function backup(facts: ComplianceFacts): Judgement {
  const made = seen(facts, 'backup.made')
  const restored = seen(facts, 'restore.done')
  const link: EvidenceLink = { to: 'settings', view: 'backup' }
  const leaves: readonly LeafType[] = ['backup.made', 'restore.done']
  if (!made && !restored) return not('No backup is on record', { label: 'Make a backup', link, leaves })
  return judged(
    [(!made || daysBetween(made.last, facts.now) > 7) && 'The last backup is older than a week', !restored && 'No restore has been tested'],
    { label: restored ? `Restore, ${day(restored.last)}` : `Backup, ${day(made?.last ?? facts.now)}`, link, leaves }
  )
}

/** S8: a search over the words of the record, run and timed just now. */
export function found(facts: ComplianceFacts): Judgement {
  if (facts.search === null) return partly(noRecord, { label: 'Records', link: records })
  return judged([!facts.search.found && 'The oldest record was not found by its own words: rebuild the catalog'], {
    label: `Live search, ${Math.max(1, Math.round(facts.search.ms))} ms`,
    link: facts.records.oldest === null ? records : { to: 'records', seq: facts.records.oldest.seq },
    leaves: ['search.run']
  })
}

/** S9: the undertaking, a log-in and an export test. */
export function undertaking(facts: ComplianceFacts): Judgement {
  const mark = facts.marks.S9
  const link: EvidenceLink = { to: 'compliance', view: 'requirements' }
  const leaves: readonly LeafType[] = ['session.opened', 'export.created']
  if (!mark?.document) return not('No signed undertaking on file', { label: 'Add undertaking', link, leaves })
  return judged(
    [
      countOf(facts, 'session.opened') === 0 && 'No log-in by name is on record',
      countOf(facts, 'export.created') === 0 && 'No export test is on record'
    ],
    { label: `Undertaking on file, leaf ${number(mark.seq)}`, link, leaves }
  )
}

/** S11: a schedule whose rules reach three and six years, and the due date of the oldest record under it. */
export function retention({ schedule, kept }: ComplianceFacts): Judgement {
  const link: EvidenceLink = { to: 'compliance', view: 'retention' }
  const leaves: readonly LeafType[] = ['retention.set', 'disposal.done', 'hold.placed']
  if (schedule === null)
    return partly('No schedule is set: everything is kept, and nothing says how long', {
      label: kept === null ? 'Schedule' : 'Oldest record',
      link: kept === null ? link : { to: 'records', seq: kept.seq },
      leaves
    })
  return judged(
    [
      schedule.longest_years < 3 && 'No rule keeps communications for three years',
      schedule.longest_years < 6 && 'No rule keeps anything for six years',
      kept === null && noRecord
    ],
    { label: `Schedule, ${plural(schedule.rules, 'rule')}, ${day(schedule.time)}`, link, leaves }
  )
}

/** S13: one answer rebuilt end to end: text, model that served, and a person's review. */
export function rebuild(facts: ComplianceFacts): Judgement {
  const { count, with_prompt, with_served } = facts.records
  const evidence: Evidence = { label: 'Rebuild one answer', link: lifeOf(facts), leaves: ['review.decided', 'review.signed'] }
  if (count === 0) return partly(noRecord, { ...evidence, label: 'Records' })
  return judged(
    [
      with_prompt < count && `${plural(count - with_prompt, 'record')} without the text of a request`,
      with_served < count && `The model that served is not named in ${plural(count - with_served, 'record')}`,
      countOf(facts, 'review.decided', 'review.signed') === 0 && 'No human review is on record'
    ],
    evidence
  )
}

/** A1: recorded by the system itself, without stretches that nobody ordered. */
export function automatic(facts: ComplianceFacts): Judgement {
  const kinds = Object.keys(facts.events).length
  const evidence: Evidence = {
    label: `${plural(facts.size, 'leaf', 'leaves')}, ${plural(kinds, 'kind')} of event besides calls`,
    link: integrity,
    leaves: ['heartbeat', 'engine.started', 'engine.stopped', 'logging.failed']
  }
  if (facts.records.count === 0) return partly(noRecord, evidence)
  const unordered = unexplained(facts)
  return judged(
    [
      facts.records.automated === 0 && 'All records came from files: nothing was recorded automatically',
      unordered > 0 && `${plural(unordered, 'gap')} in 30 days that nobody ordered`,
      lossGap(facts)
    ],
    evidence
  )
}

/** A3: the due date of the oldest record, computed now, is not before the floor that no setting lowers; what was disposed of. */
export function floor(facts: ComplianceFacts): Judgement {
  const { kept } = facts
  const disposals = countOf(facts, 'disposal.done')
  const evidence: Evidence = {
    label: `Floor ${FLOOR_DAYS} days, ${disposals === 0 ? 'nothing disposed of' : plural(disposals, 'disposal')}`,
    link: { to: 'compliance', view: 'retention' },
    leaves: ['retention.set', 'disposal.intent', 'disposal.done']
  }
  if (kept === null) return partly(noRecord, evidence)
  if (!kept.floor) return not(`The oldest record would go before ${FLOOR_DAYS} days have passed`, evidence)
  return judged([], evidence)
}

/** N1: what alerts, what is copied, who approves. */
export function controls(facts: ComplianceFacts): Judgement {
  return judged(
    [
      (facts.second_copy === 'none' || facts.second_copy === 'differs') && 'No second copy of the head matches',
      facts.second_copy === 'disturbed' && 'The second copy of the head was disturbed while the engine ran',
      facts.anchor === null && 'No anchor outside this machine',
      facts.anchor !== null && facts.anchor.state !== 'pass' && 'The anchor outside this machine does not hold for this log',
      countOf(facts, 'user.added') < 2 && 'Fewer than two people are set up: nothing that takes two can be done',
      lossGap(facts)
    ],
    {
      label: `${plural(countOf(facts, 'approval.given', 'approval.refused'), 'approval')} decided`,
      link: { to: 'compliance', view: 'approvals' },
      leaves: [
        'approval.asked',
        'approval.given',
        'approval.refused',
        'anchor.added',
        'setting.changed',
        'logging.failed',
        'rollback.detected'
      ]
    }
  )
}

/** C1: the population of alerts and what was done about them. */
export function anomalies(facts: ComplianceFacts): Judgement {
  const { total, answered } = facts.alerts
  return judged(
    [
      facts.baselines === 0 && 'No series has a baseline: nothing is judged',
      facts.look_every_minutes === 0 && 'Looks on a schedule are off',
      countOf(facts, 'drift.look') === 0 && 'No look is on record',
      answered < total && `${plural(total - answered, 'alert')} unanswered`
    ],
    {
      label: `${plural(total, 'alert')}, ${number(answered)} answered`,
      link: { to: 'drift', view: 'alerts' },
      leaves: ['drift.look', 'drift.alert', 'drift.ack', 'drift.resolve', 'setting.changed']
    }
  )
}

/** F1: as S1 and S6 together. */
export function trailAndCopy(facts: ComplianceFacts): Judgement {
  const first = trail(facts)
  const second = produced(facts)
  if (first.state === 'not' || second.state === 'backed') return first
  return { ...first, state: 'partly', gap: [first.gap, second.gap].filter((gap) => gap !== null).join('. ') }
}

/** I1: signs of life while the system is in use. */
export function inUse(facts: ComplianceFacts): Judgement {
  const unordered = unexplained(facts)
  return judged(
    [
      countOf(facts, 'heartbeat') === 0 && 'No heartbeat is on record yet',
      unordered > 0 && `${plural(unordered, 'gap')} in 30 days that nobody ordered`
    ],
    {
      label: `${plural(countOf(facts, 'heartbeat'), 'heartbeat')}, ${plural(facts.gaps.length, 'gap')} in 30 days${disposedBeside(facts)}`,
      link: integrity,
      leaves: ['heartbeat', 'engine.started', 'engine.stopped']
    }
  )
}
