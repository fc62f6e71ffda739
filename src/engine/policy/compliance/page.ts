// SPDX-License-Identifier: Apache-2.0
// The compliance view to print or hand over: every row with its evidence, and what the log proves.
import type { Requirement, Statement } from '../../../shared/contract/compliance.ts'
import { type Markup, markup } from '../../../shared/report/markup.ts'
import { bulletList, dataTable, factTable, paragraph, reportPage, section, signatureLines } from '../../../shared/report/page.ts'

export interface CompliancePageInput {
  readonly evaluated: string
  readonly requirements: readonly Requirement[]
  readonly statements: readonly Statement[]
  readonly origin: string
  readonly size: number
  readonly checkpoint: { readonly size: number; readonly time: string; readonly root: string } | null
  readonly log_key: string
  readonly sample: boolean
}

const count = (n: number): string => n.toLocaleString('en-US')
export const second = (time: string): string => `${time.slice(0, 10)} ${time.slice(11, 19)} UTC`

const states: Readonly<Record<Requirement['state'], string>> = {
  backed: '\u25cf backed',
  partly: '\u25d0 partly',
  not: '\u25cb not',
  not_applicable: '\u2013 n/a'
}

const groups: Readonly<Record<Requirement['group'], string>> = { sec: 'SEC and FINRA', gdpr: 'GDPR', ai_act: 'EU AI Act', other: 'Other' }

function evidenceOf({ evidence, note, state }: Requirement): Markup {
  // What is not backed has no evidence: the label there says what to do about it in the app.
  const label = state === 'not' ? (evidence.leaves.length === 0 ? 'none' : 'not enough:') : evidence.label
  const lines = evidence.leaves.map((one) => `${one.type}: ${count(one.count)}, newest leaf ${count(one.seq)}, ${second(one.time)}`)
  const noted =
    note === null
      ? []
      : [
          `Noted by ${note.by}, ${second(note.time)}, leaf ${count(note.seq)}: ${note.reason}`,
          ...(note.document === null
            ? []
            : [`Document ${note.document}${note.document_sha256 === null ? '' : `, SHA-256 ${note.document_sha256}`}`])
        ]
  return markup`${label}${[...lines, ...noted].map((line) => markup`<br><span class="soft small">${line}</span>`)}`
}

function groupTable(requirements: readonly Requirement[]): Markup {
  return dataTable(
    [{ name: 'Source' }, { name: 'What is asked' }, { name: 'State', kind: 'short' }, { name: 'Evidence' }],
    requirements.map((one) => [
      `${one.source}${one.see_rule ? ', see rule' : ''}`,
      markup`${one.asked}${one.gap === null ? markup`` : markup`<br><span class="soft small">${one.gap}</span>`}`,
      states[one.state],
      evidenceOf(one)
    ])
  )
}

const saying = (statements: readonly Statement[], group: Statement['group'], title: string): Markup => {
  const lines = statements.filter((one) => one.group === group)
  return markup`<h3>${title}</h3>
${lines.length === 0 ? paragraph('Nothing yet.') : bulletList(lines.map((one) => `${one.text}${one.detail === null ? '' : ` (${one.detail})`}`))}`
}

/** The whole view with its evidence, as one page of HTML. */
export function compliancePage(input: CompliancePageInput): string {
  const { requirements, statements, evaluated, checkpoint } = input
  const counted = (state: Requirement['state']) => requirements.filter((one) => one.state === state).length
  return reportPage({
    title: 'Compliance report',
    sub: `Evaluated ${second(evaluated)} from the workspace as it was then. Not legal advice; the firm\u2019s undertakings, policies and assessment are still needed.`,
    notice: input.sample ? 'SAMPLE: generated data, no evidence.' : undefined,
    body: [
      section(
        'Summary',
        paragraph(
          `${counted('backed')} backed, ${counted('partly')} partly, ${counted('not')} not, ${counted('not_applicable')} not applicable, of ${requirements.length} requirements.`
        ),
        factTable([
          ['Log', markup`<code>${input.origin}</code>`],
          ['Log key, SHA-256', markup`<code>${input.log_key}</code>`],
          ['Leaves', count(input.size)],
          ['Last checkpoint', checkpoint === null ? 'none yet' : `${count(checkpoint.size)} leaves, signed ${second(checkpoint.time)}`],
          ['Root', checkpoint === null ? 'none yet' : markup`<code>${checkpoint.root}</code>`]
        ])
      ),
      ...(['sec', 'gdpr', 'ai_act', 'other'] as const).map((group) =>
        section(groups[group], groupTable(requirements.filter((one) => one.group === group)))
      ),
      section(
        'What this log proves, and what it cannot',
        saying(statements, 'proves', 'It proves'),
        saying(statements, 'word', 'It shows, on this machine\u2019s word alone'),
        saying(statements, 'cannot', 'It cannot show')
      ),
      paragraph(
        markup`<span class="soft small">\u201csee rule\u201d: the paragraph number was not checked against the official text. Each leaf named here can be shown with its proof in Affidavit, and exported in a signed bundle.</span>`
      ),
      signatureLines('Name and date', 'Signature')
    ]
  })
}
