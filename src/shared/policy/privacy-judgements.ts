// SPDX-License-Identifier: Apache-2.0
// How the requirements of data protection (GDPR) are judged.
import type { RequestKind } from '../evidence/leaf-data.ts'
import type { ComplianceFacts } from './facts.ts'
import { countOf, day, type Evidence, history, type Judgement, judged, keysTab, not, number, plural, seen } from './judgement.ts'

const clockGaps = ({ requests }: ComplianceFacts, kind: RequestKind): (string | false)[] => {
  const { overdue, late } = requests[kind]
  return [
    overdue > 0 && `${plural(overdue, 'request')} past ${overdue === 1 ? 'its' : 'their'} day`,
    late > 0 && `${plural(late, 'request')} answered after ${late === 1 ? 'its' : 'their'} day in the last year`
  ]
}

/** G2: requests of subjects with their clock. */
export function access(facts: ComplianceFacts): Judgement {
  const exported = seen(facts, 'subject.exported')
  const { open } = facts.requests.access
  return judged(
    [
      !exported && 'No request has been answered yet: nothing shows the way works',
      ...clockGaps(facts, 'access'),
      ...clockGaps(facts, 'rectification')
    ],
    {
      label: exported ? `${plural(exported.count, 'request')} answered, last ${day(exported.last)}, ${number(open)} open` : 'Subjects',
      link: { to: 'compliance', view: 'subjects' },
      leaves: ['request.received', 'subject.exported', 'request.closed']
    }
  )
}

/** G3: cases done or refused with their ground, in time, and a verification after the last of them. */
export function erasure(facts: ComplianceFacts): Judgement {
  const done = seen(facts, 'erasure.done')
  const refused = countOf(facts, 'erasure.refused')
  const { last } = facts.verified
  const evidence: Evidence = {
    label: !done && refused === 0 ? 'Cases' : `${plural(done?.count ?? 0, 'erasure')}, ${plural(refused, 'refusal')} with ground`,
    link: { to: 'compliance', view: 'subjects' },
    leaves: ['request.received', 'erasure.intent', 'erasure.done', 'erasure.refused', 'verify.run']
  }
  if ((done || refused > 0) && last && last.verdict !== 'intact') return not('The last verification found faults', evidence)
  return judged(
    [
      !done && refused === 0 && facts.erasing === 0 && 'No case so far: nothing shows the way works',
      facts.erasing > 0 && `${plural(facts.erasing, 'erasure')} begun and not done`,
      done !== undefined && (last === null || last.seq < done.seq) && 'Not verified since the last erasure',
      ...clockGaps(facts, 'erasure')
    ],
    evidence
  )
}

/** G4: restriction, and the recipients who were told, each of them. */
export function recipients(facts: ComplianceFacts): Judgement {
  const exports = countOf(facts, 'export.created', 'subject.exported')
  const cases = countOf(facts, 'erasure.done', 'restrict.set')
  const { due, told } = facts.recipients
  return judged(
    [
      cases === 0 && 'No erasure or restriction so far: nothing shows the way works',
      told < due && `${number(due - told)} of ${plural(due, 'recipient')} not noted as told`,
      ...clockGaps(facts, 'restriction')
    ],
    {
      label:
        exports === 0
          ? 'No data left'
          : due === 0
            ? `${plural(exports, 'export')}, nobody to tell`
            : `${number(told)} of ${plural(due, 'recipient')} told`,
      link: history,
      leaves: ['restrict.set', 'recipient.told', 'export.created']
    }
  )
}

/** G5: how keys are kept, a tested restore, regular verification. */
export function protection(facts: ComplianceFacts): Judgement {
  return judged(
    [
      facts.keys === 'key-file' && 'Keys are protected by file permissions only',
      countOf(facts, 'restore.done') === 0 && 'No restore has been tested',
      facts.verified.days === 0 && 'No verification in 30 days'
    ],
    { label: 'Key report', link: keysTab, leaves: ['key.added', 'key.retired', 'restore.done', 'verify.run'] }
  )
}

/** G6: the record of processing, with the parts that only the firm knows. */
export function processingRecord(facts: ComplianceFacts): Judgement {
  return judged([!facts.processing_stated && 'Controller, contact, purposes or subjects are not stated'], {
    label: 'Record of processing',
    link: { to: 'compliance', view: 'processing' },
    leaves: ['setting.changed']
  })
}
