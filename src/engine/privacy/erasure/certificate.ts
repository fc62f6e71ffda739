// SPDX-License-Identifier: Apache-2.0
import type { LeafData } from '../../../shared/evidence/leaf-data.ts'
import { toRanges } from '../../../shared/policy/ranges.ts'
import { spansAmong } from '../../../shared/privacy/spans.ts'
import { footOfJson } from '../../../shared/report/foot.ts'
import { markup } from '../../../shared/report/markup.ts'
import { bulletList, dataTable, factTable, paragraph, reportPage, section } from '../../../shared/report/page.ts'
import { bodyOf } from '../../catalog/project-event.ts'
import { sha256Hex } from '../../crypto.ts'
import type { ReaderContext } from '../../threads/reader-context.ts'
import type { Recipient } from '../handed-out.ts'
import type { GoneBefore } from './carry-out.ts'
import type { TracesThen } from './drafts.ts'
import { SHORTEST } from './needles.ts'
import { fileNames, type TraceNow } from './traces.ts'

/** One erased record: its place in the log, which stays, and why its content went. */
export interface ErasedRecord {
  readonly seq: number
  readonly class: string
  readonly ground: string
  readonly override?: string | undefined
}

/** The body of `erasure.done`. */
export interface ErasureFacts {
  readonly reference: string
  readonly asked_by: string
  readonly given_by: string
  readonly intents: readonly number[]
  readonly records: readonly ErasedRecord[]
  /** Records that were asked for too, of which nothing was left; absent for none. */
  readonly before?: readonly GoneBefore[]
  /** Corrections of these records, whose content went with theirs; absent where none could be made yet. */
  readonly corrections?: number
  /** How many of the records are spans around calls; absent for none. */
  readonly wrappers?: number
  readonly recipients: readonly Recipient[]
  readonly destroyed_keys: readonly string[]
  readonly folders: readonly string[]
  /** An earlier search that found traces, and what became of the files it found them in. */
  readonly traced?: TracesThen
}

/** What an erasure leaves, because the log rests on it. Stated in every certificate. */
const remains = [
  'The leaf of each record: its number and id, times, latency, token counts, status, model, provider and source as plain labels, sizes by powers of two, and commitments (SHA-256 with a 32-byte random opening that was destroyed with the content).',
  'The leaf of each correction: its number and time, who made it, and the number of the record.',
  'A keyed hash of each record’s own key, so that the same record is refused when it is delivered again.',
  'The request, the decisions, the grounds and the numbers of the records, encrypted in the log.',
  'What members of staff typed as searches, reasons and reviews, encrypted in the log as a trail of access.',
  'Copies outside this workspace: bundles and copies of data that were handed out, backups made elsewhere, and what the file system or the disk keeps of overwritten blocks.'
] as const

const verify = [
  'affidavit verify --workspace DIR: every leaf is re-hashed; the payloads of these records are reported as erased by the leaves named here.',
  'A bundle that holds one of these records holds the erasure.intent with its scope and the erasure.done beside it, and verifies without the content.',
  'A printed copy names at its foot the digest of the same facts for machines, the JSON file saved beside it: sha256sum FILE.json.'
] as const

/** For machines and as a page whose foot names the digest of the other. */
export interface Certificate {
  readonly json: string
  readonly html: string
  readonly footer: string
  readonly name: string
}

