// SPDX-License-Identifier: Apache-2.0

import { element } from '../page/dom.ts'
import { headline, SAMPLE, stepWord, whatToDo } from '../shared/evidence/verdict-words.ts'
import type { Step } from '../shared/evidence/verify-steps.ts'
import type { PageVerdict } from './messages.ts'

const count = (n: number): string => n.toLocaleString('en-US')
const marks = { pass: '✓', fail: '✕', not_checked: '○', absent: '–' } as const
const verdictMarks = { valid: '✓', consistent: '!', invalid: '✕', unchecked: '!' } as const
const SHOWN = 20

/** The verdict of a bundle: in words, the six steps, what it rests on or what to do, and what the bundle says of itself. */
export function verdictView(file: File, found: PageVerdict): Node[] {
  const [title, detail] = headline({
    kind: found.kind,
    verdict: found.verdict,
    steps: found.steps,
    records: found.case?.records ?? null,
    withheld: found.withheld,
    range: found.case?.range ?? null,
    leftOut: found.case && found.case.records_in_scope - found.case.records
  })
  return [
    element('section', { class: `verdict ${found.kind}`, 'aria-label': 'Verdict' }, [
      element('span', { class: 'big-mark', 'aria-hidden': 'true' }, [verdictMarks[found.kind]]),
      element('div', {}, [
        element('h2', { tabindex: '-1' }, [title]),
        ...(found.sample ? [element('p', { class: 'attention' }, [SAMPLE])] : []),
        element('p', {}, [detail]),
        element('p', { class: 'soft' }, ['Verdict: ', element('code', { id: 'verdict' }, [found.verdict])])
      ])
    ]),
    element('section', { class: 'panel' }, [
      element('h2', {}, ['Six steps']),
      element('ol', { class: 'steps' }, found.steps.map(stepView))
    ]),
    listPanel(found.kind === 'invalid' ? 'What to do' : 'What this verdict rests on', found.kind === 'invalid' ? whatToDo : found.restsOn),
    aboutView(file, found)
  ]
}

function stepView(step: Step): Node {
  const reasons = step.reasons
    .slice(0, SHOWN)
    .map((reason) =>
      element('li', { 'data-code': reason.code }, [
        ...(reason.subject === undefined ? [] : [element('code', {}, [reason.subject]), ' ']),
        reason.message
      ])
    )
  if (step.reasons.length > SHOWN) reasons.push(element('li', {}, [`and ${count(step.reasons.length - SHOWN)} more`]))
  return element('li', { class: `step ${step.state}`, 'data-step': String(step.number), 'data-state': step.state }, [
    element('span', { class: 'mark', 'aria-hidden': 'true' }, [marks[step.state]]),
    element('span', { class: 'name' }, [`${step.number}  ${step.title}`]),
    element('div', {}, [
      element('span', { class: 'soft' }, [step.summary]),
      ...(reasons.length === 0 ? [] : [element('ul', { class: 'reasons' }, reasons)])
    ]),
    element('span', { class: 'word' }, [stepWord[step.state]])
  ])
}

const listPanel = (title: string, lines: readonly string[]): Node =>
  element('section', { class: 'panel' }, [
    element('h2', {}, [title]),
    element(
      'ol',
      { class: 'text' },
      lines.map((line) => element('li', {}, [line]))
    )
  ])

function aboutView(file: File, found: PageVerdict): Node {
  const unreadable = 'not readable'
  const described = found.case
  const facts: readonly (readonly [string, string, boolean?])[] = [
    ['File', `${file.name}, ${count(file.size)} bytes`],
    ['SHA-256', found.sha256, true],
    ['From', found.origin ?? unreadable, true],
    ['Written', described ? `${described.written.slice(0, 19).replace('T', ' ')} UTC` : unreadable],
    ['For', described?.recipient ?? unreadable],
    ['Purpose', described?.purpose ?? unreadable],
    ['Filter', described ? described.query || 'everything' : unreadable],
    ['Records', described ? count(described.records) : unreadable],
    ['Leaves', described ? count(described.leaves) : unreadable],
    ['Tree size', found.size === null ? unreadable : count(found.size)],
    ['Withheld', found.withheld === null ? unreadable : `${count(found.withheld)} parts`],
    ['Log key', found.logKey ?? unreadable, true],
    ['Export key', found.exportKey ?? unreadable, true]
  ]
  return element('section', { class: 'panel' }, [
    element('h2', {}, ['What the bundle says of itself']),
    element(
      'dl',
      {},
      facts.flatMap(([name, value, mono]) => [element('dt', {}, [name]), element('dd', {}, [mono ? element('code', {}, [value]) : value])])
    )
  ])
}

/** A file that is no bundle, or none that may be opened: no step was run. */
export const refusedView = (file: File, message: string): Node[] => [
  element('section', { class: 'verdict invalid', 'aria-label': 'Verdict' }, [
    element('span', { class: 'big-mark', 'aria-hidden': 'true' }, ['✕']),
    element('div', {}, [
      element('h2', { tabindex: '-1' }, ['This file could not be verified']),
      element('p', {}, [`${file.name}: `, element('span', { id: 'refused' }, [message]), '.']),
      element('p', { class: 'soft' }, ['None of the six steps was run; nothing of the file was executed or stored.'])
    ])
  ])
]
