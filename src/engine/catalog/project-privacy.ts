// SPDX-License-Identifier: Apache-2.0
import type { PrivacySettings } from '../../shared/contract/privacy.ts'
import type { CanonicalEvent } from '../../shared/event/canonical-event.ts'
import { type CorrectionBody, personalIn } from '../../shared/event/correction.ts'
import type { Leaf } from '../../shared/evidence/leaf.ts'
import type { LeafData } from '../../shared/evidence/leaf-data.ts'
import { type SeqRange, seqsIn } from '../../shared/policy/ranges.ts'
import type { Detectors } from '../../shared/privacy/detect.ts'
import { builtInPacks } from '../../shared/privacy/kinds.ts'
import type { Refusals } from '../ledger/refusals.ts'
import { compileOwn, defaultPrivacy } from '../privacy/detectors.ts'
import { privacyIn } from '../privacy/settings.ts'
import type { WritableDb } from '../sqlite/open.ts'
import type { ContentSource } from '../vault/payload-reader.ts'
import { type CellWriter, hourOf } from './cells.ts'
import type { FullText, RecordTexts } from './full-text.ts'
import { minuteOf, recountMinutes } from './minutes.ts'
import { correctionIn, noteLeaves } from './notes-on-records.ts'
import { bodyOf } from './project-event.ts'
import { identifiersOf, subjectKeys } from './subject-key.ts'
import type { ContentCounts } from './tally.ts'

/**
 * The catalog is made again from the ledger: the full text of an erased record can no longer be taken out word by word, because its payload went
 * before the catalog followed (a crash in between), or an erasure or a disposal that was taken out of it was refused for a hold and comes back.
 */
export class MadeAgain extends Error {}

/** Stands for the erasure of what a restore erased again; the leaf of its intent is then that of the restore. */
export const BY_RESTORE = 'restore'

/** What the projection of erasures needs to know of a record. */
export interface PrivacyProjectionParts {
  readonly db: WritableDb
  readonly payloads: ContentSource
  readonly leafOf: (seq: number) => Leaf | undefined
  readonly secret: Uint8Array
  /** The texts of a record as they were indexed; undefined when its payload is gone. */
  readonly textsOf: (seq: number) => RecordTexts | undefined
  readonly fullText: FullText
  readonly cells: CellWriter
  /** Of erasures that were refused after their intent only what was gone by then leaves the catalog. */
  readonly refused: Refusals
  /** Writes aggregates of the running batch, before rows they speak of are changed. */
  readonly settle: () => void
}

/** Subject index, requests, restrictions and erasures, in the order of their leaves. */
export class PrivacyProjection {
  readonly #parts: PrivacyProjectionParts
  readonly #write
  readonly #keyOf
  #settings: PrivacySettings = defaultPrivacy
  /** What masks a preview: every built-in pack whatever the settings, and the own patterns of that moment. */
  detectors: Detectors