/** The certificate of an erasure, from the ledger alone; undefined when it is not done. */
export function certificateOf({ catalog, ledger, payloads }: ReaderContext, id: string, origin: string): Certificate | undefined {
  const seq = catalog.prepare<[string], number | null>('SELECT done_seq FROM erasure WHERE id = ?').pluck().get(id)
  const bytes = seq == null ? undefined : ledger.prepare<[number], Buffer>('SELECT bytes FROM leaf WHERE seq = ?').pluck().get(seq)
  if (seq == null || !bytes) return undefined
  const leaf = JSON.parse(bytes.toString('utf8')) as { ts: string; data: LeafData<'erasure.done'> }
  const facts = bodyOf(payloads, seq) as unknown as ErasureFacts
  const { data } = leaf
  const certificate = {
    v: 1,
    what: 'certificate of erasure',
    erasure_id: id,
    origin,
    leaf: seq,
    time: leaf.ts,
    ...facts,
    scan: data.scan,
    scan_words: scanWords(data.scan, facts.traced),
    key: data.kek_id,
    remains,
    verify
  }
  const json = `${JSON.stringify(certificate, null, 1)}\n`
  return {
    json,
    html: page({ id, origin, seq, time: leaf.ts }, data, facts),
    footer: footOfJson(origin, `certificate of erasure, leaf ${number(seq)}`, sha256Hex(Buffer.from(json, 'utf8'))),
    name: `certificate-of-erasure-leaf-${seq}`
  }
}

const number = (n: number): string => n.toLocaleString('en-US')
const moment = (time: string): string => `${time.slice(0, 10)} ${time.slice(11, 19)} UTC`

type Scan = LeafData<'erasure.done'>['scan']

/** What was searched for in which files, what came of it, and what the search leaves out. */
function scanWords(scan: Scan, traced: TracesThen | undefined): string[] {
  return [...searchWords(scan), ...(traced ? tracedWords(traced) : [])]
}

function searchWords({ files, bytes, needles, found, kept, left, covered, of, piece_bytes, piece_every }: Scan): string[] {
  const lost = of !== undefined && covered !== undefined && covered < of
  if (needles === 0 && covered !== undefined && !lost)
    return [`Nothing to look for: these records hold no text of ${SHORTEST} bytes or more.`]
  if (needles === 0) return ['Not possible: the process ended after the keys were destroyed, and the texts to look for went with them.']
  const outcome = found === 0 ? `no trace${left || lost ? ' of these' : ''}` : `${number(found)} traces`
  return [
    `${number(files)} files, ${number(bytes)} bytes, ${number(needles)} pieces of the erased texts (as they are, escaped, UTF-16, base64): ${outcome}.`,
    ...(lost
      ? [
          `These are of ${number(covered)} of ${number(of)} leaves (of the records, their requests and their corrections): what the others held could not be read any more. About them it says nothing.`
        ]
      : []),
    ...(kept > 0 ? [`${number(kept)} ${kept === 1 ? 'piece also stands' : 'pieces also stand'} in records that are kept.`] : []),
    ...(left
      ? [
          `${number(left)} further pieces were not looked for: identifiers come first, then texts, up to a limit. About them it says nothing.`
        ]
      : []),
    ...(piece_bytes && piece_every
      ? [
          `Of a text longer than ${piece_bytes} bytes, ${piece_bytes} bytes in every ${piece_every} and its last ${piece_bytes} are looked for; of one shorter than ${SHORTEST}, nothing. A smaller remnant between them would not be found.`
        ]
      : [])
  ]
}

/** What an earlier search found. Where no later one could look for all of it again, it says so instead of letting it pass for gone. */
function tracedWords({ leaf, found, files, where }: TracesThen): string[] {
  const of = (now: TraceNow) => where.filter((file) => file.now === now)
  const first = `An earlier search, on record as leaf ${number(leaf)}, had found ${number(found)} ${found === 1 ? 'trace' : 'traces'} in ${number(files)} ${files === 1 ? 'file' : 'files'}: ${fileNames(where, files)}.`
  if (of('searched').length > 0) return [first, 'The search above was made after that.']
  const [gone, written] = [of('gone'), of('written')]
  return [
    first,
    'It could not be repeated for all of these texts.',
    ...(gone.length > 0 ? [`No longer there: ${fileNames(gone, gone.length)}.`] : []),
    ...(written.length > 0 ? [`Written since, and whether traces are left in it is not known: ${fileNames(written, written.length)}.`] : [])
  ]
}

/** Records that went on the same ground, one row each: what overrides their retention goes with it. */
function groupsOf(records: readonly ErasedRecord[]): ErasedGroup[] {
  const groups = new Map<string, { readonly first: ErasedRecord; readonly seqs: number[] }>()
  for (const one of records) {
    const key = JSON.stringify([one.class, one.ground, one.override ?? ''])
    const group = groups.get(key)
    if (group) group.seqs.push(one.seq)
    else groups.set(key, { first: one, seqs: [one.seq] })
  }
  return [...groups.values()]
}

