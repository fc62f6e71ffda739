// SPDX-License-Identifier: Apache-2.0
// One bit flipped in what is committed, at random, in every table: verification finds each, and names the row it is in.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { formatCheckpointBody, signCheckpoint } from '../../shared/evidence/note.ts'
import { sha256, sha256Hex } from '../crypto.ts'
import { verifyWorkspace } from '../ledger/verify-workspace.ts'
import { dice } from '../sample/dice.ts'
import { type AnyDb, openReadable } from '../sqlite/open.ts'
import { PayloadReader } from '../vault/payload-reader.ts'
import { drafts, type TestFolder, testFolder, writerOf } from '../workspace/test-workspace.ts'
import type { OpenWorkspace } from '../workspace/workspace.ts'

/** Flips of one run: 2,000 and more with AFFIDAVIT_FLIPS=2000. */
const flips = Number(process.env.AFFIDAVIT_FLIPS ?? 80)
/** The short version flips the same bits each time; the long one new ones, and a fault it finds names them. */
const draw = dice(flips < 2_000 ? 1 : Date.now() % 1_000_000)
/** Odd, and no power of two: the tree then has a last leaf without a node above it, and complete subtrees of several sizes. */
const SIZE = 75
/** Bytes of a page of a database. */
const PAGE = 4096
const CHECKPOINTS = [32, 45, 66, 67, SIZE]

let folder: TestFolder
let workspace: OpenWorkspace
let ledger: Database.Database
let keys: Database.Database
beforeAll(async () => {
  folder = testFolder()
  workspace = await folder.open()
  const writer = writerOf(workspace)
  const { origin, log } = workspace.identity
  let from = 0
  for (const size of CHECKPOINTS) {
    await writer.append(drafts(from, size - from))
    from = size
    const body = formatCheckpointBody({ origin, size, root: writer.tree().root })
    writer.storeCheckpoint(size, size, signCheckpoint(sha256, body, { origin, publicKey: log.publicKey, sign: log.sign }))
  }
  workspace.close()
  ledger = new Database(workspace.paths.ledger)
  keys = new Database(workspace.paths.keys)
  const triggers = ledger.prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'trigger'").pluck().all()
  for (const trigger of triggers) ledger.exec(`DROP TRIGGER ${trigger}`)
})
afterAll(() => {
  ledger.close()
  keys.close()
  folder.remove()
})

function verify() {
  const { origin, log, keks } = workspace.identity
  const input = { size: SIZE, origin, logPublicKeys: [log.publicKey], keys: true, share: 1 }
  const db = { ledger: ledger as unknown as AnyDb, keys: keys as unknown as AnyDb }
  const payloads = new PayloadReader(db.ledger, db.keys, keks)
  const report = verifyWorkspace({ ...db, payloads }, input, { cancelled: () => false, progress: () => {}, rest: () => {} })
  if (!report) throw new Error('cancelled')
  return report
}

interface Target {
  readonly db: () => Database.Database
  readonly table: string
  readonly key: string
  readonly column: string
  /** Code and leaf of the one fault that a flip in this row must give. */
  readonly expected: (row: number) => readonly [string, number | null]
}

/** The leaf that closes an inner node: positions in order of completion. */
const closing: number[] = []
for (let leaf = 0; leaf < SIZE; leaf++) for (let rest = leaf; rest % 2 === 1; rest = Math.floor(rest / 2)) closing.push(leaf)

const targets: readonly Target[] = [
  { db: () => ledger, table: 'leaf', key: 'seq', column: 'bytes', expected: (row) => ['leaf_changed', row] },
  { db: () => ledger, table: 'node', key: 'pos', column: 'hash', expected: (row) => ['node_changed', closing[row] ?? -1] },
  { db: () => ledger, table: 'payload', key: 'seq', column: 'ct', expected: (row) => ['payload_changed', row] },
  { db: () => keys, table: 'key_block', key: 'first_seq', column: 'ct', expected: (row) => ['key_block_changed', row] }
]

