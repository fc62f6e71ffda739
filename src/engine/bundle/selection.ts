// SPDX-License-Identifier: Apache-2.0
// What goes into a bundle, read on a reader thread.
import type { Leaf } from '../../shared/evidence/leaf.ts'
import type { FilterExpression } from '../../shared/filter/filter.ts'
import { filterSql } from '../catalog/filter-sql.ts'
import { requestsOf, seqsOf } from '../catalog/listings.ts'
import { reviewLeaves } from '../catalog/reviews.ts'
import { isoMs } from '../catalog/rows.ts'
import { receiptLeaves } from '../drift/receipts.ts'
import { type CheckpointRow, lastCheckpoint } from '../ledger/store.ts'
import type { ReaderContext } from '../threads/reader-context.ts'

export interface Selection {
  /** The checkpoint that the proofs lead to: the newest of at most the wanted size. */
  readonly checkpoint: CheckpointRow
  readonly records: Uint32Array
  /** Records that the filter selects and that stay behind because they are restricted. */
  readonly restricted: number
  /** Leaves of the requests of these records, where the call was on record before it ended. */
  readonly requests: readonly number[]
  /** Leaves of alerts on the selected series: opened, acknowledged, snoozed, resolved; and of the looks and references they rest on. */
  readonly alerts: readonly number[]
  /** Leaves of human reviews of these records. */
  readonly reviews: readonly number[]
  /** Leaves about the signing keys: with them a verifier follows from a key it knows to the one in use. */
  readonly keys: readonly number[]
  /** Leaves of erasures that took the content of some of these records: their intents and what ended them. */
  readonly erasures: readonly number[]
  readonly from: string | null
  readonly to: string | null
}

/** Seqs of a filter's records below a checkpoint, and of the alert leaves of their series. Undefined when no checkpoint is that small. */
export function selectLeaves(context: ReaderContext, filter: FilterExpression, at: number | undefined): Selection | undefined {
  const { catalog, ledger } = context
  const checkpoint = lastCheckpoint(ledger, at)
  if (!checkpoint) return undefined
  const { where: found, params } = filterSql(filter)
  // Restricted records are not processed further (GDPR 18(2)).
  const where = `(${found}) AND r.restricted = 0`
  const records = seqsOf(catalog, where, params, checkpoint.size)
  const requests = requestsOf(catalog, records)
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
  return {
    checkpoint,
    records,
    restricted: seqsOf(catalog, `(${found}) AND r.restricted <> 0`, params, checkpoint.size).length,
    requests,
    // A verdict goes out with what it rests on, so that the bundle alone can decide it again.
    alerts: [...alerts, ...receiptLeaves(context, alerts, checkpoint.size)].sort((a, b) => a - b),
    reviews: reviewLeaves(catalog, records, checkpoint.size),
    keys,
    erasures: erasuresOf(catalog, [...records, ...requests], checkpoint.size),
    from: span?.first == null ? null : isoMs(span.first),
    to: span?.last == null ? null : isoMs(span.last)
  }
}

function erasuresOf(catalog: ReaderContext['catalog'], records: readonly number[], size: number): number[] {
  const find = catalog.prepare<[number], { intent: number; done: number | null }>(
    'SELECT d.intent, e.done_seq AS done FROM erased d JOIN erasure e ON e.id = d.erasure WHERE d.seq = ?'
  )
  const found = new Set<number>()
  if (catalog.prepare('SELECT 1 FROM erased LIMIT 1').get() === undefined) return []
  for (const seq of records) {
    const erased = find.get(seq)
    for (const leaf of [erased?.intent, erased?.done]) if (leaf != null && leaf < size) found.add(leaf)
  }
  return [...found].sort((a, b) => a - b)
}

/** Content of some leaves: bytes that would go out, parts withheld, leaves whose content was erased. */
export function measureLeaves(
  { ledger, payloads }: ReaderContext,
  seqs: Uint32Array,
  withhold: readonly string[]
): { readonly bytes: number; readonly withheld: number; readonly erased: number } {
  const leaf = ledger.prepare<[number], Buffer>('SELECT bytes FROM leaf WHERE seq = ?').pluck()
  let bytes = 0
  let withheld = 0
  let erased = 0
  for (const seq of seqs) {
    const text = leaf.get(seq)
    if (!text) continue
    const { parts = [] } = JSON.parse(text.toString('utf8')) as Leaf
    if (parts.length > 0 && payloads.ciphertext(seq) === undefined) erased++
    for (const part of parts) {
      if (withhold.includes(part.name)) withheld++
      else bytes += part.size_bucket * 0.75
    }
  }
  return { bytes, withheld, erased }
}