interface ErasedGroup {
  readonly first: ErasedRecord
  readonly seqs: readonly number[]
}

const runs = (seqs: readonly number[]): string =>
  toRanges([...seqs].sort((a, b) => a - b))
    .map(([first, last]) => (first === last ? number(first) : `${number(first)} to ${number(last)}`))
    .join(', ')

/** What was asked for and was gone by then: not this erasure took it, and not on its ground. */
function goneBefore(before: readonly GoneBefore[]) {
  if (before.length === 0) return []
  const groups = [
    ...Map.groupBy(
      before,
      ({ by, leaf }) => `${by === 'erasure' ? 'an earlier erasure' : 'a disposal after retention'}, leaf ${number(leaf)}`
    )
  ]
  return [
    section(
      'Gone before',
      dataTable(
        [{ name: 'Records', kind: 'number' }, { name: 'Leaves' }, { name: 'Taken by' }],
        groups.map(([by, some]) => [number(some.length), runs(some.map((one) => one.seq)), by])
      )
    )
  ]
}

/** Where an erasure is on record. */
interface Recorded {
  readonly id: string
  readonly origin: string
  readonly seq: number
  readonly time: string
}

function page({ id, origin, seq, time }: Recorded, { scan, kek_id }: LeafData<'erasure.done'>, facts: ErasureFacts): string {
  return reportPage({
    title: 'Certificate of erasure',
    sub: `${facts.reference}. The content of ${number(facts.records.length)} ${facts.records.length === 1 ? 'record' : 'records'}${spansAmong(facts.wrappers ?? 0)} was erased and can be opened by nobody. Their leaves stay, and every proof still verifies.`,
    body: [
      section(
        'Erasure',
        factTable([
          ['Reference', facts.reference],
          ['Log', markup`<code>${origin}</code>`],
          ['Erasure', markup`<code>${id}</code>`],
          ['Done', `${moment(time)}, leaf ${number(seq)}`],
          ['Intent', facts.intents.map((one) => `leaf ${number(one)}`).join(', ')],
          ['Corrections', facts.corrections ? `${number(facts.corrections)}, erased with their records` : 'none of these records'],
          ['Asked by', markup`<code>${facts.asked_by}</code>`],
          ['Approved by', markup`<code>${facts.given_by}</code>`],
          [
            'Keys',
            `each record’s key destroyed; key-encryption key ${facts.destroyed_keys.join(', ') || 'before'} destroyed, now ${kek_id}`
          ],
          ['Scan', scanWords(scan, facts.traced).join(' ')]
        ])
      ),
      section(
        'Records',
        dataTable(
          [
            { name: 'Records', kind: 'number' },
            { name: 'Class', kind: 'short' },
            { name: 'Leaves' },
            { name: 'Ground', kind: 'words' },
            { name: 'What overrides their retention', kind: 'words' }
          ],
          groupsOf(facts.records).map(({ first, seqs }) => [
            number(seqs.length),
            first.class,
            runs(seqs),
            first.ground,
            first.override ?? 'it had ended'
          ])
        )
      ),
      ...goneBefore(facts.before ?? []),
      section(
        'Recipients to tell',
        facts.recipients.length === 0
          ? paragraph('No export from this workspace held one of these records.')
          : dataTable(
              [
                { name: 'Recipient' },
                { name: 'Exported', kind: 'short' },
                { name: 'Records', kind: 'number' },
                { name: 'Leaf', kind: 'number' },
                { name: 'SHA-256 of what they got' }
              ],
              facts.recipients.map((one) => [
                one.recipient,
                moment(one.time),
                number(one.records),
                number(one.export_seq),
                markup`<code>${one.bundle_sha256}</code>`
              ])
            )
      ),
      section('What remains', bulletList(remains)),
      section('How to verify', bulletList(verify))
    ]
  })
}
