// SPDX-License-Identifier: Apache-2.0
// Exact counts of a set of records, gathered one by one or merged from cells: what windows, references and back-tests are made of.

import { rememberTable } from '../../shared/drift/window.ts'
import type { BesideCounts, ValueFeature, WindowBody } from '../../shared/event/drift-bodies.ts'
import { countTableOfMap, countTableToJson } from '../../shared/stats/count-table.ts'
import { isoMs } from './rows.ts'

/** `total`: input + output tokens; `output`: output tokens alone. Windows of different basis are never compared. */
export type TokenBasis = 'total' | 'output'

/** What a record counts for. Times and latencies in microseconds. */
export interface Counted {
  readonly seq: number
  readonly time: number
  readonly status: string
  readonly latency: number | null
  readonly input: number | null
  readonly output: number | null
  readonly chars: number | null
  readonly finish: string | null
  readonly served: string | null
  readonly script: string | null
}

/** What of a record comes from its content. */
export type ContentCounts = Pick<Counted, 'chars' | 'finish' | 'served' | 'script'>

type Counts = Map<number, number>
type Words = Map<string, number>

/** Distinct values of one word beside the features; more are counted as `other`, so that a hostile client cannot fill a leaf. */
const MOST_WORDS = 32
const MOST_WORD = 128

/** The sum of two counts may be no safe integer, which no table can hold: such a record has no value of the feature. */
const add = (counts: Counts, value: number, by: number): void => {
  if (Number.isSafeInteger(value)) counts.set(value, (counts.get(value) ?? 0) + by)
}

function take<K>(counts: Map<K, number>, value: K): void {
  const left = (counts.get(value) ?? 0) - 1
  if (left > 0) counts.set(value, left)
  else counts.delete(value)
}

function addWord(words: Words, value: string | null, by: number, most: number): void {
  if (value === null) return
  const short = value.slice(0, MOST_WORD)
  const key = words.has(short) || words.size < most ? short : 'other'
  words.set(key, (words.get(key) ?? 0) + by)
}

const sorted = (words: Words): Record<string, number> =>
  Object.fromEntries([...words].map(([word, n]) => [word.toWellFormed(), n] as const).sort(([a], [b]) => (a < b ? -1 : 1)))

/** Milliseconds are rounded half up, as the catalog's own queries do. */
const wholeMs = (us: number): number => Math.floor((us + 500) / 1000)

/** A multiset of records, as far as drift looks at them. The first words in order of arrival are kept, so that batches of any size end alike. */
export class Tally {
  readonly #most: number
  constructor(mostWords = MOST_WORDS) {
    this.#most = mostWords
  }

  records = 0
  errors = 0
  ended = 0
  lowSeq = Number.MAX_SAFE_INTEGER
  highSeq = -1
  lowUs = Number.MAX_SAFE_INTEGER
  highUs = Number.MIN_SAFE_INTEGER
  readonly latency: Counts = new Map()
  readonly total: Counts = new Map()
  readonly output: Counts = new Map()
  readonly chars: Counts = new Map()
  readonly finish: Words = new Map()
  readonly served: Words = new Map()
  readonly script: Words = new Map()

  /** Counts one record. A negative latency is none: a clock that went backwards measured nothing. */
  add(one: Counted): void {
    this.records++
    if (one.status === 'error') this.errors++
    if (one.status !== 'incomplete') this.ended++
    this.lowSeq = Math.min(this.lowSeq, one.seq)
    this.highSeq = Math.max(this.highSeq, one.seq)
    this.lowUs = Math.min(this.lowUs, one.time)
    this.highUs = Math.max(this.highUs, one.time)
    if (one.latency !== null && one.latency >= 0) add(this.latency, wholeMs(one.latency), 1)
    if (one.output !== null) {
      if (one.input === null) add(this.output, one.output, 1)
      else add(this.total, one.input + one.output, 1)
    }
    if (one.chars !== null) add(this.chars, one.chars, 1)
    this.addWord('finish', one.finish, 1)
    this.addWord('served', one.served, 1)
    this.addWord('script', one.script, 1)
  }

  /** Counts everything that another tally counts. */
  merge(other: Tally): void {
    this.records += other.records
    this.errors += other.errors
    this.ended += other.ended
    this.lowSeq = Math.min(this.lowSeq, other.lowSeq)
    this.highSeq = Math.max(this.highSeq, other.highSeq)
    this.lowUs = Math.min(this.lowUs, other.lowUs)
    this.highUs = Math.max(this.highUs, other.highUs)
    for (const name of ['latency', 'total', 'output', 'chars'] as const) for (const [value, n] of other[name]) add(this[name], value, n)
    for (const name of ['finish', 'served', 'script'] as const) for (const [word, n] of other[name]) this.addWord(name, word, n)
  }

