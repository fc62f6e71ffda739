// SPDX-License-Identifier: Apache-2.0
// Writes a bundle: sorted names, fixed times, so that the same selection and tree size give the same bytes. Runs on a reader thread.
import { createHash, type Hash } from 'node:crypto'
import { closeSync, createWriteStream, fsyncSync, openSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import type { MessagePort } from 'node:worker_threads'
import { ZipFile } from 'yazl'
import { AffidavitError } from '../../shared/contract/errors.ts'
import {
  type BundleCase,
  CASE,
  LEAVES,
  LIST_LINES,
  MANIFEST,
  manifestLine,
  payloadListPath,
  payloadPath,
  proofPath,
  SIGNATURE,
  SINGLE_LEAVES,
  TAG_MANIFEST,
  tilePath
} from '../../shared/evidence/bundle-layout.ts'
import { toBase64 } from '../../shared/evidence/bytes.ts'
import { erasedBy } from '../../shared/evidence/erasure-scope.ts'
import { type JsonValue, jcs } from '../../shared/evidence/jcs.ts'
import type { Leaf } from '../../shared/evidence/leaf.ts'
import { consistencyProof, inclusionProof } from '../../shared/evidence/merkle.ts'
import { BUNDLE_NAMESPACE, formatSshsig, sshsigSignedData } from '../../shared/evidence/sshsig.ts'
import { formatConsistency, formatTlogProof } from '../../shared/evidence/tlog-proof.ts'
import { neededTiles, tileBytes } from '../../shared/evidence/verify-tiles.ts'
import { cosignedNote, timestampFor } from '../anchors/listings.ts'
import type { StoredRecord } from '../catalog/rows.ts'
import { ed25519FromSeed, sha256, sha512 } from '../crypto.ts'
import { listAlerts } from '../drift/listings.ts'
import { syncFolder } from '../files.ts'
import { completenessAround } from '../integrity/gaps.ts'
import { lastCheckpoint, nodeReader } from '../ledger/store.ts'
import type { ReaderContext, ReaderControl } from '../threads/reader-context.ts'
import { csvRow } from './csv.ts'
import { type AgeTarget, encryptFile } from './encrypt.ts'
import { parquetOf } from './parquet.ts'
import { askPrinter } from './printer.ts'
import { LISTED, recordColumns, recordRowCells, recordsHeader, reportHtml } from './report.ts'
import type { Selection } from './selection.ts'
import { staticFiles } from './templates/static-files.ts'

export interface WriteBundleInput {
  readonly selection: Selection
  readonly recordsInScope: number
  readonly out: string
  readonly replace: boolean
  readonly query: string
  readonly recipient: string
  readonly purpose: string
  readonly requestedBy: string
  readonly withhold: readonly string[]
  readonly withholdReason: string
  /** Answers with the printed report; null: the bundle has none. */
  readonly printer: MessagePort | null
  readonly encrypt: AgeTarget | null
  readonly parquet: boolean
  readonly origin: string
  readonly logVkey: string
  readonly logPem: string
  readonly allowedSigners: string
  readonly exportSeed: Uint8Array
  readonly appVersion: string
  readonly sample: boolean
}

export interface WrittenBundle {
  readonly bytes: number
  readonly sha256: string
  readonly tagManifestSha256: string
  readonly records: number
  readonly leaves: number
  readonly withheld: number
  /** Digest of the encrypted file that stands at `out`; null when the bundle itself does. */
  readonly encryptedSha256: string | null
}

/** DOS times have no zone: a local midnight gives the same bytes everywhere. */
const FIXED_TIME = new Date(1980, 0, 1)

/** Streams files into a zip in the order of their names and keeps their hashes. */
class BagWriter {
  readonly #zip = new ZipFile()
  readonly #hashes = new Map<string, string>()
  readonly #done: Promise<void>
  readonly digest: Hash = createHash('sha256')

  constructor(path: string) {
    const file = createWriteStream(path, { mode: 0o600 })
    this.#zip.outputStream.on('data', (chunk: Buffer) => this.digest.update(chunk))
    this.#done = finished(this.#zip.outputStream.pipe(file))
    // Handled where it is awaited; without this a failure in between would end the thread.
    this.#done.catch(() => {})
  }

  hashOf(name: string): string {
    return this.#hashes.get(name) ?? ''
  }

  entries(where: (name: string) => boolean): string {
    return [...this.#hashes]
      .filter(([name]) => where(name))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, hash]) => manifestLine(hash, name))
      .join('')
  }

  add(name: string, content: string | Uint8Array): void {
    const bytes = typeof content === 'string' ? Buffer.from(content, 'utf8') : Buffer.from(content)
    this.#hashes.set(name, createHash('sha256').update(bytes).digest('hex'))
    this.#zip.addBuffer(bytes, name, { mtime: FIXED_TIME, forceDosTimestamp: true, mode: 0o100644 })
  }

  /** Streams a file too large for memory; resolves when it has been read to its end. */
  async stream(name: string, content: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<void> {
    const hash = createHash('sha256')
    const hashed = async function* () {
      for await (const chunk of content) {
        hash.update(chunk)
        yield chunk
      }
    }
    const readable = Readable.from(hashed(), { objectMode: false })
    this.#zip.addReadStream(readable, name, { mtime: FIXED_TIME, forceDosTimestamp: true, mode: 0o100644 })
    await Promise.race([finished(readable), this.#done])
    this.#hashes.set(name, hash.digest('hex'))
  }

  async end(): Promise<void> {
    this.#zip.end()
    await this.#done
  }

  abort(): void {
    this.#zip.outputStream.unpipe?.()
  }
}

/** Chunks of about 64 kB from many small texts. */
function* chunked(texts: Iterable<string | Buffer>): Generator<Buffer> {
  let parts: Buffer[] = []
  let size = 0
  for (const text of texts) {
    const part = typeof text === 'string' ? Buffer.from(text, 'utf8') : text
    parts.push(part)
    size += part.length
    if (size < 65_536) continue
    yield Buffer.concat(parts)
    parts = []
    size = 0
  }
  if (size > 0) yield Buffer.concat(parts)
}

/**
 * Writes the bundle beside its target and renames it when it is on disk: a crash or a cancel leaves nothing half written.
 * @throws AffidavitError file_exists, cancelled, payload_missing
 */
export async function writeBundle(context: ReaderContext, input: WriteBundleInput, control: ReaderControl): Promise<WrittenBundle> {
  if (!input.replace && exists(input.out))
    throw new AffidavitError('file_exists', 'the file exists already: choose another name or say that it may be replaced')
  const temporary = `${input.out}.${process.pid}.part`
  const sealed = `${temporary}.age`
  const bag = new BagWriter(temporary)
  try {
    const figures = await fillBag(context, input, control, bag)
    await bag.end()
    const { size } = statSync(temporary)
    const encrypted = input.encrypt === null ? null : await encryptFile(temporary, sealed, input.encrypt, control.cancelled)
    const finished = encrypted === null ? temporary : sealed
    const fd = openSync(finished, 'r+')
    fsyncSync(fd)
    closeSync(fd)
    renameSync(finished, input.out)
    if (encrypted !== null) rmSync(temporary, { force: true })
    syncFolder(dirname(input.out))
    return {
      ...figures,
      bytes: size,
      sha256: bag.digest.digest('hex'),
      tagManifestSha256: bag.hashOf(TAG_MANIFEST),
      encryptedSha256: encrypted?.sha256 ?? null
    }
  } catch (error) {
    bag.abort()
    rmSync(temporary, { force: true })
    rmSync(sealed, { force: true })
    if (error instanceof AffidavitError) throw error
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (code === 'ENOSPC') throw new AffidavitError('disk_full', 'the disk is full: no bundle was written')
    if (code === 'EACCES' || code === 'ENOENT' || code === 'EROFS' || code === 'EISDIR')
      throw new AffidavitError('file_unreadable', 'the file cannot be written there')
    throw error
  }
}

function exists(path: string): boolean {
  try {
    statSync(path)
    return true
  } catch {
    return false
  }
}

async function fillBag(context: ReaderContext, input: WriteBundleInput, control: ReaderControl, bag: BagWriter) {
  const { ledger, catalog, payloads } = context
  const { selection } = input
  const { checkpoint } = selection
  const note = cosignedNote(context, checkpoint)
  const seqs = [...selection.records, ...selection.requests, ...selection.alerts, ...selection.keys, ...selection.erasures].sort(
    (a, b) => a - b
  )
  const single = seqs.length <= SINGLE_LEAVES
  const leafBytes = ledger.prepare<[number], Buffer>('SELECT bytes FROM leaf WHERE seq = ?').pluck()
  const bytesOf = (seq: number): Buffer => {
    const bytes = leafBytes.get(seq)
    if (!bytes) throw new AffidavitError('workspace_damaged', `leaf ${seq} is missing`)
    return bytes
  }
  const getNode = nodeReader(ledger)
  const written = new Date(checkpoint.signed_us / 1000).toISOString()
  const withheld: BundleCase['withheld'] = []
  const withhold = new Set(input.withhold)
  let steps = 0
  const step = () => {
    if (control.cancelled()) throw new AffidavitError('cancelled', 'cancelled')
    control.progress(++steps, seqs.length * 2)
  }
  const exported = new Set([...selection.records, ...selection.requests])
  const erasures = new Set(selection.erasures)
  /** Why a part of an erasure stays: it is about records that this bundle does not hold. */
  const beyondScope = (seq: number, part: { readonly name: string; readonly data: Uint8Array }): string | undefined => {
    if (!erasures.has(seq)) return undefined
    if (part.name === 'body') return 'the certificate also names other records and recipients'
    return exported.has(erasedBy(part.data) ?? -1) ? undefined : 'another record of the same erasure'
  }
  const reasonFor = (seq: number, part: { readonly name: string; readonly data: Uint8Array }): string | undefined =>
    withhold.has(part.name) ? input.withholdReason : beyondScope(seq, part)
  /** All parts of a leaf that are there. @throws AffidavitError payload_missing */
  const partsOf = (seq: number) => {
    const state = payloads.open(seq)
    if (state.state === 'missing')
      throw new AffidavitError('payload_missing', `the content of leaf ${seq} cannot be opened: verify the workspace before exporting`)
    return state.state === 'present' ? state.parts : []
  }
  const partsOut = (seq: number) => partsOf(seq).filter((part) => reasonFor(seq, part) === undefined)

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
    const { data } = JSON.parse(bytesOf(seq).toString('utf8')) as { readonly data?: { readonly alert_id?: string } }
    if (data?.alert_id !== undefined) alertIds.add(data.alert_id)
  }
  const trail = function* (): Generator<string> {
    yield csvRow(['seq', 'time', 'type', 'actor', 'actor_kind', 'leaf_id'])
    for (const seq of seqs) {
      const leaf = JSON.parse(bytesOf(seq).toString('utf8')) as Leaf
      yield csvRow([leaf.seq, leaf.ts, leaf.type, leaf.actor.ref, leaf.actor.kind, leaf.id])
    }
  }
  const alerts = [...alertIds].flatMap((id) => listAlerts(catalog, payloads, { id, limit: 1 }))
  bag.add('data/alerts.jsonl', alerts.map((alert) => `${jcs(alert as unknown as JsonValue)}\n`).join(''))
  await bag.stream('data/audit-trail.csv', chunked(trail()))

  // case.json names what is withheld, and comes before the payloads in the order of names: the parts are listed first.
  for (const seq of withhold.size > 0 ? seqs : selection.erasures) {
    for (const part of partsOf(seq)) {
      const reason = reasonFor(seq, part)
      if (reason !== undefined) withheld.push({ part: part.name, reason, seq })
    }
  }
  const described: BundleCase = {
    v: 1,
    app: input.appVersion,
    leaves: seqs.length,
    first_seq: seqs[0] ?? null,
    last_seq: seqs.at(-1) ?? null,
    origin: input.origin,
    purpose: input.purpose,
    query: input.query,
    recipient: input.recipient,
    records: selection.records.length,
    records_in_scope: input.recordsInScope,
    requested_by: input.requestedBy,
    sample: input.sample,
    tree_size: checkpoint.size,
    withheld,
    written
  }
  bag.add(CASE, `${jcs(described as unknown as JsonValue)}\n`)
  const completeness = completenessAround(catalog, selection.from, selection.to, checkpoint.size)
  if (completeness)
    bag.add('data/completeness.json', `${jcs({ v: 1, tree_size: checkpoint.size, ...completeness } as unknown as JsonValue)}\n`)
  const leaves = function* (): Generator<Buffer> {
    for (const seq of seqs) {
      step()
      yield Buffer.concat([bytesOf(seq), Buffer.from('\n')])
    }
  }
  await bag.stream(LEAVES, chunked(leaves()))
  if (single)
    await addSingles(bag, seqs, partsOut, step, (seq) =>
      formatTlogProof({ index: seq, proof: inclusionProof(sha256, checkpoint.size, seq, getNode), checkpoint: note })
    )
  else await addLists(bag, seqs, partsOut, step)
  const find = catalog.prepare<[number], StoredRecord>('SELECT * FROM record WHERE seq = ?')
  const cells = function* () {
    for (const seq of selection.records) {
      const record = find.get(seq)
      if (record) yield recordRowCells(record, withhold.has('request'))
    }
  }
  const rows = function* (): Generator<string> {
    yield csvRow(recordsHeader)
    for (const row of cells()) yield csvRow(row)
  }
  await bag.stream('data/records.csv', chunked(rows()))
  if (input.parquet) await bag.stream('data/records.parquet', parquetOf(recordColumns, cells()))
  const report = reportHtml({
    described,
    alerts,
    checkpoint: note,
    from: selection.from,
    to: selection.to,
    facts: summarize(catalog, selection),
    listed: [...selection.records.subarray(0, LISTED)].flatMap((seq) => find.get(seq) ?? [])
  })
  bag.add('data/report.html', report)
  const tiles = single ? [] : neededTiles(checkpoint.size, seqs)
  const bytesOfTile = (tile: (typeof tiles)[number]) => tileBytes(tile.level, tile.index, tile.width, getNode)
  if (input.printer !== null) {
    // Names after this one are the tiles: with their hashes the manifest without the printed file is known.
    const others = tiles.map((tile) => manifestLine(hexOf(bytesOfTile(tile)), tilePath(tile.level, tile.index, tile.width))).sort(byName)
    const manifest = bag.entries((name) => name.startsWith('data/')) + others.join('')
    const footer = `${input.origin}, manifest without this file: sha256 ${hexOf(manifest)}`
    bag.add('data/report.pdf', await askPrinter(input.printer, { html: report, footer }, control.cancelled))
  }
  for (const tile of tiles) bag.add(tilePath(tile.level, tile.index, tile.width), bytesOfTile(tile))
  bag.add(
    MANIFEST,
    bag.entries((name) => name.startsWith('data/'))
  )
  const stamp = timestampFor(context, checkpoint.size)
  if (stamp && stamp.size > checkpoint.size) {
    bag.add('proof/anchored-checkpoint', stamp.note)
    bag.add(
      'proof/anchored-consistency.txt',
      formatConsistency(checkpoint.size, consistencyProof(sha256, checkpoint.size, stamp.size, getNode))
    )
  }
  bag.add('proof/checkpoint', note)
  if (stamp) bag.add('proof/checkpoint.tsr', Buffer.from(stamp.response, 'base64'))
  const previous = lastCheckpoint(ledger, checkpoint.size - 1)
  if (previous)
    bag.add('proof/consistency.txt', formatConsistency(previous.size, consistencyProof(sha256, previous.size, checkpoint.size, getNode)))
  if (selection.keys.length > 0)
    bag.add('proof/keys.jsonl', Buffer.concat(selection.keys.flatMap((seq) => [bytesOf(seq), Buffer.from('\n')])))
  if (previous) {
    bag.add('proof/previous-checkpoint', previous.note)
  }
  const later = {
    'trust/allowed_signers': input.allowedSigners,
    'trust/log.pub.pem': input.logPem,
    'trust/log.vkey': `${input.logVkey}\n`,
    ...(stamp ? { 'trust/tsa-ca.pem': stamp.trusted } : {}),
    'verify.cmd': texts.verifyCmd,
    'verify.sh': texts.verifySh
  }
  const laterEntries = Object.entries(later).map(([name, content]) =>
    manifestLine(createHash('sha256').update(content, 'utf8').digest('hex'), name)
  )
  const tags = Buffer.from([...bag.entries((name) => !name.startsWith('data/')).split(/(?<=\n)/), ...laterEntries].join(''), 'utf8')
  bag.add(TAG_MANIFEST, tags)
  const key = ed25519FromSeed(input.exportSeed)
  bag.add(SIGNATURE, formatSshsig(key.publicKey, BUNDLE_NAMESPACE, key.sign(sshsigSignedData(sha512, BUNDLE_NAMESPACE, tags))))
  for (const [name, content] of Object.entries(later)) bag.add(name, content)
  return { records: selection.records.length, leaves: seqs.length, withheld: described.withheld.length }
}

const hexOf = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex')

/** Lines of a manifest in the order of their names, which stand behind a hash of one length. */
const byName = (a: string, b: string): number => (a.slice(66) < b.slice(66) ? -1 : 1)

type PartsOf = (seq: number) => readonly { readonly name: string; readonly opening: Uint8Array; readonly data: Uint8Array }[]

async function addSingles(
  bag: BagWriter,
  seqs: readonly number[],
  partsOf: PartsOf,
  step: () => void,
  proof: (seq: number) => string
): Promise<void> {
  for (const seq of seqs) {
    for (const part of partsOf(seq)) {
      bag.add(payloadPath(seq, part.name), part.data)
      bag.add(`${payloadPath(seq, part.name)}.opening`, part.opening)
    }
  }
  for (const seq of seqs) {
    step()
    bag.add(proofPath(seq), proof(seq))
  }
}

async function addLists(bag: BagWriter, seqs: readonly number[], partsOf: PartsOf, step: () => void): Promise<void> {
  const lines = function* (): Generator<string> {
    for (const seq of seqs) {
      step()
      for (const part of partsOf(seq))
        yield `{"opening":"${toBase64(part.opening)}","part":"${part.name}","plaintext":"${toBase64(part.data)}","seq":${seq}}\n`
    }
  }
  const all = lines()
  let next = all.next()
  for (let list = 0; !next.done; list++) {
    const some = function* (): Generator<string> {
      for (let i = 0; i < LIST_LINES && !next.done; i++) {
        yield next.value
        next = all.next()
      }
    }
    await bag.stream(payloadListPath(list), chunked(some()))
  }
}

function summarize(catalog: ReaderContext['catalog'], selection: Selection) {
  const counts = new Map<string, { records: number; errors: number }>()
  const find = catalog.prepare<[number], { model: string; source: string; status: string }>(
    'SELECT model, source, status FROM record WHERE seq = ?'
  )
  for (const seq of selection.records) {
    const row = find.get(seq)
    if (!row) continue
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
