// SPDX-License-Identifier: Apache-2.0
// Whom a request makes it a duty to tell (GDPR 19), and who was told; read on a reader thread.
import type { RecipientToTell } from '../../shared/contract/requests.ts'
import { bodyOf } from '../catalog/project-event.ts'
import { isoMs } from '../catalog/rows.ts'
import type { ReaderContext } from '../threads/reader-context.ts'
import { changedForAll } from './erasure/carry-out.ts'
import { type HandedOut, handedOut, type Recipient, recipientsOf } from './handed-out.ts'

/**
 * Recipients of bundles with records that were erased, restricted or corrected for a request. Those of an erasure are read from its end: what
 * was erased is found by no filter any more. A bundle of after a correction brings it along.
 */
export function recipientsOfRequest(
  context: ReaderContext,
  request: string,
  exports: readonly HandedOut[] = handedOut(context)
): RecipientToTell[] {
  const { catalog, payloads } = context
  const found = new Map<number, Recipient>()
  const add = (one: Recipient): void => {
    const known = found.get(one.export_seq)
    if (!known || known.records < one.records) found.set(one.export_seq, one)
  }
  const done = catalog
    .prepare<[string], number>(`
SELECT ifnull(done_seq, refused_seq) FROM erasure WHERE request = ? AND (done_seq IS NOT NULL OR refused_seq IS NOT NULL)`)
    .pluck()
  for (const seq of done.all(request)) for (const one of (bodyOf(payloads, seq).recipients ?? []) as Recipient[]) add(one)
  const restricted = catalog.prepare<[string], number>("SELECT seq FROM request_step WHERE request = ? AND type = 'restrict.set'").pluck()
  const seqs = restricted.all(request).flatMap((seq) => (bodyOf(payloads, seq).seqs ?? []) as number[])
  const corrected = catalog.prepare<[string], { record: number; seq: number }>(`
SELECT json_extract(e.data, '$.record') AS record, e.seq
FROM request_step s
JOIN event e ON e.seq = s.seq
WHERE s.request = ?
  AND s.type = 'record.corrected'
ORDER BY e.seq`)
  const changed = new Map([...corrected.all(request).map(({ record, seq }) => [record, seq] as const), ...changedForAll(seqs)])
  if (changed.size > 0) for (const one of recipientsOf(context, changed, exports)) add(one)
  const told = new Map(
    catalog
      .prepare<[string], { seq: number; time_us: number; actor: string; export_seq: number }>(`
SELECT seq, time_us, actor, json_extract(data, '$.export') AS export_seq
FROM event
WHERE type = 'recipient.told'
  AND json_extract(data, '$.request_id') = ?`)
      .all(request)
      .map(({ export_seq, seq, time_us, actor }) => {
        const { note } = bodyOf(payloads, seq)
        return [export_seq, { seq, time: isoMs(time_us), by: actor, note: typeof note === 'string' ? note : '' }] as const
      })
  )
  return [...found.values()]
    .sort((a, b) => a.export_seq - b.export_seq)
    .map(({ export_seq, time, recipient, records }) => ({ export_seq, time, recipient, records, told: told.get(export_seq) ?? null }))
}

/** Over all requests: how many recipients there are to tell of what was erased, restricted or corrected, and how many of them are noted as told. */
export function recipientsToTell(context: ReaderContext): { readonly due: number; readonly told: number } {
  const exports = handedOut(context)
  const all = context.catalog
    .prepare<[], string>(
      "SELECT DISTINCT request FROM request_step WHERE type IN ('restrict.set', 'record.corrected', 'erasure.done', 'erasure.refused')"
    )
    .pluck()
    .all()
    .flatMap((request) => recipientsOfRequest(context, request, exports))
  return { due: all.length, told: all.filter((one) => one.told !== null).length }
}
