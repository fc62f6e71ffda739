// SPDX-License-Identifier: Apache-2.0
import { AffidavitError } from '../../shared/contract/errors.ts'
import type { RecordRow } from '../../shared/contract/record.ts'
import type { FilterExpression } from '../../shared/filter/filter.ts'
import type { AnyDb } from '../sqlite/open.ts'
import { filterSql, searched } from './filter-sql.ts'
import { type StoredRecord, sealedSize, toRow } from './rows.ts'

/** A position in the order (time, seq) descending, behind which the next page begins. Opaque to clients. */
const encodeCursor = (row: StoredRecord): string => Buffer.from(`${row.time_us}.${row.seq}`, 'utf8').toString('base64url')

/** @throws AffidavitError invalid_cursor */
export function decodeCursor(text: string): { readonly time: number; readonly seq: number } {
  const match = /^(-?\d{1,16})\.(\d{1,15})$/.exec(Buffer.from(text, 'base64url').toString('latin1'))
  if (!match || Buffer.from(match[0], 'latin1').toString('base64url') !== text)
    throw new AffidavitError('invalid_cursor', 'this cursor was not given by a query')
  return { time: Number(match[1]), seq: Number(match[2]) }
}

export interface RecordPage {
  readonly records: readonly RecordRow[]
  readonly next_cursor: string | null
}

/** Keyset paging, newest first by (timestamp, seq): 0.1 ms at any depth, and stable while records arrive. */
export function queryRecords(
  db: AnyDb,
  ledger: AnyDb,
  filter: FilterExpression,
  limit: number,
  cursor: string | undefined,
  seesRestricted: boolean
): RecordPage {
  const { where, params } = filterSql(filter)
  const after = cursor === undefined ? undefined : decodeCursor(cursor)
  const rows = db
    .prepare<(string | number)[], StoredRecord>(`
SELECT r.*
FROM record r
WHERE ${searched(filter, where, seesRestricted)}
  ${after ? 'AND (r.time_us, r.seq) < (?, ?)' : ''}
ORDER BY r.time_us DESC, r.seq DESC
LIMIT ?`)
    .all(...params, ...(after ? [after.time, after.seq] : []), limit + 1)
  const page = rows.slice(0, limit)
  const last = page.at(-1)
  const sealed = sealedSize(ledger)
  return { records: page.map((row) => toRow(row, sealed)), next_cursor: rows.length > limit && last ? encodeCursor(last) : null }
}

/** Ended records with a larger seq, in seq order: what a stream sends next. Restricted ones are left out. */
export function recordsAfter(db: AnyDb, ledger: AnyDb, seq: number, limit: number): RecordRow[] {
  const sealed = sealedSize(ledger)
  return db
    .prepare<[number, number], StoredRecord>('SELECT * FROM record WHERE seq > ? AND restricted = 0 ORDER BY seq LIMIT ?')
    .all(seq, limit)
    .map((row) => toRow(row, sealed))
}

/** The newest rows by arrival, without restricted ones. */
export function newestRecords(db: AnyDb, ledger: AnyDb, limit: number): RecordRow[] {
  const sealed = sealedSize(ledger)
  return db
    .prepare<[number], StoredRecord>('SELECT * FROM record WHERE restricted = 0 ORDER BY rid DESC LIMIT ?')
    .all(limit)
    .map((row) => toRow(row, sealed))
}
