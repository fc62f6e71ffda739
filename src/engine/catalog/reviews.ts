// SPDX-License-Identifier: Apache-2.0
import type { RecordDetail } from '../../shared/contract/record.ts'
import type { LeafData } from '../../shared/evidence/leaf-data.ts'
import type { AnyDb } from '../sqlite/open.ts'
import type { ContentSource } from '../vault/payload-reader.ts'
import { bodyOf } from './project-event.ts'
import { isoMs } from './rows.ts'

const OF_RECORD = "FROM event WHERE type = 'review.decided' AND json_extract(data, '$.record') = ? ORDER BY seq"

/** What people decided on a record after reading it, oldest first. */
export const reviewsOf = (catalog: AnyDb, payloads: ContentSource, record: number): RecordDetail['reviews'] =>
  catalog
    .prepare<[number], { seq: number; time_us: number; actor: string; data: string }>(`SELECT seq, time_us, actor, data ${OF_RECORD}`)
    .all(record)
    .map(({ seq, time_us, actor, data }) => {
      const { note } = bodyOf(payloads, seq)
      const { decision } = JSON.parse(data) as LeafData<'review.decided'>
      return { seq, time: isoMs(time_us), by: actor, decision, note: typeof note === 'string' ? note : '' }
    })

/** Leaves of the reviews of some records, given in ascending order, below a tree size. */
export function reviewLeaves(catalog: AnyDb, records: Uint32Array, size: number): number[] {
  const found: number[] = []
  const all = catalog.prepare<[number], { seq: number; record: number }>(
    "SELECT seq, json_extract(data, '$.record') AS record FROM event WHERE type = 'review.decided' AND seq < ? ORDER BY seq"
  )
  for (const { seq, record } of all.iterate(size)) if (holds(records, record)) found.push(seq)
  return found
}

function holds(ascending: Uint32Array, value: number): boolean {
  let low = 0
  let high = ascending.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((ascending[middle] ?? 0) < value) low = middle + 1
    else high = middle
  }
  return ascending[low] === value
}
