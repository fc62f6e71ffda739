// SPDX-License-Identifier: Apache-2.0
// The files of a bundle: sorted names, fixed times.
import { createHash } from 'node:crypto'
import { AffidavitError } from '../../shared/contract/errors.ts'
import {
  type BundleCase,
  CASE,
  LEAVES,
  MOST_TEXT_BYTES,
  manifestLine,
  SINGLE_LEAVES,
  tilePath
} from '../../shared/evidence/bundle-layout.ts'
import { type JsonValue, jcs } from '../../shared/evidence/jcs.ts'
import type { Leaf } from '../../shared/evidence/leaf.ts'
import { inclusionProof } from '../../shared/evidence/merkle.ts'
import { formatTlogProof } from '../../shared/evidence/tlog-proof.ts'
import { neededTiles, tileBytes } from '../../shared/evidence/verify-tiles.ts'
import { cosignedNote, timestampFor } from '../anchors/listings.ts'
import type { StoredRecord } from '../catalog/rows.ts'
import { sha256 } from '../crypto.ts'
import { listAlerts } from '../drift/listings.ts'
import { completenessAround } from '../integrity/gaps.ts'
import { nodeReader } from '../ledger/store.ts'
import { disposedHash } from '../ledger/tiles.ts'
import { builtPage } from '../pages.ts'
import type { ReaderContext, ReaderControl } from '../threads/reader-context.ts'
import { type BagWriter, chunked } from './bag-writer.ts'
import { bundleContent, changedMeanwhile } from './bundle-content.ts'
import { csvRow } from './csv.ts'
import { withheldTooMuch } from './limits.ts'
import { parquetOf } from './parquet.ts'
import { addLists, addSingles } from './payload-files.ts'
import { askPrinter } from './printer.ts'
import { asInLeaf, recordColumns, recordRowCells, recordsHeader } from './record-rows.ts'
import { LISTED, reportHtml } from './report.ts'
import { sealBag } from './seal-files.ts'
import { leavesOf, type Selection } from './selection.ts'
import { staticFiles } from './templates/static-files.ts'
import { withholding } from './withholding.ts'
import type { WriteBundleInput } from './write-bundle.ts'

const NEWLINE = Buffer.from('\n')

/**
 * Writes all files of a bundle in the order of their names; the same selection and tree size give the same bytes.
 * @throws AffidavitError cancelled, payload_missing; conflict: content went meanwhile
 */
