// SPDX-License-Identifier: Apache-2.0
// Which records belong to a person, read on a reader thread.
import type { SubjectRecord, SubjectRequest } from '../../shared/contract/requests.ts'
import type { FilterExpression } from '../../shared/filter/filter.ts'
import { daysLeft } from '../../shared/privacy/clock.ts'
import { filterSql } from '../catalog/filter-sql.ts'
import { isoMs, type StoredRecord, sealedSize, toRow } from '../catalog/rows.ts'
import { storedWrapper } from '../catalog/wrappers.ts'
import { keptOf } from '../policy/retention-view.ts'
import type { ReaderContext } from '../threads/reader-context.ts'

export interface FindSubject {
  /** Keys of the subject index. */
  readonly keys: readonly Uint8Array[]
  /** null: none by filter. */
  readonly filter: FilterExpression | null
  readonly seqs: readonly number[]
}

/**
 * Seqs of all records and wrappers that the keys, the filter or the hand name, ascending. Erased ones are left out, but for those with a correction that is
 * still there: a hold ended the erasure in between.
 */
export function findSubject({ catalog }: ReaderContext, { keys, filter, seqs }: FindSubject): number[] {
  const found = new Set<number>()
  const byKey = catalog.prepare<[Uint8Array], number>('SELECT seq FROM subject_key WHERE key = ?').pluck()
  for (const key of keys) for (const seq of byKey.iterate(key)) found.add(seq)
  if (filter) {
    const { where, params } = filterSql(filter)
    const byFilter = catalog.prepare<(string | number)[], number>(`SELECT r.seq FROM record r WHERE ${where}`).pluck()
    for (const seq of byFilter.iterate(...params)) found.add(seq)
  }
  const known = catalog
    .prepare<[number, number], number>(`
SELECT 1
FROM record r
WHERE r.seq = ?
  AND (r.erased = 0 OR EXISTS (
    SELECT 1
    FROM event e
    WHERE e.type = 'record.corrected'
      AND json_extract(e.data, '$.record') = r.seq
      AND NOT EXISTS (SELECT 1 FROM erased WHERE seq = e.seq)))
UNION ALL
SELECT 1 FROM aside WHERE seq = ? AND wrapper = 1 AND erased = 0`)
    .pluck()
  for (const seq of seqs) found.add(seq)
  return [...found].filter((seq) => known.get(seq, seq) !== undefined).sort((a, b) => a - b)
}

/** Records and wrappers with what bears on a decision about them. */
export function subjectRecords(context: ReaderContext, seqs: readonly number[]): SubjectRecord[] {
  const find = context.catalog.prepare<[number], StoredRecord>('SELECT * FROM record WHERE seq = ?')
  const sealed = sealedSize(context.ledger)
  const kept = new Map(keptOf(context, seqs).map((one) => [one.seq, one]))
  return seqs.flatMap((seq) => {
    const found = find.get(seq)
    const record = found ?? storedWrapper(context.catalog, context.ledger, seq)
    const rule = kept.get(seq)
    if (!record) return []
    return [
      {
        row: toRow(record, sealed),
        wrapper: found === undefined,
        class: rule?.class ?? 'default',
        kept_until: rule?.until ?? null,
        kept_text: rule?.text ?? '',
        holds: (rule?.holds ?? []).map(({ id, matter }) => ({ id, matter }))
      }
    ]
  })
}

interface StoredRequest {
  readonly id: string
  readonly seq: number
  readonly time_us: number
  readonly actor: string
  readonly kind: SubjectRequest['kind']
  readonly reference: string
  readonly received: string
  readonly due: string
  readonly extended: number
  readonly state: SubjectRequest['state']
  readonly closed_us: number | null
  readonly closed_by: string | null
}

/** The register, newest first. */
export function listRequests({ catalog }: ReaderContext, id: string | undefined, today: string): SubjectRequest[] {
  const steps = catalog.prepare<[string], { seq: number; time_us: number; actor: string; type: string; records: number; note: string }>(
    'SELECT seq, time_us, actor, type, records, note FROM request_step WHERE request = ? ORDER BY seq'
  )
  const erasures = catalog.prepare<[string], SubjectRequest['erasures'][number]>(`
SELECT
  e.id,
  e.records,
  e.seq,
  e.done_seq,
  e.refused_seq,
  json_extract(n.data, '$.gone') AS gone,
  json_extract(d.data, '$.scan.needles') AS searched,
  json_extract(d.data, '$.scan.kept') AS kept,
  json_extract(d.data, '$.scan.left') AS left_out,
  json_extract(d.data, '$.scan.of') - json_extract(d.data, '$.scan.covered') AS unread,
  (
    SELECT json_extract(s.data, '$.found')
    FROM event s
    WHERE s.type = 'erasure.searched' AND json_extract(s.data, '$.erasure_id') = e.id
    ORDER BY s.seq DESC
    LIMIT 1
  ) AS traces
FROM erasure e
LEFT JOIN event d ON d.seq = e.done_seq
LEFT JOIN event n ON n.seq = e.refused_seq
WHERE e.request = ?
ORDER BY e.seq`)
  return catalog
    .prepare<[string | null], StoredRequest>('SELECT * FROM request WHERE id = ifnull(?, id) ORDER BY seq DESC LIMIT 500')
    .all(id ?? null)
    .map(({ time_us, closed_us, actor, extended, ...row }) => ({
      ...row,
      opened: isoMs(time_us),
      opened_by: actor,
      extended: extended === 1,
      days_left: daysLeft(row.due, today),
      closed: closed_us === null ? null : isoMs(closed_us),
      erasures: erasures.all(row.id),
      steps: steps.all(row.id).map(({ time_us: at, ...step }) => ({ ...step, time: isoMs(at) }))
    }))
}
