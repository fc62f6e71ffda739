// SPDX-License-Identifier: Apache-2.0
// The record of processing activities (GDPR 30(1)): what the firm stated, beside what the configuration and the ledger show.
import type { OperationOutput } from '../../../shared/contract/contract.ts'
import { bodyOf } from '../../catalog/project-event.ts'
import { isoMs } from '../../catalog/rows.ts'
import type { ReaderContext } from '../../threads/reader-context.ts'
import { type LiveFacts, statedOf } from './facts.ts'

type ProcessingRecord = OperationOutput<'compliance.processing'>

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const html = (text: string): string => text.replace(/[&<>"']/g, (char) => escapes[char] ?? '')

const keyWords = {
  'safe-storage': 'keys protected by the key store of the operating system',
  passphrase: 'keys protected by a passphrase (scrypt)',
  'key-file': 'keys protected by file permissions only'
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
      "SELECT seq, time_us FROM event WHERE type = 'export.created' ORDER BY seq DESC LIMIT 2000"
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
  return { ...record, html: pageOf(record, live) }
}

function pageOf({ stated, sources, recipients, measures }: Omit<ProcessingRecord, 'html'>, live: LiveFacts): string {
  const line = (name: string, text: string) =>
    `<tr><th scope="row">${html(name)}</th><td>${text === '' ? '<i>not stated</i>' : html(text)}</td></tr>`
  const list = (items: readonly string[]) =>
    items.length === 0 ? '<p>None.</p>' : `<ul>${items.map((one) => `<li>${html(one)}</li>`).join('')}</ul>`
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Record of processing</title><style>
body{font:14px/1.5 system-ui,sans-serif;color:#191b1d;background:#fff;max-width:60rem;margin:2rem auto;padding:0 1.5rem}
h1{font-size:1.5rem;margin:0}h2{font-size:1.05rem;margin:2rem 0 .5rem;border-bottom:1px solid #cdcdc6}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.25rem .5rem;border-bottom:1px solid #e3e3de;vertical-align:top;overflow-wrap:anywhere}th[scope=row]{width:14rem;color:#62666a;font-weight:500}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}@media print{body{margin:0;max-width:none}tr{break-inside:avoid}}
</style></head><body>
<h1>Record of processing activities</h1>
<p>As of ${html(live.now)}. Stated by the firm, and shown by the workspace; not legal advice.</p>
<h2>Stated by the firm</h2>
<table>${line('Controller', stated.controller)}${line('Contact', stated.contact)}${line('Data protection officer', stated.officer)}${line('Purposes', stated.purposes)}${line('Categories of subjects and data', stated.subjects)}${line('Transfers to third countries', stated.transfers)}</table>
<h2>What is recorded</h2>
${sources.length === 0 ? '<p>No record yet.</p>' : `<table><thead><tr><th>Source</th><th>Model</th><th class="n">Records</th><th>First</th><th>Last</th></tr></thead><tbody>${sources.map((one) => `<tr><td>${html(one.source)}</td><td>${html(one.model)}</td><td class="n">${one.records.toLocaleString('en-US')}</td><td>${html(one.first)}</td><td>${html(one.last)}</td></tr>`).join('')}</tbody></table>`}
<h2>Recipients of exports</h2>
${list(recipients.map((one) => `${one.recipient}: ${one.bundles}, last ${one.last}`))}
<h2>Technical and organisational measures</h2>
${list(measures)}
</body></html>
`
}
