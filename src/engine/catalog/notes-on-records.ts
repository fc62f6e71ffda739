// SPDX-License-Identifier: Apache-2.0
// What people said about records: reviews and corrections, found by the record that their leaf names.
import type { RecordDetail } from '../../shared/contract/record.ts'
import { type CorrectionBody, correctionBody } from '../../shared/event/correction.ts'
import type { LeafData } from '../../shared/evidence/leaf-data.ts'
import { type AnyDb, prepared } from '../sqlite/open.ts'
import type { ContentSource } from '../vault/payload-reader.ts'
import { bodyOf } from './project-event.ts'
import { isoMs } from './rows.ts'

type NoteType = 'review.decided' | 'record.corrected'

interface NoteRow {
  readonly seq: number
  readonly time_us: number
  readonly actor: string
  readonly data: string
}

/** Notes on one record, oldest first, by the partial index of their type. */
const notesOn = (catalog: AnyDb, type: NoteType, record: number): NoteRow[] =>
  prepared<[number], NoteRow>(
    catalog,
    `SELECT seq, time_us, actor, data FROM event WHERE type = '${type}' AND json_extract(data, '$.record') = ? ORDER BY seq`
  ).all(record)

/** What people decided on a record after reading it, oldest first. */
export const reviewsOf = (catalog: AnyDb, payloads: ContentSource, record: number): RecordDetail['reviews'] =>
  notesOn(catalog, 'review.decided', record).map(({ seq, time_us, actor, data }) => {
    const { note } = bodyOf(payloads, seq)
    const { decision } = JSON.parse(data) as LeafData<'review.decided'>
    return { seq, time: isoMs(time_us), by: actor, decision, note: typeof note === 'string' ? note : '' }
  })

/** The body of a correction; undefined when it is gone, or was made by nobody who keeps to its form. */
export function correctionIn(payloads: ContentSource, seq: number): CorrectionBody | undefined {
  const parsed = correctionBody.safeParse(bodyOf(payloads, seq))
  return parsed.success ? parsed.data : undefined
}

const contents = { present: 'missing', none: 'withheld', erased: 'erased', missing: 'missing' } as const

/** The corrections of a record, oldest first; without their content where that is gone or was withheld. */
export const correctionsOf = (catalog: AnyDb, payloads: ContentSource, record: number): RecordDetail['corrections'] =>
  notesOn(catalog, 'record.corrected', record).map(({ seq, time_us, actor }) => {
    const body = correctionIn(payloads, seq)
    return {
      seq,
      time: isoMs(time_us),
      by: actor,
      content: body ? 'present' : contents[payloads.open(seq).state],
      reason: body?.reason ?? '',
      changes: body?.changes ?? []
    }
  })

/** Leaves of a type about some records, given in ascending order, below a tree size. */
export function noteLeaves(catalog: AnyDb, type: NoteType, records: ArrayLike<number>, size = Number.MAX_SAFE_INTEGER): number[] {
  const found: number[] = []
  if (records.length === 0) return found
  const all = catalog.prepare<[number], { seq: number; record: number }>(
    `SELECT seq, json_extract(data, '$.record') AS record FROM event WHERE type = '${type}' AND seq < ? ORDER BY seq`
  )
  for (const { seq, record } of all.iterate(size)) if (holds(records, record)) found.push(seq)
  return found
}

function holds(ascending: ArrayLike<number>, value: number): boolean {
  let low = 0
  let high = ascending.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((ascending[middle] ?? 0) < value) low = middle + 1
    else high = middle
  }
  return ascending[low] === value
}
