// SPDX-License-Identifier: Apache-2.0
// What goes into a bundle, read on a reader thread.
import { AffidavitError } from '../../shared/contract/errors.ts'
import { MOST_TEXT_BYTES } from '../../shared/evidence/bundle-layout.ts'
import type { Leaf } from '../../shared/evidence/leaf.ts'
import type { FilterExpression } from '../../shared/filter/filter.ts'
import { filterSql } from '../catalog/filter-sql.ts'
import { leavesOfRecords, requestsOf, seqsOf } from '../catalog/listings.ts'
import { noteLeaves } from '../catalog/notes-on-records.ts'
import { isoMs } from '../catalog/rows.ts'
import { type ReceiptLeaves, receiptLeaves } from '../drift/receipts.ts'
import { type CheckpointRow, checkpointOver, lastCheckpoint } from '../ledger/store.ts'
import type { AnyDb } from '../sqlite/open.ts'
import type { ReaderContext } from '../threads/reader-context.ts'
import { checkEntries, withheldTooMuch } from './limits.ts'
import { WithheldList } from './withheld-list.ts'

/** Leaves by number, both ends included. */
export interface LeafRange {
  readonly first: number
  readonly last: number
}

export interface Selection {
  /** The checkpoint that the proofs lead to: the newest of at most the wanted size. */
  readonly checkpoint: CheckpointRow
  /** Every leaf of it goes out, most of them without content; null where only what was selected does. */
  readonly range: LeafRange | null
  readonly records: Uint32Array
  /** Records that the filter selects and that stay behind because they are restricted. */
  readonly restricted: number
  /** Leaves of these, where a range takes them along without content. */
  readonly restrictedLeaves: readonly number[]
  /** Leaves of the requests of these records, where the call was on record before it ended. */
  readonly requests: readonly number[]
  /** Leaves of alerts on the selected series: opened, acknowledged, snoozed, resolved; and of the looks and references they rest on. */
  readonly alerts: readonly number[]
  /** Looks among them, and the series whose names and count tables these hold, selected or not. */
  readonly looks: Omit<ReceiptLeaves, 'leaves'>
  /** Leaves of human reviews of these records. */
  readonly reviews: readonly number[]
  /** Leaves of corrections of these records. */
  readonly corrections: readonly number[]
  /** Leaves about the signing keys: with them a verifier follows from a key it knows to the one in use. */
  readonly keys: readonly number[]
  /** Leaves of erasures that took the content of some of these records: their intents and what ended them. */
  readonly erasures: readonly number[]
  readonly from: string | null
  readonly to: string | null
}

/** The same filter within a range. */
export function within(filter: FilterExpression, range: LeafRange | undefined): FilterExpression {
  if (!range) return filter
  const { first: min, last: max } = range
  const there = filter.terms.some(
    (term) => term.kind === 'range' && term.field === 'seq' && !term.negated && term.min === min && term.max === max
  )
  return there ? filter : { terms: [...filter.terms, { kind: 'range', field: 'seq', min, max, negated: false }] }
}

function noCheckpoint(ledger: AnyDb): never {
  const first = checkpointOver(ledger, 0)
  throw new AffidavitError(
    'nothing_selected',
    first
      ? `at: the first checkpoint covers ${first.size} leaves, and proofs of fewer lead to none: give that size or a larger one`
      : 'there is no checkpoint yet, and without one nothing can be proven: the first follows seconds after the first record, export again then'
  )
}

/**
 * Seqs of a filter's records below a checkpoint, and of the alert leaves of their series; with `range`, all leaves of it besides.
 * @throws AffidavitError nothing_selected: no checkpoint is that small; bad_request: the export key was changed after this size, the range ends beyond the tree, or leaves of it were disposed of; too_large: more files than a bundle may have
 */
