// SPDX-License-Identifier: Apache-2.0
// The table `cell`: exact counts of each series by claimed hour and by claimed day. Written by the projector, read by looks and back-tests.
import type { AnyDb, WritableDb } from '../sqlite/open.ts'
import { addCell, besideJson, type CellRow, type ContentCounts, type Counted, encodeTables, Tally } from './tally.ts'

export const HOUR_US = 3_600_000_000
/** Hours that a wide cell covers; wide cells begin at UTC midnight. */
export const WIDE = 24

/** The claimed hour of a time: whole hours since 1970 UTC. */
export const hourOf = (us: number): number => Math.floor(us / HOUR_US)

interface Pending {
  readonly model: string
  readonly source: string
  readonly span: number
  readonly start: number
  readonly tally: Tally
}

/** Gathers the records of one batch and adds them to their cells. */
export class CellWriter {
  readonly #find
  readonly #put
  readonly #drop
  readonly #records
  readonly #pending = new Map<string, Pending>()

  constructor(db: WritableDb) {
    this.#find = db.prepare<[string, string, number, number], CellRow>(
      'SELECT * FROM cell WHERE model = ? AND source = ? AND span = ? AND start = ?'
    )
    this.#drop = db.prepare('DELETE FROM cell WHERE model = ? AND source = ? AND span = ? AND start = ?')
    this.#records = db.prepare<[string, string, number, number], Counted>(`
SELECT seq, time_us AS time, status, latency_us AS latency, input_tokens AS input, output_tokens AS output, response_chars AS chars, finish,
  served, script
FROM record
WHERE model = ? AND source = ? AND time_us >= ? AND time_us < ? AND restricted = 0
ORDER BY seq`)
    this.#put = db.prepare(`
INSERT INTO cell (model, source, span, start, records, errors, ended, low_seq, high_seq, low_us, high_us, tables, beside)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (model, source, span, start) DO UPDATE SET records = excluded.records, errors = excluded.errors, ended = excluded.ended,
  low_seq = excluded.low_seq, high_seq = excluded.high_seq, low_us = excluded.low_us, high_us = excluded.high_us,
  tables = excluded.tables, beside = excluded.beside`)
  }

  add(model: string, source: string, record: Counted): void {
    const hour = hourOf(record.time)
    for (const span of [1, WIDE]) {
      const start = Math.floor(hour / span) * span
      const key = `${span} ${start}\u0000${model}\u0000${source}`
      let pending = this.#pending.get(key)
      if (!pending) {
        pending = { model, source, span, start, tally: new Tally(Number.POSITIVE_INFINITY) }
        this.#pending.set(key, pending)
      }
      pending.tally.add(record)
    }
  }

  /** Writes what was gathered, within the transaction of the batch. */
  write(): void {
    for (const { model, source, span, start, tally } of this.#pending.values()) {
      const cell = new Tally()
      const known = this.#find.get(model, source, span, start)
      if (known) addCell(cell, known)
      cell.merge(tally)
      this.#store(model, source, span, start, cell)
    }
    this.clear()
  }

  #store(model: string, source: string, span: number, start: number, cell: Tally): void {
    const { records, errors, ended, lowSeq, highSeq, lowUs, highUs } = cell
    const tables = encodeTables(cell)
    this.#put.run(model, source, span, start, records, errors, ended, lowSeq, highSeq, lowUs, highUs, tables, besideJson(cell))
  }

  /** Takes what came from a record's content out of its cells; nothing may be pending. */
  revise(model: string, source: string, time: number, was: ContentCounts, is: ContentCounts): void {
    for (const span of [1, WIDE]) {
      const start = Math.floor(hourOf(time) / span) * span
      const known = this.#find.get(model, source, span, start)
      if (!known) continue
      const cell = new Tally()
      addCell(cell, known)
      cell.revise(was, is)
      this.#store(model, source, span, start, cell)
    }
  }

  /** Counts the cells of a time again from the records: for a series that a record came to or left. */
  recount(model: string, source: string, time: number): void {
    for (const span of [1, WIDE]) {
      const start = Math.floor(hourOf(time) / span) * span
      this.#drop.run(model, source, span, start)
      const cell = new Tally()
      for (const record of this.#records.iterate(model, source, start * HOUR_US, (start + span) * HOUR_US)) cell.add(record)
      if (cell.records > 0) this.#store(model, source, span, start, cell)
    }
  }

  clear(): void {
    this.#pending.clear()
  }
}

/** Reads cells of one catalog with statements prepared once. */
export class CellReader {
  readonly #range
  readonly #newest
  constructor(db: AnyDb) {
    this.#range = db.prepare<[string, string, number, number, number], CellRow>(
      'SELECT * FROM cell WHERE model = ? AND source = ? AND span = ? AND start >= ? AND start < ?'
    )
    this.#newest = db.prepare<[string, string], { start: number; records: number }>(
      'SELECT start, records FROM cell WHERE model = ? AND source = ? AND span = 1 ORDER BY start DESC'
    )
  }

  /** Counts all records of a series whose claimed hour lies in [from, to). Whole days are read as one. */
  addRange(tally: Tally, model: string, source: string, from: number, to: number): void {
    if (from >= to) return
    const firstDay = Math.ceil(from / WIDE) * WIDE
    const lastDay = Math.floor(to / WIDE) * WIDE
    const read = (span: number, low: number, high: number): void => {
      if (low < high) for (const cell of this.#range.iterate(model, source, span, low, high)) addCell(tally, cell)
    }
    const whole = firstDay < lastDay
    read(1, from, whole ? firstDay : to)
    read(WIDE, firstDay, lastDay)
    if (whole) read(1, lastDay, to)
  }

  /** The newest hours of a series that hold at least so many records and reach over at least so many hours, as far as there are any. */
  newest(model: string, source: string, records: number, hours: number): { readonly first: number; readonly last: number } | undefined {
    let found = 0
    let first: number | undefined
    let last: number | undefined
    for (const cell of this.#newest.iterate(model, source)) {
      last ??= cell.start
      if (found >= records && cell.start <= last - hours) break
      found += cell.records
      first = cell.start
    }
    return first === undefined || last === undefined ? undefined : { first, last }
  }
}