export async function fillBag(context: ReaderContext, input: WriteBundleInput, control: ReaderControl, bag: BagWriter) {
  const { ledger, catalog, payloads } = context
  const { selection } = input
  const { checkpoint } = selection
  const note = cosignedNote(context, checkpoint)
  const seqs = leavesOf(selection)
  const single = seqs.length <= SINGLE_LEAVES
  const leafBytes = ledger.prepare<[number], Buffer>('SELECT bytes FROM leaf WHERE seq = ?').pluck()
  const bytesOf = (seq: number): Buffer => {
    const bytes = leafBytes.get(seq)
    if (bytes) return bytes
    if (disposedHash(ledger, seq)) throw changedMeanwhile()
    throw new AffidavitError('workspace_damaged', `leaf ${seq} is missing`)
  }
  const leafOf = (seq: number): Leaf => JSON.parse(bytesOf(seq).toString('utf8')) as Leaf
  const getNode = nodeReader(ledger)
  const written = new Date(checkpoint.signed_us / 1000).toISOString()
  const total = seqs.length * 2
  const step = (done: number) => {
    if (control.cancelled()) throw new AffidavitError('cancelled', 'cancelled')
    control.progress(done, total)
  }
  const { partsOut, opensEvent, list } = withholding(context, input, bundleContent(context, selection))

  // Names in order: README-VERIFY.txt, bag-info.txt, bagit.txt, data/…, manifest…, proof/…, tagmanifest…, trust/…, verify.…
  const facts = { origin: input.origin, records: selection.records.length, leaves: seqs.length, written }
  const texts = staticFiles(facts)
  bag.add('README-VERIFY.txt', texts.readme)
  bag.add(
    'bag-info.txt',
    `Source-Organization: ${input.origin}\nBagging-Date: ${written.slice(0, 10)}\nBag-Software-Agent: Affidavit ${input.appVersion}\nExternal-Identifier: ${input.origin}/${checkpoint.size}\n`
  )
  bag.add('bagit.txt', texts.bagit)
  const alertIds = new Set<string>()
  for (const seq of selection.alerts) {
    const { data } = leafOf(seq)
    if (typeof data?.alert_id === 'string') alertIds.add(data.alert_id)
  }
  const trail = function* (): Generator<string> {
    yield csvRow(['seq', 'time', 'type', 'actor', 'actor_kind', 'leaf_id'])
    for (const seq of seqs) {
      const leaf = leafOf(seq)
      yield csvRow([leaf.seq, leaf.ts, leaf.type, leaf.actor.ref, leaf.actor.kind, leaf.id])
    }
  }
  const alerts = [...alertIds].flatMap((id) => listAlerts(catalog, payloads, { id, limit: 1, size: checkpoint.size }))
  bag.add('data/alerts.jsonl', alerts.map((alert) => `${jcs(alert as unknown as JsonValue)}\n`).join(''))
  await bag.stream('data/audit-trail.csv', () => chunked(trail()))

  // case.json names what is withheld, and comes before the payloads in the order of names: the parts are listed first.
  const { withheld, records } = list(seqs, leafOf)
  const described: BundleCase = {
    v: 1,
    app: input.appVersion,
    leaves: seqs.length,
    first_seq: seqs[0] ?? null,
    last_seq: seqs.at(-1) ?? null,
    origin: input.origin,
    purpose: input.purpose,
    query: input.query,
    ...(selection.range === null ? {} : { range: selection.range }),
    recipient: input.recipient,
    records,
    // Of a range no record is left out: one that is restricted stands there without content.
    records_in_scope: selection.range === null ? records + selection.restricted : records,
    requested_by: input.requestedBy,
    sample: input.sample,
    tree_size: checkpoint.size,
    withheld: withheld.entries,
    written
  }
  const text = Buffer.from(`${jcs(described as unknown as JsonValue)}\n`, 'utf8')
  if (text.length > MOST_TEXT_BYTES) throw withheldTooMuch()
  bag.add(CASE, text)
  const completeness = completenessAround(catalog, selection.from, selection.to, checkpoint.size)
  if (completeness)
    bag.add('data/completeness.json', `${jcs({ v: 1, tree_size: checkpoint.size, ...completeness } as unknown as JsonValue)}\n`)
  const leaves = function* (): Generator<Buffer> {
    for (const [at, seq] of seqs.entries()) {
      step(at)
      yield bytesOf(seq)
      yield NEWLINE
    }
  }
  await bag.stream(
    LEAVES,
    () => chunked(leaves()),
    () => ({ done: seqs.length, total })
  )
  const contents = (done: number) => step(seqs.length + done)
  if (single)
    await addSingles(bag, seqs, partsOut, contents, (seq) =>
      formatTlogProof({ index: seq, proof: inclusionProof(sha256, checkpoint.size, seq, getNode), checkpoint: note })
    )
  else await addLists(bag, seqs, partsOut, contents, (leaf) => ({ done: seqs.length + leaf, total }))
  const find = catalog.prepare<[number], StoredRecord>('SELECT * FROM record WHERE seq = ?')
  const recordOf = (seq: number): StoredRecord => {
    const record = find.get(seq)
    if (!record) throw changedMeanwhile()
    return opensEvent(seq) ? record : asInLeaf(record, leafOf(seq))
  }
  const cells = function* () {
    for (const seq of selection.records) yield recordRowCells(recordOf(seq), input.withhold.includes('request') || input.withholdPersonal)
  }
  const rows = function* (): Generator<string> {
    yield csvRow(recordsHeader)
    for (const row of cells()) yield csvRow(row)
  }
  await bag.stream('data/records.csv', () => chunked(rows()))
  if (input.parquet) await bag.stream('data/records.parquet', () => parquetOf(recordColumns, cells()))
  const report = reportHtml({
    described,
    withheld: withheld.groups,
    alerts,
    checkpoint: note,
    anchoredSize: timestampFor(context, checkpoint.size)?.size ?? null,
    keys: { log: input.logVkey, signer: input.allowedSigners },
    erasures: selection.erasures,
    corrections: selection.corrections.map(leafOf),
    from: selection.from,
    to: selection.to,
    facts: summarize(selection.records, recordOf),
    listed: [...selection.records.subarray(0, LISTED)].map(recordOf)
  })
  bag.add('data/report.html', report)
  const tiles = single ? [] : neededTiles(checkpoint.size, seqs)
  const bytesOfTile = (tile: (typeof tiles)[number]) => tileBytes(tile.level, tile.index, tile.width, getNode)
  if (input.printer !== null) {
    // Names after this one are the tiles: with their hashes the manifest without the printed file is known.
    const others = tiles.map((tile) => manifestLine(hexOf(bytesOfTile(tile)), tilePath(tile.level, tile.index, tile.width))).sort(byName)
    const manifest = bag.entries((name) => name.startsWith('data/')) + others.join('')
    const footer = `${input.origin}\nmanifest-sha256.txt without this file: sha256 ${hexOf(manifest)}`
    bag.add('data/report.pdf', await askPrinter(input.printer, { html: report, footer }, control.cancelled))
  }
  for (const tile of tiles) bag.add(tilePath(tile.level, tile.index, tile.width), bytesOfTile(tile))
  sealBag(context, input, bag, { note, leaf: bytesOf, getNode, texts, page: await builtPage('verify') })
  return { records: selection.records.length, leaves: seqs.length, withheld: withheld.parts }
}

const hexOf = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex')

/** Lines of a manifest in the order of their names, which stand behind a hash of one length. */
const byName = (a: string, b: string): number => (a.slice(66) < b.slice(66) ? -1 : 1)

function summarize(records: Selection['records'], recordOf: (seq: number) => StoredRecord) {
  const counts = new Map<string, { records: number; errors: number }>()
  for (const seq of records) {
    const row = recordOf(seq)
    const key = `${row.model}\u0000${row.source}`
    const entry = counts.get(key) ?? { records: 0, errors: 0 }
    entry.records++
    if (row.status !== 'success') entry.errors++
    counts.set(key, entry)
  }
  return [...counts]
    .map(([key, entry]) => {
      const [model = '', source = ''] = key.split('\u0000')
      return { model, source, ...entry }
    })
    .sort((a, b) => b.records - a.records)
}
