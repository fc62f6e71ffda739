// SPDX-License-Identifier: Apache-2.0
// The report of a verification, to keep beside the bundle: what was found in each step, and what the verdict rests on.
import type { VerifyReport } from '../../shared/contract/exports.ts'
import { headline, SAMPLE, stepWord, whatToDo } from '../../shared/evidence/verdict-words.ts'
import { footOfBundle } from '../../shared/report/foot.ts'
import { type Markup, markup } from '../../shared/report/markup.ts'
import { bulletList, dataTable, factTable, numberedList, paragraph, reportPage, section } from '../../shared/report/page.ts'

const count = (n: number): string => n.toLocaleString('en-US')
const second = (time: string): string => `${time.slice(0, 10)} ${time.slice(11, 19)} UTC`
const known = (value: string | null): string => value ?? 'not readable'
const counted = (value: number | null): string => (value === null ? 'not readable' : count(value))
const digest = (value: string | null): Markup => (value === null ? markup`not readable` : markup`<code>${value}</code>`)
/** Groups of four, for reading aloud. */
const spoken = (hex: string | null): Markup =>
  hex === null ? digest(null) : markup`<code>${hex.match(/.{1,4}/g)?.join(' ') ?? hex}</code>`

type Head = VerifyReport['memory']['heads'][number]
const standing = ({ consistent }: Head): string => (consistent === null ? 'not comparable' : consistent ? 'yes' : 'no')

function bundleFacts({ file, bundle }: VerifyReport): Markup {
  return factTable([
    ['File', file.name],
    ...(file.sha256 === null ? [] : [['SHA-256', digest(file.sha256)] as const]),
    ...(file.encrypted_sha256 === null ? [] : [['As handed over, encrypted', digest(file.encrypted_sha256)] as const]),
    ['Tag manifest, SHA-256', digest(bundle.tag_manifest_sha256)],
    ['Log', digest(bundle.origin)],
    ['Tree size', counted(bundle.size)],
    ['Written', bundle.written === null ? known(null) : second(bundle.written)],
    ['For', known(bundle.recipient)],
    ['Purpose', known(bundle.purpose)],
    ['Filter', bundle.query === '' ? 'everything' : known(bundle.query)],
    ['Records', bundle.in_scope === null ? known(null) : `${counted(bundle.records)} of ${count(bundle.in_scope)} in scope`],
    ...(bundle.range === null ? [] : [['Whole range', `leaves ${count(bundle.range.first)} to ${count(bundle.range.last)}`] as const]),
    ...(bundle.left_out ? [['Left out', `${count(bundle.left_out)} restricted records`] as const] : []),
    ['Leaves', counted(bundle.leaves)],
    ['Parts withheld', counted(bundle.withheld)],
    ['Log key, SHA-256', spoken(bundle.log_key)],
    ['Export key, SHA-256', spoken(bundle.export_key)]
  ])
}

function findings({ steps }: VerifyReport): Markup {
  const rows = steps.flatMap(({ number, reasons }) => reasons.map((one) => [String(number), one.code, one.subject ?? '', one.message]))
  return section(
    'Findings',
    dataTable([{ name: 'Step', kind: 'number' }, { name: 'Code', kind: 'short' }, { name: 'Where' }, { name: 'What' }], rows)
  )
}

/** The whole report as one page. */
export function verificationReportHtml(report: VerifyReport): string {
  const { bundle, steps, kind, verdict, memory, rests_on, checked, seconds } = report
  const [title, detail] = headline({ kind, verdict, steps, records: bundle.records, withheld: bundle.withheld })
  const failed = steps.some((step) => step.state === 'fail')
  return reportPage({
    title,
    sub: `Verified ${second(checked)}, offline, in ${seconds.toFixed(1)} s. Verdict: ${verdict}.`,
    notice: bundle.sample ? SAMPLE : undefined,
    body: [
      section('Verdict', paragraph(detail)),
      section('Bundle', bundleFacts(report)),
      section(
        'Six steps',
        dataTable(
          [{ name: 'Step', kind: 'number' }, { name: 'What' }, { name: 'Result', kind: 'short' }, { name: 'Found' }],
          steps.map((step) => [String(step.number), step.title, stepWord[step.state], step.summary])
        )
      ),
      ...(failed ? [findings(report)] : []),
      kind === 'invalid'
        ? section('What to do', numberedList(whatToDo))
        : section('What this verdict rests on', bulletList([...(memory.state === 'off' ? [] : [memory.message]), ...rests_on])),
      ...(memory.heads.length === 0
        ? []
        : [
            section(
              'Heads of this log seen before',
              dataTable(
                [{ name: 'Seen', kind: 'short' }, { name: 'Size', kind: 'number' }, { name: 'Consistent' }],
                memory.heads.map((one) => [second(one.seen), count(one.size), standing(one)])
              )
            )
          ])
    ]
  })
}

/** What stands at the foot of each page: the manifest that was verified, else the file. */
export const verificationFooter = ({ bundle, file }: VerifyReport): string =>
  bundle.tag_manifest_sha256 === null
    ? file.sha256 === null
      ? 'verified folder'
      : `verified file: sha256 ${file.sha256}`
    : footOfBundle(bundle.origin ?? 'a log without a name', bundle.tag_manifest_sha256)