export function selectLeaves(
  context: ReaderContext,
  filter: FilterExpression,
  at: number | undefined,
  range: LeafRange | undefined
): Selection {
  const { catalog, ledger } = context
  const checkpoint = lastCheckpoint(ledger, at) ?? noCheckpoint(ledger)
  checkExportKey(context, checkpoint.size)
  if (range) checkRange(context, range, checkpoint.size)
  const { where: found, params } = filterSql(filter)
  // Restricted records are not processed further (GDPR 18(2)).
  const where = `(${found}) AND r.restricted = 0`
  const records = seqsOf(catalog, where, params, checkpoint.size)
  const requests = requestsOf(catalog, records)
  const corrections = noteLeaves(catalog, 'record.corrected', records, checkpoint.size)
  const span = catalog
    .prepare<(string | number)[], { first: number | null; last: number | null }>(
      `SELECT min(r.time_us) AS first, max(r.time_us) AS last FROM record r WHERE r.seq < ? AND ${where}`
    )
    .get(checkpoint.size, ...params)
  const alerts = catalog
    .prepare<(string | number)[], number>(`
SELECT s.seq
FROM alert_step s
JOIN alert a ON a.id = s.alert
WHERE s.seq < ?
  AND EXISTS (SELECT 1 FROM record r WHERE r.seq < ? AND r.model = a.model AND r.source = a.source AND ${where})
ORDER BY s.seq`)
    .pluck()
    .all(checkpoint.size, checkpoint.size, ...params)
  const keys = catalog
    .prepare<[number], number>(`
SELECT seq
FROM event
WHERE type IN ('key.added', 'key.retired', 'key.revoked') AND json_extract(data, '$.use') IN ('log', 'export') AND seq < ?
ORDER BY seq`)
    .pluck()
    .all(checkpoint.size)
  const { leaves: receipts, ...looks } = receiptLeaves(context, alerts, checkpoint.size)
  const restricted = seqsOf(catalog, `(${found}) AND r.restricted <> 0`, params, checkpoint.size)
  const selection: Selection = {
    checkpoint,
    range: range ?? null,
    records,
    restricted: restricted.length,
    restrictedLeaves: range ? leavesOfRecords(catalog, [...restricted]).leaves : [],
    requests,
    // A verdict goes out with what it rests on, so that the bundle alone can decide it again.
    alerts: [...alerts, ...receipts].sort((a, b) => a - b),
    looks,
    reviews: noteLeaves(catalog, 'review.decided', records, checkpoint.size),
    corrections,
    keys,
    erasures: erasuresOf(catalog, [...records, ...requests, ...corrections], checkpoint.size),
    from: span?.first == null ? null : isoMs(span.first),
    to: span?.last == null ? null : isoMs(span.last)
  }
  checkEntries(ledger, checkpoint.size, leavesOf(selection), selection.erasures)
  return selection
}

/** Whether a record of a selection was restricted since it was made. */
export function restrictedSince({ catalog }: ReaderContext, { records }: Pick<Selection, 'records'>): boolean {
  const restricted = new Set(catalog.prepare<[], number>('SELECT seq FROM record WHERE restricted <> 0').pluck().all())
  return restricted.size > 0 && records.some((seq) => restricted.has(seq))
}

/**
 * The key before is gone, and the leaf that leads from it to the one in use is not in a smaller tree: whoever confirmed that key would have to
 * refuse the bundle.
 */
function checkExportKey({ catalog, ledger }: ReaderContext, size: number): void {
  const changed = catalog
    .prepare<[number], number | null>(`
SELECT max(seq)
FROM event
WHERE type = 'key.added'
  AND json_extract(data, '$.use') = 'export'
  AND json_extract(data, '$.previous_key') IS NOT NULL
  AND seq >= ?`)
    .pluck()
    .get(size)
  if (changed == null) return
  const enough = ledger.prepare<[number], number | null>('SELECT min(size) FROM checkpoint WHERE size > ?').pluck().get(changed)
  throw new AffidavitError(
    'bad_request',
    `at ${size} leaves the log does not yet name the export key in use, which came with leaf ${changed}: who confirmed the key before could not follow to it. Export ${enough == null ? 'without a size' : `at ${enough} leaves or more, or without a size`}`
  )
}