describe('one flipped bit', () => {
  it('is not needed for a verdict: untouched, all of it is intact', () => {
    const { verdict, checked } = verify()
    expect(verdict).toBe('intact')
    expect(checked).toMatchObject({ leaves: SIZE, payloads: SIZE, keys: SIZE, nodes: closing.length, checkpoints: CHECKPOINTS.length })
  })

  for (const { db, table, key, column, expected } of targets) {
    it(
      `in ${table}.${column} is found and named`,
      () => {
        const rows = db().prepare<[], number>(`SELECT ${key} FROM ${table} ORDER BY ${key}`).pluck().all()
        const read = db().prepare<[number], Buffer>(`SELECT ${column} FROM ${table} WHERE ${key} = ?`).pluck()
        const write = db().prepare<[Buffer, number]>(`UPDATE ${table} SET ${column} = ? WHERE ${key} = ?`)
        const count = Math.ceil(flips / targets.length)
        const wrong: unknown[] = []
        for (let i = 0; i < count; i++) {
          // Every row in turn, the last ones first: those stand alone at the end of the tree.
          const row = rows.at(-1 - (i % rows.length)) ?? 0
          const before = read.get(row) ?? Buffer.alloc(1)
          const bit = draw.below(before.length * 8)
          const after = Buffer.from(before)
          after[bit >> 3] = (after[bit >> 3] ?? 0) ^ (1 << (bit & 7))
          write.run(after, row)
          const faults = verify().faults.map((fault) => [fault.code, fault.seq])
          const want = expected(row)
          if (JSON.stringify(faults) !== JSON.stringify([want])) wrong.push({ row, bit, faults, want })
          write.run(before, row)
        }
        expect(wrong).toEqual([])
        expect(verify().verdict).toBe('intact')
      },
      60_000 + flips * 500
    )
  }

  it.each([
    [
      'leaf.seq',
      () => ledger,
      'UPDATE leaf SET seq = 1000 WHERE seq = 40',
      'UPDATE leaf SET seq = 40 WHERE seq = 1000',
      'leaf_missing',
      40
    ],
    ['node.pos', () => ledger, 'UPDATE node SET pos = 1000 WHERE pos = 4', 'UPDATE node SET pos = 4 WHERE pos = 1000', 'node_missing', 7],
    [
      'payload.seq',
      () => ledger,
      'UPDATE payload SET seq = 1000 WHERE seq = 40',
      'UPDATE payload SET seq = 40 WHERE seq = 1000',
      'payload_missing',
      40
    ],
    [
      'key_block.first_seq',
      () => keys,
      'UPDATE key_block SET first_seq = 33 WHERE first_seq = 32',
      'UPDATE key_block SET first_seq = 32 WHERE first_seq = 33',
      'key_block_changed',
      32
    ],
    [
      'key_block.count',
      () => keys,
      'UPDATE key_block SET count = 12 WHERE first_seq = 32',
      'UPDATE key_block SET count = 13 WHERE first_seq = 32',
      'key_block_changed',
      32
    ],
    [
      'key_block.kek_id',
      () => keys,
      "UPDATE key_block SET kek_id = 'x' || kek_id",
      'UPDATE key_block SET kek_id = substr(kek_id, 2)',
      'key_block_changed',
      0
    ],
    [
      'a missing key block',
      () => keys,
      'CREATE TEMP TABLE kept AS SELECT * FROM key_block WHERE first_seq = 32; DELETE FROM key_block WHERE first_seq = 32',
      'INSERT INTO key_block SELECT * FROM kept; DROP TABLE kept',
      'key_missing',
      32
    ],
    [
      'checkpoint.note',
      () => ledger,
      "UPDATE checkpoint SET note = replace(note, 'affidavit.invalid', 'affidavit.invalix') WHERE size = 66",
      "UPDATE checkpoint SET note = replace(note, 'affidavit.invalix', 'affidavit.invalid') WHERE size = 66",
      'checkpoint_signature',
      null
    ],
    [
      'checkpoint.size',
      () => ledger,
      'UPDATE checkpoint SET size = 1000 WHERE size = 66',
      'UPDATE checkpoint SET size = 66 WHERE size = 1000',
      'checkpoint_size',
      null
    ]
  ] as const)('in %s is found and named', (_, db, change, back, code, seq) => {
    db().exec(change)
    const { faults } = verify()
    db().exec(back)
    expect(faults[0]).toMatchObject({ code, seq })
    expect(verify().verdict).toBe('intact')
  })

  it('and a change of many bytes names the leaf, or the two that it may be', () => {
    const swap = (seq: number, from: string, to: string) =>
      ledger.exec(`UPDATE leaf SET bytes = CAST(replace(CAST(bytes AS TEXT), '${from}', '${to}') AS BLOB) WHERE seq = ${seq}`)
    swap(20, '"desk"', '"dock"')
    const { faults } = verify()
    swap(20, '"dock"', '"desk"')
    expect(faults).toEqual([{ code: 'leaf_changed', message: 'leaf 20 or leaf 21 was changed, or both', seq: 20 }])
    // Between 44 and 45 there was a checkpoint, which saw the left one alone.
    for (const seq of [44, 45]) {
      swap(seq, '"desk"', '"dock"')
      expect(verify().faults).toMatchObject([{ code: 'leaf_changed', seq }])
      swap(seq, '"dock"', '"desk"')
    }
    expect(verify().verdict).toBe('intact')
  })
})

