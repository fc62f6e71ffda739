// SPDX-License-Identifier: Apache-2.0
import type { Anchor } from '../../shared/contract/anchors.ts'
import { withCosignature } from '../../shared/evidence/cosignature.ts'
import { bodyOf } from '../catalog/project-event.ts'
import { isoMs } from '../catalog/rows.ts'
import type { CheckpointRow } from '../ledger/store.ts'
import type { AnyDb } from '../sqlite/open.ts'
import type { ReaderContext } from '../threads/reader-context.ts'

interface AnchorRow {
  readonly seq: number
  readonly kind: Anchor['kind']
  readonly size: number
  readonly root: string
  readonly said_us: number
  readonly authority: string
  readonly name: string
  readonly url: string
}

const anchorOfRow = ({ said_us, ...row }: AnchorRow): Anchor => ({ ...row, time: isoMs(said_us) })

/** Anchors, newest first. */
export const listAnchors = (catalog: AnyDb, limit: number): Anchor[] =>
  catalog.prepare<[number], AnchorRow>('SELECT * FROM anchor ORDER BY seq DESC LIMIT ?').all(limit).map(anchorOfRow)

/** The anchor that covers most leaves, the newest of them. */
export function widestAnchor(catalog: AnyDb): Anchor | null {
  const row = catalog.prepare<[], AnchorRow>('SELECT * FROM anchor ORDER BY size DESC, seq DESC LIMIT 1').get()
  return row ? anchorOfRow(row) : null
}

/** The anchor over the smallest tree that holds a leaf, the earliest of them. */
export function anchorOver(catalog: AnyDb, seq: number): Anchor | null {
  const row = catalog.prepare<[number], AnchorRow>('SELECT * FROM anchor WHERE size > ? ORDER BY size, said_us, seq LIMIT 1').get(seq)
  return row ? anchorOfRow(row) : null
}

/** What is kept of a timestamp beside the leaf. */
export interface TimestampBody {
  readonly note: string
  /** The whole answer of the authority, DER in base64. */
  readonly response: string
  /** Certificates that were trusted for it, PEM. */
  readonly trusted: string
}

/** The timestamp for a checkpoint of this size, or of the next larger one that has one. */
export function timestampFor({ catalog, payloads }: ReaderContext, size: number): (TimestampBody & { readonly size: number }) | null {
  const row = catalog
    .prepare<[number], { seq: number; size: number }>(
      "SELECT seq, size FROM anchor WHERE kind = 'rfc3161' AND size >= ? ORDER BY size, seq LIMIT 1"
    )
    .get(size)
  if (!row) return null
  const { note, response, trusted } = bodyOf(payloads, row.seq)
  return typeof note === 'string' && typeof response === 'string' && typeof trusted === 'string'
    ? { size: row.size, note, response, trusted }
    : null
}

/** What the last change of a setting set it to, as JSON; null before the first. */
export const settingValue = (catalog: AnyDb, name: string): string | null =>
  catalog
    .prepare<[string], string>(`
SELECT json_extract(data, '$.to')
FROM event
WHERE type = 'setting.changed'
  AND json_extract(data, '$.name') = ?
ORDER BY seq DESC
LIMIT 1`)
    .pluck()
    .get(name) ?? null

/** The body of the last change of a setting that is more than a value, such as certificates; null before the first. */
export function settingBody({ catalog, payloads }: ReaderContext, name: string): Readonly<Record<string, unknown>> | null {
  const seq = catalog
    .prepare<[string], number>(
      "SELECT seq FROM event WHERE type = 'setting.changed' AND json_extract(data, '$.name') = ? ORDER BY seq DESC LIMIT 1"
    )
    .pluck()
    .get(name)
  return seq === undefined ? null : bodyOf(payloads, seq)
}

/** A checkpoint note with the cosignatures that witnesses gave for it. */
export function cosignedNote({ catalog, payloads }: ReaderContext, row: CheckpointRow): string {
  const seqs = catalog
    .prepare<[number], number>("SELECT seq FROM anchor WHERE kind = 'witness' AND size = ? ORDER BY seq")
    .pluck()
    .all(row.size)
  let { note } = row
  for (const seq of seqs) {
    const { line } = bodyOf(payloads, seq)
    if (typeof line === 'string') note = withCosignature(note, line)
  }
  return note
}

/** Size of the tree that a witness cosigned last; 0 before the first. @param authority SHA-256 of its key, hex */
export const witnessedSize = (catalog: AnyDb, authority: string): number =>
  catalog
    .prepare<[string], number>("SELECT ifnull(max(size), 0) FROM anchor WHERE kind = 'witness' AND authority = ?")
    .pluck()
    .get(authority) ?? 0
