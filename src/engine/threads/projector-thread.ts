// SPDX-License-Identifier: Apache-2.0
// The projector: the one writer of catalog.db. Reads committed leaves from the ledger, so that live use, catching up and rebuilding are one path.
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import type { Leaf } from '../../shared/evidence/leaf.ts'
import { catalogMigrations } from '../catalog/migrations.ts'
import { MadeAgain } from '../catalog/project-privacy.ts'
import { Projection, tipOf } from '../catalog/projection.ts'
import { NONE_REFUSED, refusalsIn } from '../ledger/refusals.ts'
import { disposedTiles, TILE } from '../ledger/tiles.ts'
import { emptyWal } from '../sqlite/long-write.ts'
import { migrate, openProjection, openReadable, useNativeBinding, type WritableDb } from '../sqlite/open.ts'
import { ContentCache, type HandedContent } from '../vault/handed-content.ts'
import { PayloadReader } from '../vault/payload-reader.ts'
import { giveWay, type ThreadData, ThreadKeks, threadPaths } from './thread-config.ts'

/** Engine → projector. */
export type ToProjector =
  | { readonly kind: 'advance'; readonly size: number; readonly content?: HandedContent }
  /** A read waits for what is committed: apply it now. */
  | { readonly kind: 'hurry' }
  | { readonly kind: 'rebuild'; readonly epoch: number }
  | { readonly kind: 'truncate'; readonly reply: MessagePort }
  | { readonly kind: 'close' }

/** Projector → engine. `epoch` counts the rebuilds asked for; `rebuilding` is the share done while the catalog is replayed, else null. */
export interface ProjectorState {
  readonly kind: 'state'
  readonly epoch: number
  readonly applied: number
  readonly records: number
  readonly rebuilding: number | null
}

const config = workerData as ThreadData
const port = parentPort
if (!port) throw new Error('the projector runs in a worker thread')
useNativeBinding(config.nativeBinding)
giveWay()
const paths = threadPaths(config)
const BATCH = 2000
/** The keyring is not here: what is projected now has to be projected again once it is. */
const keyless = Object.keys(config.keks).length === 0
const SMALL = 100
const SMALL_DELAY_MS = 50
const RETRY_MS = 1_000

/** Changes at each start of the machine: an unclean end under the same one left what the system had in memory intact. */
function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return 'unknown'
  }
}

const meta = (db: WritableDb, key: string): string | undefined =>
  db.prepare<[string], string>('SELECT value FROM meta WHERE key = ?').pluck().get(key)

function setMeta(db: WritableDb, key: string, value: string): void {
  db.prepare('INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value').run(key, value)
}

function removeCatalog(): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(paths.catalog + suffix, { force: true })
}

/** Opens the catalog, or a fresh one when the last end may have damaged it (`synchronous=OFF`), or its schema is another. */
function openCatalog(): WritableDb {
  const boot = bootId()
  const fresh = !existsSync(paths.catalog)
  try {
    const db = openProjection(paths.catalog)
    const version = db.pragma('user_version', { simple: true }) as number
    if (fresh || version === catalogMigrations.at(-1)?.version) {
      migrate(db, catalogMigrations)
      const clean = fresh || meta(db, 'clean') === '1'
      const same = meta(db, 'boot') === boot && boot !== 'unknown'
      // Made without keys it lacks all content.
      const whole = meta(db, 'keyless') !== '1' || keyless
      if (whole && (clean || (same && db.pragma('quick_check', { simple: true }) === 'ok'))) {
        setMeta(db, 'clean', '0')
        setMeta(db, 'boot', boot)
        return db
      }
    }
    db.close()
  } catch {
    // Unreadable: a projection is simply made again.
  }
  removeCatalog()
  const db = openProjection(paths.catalog)
  migrate(db, catalogMigrations)
  setMeta(db, 'clean', '0')
  setMeta(db, 'boot', boot)
  return db
}

const catalog = openCatalog()
const ledger = openReadable(paths.ledger)
const keks = new ThreadKeks(config)
const stored = new PayloadReader(ledger, openReadable(paths.keys), keks)
const payloads = new ContentCache(stored)
const leaves = ledger.prepare<[number, number], { seq: number; bytes: Buffer }>(
  'SELECT seq, bytes FROM leaf WHERE seq >= ? AND seq < ? ORDER BY seq'
)

