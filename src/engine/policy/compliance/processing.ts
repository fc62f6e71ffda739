// SPDX-License-Identifier: Apache-2.0
// The record of processing activities (GDPR 30(1)): what the firm stated, beside what the configuration and the ledger show.
import type { OperationOutput } from '../../../shared/contract/contract.ts'
import { markup } from '../../../shared/report/markup.ts'
import { bulletList, dataTable, factTable, paragraph, reportPage, section } from '../../../shared/report/page.ts'
import { csvRow } from '../../bundle/csv.ts'
import { bodyOf } from '../../catalog/project-event.ts'
import { isoMs } from '../../catalog/rows.ts'
import type { ReaderContext } from '../../threads/reader-context.ts'
import { type LiveFacts, statedOf } from './facts.ts'

/** What the foot of its pages says is known where the signed head is. */
type ProcessingRecord = Omit<OperationOutput<'compliance.processing'>, 'page'> & {
  readonly page: { readonly html: string; readonly name: string }
}

const keyWords = {
  'safe-storage': 'keys protected by the key store of the operating system',
  passphrase: 'keys protected by a passphrase (scrypt)',
  'key-file': 'keys protected by file permissions only',
  missing: 'the keys are not here: contents cannot be opened'
} as const

function measuresOf(live: LiveFacts): string[] {
  return [
    'Content encrypted with AES-256-GCM, one random key a record, under a key-encryption key',
    `Keys outside the data folder: ${keyWords[live.keys]}`,
    'Append-only ledger, Merkle tree (RFC 6962), signed checkpoints',
    live.verify_every_hours === 0 ? 'Verification on demand only' : `Whole workspace verified every ${live.verify_every_hours} h`,
    'Searches, views, exports and changes of settings are on record',
    'Erasure, disposal, release of a hold and shorter retention take two people'
  ]
}

function recipientsOf({ catalog, payloads }: ReaderContext): ProcessingRecord['recipients'] {
  const rows = catalog
    .prepare<[], { seq: number; time_us: number }>(
      "SELECT seq, time_us FROM event WHERE type = 'export.created' AND json_extract(data, '$.bundle_sha256') IS NOT NULL ORDER BY seq DESC LIMIT 2000"
    )
    .all()
  const known = new Map<string, { recipient: string; bundles: number; last: string }>()
  for (const { seq, time_us } of rows) {
    const { recipient } = bodyOf(payloads, seq)
    const name = typeof recipient === 'string' ? recipient : 'unknown'
    const entry = known.get(name)
    if (entry) entry.bundles++
    else known.set(name, { recipient: name, bundles: 1, last: isoMs(time_us) })
  }
  return [...known.values()]
}

/** The record of processing with a page to print or hand over. */
export function processingOf(context: ReaderContext, live: LiveFacts): ProcessingRecord {
  const stated = statedOf(context)
  const sources = context.catalog
    .prepare<[], { source: string; model: string; n: number; first_us: number; last_us: number }>(
      'SELECT source, model, n, first_us, last_us FROM series ORDER BY source, model'
    )
    .all()
    .map((row) => ({ source: row.source, model: row.model, records: row.n, first: isoMs(row.first_us), last: isoMs(row.last_us) }))
  const record = { stated, sources, recipients: recipientsOf(context), measures: measuresOf(live) }
  return {
    ...record,
    page: { html: pageOf(record, live), name: 'record-of-processing' }
  }
}

function pageOf({ stated, sources, recipients, measures }: Omit<ProcessingRecord, 'page'>, live: LiveFacts): string {
  const said = (text: string) => (text === '' ? markup`<i>not stated</i>` : text)
  const second = (time: string) => time.slice(0, 19).replace('T', ' ')
  return reportPage({
    title: 'Record of processing activities',
    sub: `GDPR Article 30(1). As of ${second(live.now)} UTC. Stated by the firm, and shown by the workspace; not legal advice.`,
    body: [
      section(
        'Stated by the firm',
        factTable([
          ['Controller', said(stated.controller)],
          ['Contact', said(stated.contact)],
          ['Data protection officer', said(stated.officer)],
          ['Purposes', said(stated.purposes)],
          ['Categories of subjects and data', said(stated.subjects)],
          ['Transfers to third countries', said(stated.transfers)]
        ])
      ),
      section(
        'What is recorded',
        sources.length === 0
          ? paragraph('No record yet.')
          : dataTable(
              [
                { name: 'Source' },
                { name: 'Model' },
                { name: 'Records', kind: 'number' },
                { name: 'First, UTC', kind: 'short' },
                { name: 'Last, UTC', kind: 'short' }
              ],
              sources.map((one) => [one.source, one.model, one.records.toLocaleString('en-US'), second(one.first), second(one.last)])
            )
      ),
      section(
        'Recipients of exports',
        recipients.length === 0
          ? paragraph('No export has left this workspace.')
          : dataTable(
              [{ name: 'Recipient' }, { name: 'Bundles', kind: 'number' }, { name: 'Last, UTC', kind: 'short' }],
              recipients.map((one) => [one.recipient, String(one.bundles), second(one.last)])
            )
      ),
      section('Technical and organisational measures', bulletList(measures))
    ]
  })
}

/** The same record for spreadsheets: one row a statement, in the columns part, name, value, detail. */
export function processingCsv({ stated, sources, recipients, measures }: ProcessingRecord): string {
  return [
    ['part', 'name', 'value', 'detail'],
    ...Object.entries(stated).map(([name, text]) => ['stated', name, text, '']),
    ...sources.map((one) => ['source', one.source, one.model, `${one.records} records, ${one.first} to ${one.last}`]),
    ...recipients.map((one) => ['recipient', one.recipient, String(one.bundles), one.last]),
    ...measures.map((one) => ['measure', one, '', ''])
  ]
    .map(csvRow)
    .join('')
}
