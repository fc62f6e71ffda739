// SPDX-License-Identifier: Apache-2.0
// report.html: readable by itself, printable, without scripts or anything fetched.
import type { DriftAlert } from '../../shared/contract/drift.ts'
import type { BundleCase } from '../../shared/evidence/bundle-layout.ts'
import { toBase64 } from '../../shared/evidence/bytes.ts'
import { parseCheckpoint } from '../../shared/evidence/note.ts'
import { isoMs, type StoredRecord } from '../catalog/rows.ts'

export const recordsHeader = [
  'seq',
  'id',
  'timestamp',
  'source',
  'provider',
  'model',
  'served_model',
  'operation',
  'status',
  'http_status',
  'processing_time_ms',
  'ttft_ms',
  'input_tokens',
  'output_tokens',
  'response_chars',
  'request'
]

/** One row of records.csv. @param withoutText leaves the beginning of the prompt out */
export const recordRowCells = (record: StoredRecord, withoutText: boolean): (string | number | null)[] => [
  record.seq,
  record.id,
  isoMs(record.time_us),
  record.source,
  record.provider,
  record.model,
  record.served,
  record.operation,
  record.status,
  record.http_status,
  record.latency_us === null ? null : record.latency_us / 1000,
  record.ttft_us === null ? null : record.ttft_us / 1000,
  record.input_tokens,
  record.output_tokens,
  record.response_chars,
  withoutText ? '' : record.preview
]

export interface ReportInput {
  readonly described: BundleCase
  readonly alerts: readonly DriftAlert[]
  readonly checkpoint: string
  readonly from: string | null
  readonly to: string | null
  readonly facts: readonly { readonly model: string; readonly source: string; readonly records: number; readonly errors: number }[]
}

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const html = (text: string): string => text.replace(/[&<>"']/g, (char) => escapes[char] ?? '')
const count = (n: number): string => n.toLocaleString('en-US')
const row = (name: string, value: string): string => `<tr><th scope="row">${html(name)}</th><td>${html(value)}</td></tr>`

const style = `
body{font:14px/1.5 system-ui,sans-serif;color:#191b1d;background:#fff;max-width:60rem;margin:2rem auto;padding:0 1.5rem}
h1{font-size:1.5rem;line-height:1.3;margin:0 0 .25rem}h2{font-size:1.05rem;margin:2rem 0 .5rem;border-bottom:1px solid #cdcdc6;padding-bottom:.25rem}
p{margin:.4rem 0;max-width:48rem}.soft{color:#45494d}table{border-collapse:collapse;width:100%;margin:.5rem 0}
th,td{text-align:left;padding:.25rem .5rem;border-bottom:1px solid #e3e3de;vertical-align:top;overflow-wrap:anywhere}th[scope=row]{width:13rem;color:#62666a;font-weight:500}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}code{font-family:ui-monospace,monospace;font-size:.9em;overflow-wrap:anywhere}
.sample{border:2px solid #825000;padding:.5rem 1rem;font-weight:600}ol li{margin:.3rem 0}
@media print{body{margin:0;max-width:none}h2{break-after:avoid}tr{break-inside:avoid}}
`

/** Scope, method, findings, proof summary, how to verify. */
export function reportHtml({ described, alerts, checkpoint, from, to, facts }: ReportInput): string {
  const note = parseCheckpoint(checkpoint)
  const withheld = new Map<string, number>()
  for (const entry of described.withheld)
    withheld.set(`${entry.part}: ${entry.reason}`, (withheld.get(`${entry.part}: ${entry.reason}`) ?? 0) + 1)
  const findings = alerts
    .map((alert) => {
      const words = alert.features.map(
        (feature) =>
          `<li>${html(feature.feature.replace('_', ' '))}: ${html(feature.sentence)} D ${(feature.d ?? 0).toFixed(3)}, L ${(feature.l ?? 0).toFixed(3)}, p ${html((feature.p ?? 1).toPrecision(2))}</li>`
      )
      return `<p><b>${html(alert.model)}</b> as called by ${html(alert.source)}, opened ${html(alert.timestamp)}, ${html(alert.state)}.</p><ul>${words.join('')}</ul>`
    })
    .join('')
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Report on ${count(described.records)} records</title><style>${style}</style></head><body>
<h1>Report on ${count(described.records)} recorded calls to language models</h1>
<p class="soft">Log ${html(described.origin)}, as of ${html(described.written)}</p>
${described.sample ? '<p class="sample">SAMPLE: generated data, no evidence.</p>' : ''}
<h2>Scope</h2>
<table>${row('For', described.recipient)}${row('Purpose', described.purpose)}${row('Requested by', described.requested_by)}${row('Filter', described.query === '' ? 'every record' : described.query)}${row('First call', from ?? 'none')}${row('Last call', to ?? 'none')}${row('Records', `${count(described.records)} of ${count(described.records_in_scope)} in scope`)}${row('Leaves', count(described.leaves))}${row('Parts withheld', withheld.size === 0 ? 'none' : [...withheld].map(([name, n]) => `${count(n)} × ${name}`).join('; '))}</table>
<h2>What was called</h2>
<table><thead><tr><th>Model</th><th>Source</th><th class="n">Records</th><th class="n">Not successful</th></tr></thead><tbody>${facts.map((fact) => `<tr><td>${html(fact.model)}</td><td>${html(fact.source)}</td><td class="n">${count(fact.records)}</td><td class="n">${count(fact.errors)}</td></tr>`).join('')}</tbody></table>
<h2>Findings on drift</h2>
${findings === '' ? '<p>No drift alert concerns these models and sources.</p>' : findings}
<h2>Method</h2>
<p>Each call was put into one canonical form, sealed and appended to an append-only ledger before its sender was told that it had been taken. Every part of its content is committed to by SHA-256 with a random 32-byte opening; the entries form a Merkle tree (RFC 6962) whose head is signed with Ed25519. Drift is judged by the two-sample Kolmogorov-Smirnov test with ties and Fisher’s exact test, with a floor on the size of the effect and a stated budget of false alarms.</p>
<h2>Proof</h2>
<table>${row('Tree size', count(note.size))}${row('Root', toBase64(note.root))}${row('Origin', note.origin)}${row('Proofs', described.leaves <= 1000 ? 'one inclusion proof a leaf, data/proofs' : 'hash tiles, data/tile')}</table>
<h2>How to verify</h2>
<ol><li>Get the fingerprints of the log key and the export key from the sender by another way than this bundle.</li><li>Unpack the bundle and run <code>sh verify.sh</code> with OpenSSH and OpenSSL, or open the bundle in Affidavit, or run <code>affidavit verify FILE --trust DIR</code>.</li><li>README-VERIFY.txt gives each step by hand.</li></ol>
<p class="soft">The record is tamper-evident: a change shows. It says what was recorded, not that the answers of the models are true.</p>
</body></html>
`
}
