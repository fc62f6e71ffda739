// SPDX-License-Identifier: Apache-2.0
// Bits flipped in the pages above the rows: a scan finds everything, a look-up does not.
import { hash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dice } from '../sample/dice.ts'
import { type AnyDb, migrate, openOfRecord, openReadable } from '../sqlite/open.ts'
import { vaultMigrations } from '../vault/migrations.ts'
import { ledgerMigrations } from './migrations.ts'
import { lookupFaults } from './verify-lookups.ts'

/** Flips of one run; the long version draws new ones each time. */
const flips = Number(process.env.AFFIDAVIT_FLIPS ?? 80)
const draw = dice(flips < 2_000 ? 7 : Date.now() % 1_000_000)
/** As openOfRecord sets it. */
const PAGE = 8192
const ROWS = 2_500
const names = ['ledger.db', 'keys.db', 'catalog.db'] as const
type Name = (typeof names)[number]

let root: string
const whole = {} as Record<Name, Buffer>
const at = (name: Name) => join(root, name)
const keyOf = (n: number): Buffer => Buffer.from(`${(n * 7_919) % 100_003}`.padStart(16, 'k'))
/** What is looked up, one statement a row. */
const questions = {
  'ledger.db': [
    ['SELECT bytes FROM leaf WHERE seq = ?', (n: number) => n],
    ['SELECT hash FROM node WHERE pos = ?', (n: number) => n],
    ['SELECT seq FROM dedup WHERE key = ?', keyOf]
  ],
  'keys.db': [['SELECT count FROM key_block WHERE first_seq = ?', (n: number) => n * 2]],
  'catalog.db': [['SELECT n FROM record WHERE name = ?', (n: number) => `name ${n}`]]
} as const

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'affidavit-lookups-'))
  const fill = (name: Name, make: (db: ReturnType<typeof openOfRecord>) => void) => {
    const db = openOfRecord(at(name))
    make(db)
    db.pragma('wal_checkpoint(TRUNCATE)')
    db.close()
    whole[name] = readFileSync(at(name))
  }
  const rows = (db: ReturnType<typeof openOfRecord>, sql: string, of: (n: number) => readonly unknown[]) => {
    const insert = db.prepare<unknown[]>(sql)
    db.transaction(() => {
      for (let n = 0; n < ROWS; n++) insert.run(...of(n))
    })()
  }
  fill('ledger.db', (db) => {
    migrate(db, ledgerMigrations)
    rows(db, 'INSERT INTO leaf VALUES (?, ?)', (n) => [n, Buffer.alloc(100, n)])
    rows(db, 'INSERT INTO node VALUES (?, ?)', (n) => [n, Buffer.alloc(32, n)])
    rows(db, 'INSERT INTO dedup VALUES (?, ?)', (n) => [keyOf(n), n])
  })
  fill('keys.db', (db) => {
    migrate(db, vaultMigrations)
    rows(db, 'INSERT INTO key_block VALUES (?, 2, ?, ?)', (n) => [2 * n, 'kek', Buffer.alloc(92, n)])
  })
  fill('catalog.db', (db) => {
    db.exec(
      'CREATE TABLE record (seq INTEGER PRIMARY KEY, name TEXT NOT NULL, n INTEGER NOT NULL) STRICT; CREATE INDEX record_name ON record (name)'
    )
    rows(db, 'INSERT INTO record VALUES (?, ?, ?)', (n) => [n, `name ${n}`, n])
  })
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

/**
 * Where a bit is flipped: in what is used of a page above the rows of a table, or of an index of the catalog; in `dedup`, whose rows lie in its
 * index, where the page says where they are.
 */
function places(name: Name): readonly { readonly from: number; readonly to: number }[] {
  const file = whole[name]
  return Array.from({ length: file.length / PAGE }, (_, page) => page * PAGE).flatMap((from) => {
    const type = file[from]
    if (![0x02, 0x05, 0x0a].includes(type ?? 0)) return []
    const head = { from, to: from + (type === 0x0a ? 8 : 12) + 2 * file.readUInt16BE(from + 3) }
    const cells = { from: from + file.readUInt16BE(from + 5), to: from + PAGE }
    return type === 0x05 || name === 'catalog.db' ? [head, cells] : [head]
  })
}

