// SPDX-License-Identifier: Apache-2.0
// The copy of a subject's data as a page: in words that the subject understands without the names of fields (GDPR 12(1)).
import type { Processing } from '../../shared/contract/compliance.ts'
import type { RecordDetail } from '../../shared/contract/record.ts'
import type { CorrectionPlace } from '../../shared/event/correction.ts'
import { spansAmong } from '../../shared/privacy/spans.ts'
import { type Markup, type MarkupValue, markup } from '../../shared/report/markup.ts'
import { dataTable, factTable, pageFrame, paragraph, said, section } from '../../shared/report/page.ts'
import type { Recipient } from './handed-out.ts'

/** What the copy is an answer to, and what belongs to it beside the records (GDPR 15(1)). */
export interface CopyFacts {
  readonly reference: string
  readonly received: string
  /** Day on which it is due. */
  readonly due: string
  readonly written: string
  readonly origin: string
  readonly records: number
  /** How many of these are spans around calls. */
  readonly wrappers: number
  /** As the record of processing has it; empty texts were not stated. */
  readonly stated: Processing
  /** Who got exports with one of the records. */
  readonly recipients: readonly Recipient[]
}

const count = (n: number): string => n.toLocaleString('en-US')
const moment = (time: string): string => `${time.slice(0, 10)} ${time.slice(11, 19)} UTC`
const ofMicros = (us: number): string => moment(new Date(us / 1000).toISOString())

const labels: Readonly<Record<string, string>> = {
  id: 'Id given by the sender',
  channel: 'Came by',
  received_us: 'Received',
  start_us: 'Started',
  latency_us: 'Took',
  ttft_us: 'First piece after',
  provider_raw: 'Provider, as given',
  request_model: 'Model asked for',
  response_model: 'Model that answered',
  user_id: 'User',
  conversation_id: 'Conversation',
  client_ua: 'Program that called',
  http_status: 'HTTP status',
  input_tokens: 'Tokens of the question',
  output_tokens: 'Tokens of the answer',
  response_chars: 'Characters of the answer',
  span_role: 'Kind of call',
  content_state: 'Content'
}

const labelOf = (name: string): string => {
  const words = labels[name] ?? name.replace(/_us$/, '').replaceAll('_', ' ')
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`
}

const shown = (value: unknown): string =>
  typeof value === 'string' ? value : typeof value === 'number' ? String(value) : JSON.stringify(value)

function textOf(name: string, value: unknown): MarkupValue {
  if (typeof value === 'number' && name.endsWith('_us'))
    return name === 'received_us' || name === 'start_us' ? ofMicros(value) : `${count(Math.round(value / 1000))} ms`
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  return shown(value)
}

/** Names beside values; what hangs on the record by names of its own stands below. */
const factsOf = (event: RecordDetail['event']): [string, MarkupValue][] =>
  Object.entries(event).flatMap(([name, value]) =>
    name === 'attributes' && value !== null && typeof value === 'object'
      ? Object.entries(value).map(([own, it]): [string, MarkupValue] => [`Attribute ${own}`, shown(it)])
      : [[labelOf(name), textOf(name, value)]]
  )

/** Where a correction applies, in words. */
const placeOf = (place: CorrectionPlace): string =>
  'message' in place
    ? `${place.message === 'input' ? 'Question' : 'Answer'}, message ${place.index + 1}`
    : 'field' in place
      ? labelOf(place.field)
      : `Attribute ${place.attribute}`

function correction({ seq, time, content, reason, changes }: RecordDetail['corrections'][number]): Markup {
  const texts = changes.map(({ what, now }) => markup`<p class="soft">${placeOf(what)}, as it should stand:</p>${said(now)}`)
  return markup`<h3>Correction, leaf ${count(seq)}, ${moment(time)}</h3>
${paragraph(content === 'present' ? `Reason: ${reason}` : `content ${content}`)}${texts}`
}

/** One record whole: what was said, what else is on record, and what was corrected. */
export function recordSection(detail: Omit<RecordDetail, 'view_seq'>): string {
  const { row, payload, input_messages, output_messages, error, event, corrections } = detail
  const messages = [...input_messages, ...output_messages].map(
    ({ role, parts }) => markup`<h3>${role}</h3>${said(parts.map((part) => part.content ?? JSON.stringify(part)).join('\n'))}`
  )
  const gone = payload === 'present' ? '' : `; content ${payload}`
  return markup`<section class="record"><h2>${event.span_role === 'wrapper' ? 'Span around calls' : 'Record'}, leaf ${count(row.seq)}</h2>
${paragraph(`${moment(row.timestamp)}, model ${row.model}, source ${row.source}, ${row.status}${gone}`)}${messages}${
  error === null ? markup`` : markup`<h3>Error</h3>${said(error)}`
}<h3>What else is on record</h3>
${factTable(factsOf(event))}${corrections.map(correction)}</section>
`.html
}

const orNot = (text: string): MarkupValue => (text === '' ? markup`<i>not stated here</i>` : text)

function about({ stated, recipients }: CopyFacts): Markup {
  return markup`${section(
    'Who processes the data, and what for',
    factTable([
      ['Controller', orNot(stated.controller)],
      ['Contact', orNot(stated.contact)],
      ['Data protection officer', orNot(stated.officer)],
      ['Purposes', orNot(stated.purposes)],
      ['Categories of data', orNot(stated.subjects)],
      ['Transfers to third countries', orNot(stated.transfers)]
    ])
  )}${section(
    'Who received records of this copy',
    recipients.length === 0
      ? paragraph('No export from this workspace held one of these records.')
      : dataTable(
          [{ name: 'Recipient' }, { name: 'Exported', kind: 'short' }, { name: 'Records', kind: 'number' }],
          recipients.map((one) => [one.recipient, moment(one.time), count(one.records)])
        )
  )}`
}

/** Beginning and end of the page; the records stand between them. */
export function copyFrame(facts: CopyFacts): { readonly before: string; readonly after: string } {
  const { reference, received, due, written, origin, records, wrappers } = facts
  const { before, after } = pageFrame({
    title: 'Copy of data',
    sub: `Reference ${reference}, received ${received}, due ${due}. ${count(records)} ${records === 1 ? 'record' : 'records'}${spansAmong(wrappers)}, written ${moment(written)} from the log ${origin}. The same data for machines is in the JSON file beside this page; a printed copy names its SHA-256 at the foot.`
  })
  return { before: `${before}${about(facts).html}`, after }
}
