// SPDX-License-Identifier: Apache-2.0
import type { Leaf } from '../../shared/evidence/leaf.ts'
import type { LeafData } from '../../shared/evidence/leaf-data.ts'
import { type SeqRange, toRanges } from '../../shared/policy/ranges.ts'
import type { Refusals } from '../ledger/refusals.ts'
import { TILE } from '../ledger/tiles.ts'
import type { WritableDb } from '../sqlite/open.ts'
import type { ContentSource } from '../vault/payload-reader.ts'
import { CellWriter, HOUR_US, hourOf, WIDE } from './cells.ts'
import { FullText } from './full-text.ts'
import { minuteOf, recountMinutes } from './minutes.ts'
import { bodyOf } from './project-event.ts'
import { MadeAgain, type PrivacyProjectionParts } from './project-privacy.ts'
import type { Counted } from './tally.ts'

/** What a disposal takes away, as its intent says it in its body. */
export interface DisposalScope {
  readonly ranges: readonly SeqRange[]
  readonly tiles: readonly number[]
}

/** The scope of an intent; empty when its body cannot be opened. */
export function disposalScope(payloads: ContentSource, seq: number): DisposalScope {
  const { ranges, tiles } = bodyOf(payloads, seq) as Partial<DisposalScope>
  return { ranges: ranges ?? [], tiles: tiles ?? [] }
}

/** The texts of a record as they were indexed; undefined when its payload is gone. */
type TextsOf = PrivacyProjectionParts['textsOf']

/** Makes minutes and series that lost rows anew from the rows they still have. */
function recount(db: WritableDb): void {
  const minutes = new Set<number>()
  for (const time of db.prepare<[], number>('SELECT time_us FROM gone').pluck().iterate()) minutes.add(minuteOf(time))
  recountMinutes(db, minutes)
  const series = db.prepare<[], { model: string; source: string }>('SELECT DISTINCT model, source FROM gone').all()
  const left = db.prepare<[string, string], { n: number; first: number; last: number; seq: number }>(
    'SELECT count(*) AS n, min(time_us) AS first, max(time_us) AS last, max(seq) AS seq FROM record WHERE model = ? AND source = ?'
  )
  for (const { model, source } of series) {
    const now = left.get(model, source)
    if (!now || now.n === 0) db.prepare('DELETE FROM series WHERE model = ? AND source = ?').run(model, source)
    else
      db.prepare('UPDATE series SET n = ?, first_us = ?, last_us = ?, last_seq = ? WHERE model = ? AND source = ?').run(
        now.n,
        now.first,
        now.last,
        now.seq,
        model,
        source
      )
  }
}

/** Makes the cells of every day that lost records anew from the records it still has. */
function recountCells(db: WritableDb): void {
  const days = new Map<string, { readonly model: string; readonly source: string; readonly day: number }>()
  for (const { model, source, time_us } of db
    .prepare<[], { model: string; source: string; time_us: number }>('SELECT model, source, time_us FROM gone')
    .iterate()) {
    const day = Math.floor(hourOf(time_us) / WIDE)
    days.set(`${day}\u0000${model}\u0000${source}`, { model, source, day })
  }
  const drop = db.prepare('DELETE FROM cell WHERE model = ? AND source = ? AND start >= ? AND start < ?')
  const left = db.prepare<[string, string, number, number], Counted>(`
SELECT seq, time_us AS time, status, latency_us AS latency, input_tokens AS input, output_tokens AS output, response_chars AS chars, finish,
  served, script
FROM record
WHERE model = ?
  AND source = ?
  AND time_us >= ?
  AND time_us < ?
  AND restricted = 0
ORDER BY seq`)
  const cells = new CellWriter(db)
  for (const { model, source, day } of days.values()) {
    drop.run(model, source, day * WIDE, (day + 1) * WIDE)
    for (const record of left.all(model, source, day * WIDE * HOUR_US, (day + 1) * WIDE * HOUR_US)) cells.add(model, source, record)
    cells.write()
  }
}

/** A contentless table takes a row out only when it is told the words of it. @throws MadeAgain when these are gone already */
function removeTexts(db: WritableDb, textsOf: TextsOf): void {
  const rows = db
    .prepare<[], { rid: number; seq: number }>('SELECT rid, seq FROM gone WHERE rid IN (SELECT id FROM record_text_docsize)')
    .all()
  const fullText = new FullText(db)
  for (const { rid, seq } of rows) {
    const texts = textsOf(seq)
    if (!texts) throw new MadeAgain()
    fullText.remove(rid, texts)
  }
}

/**
 * Takes what an intent names out of the catalog: rows, full text, their share of every count, and the events of whole tiles. What it leaves is what
 * a rebuild makes from the ledger afterwards. Returns how many records went.
 */
