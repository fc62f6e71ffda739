// SPDX-License-Identifier: Apache-2.0
// Which bundles held which records, read on a reader thread: whom to tell when something becomes of these (GDPR 19).
import { withoutChanging } from '../../shared/filter/filter.ts'
import { parseFilter } from '../../shared/filter/parse.ts'
import { inRanges, type SeqRange } from '../../shared/policy/ranges.ts'
import { filterSql } from '../catalog/filter-sql.ts'
import { requestsOf } from '../catalog/listings.ts'
import { bodyOf } from '../catalog/project-event.ts'
import { isoMs } from '../catalog/rows.ts'
import type { AnyDb } from '../sqlite/open.ts'
import type { ReaderContext } from '../threads/reader-context.ts'

export interface Recipient {
  readonly export_seq: number
  readonly time: string
  readonly recipient: string
  readonly bundle_sha256: string
  readonly records: number
}

/** A bundle that left, and which records it held. */
export interface HandedOut extends Omit<Recipient, 'records'> {
  readonly selected: readonly SeqRange[]
  /** Of the tree that it proves against. */
  readonly size: number
}

interface ExportRow {
  readonly seq: number
  readonly time_us: number
  readonly bundle_sha256: string
  readonly size: number
  readonly intent: number | null
}

/** Every bundle that left, oldest first. */
export function handedOut({ catalog, payloads }: ReaderContext): HandedOut[] {
  const rows = catalog
    .prepare<[], ExportRow>(`
SELECT
  seq,
  time_us,
  json_extract(data, '$.bundle_sha256') AS bundle_sha256,
  json_extract(data, '$.size') AS size,
  json_extract(data, '$.intent') AS intent
FROM event
WHERE type = 'export.created'
  AND json_extract(data, '$.bundle_sha256') IS NOT NULL
ORDER BY seq`)
    .all()
  return rows.map(({ seq, time_us, bundle_sha256, size, intent }) => {
    const { query, recipient } = bodyOf(payloads, seq)
    const { selected } = intent === null ? {} : bodyOf(payloads, intent)
    return {
      export_seq: seq,
      time: isoMs(time_us),
      recipient: String(recipient ?? ''),
      bundle_sha256,
      size,
      selected: Array.isArray(selected) ? (selected as readonly SeqRange[]) : selectedAgain(catalog, String(query ?? ''), size)
    }
  })
}

/** What an export selected that did not put it on record: its filter, less what may have changed since, run again. */
function selectedAgain(catalog: AnyDb, query: string, size: number): SeqRange[] {
  const parsed = parseFilter(query)
  // A filter that no longer parses may have selected anything.
  const { where, params } = filterSql(parsed.ok ? withoutChanging(parsed.filter) : { terms: [] })
  return catalog
    .prepare<(string | number)[], number>(`SELECT r.seq FROM record r WHERE r.seq < ? AND ${where} ORDER BY r.seq`)
    .pluck()
    .all(size, ...params)
    .map((seq) => [seq, seq])
}

/** Every bundle that held a record, oldest first. */
export const bundlesWith = (context: ReaderContext, seq: number): HandedOut[] =>
  handedOut(context).filter(({ selected, size }) => seq < size && inRanges(selected, seq))

/**
 * The bundles that held some of these records as they are no longer. `changed`: the records, each with the leaf that changed it, which a bundle of
 * a larger tree brings with it. A call that was still open when a bundle went out counts as well.
 */
export function recipientsOf({ catalog }: ReaderContext, changed: ReadonlyMap<number, number>, exports: readonly HandedOut[]): Recipient[] {
  const records = [...changed].map(([seq, by]) => ({ by, leaves: [seq, ...requestsOf(catalog, [seq])] }))
  return exports.flatMap(({ selected, size, ...bundle }) => {
    const held = records.filter(({ by, leaves }) => size <= by && leaves.some((seq) => inRanges(selected, seq)))
    return held.length === 0 ? [] : [{ ...bundle, records: held.length }]
  })
}
