// SPDX-License-Identifier: Apache-2.0
import Database from 'better-sqlite3'

/** A connection that may write. Only the owner of a file holds one. */
export type WritableDb = Database.Database & { readonly __writable: true }
/** A connection opened read-only; any number of them. */
export type ReadableDb = Database.Database & { readonly __readable: true }
/** A prepared statement: parameters and row. */
export type Statement<P extends unknown[], R = unknown> = Database.Statement<P, R>

/** What reads accept. */
export type AnyDb = WritableDb | ReadableDb

let nativeBinding: string | undefined

/** Path of a binding built for Node-API 9 (Node 20, the Electron 33 stand-in); newer runtimes use the shipped one. Called once per thread by the entry. */
export function useNativeBinding(path: string | undefined): void {
  nativeBinding = path !== undefined && Number(process.versions.napi) < 10 ? path : undefined
}

/** Options of every connection: the binding that this runtime needs. */
export const sqliteOptions = (): Database.Options => (nativeBinding === undefined ? {} : { nativeBinding })

/** Oldest SQLite whose WAL and FTS5 behave as EVIDENCE.md describes. */
const OLDEST = [3, 51, 3] as const

function assertVersion(db: Database.Database): void {
  const text = db.prepare('SELECT sqlite_version()').pluck().get() as string
  const parts = text.split('.').map(Number)
  for (const [i, least] of OLDEST.entries()) {
    const have = parts[i] ?? 0
    if (have > least) return
    if (have < least) throw new Error(`SQLite ${text} is older than ${OLDEST.join('.')}`)
  }
}

/**
 * Opens a database of record (ledger.db, keys.db) for its one writer. `synchronous=FULL`: the library's default in WAL mode (NORMAL)
 * may lose committed rows on a power cut. `recursive_triggers=ON`: without it `REPLACE INTO` deletes silently, past the triggers.
 */
export function openOfRecord(path: string): WritableDb {
  const db = new Database(path, sqliteOptions())
  assertVersion(db)
  // Set before the first table, kept afterwards. Half as many pages a commit as with 4,096: a third less time in it (ADR 16).
  db.pragma('page_size = 8192')
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = FULL')
  db.pragma('fullfsync = ON')
  db.pragma('recursive_triggers = ON')
  // Keys of the duplicate check are random: with the default cache of 2 MB each look-up would read the file.
  db.pragma('cache_size = -65536')
  db.pragma('wal_autocheckpoint = 1000')
  common(db)
  return db as WritableDb
}

/** Opens the catalog for the projector: a projection needs no sync, an unclean end rebuilds it. */
export function openProjection(path: string): WritableDb {
  const db = new Database(path, sqliteOptions())
  assertVersion(db)
  db.pragma('page_size = 16384')
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = OFF')
  db.pragma('cache_size = -65536')
  // 64 MiB: index and full-text pages change again and again, and a checkpoint copies each of them once.
  db.pragma('wal_autocheckpoint = 4000')
  common(db)
  return db as WritableDb
}

/** Opens a database of record only to copy its log into it, beside its writer; never waits for anybody. */
export function openForCheckpoint(path: string): WritableDb {
  const db = new Database(path, { ...sqliteOptions(), fileMustExist: true, timeout: 0 })
  db.pragma('synchronous = FULL')
  db.pragma('fullfsync = ON')
  return db as WritableDb
}

/** Opens any of the files read-only. */
export function openReadable(path: string): ReadableDb {
  const db = new Database(path, { ...sqliteOptions(), readonly: true, fileMustExist: true })
  db.pragma('query_only = ON')
  db.pragma('trusted_schema = OFF')
  db.pragma('cell_size_check = ON')
  db.pragma('temp_store = MEMORY')
  db.pragma('mmap_size = 268435456')
  return db as ReadableDb
}

/** Gives a finished copy of a database its final form, one file without a log, so that it can be read from a folder nobody may write. */
export function settleCopy(path: string): void {
  const db = new Database(path, sqliteOptions())
  db.pragma('journal_mode = DELETE')
  db.close()
}

/** Opens a file only to hold its lock: one writer per workspace, released by the system when the process ends. */
export function openLock(path: string): WritableDb {
  const db = new Database(path, { ...sqliteOptions(), timeout: 0 })
  try {
    db.pragma('locking_mode = EXCLUSIVE')
    db.exec('CREATE TABLE IF NOT EXISTS holder (pid INTEGER NOT NULL, started TEXT NOT NULL)')
    db.exec('BEGIN EXCLUSIVE')
    db.exec('DELETE FROM holder')
    db.prepare('INSERT INTO holder VALUES (?, ?)').run(process.pid, new Date().toISOString())
    db.exec('COMMIT')
  } catch (error) {
    // A connection that stays open would keep the lock it just took.
    db.close()
    throw error
  }
  return db as WritableDb
}

function common(db: Database.Database): void {
  db.pragma('secure_delete = ON')
  db.pragma('trusted_schema = OFF')
  db.pragma('cell_size_check = ON')
  db.pragma('foreign_keys = ON')
  db.pragma('temp_store = MEMORY')
}

const caches = new WeakMap<object, Map<string, Database.Statement>>()

/** A statement prepared once per connection: preparing costs more than reading a few rows. For SQL that does not vary. */
export function prepared<P extends unknown[], R>(db: AnyDb, sql: string): Statement<P, R> {
  let cache = caches.get(db)
  if (!cache) {
    cache = new Map()
    caches.set(db, cache)
  }
  let statement = cache.get(sql)
  if (!statement) {
    statement = db.prepare(sql)
    cache.set(sql, statement)
  }
  return statement as unknown as Statement<P, R>
}

/** One step of a schema: numbered from 1, never changed once released. */
export interface Migration {
  readonly version: number
  readonly sql: string
}

/** Brings a database to the newest version, each step in its own transaction. Refuses a file of a newer program. */
export function migrate(db: WritableDb, migrations: readonly Migration[]): void {
  const have = db.pragma('user_version', { simple: true }) as number
  const newest = migrations.at(-1)?.version ?? 0
  if (have > newest) throw new Error(`schema version ${have} is newer than this program knows (${newest})`)
  for (const step of migrations) {
    if (step.version <= have) continue
    db.transaction(() => {
      db.exec(step.sql)
      db.pragma(`user_version = ${step.version}`)
    })()
  }
}