function removeFromCatalog(db: WritableDb, scope: DisposalScope, textsOf: TextsOf): number {
  db.exec(
    'CREATE TEMP TABLE IF NOT EXISTS gone (rid INTEGER PRIMARY KEY, seq INTEGER, time_us INTEGER, model TEXT, source TEXT, status TEXT)'
  )
  db.exec('DELETE FROM gone')
  const fill = db.prepare(
    'INSERT OR IGNORE INTO gone SELECT rid, seq, time_us, model, source, status FROM record WHERE seq >= ? AND seq <= ?'
  )
  const aside = db.prepare('DELETE FROM aside WHERE seq >= ? AND seq <= ?')
  const subjects = db.prepare('DELETE FROM subject_key WHERE seq >= ? AND seq <= ?')
  // Which request a correction answered stood in its content.
  const steps = db.prepare('DELETE FROM request_step WHERE seq >= ? AND seq <= ?')
  for (const [first, last] of scope.ranges) {
    fill.run(first, last)
    aside.run(first, last)
    subjects.run(first, last)
    steps.run(first, last)
  }
  const gone = db.prepare<[], number>('SELECT count(*) FROM gone').pluck().get() ?? 0
  if (gone > 0) {
    const less = db.prepare('UPDATE facet SET n = n - ? WHERE kind = ? AND value = ?')
    for (const kind of ['model', 'source', 'status'] as const) {
      const counts = db.prepare<[], { value: string; n: number }>(`SELECT ${kind} AS value, count(*) AS n FROM gone GROUP BY ${kind}`).all()
      for (const { value, n } of counts) less.run(n, kind, value)
    }
    removeTexts(db, textsOf)
    db.exec(`
DELETE FROM facet WHERE n <= 0;
DELETE FROM record WHERE rid IN (SELECT rid FROM gone)`)
    recount(db)
    recountCells(db)
    // The index of a contentless table keeps the words of deleted rows until it is merged into one.
    db.exec("INSERT INTO record_text (record_text) VALUES ('optimize')")
  }
  const event = db.prepare('DELETE FROM event WHERE seq >= ? AND seq < ?')
  for (const tile of scope.tiles) event.run(tile * TILE, (tile + 1) * TILE)
  db.exec('DELETE FROM gone')
  return gone
}

/** Leaves of disposals: of the intent, and of what became of it. */
export const isOfDisposal = ({ type }: Leaf): boolean =>
  type === 'disposal.intent' || type === 'disposal.done' || type === 'disposal.refused'

/**
 * Projects a disposal. Returns how many records it took away.
 * @param refused disposals that were refused after their intent: only what was gone by then is taken out
 * @throws MadeAgain it was refused, and the catalog was made without knowing that
 */
export function projectDisposal(
  db: WritableDb,
  payloads: ContentSource,
  textsOf: TextsOf,
  refused: Refusals,
  seq: number,
  leaf: Leaf
): number {
  const time = Date.parse(leaf.ts) * 1000
  if (leaf.type === 'disposal.done') {
    const { disposal_id } = leaf.data as LeafData<'disposal.done'>
    db.prepare('UPDATE disposal SET done_seq = ?, done_us = ? WHERE id = ?').run(seq, time, disposal_id)
    return 0
  }
  if (leaf.type === 'disposal.refused') {
    const { disposal_id } = leaf.data as LeafData<'disposal.refused'>
    // One of which nothing was left has no intent, and took nothing out of the catalog.
    const { changes } = db.prepare('UPDATE disposal SET refused_seq = ? WHERE id = ?').run(seq, disposal_id)
    if (changes > 0 && !refused.has(disposal_id)) throw new MadeAgain()
    return 0
  }
  const data = leaf.data as LeafData<'disposal.intent'>
  const gone = refused.get(data.disposal_id)
  const scope = gone ? { ranges: toRanges([...gone].sort((a, b) => a - b)), tiles: [] } : disposalScope(payloads, seq)
  db.prepare('INSERT INTO disposal (id, seq, time_us, actor, approval, records, tiles, bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?)').run(
    data.disposal_id,
    seq,
    time,
    leaf.actor.ref,
    data.approval,
    data.records,
    data.tiles,
    data.bytes
  )
  const range = db.prepare('INSERT OR IGNORE INTO disposed (first_seq, last_seq, intent) VALUES (?, ?, ?)')
  for (const [first, last] of scope.ranges) range.run(first, last, seq)
  const tile = db.prepare('INSERT OR IGNORE INTO disposed_tile (tile, intent) VALUES (?, ?)')
  for (const one of scope.tiles) tile.run(one, seq)
  return removeFromCatalog(db, scope, textsOf)
}
