// SPDX-License-Identifier: Apache-2.0
// The examiner's report of a bundle: scope, method, findings, proof, how to verify.
import type { DriftAlert } from '../../shared/contract/drift.ts'
import { type BundleCase, SINGLE_LEAVES } from '../../shared/evidence/bundle-layout.ts'
import { toBase64, toHex } from '../../shared/evidence/bytes.ts'
import type { Leaf } from '../../shared/evidence/leaf.ts'
import type { LeafData } from '../../shared/evidence/leaf-data.ts'
import { parseCheckpoint, parseVkey } from '../../shared/evidence/note.ts'
import { parseAllowedSigners } from '../../shared/evidence/sshsig.ts'
import { type Markup, markup } from '../../shared/report/markup.ts'
import { bulletList, dataTable, factTable, numberedList, paragraph, reportPage, section, together } from '../../shared/report/page.ts'
import { probability } from '../../shared/stats/kolmogorov.ts'
import { isoMs, type StoredRecord } from '../catalog/rows.ts'
import { sha256 } from '../crypto.ts'
import type { WithheldGroup } from './withheld-list.ts'

export interface ReportInput {
  readonly described: BundleCase
  readonly withheld: readonly WithheldGroup[]
  readonly alerts: readonly DriftAlert[]
  /** The note, with its cosignatures. */
  readonly checkpoint: string
  /** Size of the tree that the timestamp in the bundle is over; null without one. */
  readonly anchoredSize: number | null
  /** The key of the log and that of the bundle, as their files in `trust/` say them. */
  readonly keys: { readonly log: string; readonly signer: string }
  /** Leaves of the erasures that took content of records in scope. */
  readonly erasures: readonly number[]
  /** Leaves of the corrections of records in scope. */
  readonly corrections: readonly Leaf[]
  readonly from: string | null
  readonly to: string | null
  readonly facts: readonly { readonly model: string; readonly source: string; readonly records: number; readonly errors: number }[]
  /** The first records in scope, at most {@link LISTED}. */
  readonly listed: readonly StoredRecord[]
}

/** Records that the report lists; all of them are in records.csv. */
export const LISTED = 100

const count = (n: number): string => n.toLocaleString('en-US')
const plural = (n: number, one: string): string => `${count(n)} ${one}${n === 1 ? '' : 's'}`
const moment = (time: string): string => `${time.slice(0, 10)} ${time.slice(11, 19)} UTC`

function withheldTable(groups: readonly WithheldGroup[]): Markup {
  if (groups.length === 0) return paragraph('Nothing was withheld.')
  return dataTable(
    [{ name: 'Part' }, { name: 'Reason' }, { name: 'Leaves', kind: 'number' }],
    groups.map((group) => [group.part, group.reason, count(group.leaves)])
  )
}

function alertBlock(alert: DriftAlert): Markup {
  const answered = alert.history.filter((step) => step.what !== 'opened' && step.what !== 'returned')
  return markup`${together(
    markup`<h3>${alert.model} as called by ${alert.source}</h3>`,
    paragraph(`Opened ${moment(alert.timestamp)}, leaf ${count(alert.seq)}; ${alert.state}.`),
    dataTable(
      [
        { name: 'Feature', kind: 'short' },
        { name: 'What changed' },
        { name: 'D', kind: 'number' },
        { name: 'at least', kind: 'number' },
        { name: 'p', kind: 'number' }
      ],
      alert.features.map((feature) => [
        feature.feature.replaceAll('_', ' '),
        feature.sentence,
        feature.d?.toFixed(3) ?? '',
        feature.l?.toFixed(3) ?? '',
        feature.p == null ? '' : probability(feature.p, 2)
      ])
    )
  )}
${answered.length === 0 ? paragraph('Nobody has answered it.') : bulletList(answered.map((step) => `${moment(step.time)}: ${step.what} by ${step.actor}${step.note === '' ? '' : `: ${step.note}`}`))}
`
}

/** Names of the witnesses whose cosignatures the note carries. */
const witnessesOf = (note: string): string[] =>
  note
    .split('\n')
    .slice(5)
    .flatMap((line) => /^— (\S+) /.exec(line)?.[1] ?? [])

function proof({ described, checkpoint, anchoredSize, keys }: ReportInput): Markup {
  const note = parseCheckpoint(checkpoint)
  const fingerprintOf = (key: Uint8Array | undefined): Markup => markup`<code>${key === undefined ? 'none' : toHex(sha256(key))}</code>`
  const witnesses = witnessesOf(checkpoint)
  return section(
    'Proof',
    factTable([
      ['Tree size', count(note.size)],
      ['Root', markup`<code>${toBase64(note.root)}</code>`],
      ['Origin', markup`<code>${note.origin}</code>`],
      ['Proofs', described.leaves <= SINGLE_LEAVES ? 'one inclusion proof a leaf, data/proofs' : 'hash tiles, data/tile'],
      [
        'Timestamp',
        anchoredSize === null
          ? 'none: what this proves rests on the key of the log alone'
          : anchoredSize === note.size
            ? 'RFC 3161, over this checkpoint, proof/checkpoint.tsr'
            : `RFC 3161, over a later checkpoint of ${count(anchoredSize)} leaves that extends this one, proof/checkpoint.tsr`
      ],
      ['Witnesses', witnesses.length === 0 ? 'none' : `cosigned by ${witnesses.join(', ')}`],
      ['Log key, SHA-256', fingerprintOf(parseVkey(sha256, keys.log).publicKey)],
      ['Export key, SHA-256', fingerprintOf(parseAllowedSigners(keys.signer)[0]?.publicKey)]
    ])
  )
}