  constructor(parts: PrivacyProjectionParts) {
    const { db } = parts
    this.#parts = parts
    this.#keyOf = subjectKeys(parts.secret)
    this.#write = {
      key: db.prepare<[Buffer, number]>('INSERT OR IGNORE INTO subject_key (key, seq) VALUES (?, ?)'),
      request: db.prepare('INSERT INTO request (id, seq, time_us, actor, kind, reference, received, due) VALUES (?, ?, ?, ?, ?, ?, ?, ?)'),
      extended: db.prepare('UPDATE request SET due = ?, extended = 1 WHERE id = ?'),
      closed: db.prepare("UPDATE request SET state = ?, closed_us = ?, closed_by = ? WHERE id = ? AND state = 'open'"),
      step: db.prepare('INSERT INTO request_step (seq, request, time_us, actor, type, records, note) VALUES (?, ?, ?, ?, ?, ?, ?)'),
      restrict: db.prepare('UPDATE record SET restricted = ? WHERE seq = ?'),
      restrictWrapper: db.prepare('UPDATE aside SET restricted = ? WHERE seq = ? AND wrapper = 1'),
      erasure: db.prepare('INSERT OR IGNORE INTO erasure (id, request, seq, time_us, records) VALUES (?, ?, ?, ?, ?)'),
      erasureDone: db.prepare('UPDATE erasure SET done_seq = ? WHERE id = ?'),
      erasureRefused: db.prepare('UPDATE erasure SET refused_seq = ? WHERE id = ?'),
      erased: db.prepare('INSERT OR IGNORE INTO erased (seq, erasure, intent) VALUES (?, ?, ?)'),
      dropKeys: db.prepare('DELETE FROM subject_key WHERE seq = ?'),
      dropStep: db.prepare('DELETE FROM request_step WHERE seq = ?'),
      find: db.prepare<
        [number],
        ContentCounts & {
          readonly rid: number
          readonly time: number
          readonly model: string
          readonly source: string
          readonly restricted: number
        }
      >(
        'SELECT rid, time_us AS time, model, source, restricted, response_chars AS chars, finish, served, script FROM record WHERE seq = ?'
      ),
      strip: db.prepare(`
UPDATE record
SET model = ?, source = ?, served = ?, http_status = NULL, error_type = NULL, finish = NULL, response_chars = NULL, conversation = NULL,
  script = NULL, remote = NULL, params = NULL,
  preview = '', erased = ?
WHERE rid = ?`),
      stripWrapper: db.prepare('UPDATE aside SET conversation = NULL, erased = ? WHERE seq = ? AND wrapper = 1'),
      facet: db.prepare('INSERT INTO facet (kind, value, n) VALUES (?, ?, ?) ON CONFLICT (kind, value) DO UPDATE SET n = n + excluded.n'),
      dropFacets: db.prepare('DELETE FROM facet WHERE n <= 0'),
      dropSeries: db.prepare('DELETE FROM series WHERE model = ? AND source = ?'),
      series: db.prepare(`
INSERT INTO series (model, source, n, first_us, last_us, last_seq)
SELECT model, source, count(*), min(time_us), max(time_us), max(seq) FROM record WHERE model = ? AND source = ? GROUP BY model, source`)
    }
    for (const { seq, data } of db
      .prepare<[], { seq: number; data: string }>("SELECT seq, data FROM event WHERE type = 'setting.changed' ORDER BY seq")
      .all())
      this.#follow(seq, { type: 'setting.changed', data: JSON.parse(data) as Record<string, unknown> })
    this.detectors = this.#previewDetectors()
  }

  /** Notes which identifiers a record or a wrapper names. */
  record(seq: number, event: Partial<CanonicalEvent>, texts: readonly string[]): void {
    for (const identifier of identifiersOf(event, texts, this.#settings.subject_attributes))
      this.#write.key.run(this.#keyOf(identifier), seq)
  }

  /** Projects one leaf that is no call to a model, where it is about privacy. */
  leaf(seq: number, leaf: Leaf): void {
    const time = Date.parse(leaf.ts) * 1000
    const actor = leaf.actor.ref
    const { payloads } = this.#parts
    const step = (request: string, records: number, note: unknown) =>
      this.#write.step.run(seq, request, time, actor, leaf.type, records, typeof note === 'string' ? note : '')
    switch (leaf.type) {
      case 'setting.changed':
        this.#follow(seq, leaf)
        this.detectors = this.#previewDetectors()
        return
      case 'request.received': {
        const data = leaf.data as LeafData<'request.received'>
        const body = bodyOf(payloads, seq)
        this.#write.request.run(data.request_id, seq, time, actor, data.kind, String(body.reference ?? ''), data.received, data.due)
        step(data.request_id, 0, body.note)
        return
      }
      case 'request.extended': {
        const data = leaf.data as LeafData<'request.extended'>
        this.#write.extended.run(data.due, data.request_id)
        step(data.request_id, 0, bodyOf(payloads, seq).reason)
        return
      }
      case 'request.closed': {
        const data = leaf.data as LeafData<'request.closed'>
        this.#write.closed.run(data.outcome, time, actor, data.request_id)
        step(data.request_id, 0, bodyOf(payloads, seq).note)
        return
      }
      case 'subject.exported': {
        const data = leaf.data as LeafData<'subject.exported'>
        this.#write.closed.run('done', time, actor, data.request_id)
        step(data.request_id, data.records, '')
        return
      }
      case 'restrict.set': {
        const data = leaf.data as LeafData<'restrict.set'>
        const body = bodyOf(payloads, seq) as { readonly seqs?: readonly number[]; readonly reason?: string }
        this.#restrict(body.seqs ?? [], data.on ? seq : 0)
        if (data.request_id !== undefined) step(data.request_id, data.records, body.reason)
        return
      }
      case 'record.corrected':
        this.#correct(seq, leaf.data as LeafData<'record.corrected'>, step)
        return
      case 'recipient.told':
        step((leaf.data as LeafData<'recipient.told'>).request_id, 0, bodyOf(payloads, seq).note)
        return
      case 'erasure.intent':
        this.#erase(seq, leaf.data as LeafData<'erasure.intent'>, time, step)
        return
      case 'restore.done':
        if ((leaf.data as LeafData<'restore.done'>).kind === 'restore') this.#eraseAgain(seq)
        return
      case 'erasure.refused': {
        const data = leaf.data as LeafData<'erasure.refused'>
        if (data.approval_id !== undefined && this.#write.erasureRefused.run(seq, data.approval_id).changes > 0)
          if (!this.#parts.refused.has(data.approval_id)) throw new MadeAgain()
        step(data.request_id, data.records, bodyOf(payloads, seq).ground)
        return
      }
      case 'erasure.searched':
        step((leaf.data as LeafData<'erasure.searched'>).request_id, 0, bodyOf(payloads, seq).note)
        return
      case 'erasure.done': {
        const data = leaf.data as LeafData<'erasure.done'>
        this.#write.erasureDone.run(seq, data.erasure_id)
        this.#write.closed.run('done', time, actor, data.request_id)
        step(data.request_id, data.records, '')
        return
      }
      default:
        return
    }
  }

  #follow(seq: number, leaf: Pick<Leaf, 'type' | 'data'>): void {
    this.#settings = privacyIn(leaf, seq, this.#parts.payloads) ?? this.#settings
  }

  #previewDetectors(): Detectors {
    return { packs: new Set([...builtInPacks, 'own'] as const), own: compileOwn(this.#settings.patterns) }
  }

  /** A record is found by whom a correction names too. */
  #correct(seq: number, { record }: LeafData<'record.corrected'>, step: (request: string, records: number, note: unknown) => void): void {
    const body = correctionIn(this.#parts.payloads, seq)
    if (!body) return
    this.#name(record, body)
    if (body.request_id !== undefined) step(body.request_id, 1, '')
  }

  #name(record: number, { changes }: CorrectionBody): void {
    const { event, texts } = personalIn(changes)
    this.record(record, event, texts)
  }

  /** What restriction keeps out of figures and drift (GDPR 18): its records leave the counts, and come back when it is lifted. */
  #restrict(seqs: readonly number[], by: number): void {
    const { db, cells, settle } = this.#parts
    settle()
    const minutes = new Set<number>()
    const hours = new Map<string, { readonly model: string; readonly source: string; readonly time: number }>()
    for (const seq of seqs) {
      const row = this.#write.find.get(seq)
      if (!row) {
        this.#write.restrictWrapper.run(by, seq)
        continue
      }
      this.#write.restrict.run(by, seq)
      minutes.add(minuteOf(row.time))
      hours.set(`${hourOf(row.time)}\u0000${row.model}\u0000${row.source}`, row)
    }
    recountMinutes(db, minutes)
    for (const { model, source, time } of hours.values()) cells.recount(model, source, time)
  }

  /** Takes the records of a scope out of everything that came from their content; what their leaves say stays. */
  #erase(
    intent: number,
    data: LeafData<'erasure.intent'>,
    time: number,
    step: (request: string, records: number, note: unknown) => void
  ): void {
    this.#parts.settle()
    if (data.leaf === 0) step(data.request_id, data.records, '')
    this.#write.erasure.run(data.erasure_id, data.request_id, intent, time, data.records)
    const payload = this.#parts.payloads.open(intent)
    if (payload.state !== 'present') throw new Error('the scope of an erasure cannot be read')
    const gone = this.#parts.refused.get(data.erasure_id)
    const lost: number[] = []
    for (const part of payload.parts) {
      if (!part.name.startsWith('scope.')) continue
      const { seq } = JSON.parse(Buffer.from(part.data).toString('utf8')) as { seq: number }
      if (gone && !gone.has(seq)) continue
      this.#write.erased.run(seq, data.erasure_id, intent)
      this.#write.dropKeys.run(seq)
      // Which request a correction answered stood in its content.
      this.#write.dropStep.run(seq)
      this.#strip(seq, intent)
      lost.push(seq)
    }
    this.#write.dropFacets.run()
    // What a hold kept of the corrections of a record still finds it.
    if (gone)
      for (const seq of noteLeaves(this.#parts.db, 'record.corrected', lost)) {
        const body = gone.has(seq) ? undefined : correctionIn(this.#parts.payloads, seq)
        const { record } = (this.#parts.leafOf(seq)?.data ?? {}) as Partial<LeafData<'record.corrected'>>
        if (body && record !== undefined) this.#name(record, body)
      }
  }

  /** What a restore erased again: the leaves that erased it first came after the backup. */
  #eraseAgain(restore: number): void {
    this.#parts.settle()
    const { reapplied = [] } = bodyOf(this.#parts.payloads, restore) as { readonly reapplied?: readonly { readonly ranges?: SeqRange[] }[] }
    for (const { ranges = [] } of reapplied)
      for (const seq of seqsIn(ranges)) {
        // A leaf speaks of what was there before it; what an intent in the copy took is that one's.
        if (seq >= restore || this.#write.erased.run(seq, BY_RESTORE, restore).changes === 0) continue
        this.#write.dropKeys.run(seq)
        this.#write.dropStep.run(seq)
        this.#strip(seq, restore)
      }
    this.#write.dropFacets.run()
  }

  #strip(seq: number, intent: number): void {
    this.#write.stripWrapper.run(intent, seq)
    const row = this.#write.find.get(seq)
    const leaf = this.#parts.leafOf(seq)
    if (!row || !leaf) return
    if (this.#parts.fullText.has(row.rid)) {
      const texts = this.#parts.textsOf(seq)
      if (!texts) throw new MadeAgain()
      this.#parts.fullText.remove(row.rid, texts)
    }
    const model = leaf.model?.requested ?? 'unknown'
    const source = leaf.source ?? 'unknown'
    this.#write.strip.run(model, source, leaf.model?.served ?? null, intent, row.rid)
    if (model !== row.model) this.#moveFacet('model', row.model, model)
    if (source !== row.source) this.#moveFacet('source', row.source, source)
    if (model === row.model && source === row.source) {
      if (row.restricted === 0)
        this.#parts.cells.revise(model, source, row.time, row, {
          chars: null,
          finish: null,
          served: leaf.model?.served ?? null,
          script: null
        })
      return
    }
    for (const [m, s] of [
      [row.model, row.source],
      [model, source]
    ] as const) {
      this.#write.dropSeries.run(m, s)
      this.#write.series.run(m, s)
      this.#parts.cells.recount(m, s, row.time)
    }
  }

  #moveFacet(kind: string, from: string, to: string): void {
    this.#write.facet.run(kind, from, -1)
    this.#write.facet.run(kind, to, 1)
  }
}