function opened<T>(work: (dbs: { readonly ledger: AnyDb; readonly keys: AnyDb; readonly catalog: AnyDb }) => T): T {
  const [ledger, keys, catalog] = names.map((name) => openReadable(at(name))) as [AnyDb, AnyDb, AnyDb]
  try {
    return work({ ledger, keys, catalog })
  } finally {
    for (const db of [ledger, keys, catalog]) (db as ReturnType<typeof openReadable>).close()
  }
}

/** What a scan gives of the tables whose rows are also held against the tree or the leaves: where that is changed, these checks find it. */
const scans: Record<Name, readonly string[]> = {
  'ledger.db': ['SELECT seq, bytes FROM leaf ORDER BY seq', 'SELECT pos, hash FROM node ORDER BY pos'],
  'keys.db': ['SELECT first_seq, count, ct FROM key_block ORDER BY first_seq'],
  'catalog.db': []
}
function scanned(name: Name): string {
  const db = openReadable(at(name))
  try {
    return hash('sha256', JSON.stringify(scans[name].map((sql) => db.prepare(sql).raw().all())))
  } catch {
    return 'unreadable'
  } finally {
    db.close()
  }
}

/** Whether every row is found by its key, as what it was. */
function answers(name: Name): string {
  const db = openReadable(at(name))
  try {
    return questions[name]
      .flatMap(([sql, of]) => {
        const ask = db.prepare<[unknown], unknown>(sql).pluck()
        return Array.from({ length: ROWS }, (_, n) => String(ask.get(of(n))))
      })
      .join()
  } catch {
    return 'unreadable'
  } finally {
    db.close()
  }
}

describe('look-ups', () => {
  it(
    'that a flipped bit of a page above the rows leads astray are found, by table; whole files have none',
    () => {
      expect(opened((dbs) => lookupFaults(dbs, () => true))).toEqual([])
      const right = Object.fromEntries(names.map((name) => [name, answers(name)]))
      const rows = Object.fromEntries(names.map((name) => [name, scanned(name)]))
      const missed: unknown[] = []
      const seen = new Set<string>()
      let astray = 0
      for (let i = 0; i < flips; i++) {
        const name = names[i % names.length] ?? 'ledger.db'
        const all = places(name)
        const place = all[draw.below(all.length)] ?? { from: 0, to: PAGE }
        const byte = place.from + draw.below(place.to - place.from)
        const bit = draw.below(8)
        const file = Buffer.from(whole[name])
        file[byte] = (file[byte] ?? 0) ^ (1 << bit)
        writeFileSync(at(name), file)
        const said = answers(name)
        const faults = said === 'unreadable' ? [] : opened((dbs) => lookupFaults(dbs, () => true))
        if (said !== 'unreadable' && said !== right[name]) {
          astray++
          for (const { message } of faults) seen.add(message.slice(0, message.indexOf(':')))
          if (faults.length === 0 && scanned(name) === rows[name]) missed.push({ name, byte, bit })
        }
        writeFileSync(at(name), whole[name])
      }
      expect(missed).toEqual([])
      expect(astray).toBeGreaterThan(flips / 20)
      for (const table of ['ledger.db, table dedup', 'keys.db, table key_block', 'catalog.db, table record'])
        expect([...seen]).toContain(table)
    },
    60_000 + flips * 1_000
  )

  it('find a page of source keys that no longer counts one of its keys', () => {
    const file = Buffer.from(whole['ledger.db'])
    // Leaves of an index begin with 0x0a; the number of their cells follows at 3. Only `dedup` is kept in one.
    const page = Array.from({ length: file.length / PAGE }, (_, n) => n * PAGE).find((from) => file[from] === 0x0a) ?? 0
    file.writeUInt16BE(file.readUInt16BE(page + 3) - 1, page + 3)
    writeFileSync(at('ledger.db'), file)
    const faults = opened((dbs) => lookupFaults(dbs, () => true))
    writeFileSync(at('ledger.db'), whole['ledger.db'])
    expect(faults).toEqual([
      {
        code: 'lookup_failed',
        seq: null,
        message: expect.stringMatching(/^ledger\.db, table dedup: its pages contradict themselves \(1 finding\)/)
      }
    ])
  })

  it('stop when they are told to, after a slice', () => {
    let slices = 0
    opened((dbs) => lookupFaults(dbs, () => ++slices < 3))
    expect(slices).toBeLessThan(12)
  })
})