function findings({ facts, alerts, described }: ReportInput): Markup[] {
  const total = facts.reduce((sum, fact) => sum + fact.errors, 0)
  return [
    section(
      'Findings',
      paragraph(
        `${plural(described.records, 'call')} to ${plural(new Set(facts.map((fact) => fact.model)).size, 'model')} by ${plural(new Set(facts.map((fact) => fact.source)).size, 'source')}; ${count(total)} did not end with success. Drift alerts that concern them: ${count(alerts.length)}.`
      ),
      dataTable(
        [{ name: 'Model' }, { name: 'Source' }, { name: 'Records', kind: 'number' }, { name: 'Not successful', kind: 'number' }],
        facts.map((fact) => [fact.model, fact.source, count(fact.records), count(fact.errors)])
      )
    ),
    section('Drift', ...(alerts.length === 0 ? [paragraph('No drift alert concerns these models and sources.')] : alerts.map(alertBlock)))
  ]
}

const recordList = ({ listed, described }: ReportInput): Markup =>
  section(
    'Records',
    paragraph(
      listed.length < described.records
        ? `The first ${count(listed.length)} of ${count(described.records)}; data/records.csv lists all. Texts are in the payload files, not here.`
        : 'All records in scope. Texts are in the payload files, not here.'
    ),
    dataTable(
      [
        { name: 'Leaf', kind: 'number' },
        { name: 'Time, UTC', kind: 'short' },
        { name: 'Model' },
        { name: 'Source' },
        { name: 'Status', kind: 'short' },
        { name: 'ms', kind: 'number' }
      ],
      listed.map((record) => [
        count(record.seq),
        isoMs(record.time_us).slice(0, 19).replace('T', ' '),
        record.model,
        record.source,
        record.status,
        record.latency_us === null ? '' : count(Math.round(record.latency_us / 1000))
      ])
    )
  )

function correctionList({ corrections }: ReportInput): Markup[] {
  if (corrections.length === 0) return []
  return [
    section(
      'Corrections',
      paragraph(
        `${plural(corrections.length, 'correction')} of records in scope${corrections.length > LISTED ? `, the first ${count(LISTED)} of them here; data/audit-trail.csv lists all` : ''}. The originals stay as they were recorded; what should stand there, and why, is in the part body of each leaf.`
      ),
      dataTable(
        [{ name: 'Leaf', kind: 'number' }, { name: 'Time, UTC', kind: 'short' }, { name: 'Record', kind: 'number' }, { name: 'By' }],
        corrections
          .slice(0, LISTED)
          .map(({ seq, ts, data, actor }) => [
            count(seq),
            ts.slice(0, 19).replace('T', ' '),
            count((data as LeafData<'record.corrected'>).record),
            actor.ref
          ])
      )
    )
  ]
}

/** Scope, method, findings, proof summary, how to verify, and the first records; the same bytes for the same selection and tree size. */
export function reportHtml(input: ReportInput): string {
  const { described, erasures, from, to } = input
  return reportPage({
    title: `Report on ${count(described.records)} recorded calls to language models`,
    sub: `Log ${described.origin}, as of ${moment(described.written)}`,
    notice: described.sample ? 'SAMPLE: generated data, no evidence.' : undefined,
    body: [
      section(
        'Scope',
        factTable([
          ['For', described.recipient],
          ['Purpose', described.purpose],
          ['Requested by', described.requested_by],
          ['Filter', described.query === '' ? 'every record' : markup`<code>${described.query}</code>`],
          ['First call', from === null ? 'none' : moment(from)],
          ['Last call', to === null ? 'none' : moment(to)],
          ['Records', `${count(described.records)} of ${count(described.records_in_scope)} in scope`],
          [
            'Leaves',
            `${count(described.leaves)}${described.first_seq === null ? '' : `, from ${count(described.first_seq)} to ${count(described.last_seq ?? 0)}`}`
          ],
          [
            'Range',
            described.range === undefined
              ? 'none: leaves between those of this bundle are not here'
              : `every leaf from ${count(described.range.first)} to ${count(described.range.last)}; those that were not asked for without content`
          ],
          [
            'Erased',
            erasures.length === 0
              ? 'no record in scope'
              : `content of records in scope; on record in the leaves ${erasures.slice(0, 20).map(count).join(', ')}${erasures.length > 20 ? ` and ${count(erasures.length - 20)} more` : ''}`
          ]
        ])
      ),
      section('Withheld', withheldTable(input.withheld)),
      section(
        'Method',
        paragraph(
          'Each call was put into one canonical form, sealed and appended to an append-only ledger before its sender was told that it had been taken. Every part of its content is committed to by SHA-256 with a random 32-byte opening; the entries form a Merkle tree (RFC 6962) whose head is signed with Ed25519.'
        ),
        paragraph(
          'Drift is judged by the two-sample Kolmogorov-Smirnov test with ties and by Fisher’s exact test, with a floor on the size of the effect and a stated budget of false alarms. D is the largest gap between the two distribution functions; “at least” is its lower confidence bound.'
        )
      ),
      ...findings(input),
      proof(input),
      section(
        'How to verify',
        numberedList([
          'Get the fingerprints of the log key and the export key from the sender by another way than this bundle, and compare them with those above: a copy in the bundle proves nothing by itself.',
          markup`Unpack the bundle and run <code>sh verify.sh</code> with OpenSSH and OpenSSL, or open the bundle in Affidavit, or run <code>affidavit verify FILE --trust DIR</code>.`,
          'README-VERIFY.txt gives each step by hand.',
          markup`A printed copy names at its foot the digest of the manifest without the printed file: <pre>grep -v ' data/report.pdf$' manifest-sha256.txt | sha256sum</pre>`
        ]),
        paragraph('The record is tamper-evident: a change shows. It says what was recorded, not that the answers of the models are true.')
      ),
      recordList(input),
      ...correctionList(input)
    ]
  })
}
