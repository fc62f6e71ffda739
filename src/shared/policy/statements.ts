// SPDX-License-Identifier: Apache-2.0
// What this log proves, what it shows on this machine's word alone, and what it cannot show: computed from the workspace as it is.
import type { Statement } from '../contract/compliance.ts'
import type { ComplianceFacts } from './facts.ts'
import { disposedBeside } from './judgement.ts'

const number = (n: number): string => n.toLocaleString('en-US')
const plural = (n: number, one: string, many = `${one}s`): string => `${number(n)} ${n === 1 ? one : many}`
const moment = (time: string): string => `${time.slice(0, 10)} ${time.slice(11, 16)} UTC`

type Line = Omit<Statement, 'group'>
const line = (subject: Statement['subject'], text: string, detail: string | null = null): Line => ({ subject, text, detail })

/** Why nothing follows yet from the anchor that there is; null when it proves what is under it. */
function missing({ anchor, verified: { last }, problem }: ComplianceFacts): string | null {
  if (anchor === null) return 'there is no anchor outside yet'
  if (problem !== null) return problem
  if (anchor.state !== 'pass') return anchor.message
  if (last === null) return 'the whole workspace was never verified'
  if (last.verdict !== 'intact') return `the last verification, ${moment(last.time)}, found ${plural(last.faults, 'fault')}`
  if (last.size < anchor.size) return `the last verification, ${moment(last.time)}, was before the anchor: verify the workspace`
  return null
}

function proven(facts: ComplianceFacts): Line[] {
  const { anchor, events } = facts
  const { last } = facts.verified
  const lines: Line[] = []
  if (facts.problem !== null) return lines
  if (anchor && last && missing(facts) === null) {
    lines.push(
      line(
        'edits',
        `No record up to leaf ${number(anchor.size - 1)} was changed, removed or put in later`,
        `anchored outside (${anchor.kind}), ${moment(anchor.time)}; found intact ${moment(last.time)}`
      ),
      line('time', `Each of these records existed at the latest ${moment(anchor.time)}`)
    )
  }
  const erased = events['erasure.done']?.count ?? 0
  if (erased > 0 && last?.verdict === 'intact' && last.seq > (events['erasure.done']?.seq ?? 0))
    lines.push(line('erasure', 'An erased text is gone and its place in the log still verifies', plural(erased, 'case')))
  return lines
}

/** How far the tail is safe from being cut off unseen. */
function truncation(facts: ComplianceFacts): Line {
  switch (facts.second_copy) {
    case 'matches':
    case 'behind':
      return line(
        'truncation',
        'A tail cut off this folder would be noticed when it is opened on this machine',
        'the head is remembered in the folder and, by origin, outside it'
      )
    case 'none':
      return line('truncation', 'A tail cut off would be noticed only by the head file in the same folder', 'no copy outside it yet')
    case 'disturbed':
      return line(
        'truncation',
        'The head remembered on this machine was disturbed while the engine ran: a tail cut off before that could have been hidden there',
        facts.second_copy_note
      )
    case 'differs':
      return line('truncation', 'The head remembered on this machine differs from this folder', facts.problem)
  }
}

function onItsWord(facts: ComplianceFacts): Line[] {
  const { anchor, checkpoint, size } = facts
  const beyond = size - (anchor?.size ?? 0)
  const lines: Line[] = []
  const why = missing(facts)
  if (anchor && why !== null) lines.push(line('edits', `The first ${plural(anchor.size, 'leaf', 'leaves')}, which an anchor covers`, why))
  if (beyond > 0)
    lines.push(
      line(
        'edits',
        anchor
          ? `The ${plural(beyond, 'leaf', 'leaves')} since the last anchor`
          : `${size === 1 ? 'The only leaf' : `All ${plural(size, 'leaf', 'leaves')}`}: there is no anchor outside yet`,
        checkpoint
          ? `signed up to leaf ${number(checkpoint.size - 1)}; whoever holds the log key could still rewrite them`
          : 'no checkpoint yet'
      )
    )
  lines.push(truncation(facts))
  const jumps = facts.events['clock.jump']?.count ?? 0
  lines.push(
    line(
      'time',
      'The exact time of each record',
      jumps === 0 ? 'the clock of this machine; no jump on record' : `${plural(jumps, 'jump')} of the clock on record`
    )
  )
  const people = facts.events['user.added']?.count ?? 0
  lines.push(
    line(
      'authorship',
      people === 0
        ? 'Who acted: no people are set up, every action is by this account'
        : 'Who acted: identities come from the sign-in of this system',
      people === 0 ? null : plural(people, 'person', 'people')
    )
  )
  const { seen, expected } = facts.heartbeats
  lines.push(
    line(
      'completeness',
      'A quiet log was a quiet server',
      `${number(Math.min(seen, expected))} of ${plural(expected, 'heartbeat')} in 24 h, ${plural(facts.gaps.length, 'gap')} in 30 days${disposedBeside(facts)}`
    )
  )
  if (facts.lost > 0)
    lines.push(line('completeness', `${plural(facts.lost, 'event')} arrived and could not be recorded`, 'each failure is on record'))
  if (facts.records.unanswered_day > 0)
    lines.push(line('completeness', 'Requests that got no answer are here too', `${number(facts.records.unanswered_day)} in 24 h`))
  return lines
}

const beyondIt = ({ unread }: ComplianceFacts): Line[] => [
  line('completeness', 'Calls that never passed through the recorder'),
  ...(unread === 0
    ? []
    : [
        line(
          'completeness',
          `What ${plural(unread, 'call')} said that passed through the recorder unrecorded`,
          'to an interface that is not read, such as speech or pictures; counted since the engine started'
        )
      ]),
  line('content', 'That an answer was right, or that a person read it'),
  line('content', 'What a provider did beyond what it returned')
]

/** The panel's sentences in their order. */
export const statementsOf = (facts: ComplianceFacts): Statement[] => [
  ...proven(facts).map((one) => ({ group: 'proves' as const, ...one })),
  ...onItsWord(facts).map((one) => ({ group: 'word' as const, ...one })),
  ...beyondIt(facts).map((one) => ({ group: 'cannot' as const, ...one }))
]
