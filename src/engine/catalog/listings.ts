// SPDX-License-Identifier: Apache-2.0
import type { Approval } from '../../shared/contract/approvals.ts'
import { type ExportRow, leafRange } from '../../shared/contract/exports.ts'
import type { WorkspaceStatus } from '../../shared/contract/workspace.ts'
import type { LeafData } from '../../shared/evidence/leaf-data.ts'
import type { LeafType } from '../../shared/evidence/leaf-types.ts'
import type { AnyDb } from '../sqlite/open.ts'
import type { PayloadReader } from '../vault/payload-reader.ts'
import { noteLeaves } from './notes-on-records.ts'
import { bodyOf } from './project-event.ts'
import { isoMs } from './rows.ts'

/** Counts for the status bar. */
export function statusCounts(
  db: AnyDb,
  heartbeatsSinceMs: number
): { readonly alerts: WorkspaceStatus['alerts']; readonly heartbeats: number; readonly verified: WorkspaceStatus['verified'] } {
  const alerts = db
    .prepare<[], { open: number | null; acknowledged: number | null; resting: number | null; oldest: number | null }>(`
SELECT sum(state = 'open' AND snoozed_until_us IS NULL) AS open,
  sum(state = 'acknowledged') AS acknowledged,
  sum(state = 'open' AND snoozed_until_us IS NOT NULL) AS resting,
  min(CASE WHEN state = 'open' AND snoozed_until_us IS NULL THEN time_us END) AS oldest
FROM alert`)
    .get()
  const heartbeats = db
    .prepare<[number], number>("SELECT count(*) FROM event WHERE type = 'heartbeat' AND time_us >= ?")
    .pluck()
    .get(heartbeatsSinceMs * 1000)
  return {
    alerts: {
      open: alerts?.open ?? 0,
      acknowledged: alerts?.acknowledged ?? 0,
      resting: alerts?.resting ?? 0,
      oldest_open: alerts?.oldest == null ? null : isoMs(alerts.oldest)
    },
    heartbeats: heartbeats ?? 0,
    verified: lastVerification(db)
  }
}

/** The newest verification of the whole workspace on record; one that was cancelled says nothing about it. */
function lastVerification(db: AnyDb): WorkspaceStatus['verified'] {
  const row = db
    .prepare<[], { seq: number; time_us: number; actor: string; data: string }>(`
SELECT seq, time_us, actor, data
FROM event
WHERE type = 'verify.run'
  AND json_extract(data, '$.scope') = 'workspace'
  AND json_extract(data, '$.verdict') <> 'cancelled'
ORDER BY seq DESC
LIMIT 1`)
    .get()
  if (!row) return null
  const { verdict, size, faults, first_code, first_seq } = JSON.parse(row.data) as LeafData<'verify.run'>
  const first = first_code === undefined ? null : { code: first_code, seq: first_seq ?? null }
  return { seq: row.seq, time: isoMs(row.time_us), actor: row.actor, verdict, size, faults, first }
}

/** Seqs of all leaves of one type, oldest first: from the catalog as far as it has come, beyond that from the ledger itself. */
export function leavesOfType(catalog: AnyDb, ledger: AnyDb, type: LeafType): number[] {
  const [applied, listed] = catalog.transaction((): [number, number[]] => [
    Number(catalog.prepare<[], string>("SELECT value FROM meta WHERE key = 'applied'").pluck().get() ?? 0),
    catalog.prepare<[string], number>('SELECT seq FROM event WHERE type = ? ORDER BY seq').pluck().all(type)
  ])()
  // Quotes inside JSON strings are escaped, so these bytes are a key and its value.
  const beyond = ledger
    .prepare<[number, Buffer], number>('SELECT seq FROM leaf WHERE seq >= ? AND instr(bytes, ?) > 0 ORDER BY seq')
    .pluck()
    .all(applied, Buffer.from(`"type":"${type}"`, 'utf8'))
  return [...listed, ...beyond]
}

/** Which approvals; newest first. */
export interface ApprovalFilter {
  readonly id?: string | undefined
  readonly state?: Approval['state'] | undefined
  readonly limit: number
}

/** What stands in `approval.asked` of an erasure and in no other. */
function erasureAsked(body: Readonly<Record<string, unknown>>): Pick<Approval, 'request_id' | 'grounds'> {
  const { request_id, decisions } = body as {
    readonly request_id?: string
    readonly decisions?: readonly { readonly ground: string; readonly override?: string }[]
  }
  return {
    request_id: request_id ?? null,
    grounds: (decisions ?? []).map(({ ground, override }) => (override ? `${ground}; over the retention: ${override}` : ground))
  }
}

