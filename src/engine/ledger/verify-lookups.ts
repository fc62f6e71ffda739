// SPDX-License-Identifier: Apache-2.0
// What a scan of a table finds is also found by its key: a page above the rows may send look-ups astray and leave scans whole.
import type { AnyDb } from '../sqlite/open.ts'
import { readOr, unreadable } from './unreadable.ts'

/** Rows of one slice. */
const SLICE = 2_000

/** A table, and how many of its rows a look-up does not find or that are out of order. */
interface LookupFault {
  readonly table: string
  readonly rows: number
  /** The key of the first of them, where it is a number. */
  readonly first: number | null
  /** Why the rest of it could not be looked at. */
  readonly unread?: string
}

type Key = number | Buffer

const compare = (a: Key, b: Key): number => (a instanceof Buffer && b instanceof Buffer ? a.compare(b) : Number(a) - Number(b))

/**
 * Looks every row of a table up by its key. A scan goes from row to row; a divider above them that was changed keeps a look-up from rows that
 * are there, and whichever of these a scan meets is missed then. One pass in slices: `rest` is called between two of them, and no snapshot is held
 * for longer than one.
 * @returns undefined when nothing is amiss
 */
export function lookupFault(db: AnyDb, table: string, key: string, rest: (tookMs: number) => boolean): LookupFault | undefined {
  const page = db.prepare<[Key, number], Key>(`SELECT ${key} FROM ${table} WHERE ${key} > ? ORDER BY ${key} LIMIT ?`).pluck()
  const start = db.prepare<[number], Key>(`SELECT ${key} FROM ${table} ORDER BY ${key} LIMIT ?`).pluck()
  const find = db.prepare<[Key], number>(`SELECT 1 FROM ${table} WHERE ${key} = ?`).pluck()
  let last: Key | undefined
  let rows = 0
  let first: Key | undefined
  try {
    for (;;) {
      const began = performance.now()
      const before = last
      // In one snapshot: blocks of keys are merged while this reads.
      const met = db.transaction(() => {
        const found = before === undefined ? start.all(SLICE) : page.all(before, SLICE)
        for (const one of found) {
          const inOrder = last === undefined || compare(one, last) > 0
          if (!inOrder || find.get(one) === undefined) {
            rows++
            first ??= one
          }
          last = one
        }
        return found.length
      })()
      // Out of order, the next slice could begin anywhere.
      if (met < SLICE || (before !== undefined && last !== undefined && compare(last, before) <= 0)) break
      if (!rest(performance.now() - began)) break
    }
  } catch (error) {
    const word = unreadable(error)
    if (word === undefined) throw error
    return { table, rows, first: typeof first === 'number' ? first : null, unread: word }
  }
  return rows === 0 ? undefined : { table, rows, first: typeof first === 'number' ? first : null }
}

/** The tables of the databases of record, with their keys. Payloads are looked up one by one where they are opened. */
const lookedUp = {
  ledger: [
    ['leaf', 'seq'],
    ['node', 'pos'],
    ['checkpoint', 'size'],
    ['dedup', 'key'],
    ['dedup_new', 'seq'],
    ['disposed_tile', 'tile']
  ],
  keys: [
    ['key_block', 'first_seq'],
    ['key_aside', 'id'],
    ['key_lost', 'first_seq']
  ]
} as const

interface LookedAt {
  readonly ledger: AnyDb
  readonly keys: AnyDb
  /** Absent for a copy, which has none. */
  readonly catalog?: AnyDb
}

/**
 * Everything that a look-up would miss, by table; `rest` is told what each slice took, and says whether to go on.
 */
export function lookupFaults(
  { ledger, keys, catalog }: LookedAt,
  rest: (tookMs: number) => boolean
): { readonly code: string; readonly message: string; readonly seq: number | null }[] {
  const ofTable = (file: string, db: AnyDb, tables: readonly (readonly [string, string])[]) =>
    tables.flatMap(([table, key]) => {
      const fault = lookupFault(db, table, key, rest)
      if (!fault) return []
      const { rows, first, unread } = fault
      const missed = rows === 1 ? '1 row is' : `${rows} rows are`
      const words = [
        ...(rows > 0 ? [`${missed} there that a look-up by its key does not find, or out of order`] : []),
        ...(unread === undefined ? [] : [`it cannot be read to its end (${unread})`])
      ]
      return [{ code: 'lookup_failed', message: `${file}, table ${table}: ${words.join('; ')}`, seq: table === 'leaf' ? first : null }]
    })
  const ofCatalog = (db: AnyDb) =>
    [...catalogFaults(db, rest)].map(({ table, found }) => ({
      code: 'catalog_index',
      message: `catalog.db, table ${table}: its rows and indexes disagree (${findings(found)}). Views and searches may miss records; nothing on record is touched: rebuild the catalog`,
      seq: null
    }))
  // Nothing else counts the source keys: one that a page no longer counts is missed by scans and look-ups alike.
  const sourceKeys = (): ReturnType<typeof ofTable> => {
    const began = performance.now()
    const found = troubles(ledger, 'dedup')
    rest(performance.now() - began)
    const message = `ledger.db, table dedup: its pages contradict themselves (${findings(found)}). A record that is sent again may be taken twice; nothing on record is touched`
    return found === 0 ? [] : [{ code: 'lookup_failed', message, seq: null }]
  }
  return [
    ...ofTable('ledger.db', ledger, lookedUp.ledger),
    ...readOr([], () => {}, sourceKeys),
    ...ofTable('keys.db', keys, lookedUp.keys),
    ...(catalog
      ? readOr(
          [],
          () => {},
          () => ofCatalog(catalog)
        )
      : [])
  ]
}

/** What SQLite finds amiss in a table and its indexes, at most 100; looks at the whole of it at once. */
function troubles(db: AnyDb, table: string): number {
  const said = db.prepare<[string], string>('SELECT integrity_check FROM pragma_integrity_check(?)').pluck().all(table)
  return said.length === 1 && said[0] === 'ok' ? 0 : said.length
}

const findings = (found: number): string => (found === 1 ? '1 finding' : found >= 100 ? '100 or more findings' : `${found} findings`)

/** Tables of the catalog of which an index disagrees with its rows, each with how many troubles were found. Whole tables at a time. */
function* catalogFaults(catalog: AnyDb, rest: (tookMs: number) => boolean): Generator<{ readonly table: string; readonly found: number }> {
  const tables = catalog
    .prepare<[], string>(
      "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
    )
    .pluck()
    .all()
  for (const table of tables) {
    const began = performance.now()
    const found = troubles(catalog, table)
    if (found > 0) yield { table, found }
    if (!rest(performance.now() - began)) return
  }
}
