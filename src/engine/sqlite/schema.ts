// SPDX-License-Identifier: Apache-2.0
import Database from 'better-sqlite3'
import { type AnyDb, type Migration, sqliteOptions, type WritableDb } from './open.ts'

interface SchemaObject {
  readonly type: string
  readonly name: string
  readonly tbl_name: string
  readonly sql: string
}

/** How a schema differs from the one that the migrations make. */
export interface SchemaDifference {
  /** What differs, in words; empty when nothing does. */
  readonly differs: readonly string[]
  /** Only triggers, indexes or views differ: these statements bring them back. */
  readonly repair: readonly string[] | null
}

// Indexes without a text of their own belong to their table.
const objectsOf = (db: AnyDb | Database.Database): ReadonlyMap<string, SchemaObject> =>
  new Map(
    db
      .prepare<[], SchemaObject>("SELECT type, name, tbl_name, ifnull(sql, '') AS sql FROM sqlite_schema WHERE sql IS NOT NULL")
      .all()
      .map((one) => [`${one.type} ${one.name}`, one])
  )

function expectedObjects(migrations: readonly Migration[]): ReadonlyMap<string, SchemaObject> {
  const db = new Database(':memory:', sqliteOptions())
  try {
    for (const step of migrations) db.exec(step.sql)
    return objectsOf(db)
  } finally {
    db.close()
  }
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

/**
 * Holds the schema of a database against the one that the migrations make: a dropped or changed trigger, a foreign one, a table that
 * writable_schema has edited. Names only objects, never contents.
 */
export function schemaDifference(db: AnyDb, migrations: readonly Migration[]): SchemaDifference {
  const expected = expectedObjects(migrations)
  const found = objectsOf(db)
  const differs: string[] = []
  const repair: string[] = []
  let repairable = true
  for (const [key, one] of found) {
    const want = expected.get(key)
    if (want && want.sql === one.sql && want.tbl_name === one.tbl_name) continue
    differs.push(want ? `${key} was changed` : `${key} is foreign`)
    if (one.type === 'table') repairable = false
    repair.push(`DROP ${one.type.toUpperCase()} ${quoted(one.name)}`)
  }
  for (const [key, one] of expected) {
    const have = found.get(key)
    if (have && have.sql === one.sql && have.tbl_name === one.tbl_name) continue
    if (!have) differs.push(`${key} is missing`)
    if (one.type === 'table') repairable = false
    repair.push(one.sql)
  }
  return { differs, repair: repairable ? repair : null }
}

/** Brings triggers, indexes and views back, in one transaction. */
export function repairSchema(db: WritableDb, statements: readonly string[]): void {
  db.transaction(() => {
    for (const sql of statements) db.exec(sql)
  })()
}