/** Approvals asked for, with what became of them. */
export function listApprovals(db: AnyDb, payloads: PayloadReader, { id, state, limit }: ApprovalFilter): Approval[] {
  const rows = db
    .prepare<
      [string | null, string | null, number],
      Omit<Approval, 'time' | 'decided' | 'request_id' | 'grounds'> & { readonly time_us: number; readonly decided_us: number | null }
    >(`
SELECT id, seq, time_us, action, title, asked_by, state, decided_seq, decided_us, decided_by, note, done_seq
FROM approval
WHERE id = ifnull(?, id)
  AND state = ifnull(?, state)
ORDER BY seq DESC
LIMIT ?`)
    .all(id ?? null, state ?? null, limit)
  return rows.map(({ time_us, decided_us, ...row }) => ({
    ...row,
    ...erasureAsked(row.action === 'erasure' ? bodyOf(payloads, row.seq) : {}),
    time: isoMs(time_us),
    decided: decided_us === null ? null : isoMs(decided_us)
  }))
}

/** An `export.intent` that nothing followed yet. */
export interface OpenExportIntent {
  readonly seq: number
  readonly asked: string
  readonly actor: string
  readonly data: LeafData<'export.intent'>
  readonly body: Readonly<Record<string, unknown>>
}

/** Every bundle that left, newest first. */
export function listExports(db: AnyDb, payloads: PayloadReader): ExportRow[] {
  const rows = db
    .prepare<[], { seq: number; time_us: number; actor: string; data: string }>(
      "SELECT seq, time_us, actor, data FROM event WHERE type = 'export.created' AND json_extract(data, '$.bundle_sha256') IS NOT NULL ORDER BY seq DESC LIMIT 500"
    )
    .all()
  const text = (value: unknown): string => (typeof value === 'string' ? value : '')
  return rows.map((row) => {
    const data = JSON.parse(row.data) as Exclude<LeafData<'export.created'>, { readonly kind: string }>
    const body = bodyOf(payloads, row.seq)
    return {
      seq: row.seq,
      time: isoMs(row.time_us),
      actor: row.actor,
      file: text(body.file),
      bytes: data.bytes,
      bundle_sha256: data.bundle_sha256,
      tag_manifest_sha256: data.tag_manifest_sha256,
      size: data.size,
      records: data.records,
      leaves: data.leaves,
      withheld: data.withheld,
      query: text(body.query),
      range: leafRange.safeParse(body.range).data ?? null,
      recipient: text(body.recipient),
      purpose: text(body.purpose),
      duration_ms: data.duration_ms ?? null,
      encrypted_sha256: data.encrypted_sha256 ?? null
    }
  })
}

/** Exports that were begun, and neither came to a bundle nor were given up; newest first. */
export function openExportIntents(db: AnyDb, payloads: PayloadReader): OpenExportIntent[] {
  const rows = db
    .prepare<[], { seq: number; time_us: number; actor: string; data: string }>(`
SELECT seq, time_us, actor, data
FROM event
WHERE type = 'export.intent'
  AND seq NOT IN (
    SELECT json_extract(data, '$.intent')
    FROM event
    WHERE type IN ('export.created', 'export.cancelled')
      AND json_extract(data, '$.intent') IS NOT NULL
  )
ORDER BY seq DESC`)
    .all()
  return rows.map(({ seq, time_us, actor, data }) => ({
    seq,
    asked: isoMs(time_us),
    actor,
    data: JSON.parse(data) as LeafData<'export.intent'>,
    body: bodyOf(payloads, seq)
  }))
}

/** Leaf seqs of a filter's records, oldest first, that a tree of `size` leaves holds. */
export function seqsOf(db: AnyDb, where: string, params: readonly (string | number)[], size: number): Uint32Array {
  const seqs = db
    .prepare<(string | number)[], number>(`SELECT r.seq FROM record r WHERE r.seq < ? AND ${where} ORDER BY r.seq`)
    .pluck()
    .all(size, ...params)
  return Uint32Array.from(seqs)
}

/** Leaves of the requests of some records, ascending: those that were on record before they ended. */
export function requestsOf(db: AnyDb, seqs: Iterable<number>): number[] {
  const find = db.prepare<[number], number>('SELECT request_seq FROM record WHERE seq = ? AND request_seq IS NOT NULL').pluck()
  const found: number[] = []
  for (const seq of seqs) {
    const request = find.get(seq)
    if (request !== undefined) found.push(request)
  }
  return found.sort((a, b) => a - b)
}

/** Every leaf that holds content of some records, given in ascending order: their own, those of their requests, and of their corrections. */
export function leavesOfRecords(db: AnyDb, seqs: readonly number[]): { readonly leaves: number[]; readonly corrections: number } {
  const corrections = noteLeaves(db, 'record.corrected', seqs)
  return { leaves: [...seqs, ...requestsOf(db, seqs), ...corrections].sort((a, b) => a - b), corrections: corrections.length }
}

/** Time and data of a leaf that is no call to a model. */
export function leafData(ledger: AnyDb, seq: number): { readonly ts: string; readonly data: Readonly<Record<string, unknown>> } | null {
  const bytes = ledger.prepare<[number], Buffer>('SELECT bytes FROM leaf WHERE seq = ?').pluck().get(seq)
  if (!bytes) return null
  const leaf = JSON.parse(bytes.toString('utf8')) as { ts: string; data?: Record<string, unknown> }
  return { ts: leaf.ts, data: leaf.data ?? {} }
}