  /** Counts a record's content as it is after an erasure instead of as it was; everything its leaf says stays. */
  revise(was: ContentCounts, is: ContentCounts): void {
    if (was.chars !== is.chars) {
      if (was.chars !== null) take(this.chars, was.chars)
      if (is.chars !== null) add(this.chars, is.chars, 1)
    }
    for (const name of ['finish', 'served', 'script'] as const) {
      const word = was[name]?.slice(0, MOST_WORD) ?? null
      if (was[name] === is[name]) continue
      if (word !== null) take(this[name], this[name].has(word) ? word : 'other')
      this.addWord(name, is[name], 1)
    }
  }

  addWord(name: 'finish' | 'served' | 'script', word: string | null, n: number): void {
    addWord(this[name], word, n, this.#most)
  }

  /** The basis of token_usage that most records have. */
  get basis(): TokenBasis {
    const of = (counts: Counts): number => [...counts.values()].reduce((sum, n) => sum + n, 0)
    const both = of(this.total)
    return both > 0 && both >= of(this.output) ? 'total' : 'output'
  }
}

const valuesOf = { latency: 'latency', response_length: 'chars' } as const

/** The stored form of a window, as it goes into the body of a leaf. @param basis of token_usage; the one most records have when not given */
export function windowBody(tally: Tally, basis: TokenBasis = tally.basis): WindowBody {
  const json = (counts: Counts) => {
    const table = countTableOfMap(counts)
    const stored = countTableToJson(table)
    rememberTable(stored, table)
    return stored
  }
  const none = tally.records === 0
  const tables: Record<ValueFeature, ReturnType<typeof json>> = {
    latency: json(tally[valuesOf.latency]),
    token_usage: json(tally[basis]),
    response_length: json(tally[valuesOf.response_length])
  }
  const beside: BesideCounts = { finish: sorted(tally.finish), served: sorted(tally.served), script: sorted(tally.script) }
  return {
    records: tally.records,
    from: none ? null : isoMs(tally.lowUs),
    to: none ? null : isoMs(tally.highUs),
    from_seq: none ? null : tally.lowSeq,
    to_seq: none ? null : tally.highSeq + 1,
    token_basis: basis,
    tables,
    error_rate: { errors: tally.errors, total: tally.ended },
    beside
  }
}

const numeric = ['latency', 'total', 'output', 'chars'] as const

/** The four tables as doubles: their lengths, then value and count in turn. */
export function encodeTables(tally: Tally): Buffer {
  const out = new Float64Array(4 + 2 * numeric.reduce((sum, name) => sum + tally[name].size, 0))
  let at = 4
  for (const [i, name] of numeric.entries()) {
    out[i] = tally[name].size
    for (const [value, n] of tally[name]) {
      out[at++] = value
      out[at++] = n
    }
  }
  return Buffer.from(out.buffer)
}

/** One row of the table `cell`. */
export interface CellRow {
  readonly records: number
  readonly errors: number
  readonly ended: number
  readonly low_seq: number
  readonly high_seq: number
  readonly low_us: number
  readonly high_us: number
  readonly tables: Buffer
  readonly beside: string
}

/** Counts what a cell counts. */
export function addCell(tally: Tally, cell: CellRow): void {
  tally.records += cell.records
  tally.errors += cell.errors
  tally.ended += cell.ended
  tally.lowSeq = Math.min(tally.lowSeq, cell.low_seq)
  tally.highSeq = Math.max(tally.highSeq, cell.high_seq)
  tally.lowUs = Math.min(tally.lowUs, cell.low_us)
  tally.highUs = Math.max(tally.highUs, cell.high_us)
  // A buffer of SQLite may begin at any byte, a Float64Array only at every eighth.
  const bytes = new Uint8Array(cell.tables.length)
  bytes.set(cell.tables)
  const numbers = new Float64Array(bytes.buffer)
  let at = 4
  for (const [i, name] of numeric.entries()) {
    const counts = tally[name]
    for (let left = numbers[i] ?? 0; left > 0; left--, at += 2) add(counts, numbers[at] ?? 0, numbers[at + 1] ?? 0)
  }
  const beside = JSON.parse(cell.beside) as BesideCounts
  for (const name of ['finish', 'served', 'script'] as const)
    for (const [word, n] of Object.entries(beside[name])) tally.addWord(name, word, n)
}

/** The words of a tally as a cell stores them. */
export const besideJson = (tally: Tally): string =>
  JSON.stringify({ finish: sorted(tally.finish), served: sorted(tally.served), script: sorted(tally.script) })