/** Everything committed as the rows have it; what cannot be read is told apart from every content. */
function contentOf(ledgerDb: AnyDb, keysDb: AnyDb): string {
  const dump = (db: AnyDb, query: string) => JSON.stringify(db.prepare(query).raw().all())
  try {
    return sha256Hex(
      Buffer.from(
        [
          dump(ledgerDb, 'SELECT seq, hex(bytes) FROM leaf ORDER BY seq'),
          dump(ledgerDb, 'SELECT pos, hex(hash) FROM node ORDER BY pos'),
          dump(ledgerDb, 'SELECT seq, hex(ct) FROM payload ORDER BY seq'),
          dump(ledgerDb, 'SELECT size, note FROM checkpoint ORDER BY size'),
          dump(keysDb, 'SELECT first_seq, count, kek_id, hex(ct) FROM key_block ORDER BY first_seq')
        ].join('\n')
      )
    )
  } catch {
    return 'unreadable'
  }
}

describe('one flipped bit of a file', () => {
  it(
    'is a fault wherever it changes what was committed, also where the database cannot be read any more',
    () => {
      const raw = mkdtempSync(join(tmpdir(), 'affidavit-raw-'))
      const names = ['ledger.db', 'keys.db'] as const
      ledger.pragma('wal_checkpoint(TRUNCATE)')
      keys.pragma('wal_checkpoint(TRUNCATE)')
      const whole = { 'ledger.db': readFileSync(workspace.paths.ledger), 'keys.db': readFileSync(workspace.paths.keys) }
      const { origin, log, keks } = workspace.identity
      const input = { size: SIZE, origin, logPublicKeys: [log.publicKey], keys: true, share: 1 }
      const control = { cancelled: () => false, progress: () => {}, rest: () => {} }
      /** What a verification says of these files, and what is in them. */
      const judged = (files: Readonly<Record<(typeof names)[number], Buffer>>) => {
        for (const name of names) {
          for (const suffix of ['', '-wal', '-shm']) rmSync(join(raw, `${name}${suffix}`), { force: true })
          writeFileSync(join(raw, name), files[name])
        }
        const opened: AnyDb[] = []
        try {
          const [one, two] = names.map((name) => {
            const db = openReadable(join(raw, name))
            opened.push(db)
            return db
          }) as [AnyDb, AnyDb]
          const payloads = new PayloadReader(one, two, keks)
          const report = verifyWorkspace({ ledger: one, keys: two, payloads }, input, control)
          return { codes: report?.faults.map((fault) => fault.code) ?? [], content: contentOf(one, two) }
        } catch (error) {
          // A schema that is none: no thread can open it, which ends the verification as failed.
          if (opened.length === 2 && !(error instanceof Database.SqliteError)) throw error
          return { codes: ['not opened'], content: 'unreadable' }
        } finally {
          for (const db of opened) (db as unknown as Database.Database).close()
        }
      }
      const untouched = judged(whole)
      expect(untouched.codes).toEqual([])
      const seen = new Set<string>()
      const missed: unknown[] = []
      for (let i = 0; i < 2 * flips; i++) {
        const name = names[i % 2] ?? 'ledger.db'
        const file = whole[name]
        const page = draw.below(file.length / PAGE)
        // Every other time where a page says what it is and where its rows are.
        const at = i % 4 < 2 ? draw.below(PAGE) : draw.below(24)
        const after = Buffer.from(file)
        const byte = page * PAGE + at
        const bit = draw.below(8)
        after[byte] = (after[byte] ?? 0) ^ (1 << bit)
        const { codes, content } = judged({ ...whole, [name]: after })
        for (const code of codes) seen.add(code)
        if (codes.length === 0 && content !== untouched.content) missed.push({ name, byte, bit })
      }
      rmSync(raw, { recursive: true })
      expect(missed).toEqual([])
      expect([...seen].some((code) => code.endsWith('unreadable'))).toBe(true)
    },
    60_000 + flips * 1_000
  )
})