function checkRange({ ledger }: ReaderContext, { first, last }: LeafRange, size: number): void {
  if (last >= size)
    throw new AffidavitError('bad_request', `the range ends beyond the tree of ${size} leaves, the last of which is leaf ${size - 1}`)
  const there = ledger.prepare<[number, number], number>('SELECT count(*) FROM leaf WHERE seq BETWEEN ? AND ?').pluck().get(first, last)
  if (there !== last - first + 1)
    throw new AffidavitError('bad_request', 'leaves of this range were disposed of after their retention: choose a range without them')
}

/** The leaves that were selected with their contents, ascending. */
export function askedLeaves({ records, requests, alerts, reviews, corrections, keys, erasures }: Omit<Selection, 'range'>): number[] {
  const all = [...records, ...requests, ...alerts, ...reviews, ...corrections, ...keys, ...erasures].sort((a, b) => a - b)
  return all.filter((seq, at) => at === 0 || seq !== all[at - 1])
}

/** All leaves of a bundle, ascending. */
export function leavesOf(selection: Selection): number[] {
  const asked = askedLeaves(selection)
  if (!selection.range) return asked
  const { first, last } = selection.range
  const whole = Array.from({ length: last - first + 1 }, (_, n) => first + n)
  return [...asked.filter((seq) => seq < first), ...whole, ...asked.filter((seq) => seq > last)]
}

function erasuresOf(catalog: ReaderContext['catalog'], records: readonly number[], size: number): number[] {
  const find = catalog.prepare<[number], { intent: number; done: number | null }>(
    'SELECT d.intent, ifnull(e.done_seq, e.refused_seq) AS done FROM erased d JOIN erasure e ON e.id = d.erasure WHERE d.seq = ?'
  )
  const found = new Set<number>()
  if (catalog.prepare('SELECT 1 FROM erased LIMIT 1').get() === undefined) return []
  for (const seq of records) {
    const erased = find.get(seq)
    for (const leaf of [erased?.intent, erased?.done]) if (leaf != null && leaf < size) found.add(leaf)
  }
  return [...found].sort((a, b) => a - b)
}

/**
 * What a bundle of a selection would hold: leaves, bytes of content that would go out, parts withheld, records whose content was erased.
 * @throws AffidavitError too_large: more is withheld one by one than a bundle can name
 */
export function measureLeaves(
  { ledger, payloads }: ReaderContext,
  selection: Selection,
  withhold: readonly string[]
): { readonly leaves: number; readonly bytes: number; readonly withheld: number; readonly erased: number } {
  const bytesOf = ledger.prepare<[number], Buffer>('SELECT bytes FROM leaf WHERE seq = ?').pluck()
  const content = [...selection.records, ...selection.requests].sort((a, b) => a - b)
  const asked = selection.range ? new Set(askedLeaves(selection)) : undefined
  const records = new Set(asked ? content : [])
  const leaves = leavesOf(selection)
  const withheld = new WithheldList()
  let bytes = 0
  let erased = 0
  for (const seq of asked ? leaves : content) {
    const text = bytesOf.get(seq)
    if (!text) continue
    const { parts = [] } = JSON.parse(text.toString('utf8')) as Leaf
    const closed = asked !== undefined && !asked.has(seq)
    if (!closed && parts.length > 0 && (!asked || records.has(seq)) && payloads.ciphertext(seq) === undefined) erased++
    for (const part of parts) {
      if (closed || withhold.includes(part.name)) withheld.withhold(seq, part.name, closed ? 'not asked for' : 'withheld')
      else {
        withheld.show(part.name)
        bytes += part.size_bucket * 0.75
      }
    }
  }
  if (withheld.entries.length * ENTRY_BYTES > MOST_TEXT_BYTES) throw withheldTooMuch()
  return { leaves: leaves.length, bytes, withheld: withheld.parts, erased }
}

/** Bytes of one entry of what is withheld, with the reason of a leaf that was not asked for. */
const ENTRY_BYTES = 150