const leafBytes = ledger.prepare<[number], Buffer>('SELECT bytes FROM leaf WHERE seq = ?').pluck()
const leafOf = (seq: number): Leaf | undefined => {
  const bytes = leafBytes.get(seq)
  return bytes && (JSON.parse(bytes.toString('utf8')) as Leaf)
}
let applied = Number(meta(catalog, 'applied') ?? 0)
// Only a catalog that begins anew has to know them beforehand: one that met the intent first is made again.
const newProjection = (): Projection =>
  new Projection(
    catalog,
    payloads,
    leafOf,
    Buffer.from(config.subjectSecret, 'base64'),
    applied === 0 ? refusalsIn(ledger, stored, Number.MAX_SAFE_INTEGER) : NONE_REFUSED
  )

let projection = newProjection()
let target = applied
/** Where a rebuild ends; null when none runs. */
let rebuildTo: number | null = null
let epoch = 0
let scheduled = false
let waiting: NodeJS.Timeout | undefined
let closed = false

function report(): void {
  const state: ProjectorState = {
    kind: 'state',
    epoch,
    applied,
    records: projection.records,
    rebuilding: rebuildTo === null ? null : Math.min(1, applied / Math.max(1, rebuildTo))
  }
  port?.postMessage(state)
}

function step(): void {
  scheduled = false
  waiting = undefined
  if (closed || applied >= target) return
  const end = Math.min(target, applied + BATCH)
  if (keks.refresh()) stored.forget()
  let complete = false
  try {
    // One read transaction for the batch: every payload opened outside of one would take a lock of its own.
    complete = ledger.transaction(() => {
      const rows = leaves.all(applied, end)
      const gone = rows.length < end - applied ? disposedTiles(ledger, applied, end) : []
      const missing = gone.reduce((sum, { tile }) => sum + Math.min(end, (tile + 1) * TILE) - Math.max(applied, tile * TILE), 0)
      if (rows.length + missing < end - applied && config.sparse !== true) return false
      const begun = gone.map(({ tile, records }) => ({ seq: tile * TILE, records })).filter(({ seq }) => seq >= applied)
      projection.apply(rows, end, begun)
      return true
    })()
  } catch (error) {
    if (error instanceof MadeAgain) {
      rebuild()
      return
    }
    // A full disk is a state that ends: what was committed waits here until there is room.
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (code !== 'SQLITE_FULL' && !code.startsWith('SQLITE_IOERR')) throw error
    scheduled = true
    setTimeout(step, RETRY_MS)
    return
  }
  if (complete) {
    if (keyless) setMeta(catalog, 'keyless', '1')
    applied = end
    payloads.forget(end)
    if (rebuildTo !== null && applied >= rebuildTo) rebuildTo = null
    report()
  }
  schedule()
}

// One batch a turn, so that a message is never kept waiting longer than a batch takes. A few leaves wait a moment for more: a batch has a
// price of its own, and under single requests this thread would otherwise take the processor from the writer. Who waits for them says `hurry`.
function schedule(): void {
  if (scheduled || closed || applied >= target) return
  scheduled = true
  if (target - applied < SMALL) waiting = setTimeout(step, SMALL_DELAY_MS)
  else setImmediate(step)
}

function rebuild(): void {
  // In one transaction: readers see the old tables or the new ones, never none.
  catalog.transaction(() => {
    const tables = catalog
      .prepare<[], string>(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'record_text_%'"
      )
      .pluck()
      .all()
    for (const table of tables) catalog.exec(`DROP TABLE "${table}"`)
    catalog.pragma('user_version = 0')
    migrate(catalog, catalogMigrations)
    setMeta(catalog, 'clean', '0')
    setMeta(catalog, 'boot', bootId())
  })()
  payloads.forget()
  applied = 0
  projection = newProjection()
  rebuildTo = target
  report()
  schedule()
}

port.on('message', (message: ToProjector) => {
  switch (message.kind) {
    case 'advance':
      if (message.content) payloads.add(message.content)
      if (applied === 0 && rebuildTo === null && message.size > 10_000) rebuildTo = message.size
      target = Math.max(target, message.size)
      if (applied > message.size) {
        target = message.size
        return rebuild()
      }
      return schedule()
    case 'hurry':
      if (scheduled && waiting) {
        clearTimeout(waiting)
        step()
      }
      return
    case 'rebuild':
      epoch = message.epoch
      return rebuild()
    case 'truncate':
      void emptyWal(catalog, () => Promise.resolve()).then((done) => message.reply.postMessage(done))
      return
    case 'close':
      closed = true
      setMeta(catalog, 'clean', '1')
      catalog.close()
      ledger.close()
      port.close()
  }
})
// The ledger was rolled back or replaced: what was projected from another history is made again.
if (applied > 0 && meta(catalog, 'tip') !== tipOf(leaves.get(applied - 1, applied)?.bytes)) {
  target = 0
  rebuild()
} else report()
