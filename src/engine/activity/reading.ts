// SPDX-License-Identifier: Apache-2.0
// The activity, read from the catalog on a reader thread. What was searched or noted stays encrypted and is opened leaf by leaf: no index of
// it exists that an erasure would have to find.

import { createHash } from 'node:crypto'
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { notWritten } from '../../node/not-written.ts'
import { type ActivityEntry, type ActivityKind, activityKinds } from '../../shared/contract/activity.ts'
import { AffidavitError } from '../../shared/contract/errors.ts'
import type { LeafType } from '../../shared/evidence/leaf-types.ts'
import { csvRow } from '../bundle/csv.ts'
import { bodyOf } from '../catalog/project-event.ts'
import { isoMs } from '../catalog/rows.ts'
import { prepared } from '../sqlite/open.ts'
import type { ReaderContext, ReaderControl } from '../threads/reader-context.ts'
import { describe } from './describe.ts'

export interface ActivityFilter {
  readonly person?: string | undefined
  readonly kind?: ActivityKind | undefined
  readonly fromUs?: number | undefined
  readonly toUs?: number | undefined
  readonly text?: string | undefined
}

export interface ActivityPage {
  readonly entries: ActivityEntry[]
  readonly next: number | null
}

interface Row {
  readonly seq: number
  readonly time_us: number
  readonly type: LeafType
  readonly actor: string
  readonly data: string
}

/** Leaves examined for one page when a person or a text is looked for. */
const MOST_EXAMINED = 5_000
const CHUNK = 500
const everyKind = Object.values(activityKinds).flat()

/** The newest rows of some types before a seq, by the index on (type, seq): no offset, and heartbeats cost nothing. */
function rowsBefore(context: ReaderContext, types: readonly LeafType[], before: number, filter: ActivityFilter, limit: number): Row[] {
  const find = prepared<[string, number, number, number, number], Row>(
    context.catalog,
    `
SELECT seq, time_us, type, actor, data
FROM event
WHERE type = ?
  AND seq < ?
  AND time_us >= ?
  AND time_us < ?
ORDER BY seq DESC
LIMIT ?`
  )
  const from = filter.fromUs ?? Number.MIN_SAFE_INTEGER
  const to = filter.toUs ?? Number.MAX_SAFE_INTEGER
  return types
    .flatMap((type) => find.all(type, before, from, to, limit))
    .sort((a, b) => b.seq - a.seq)
    .slice(0, limit)
}

function entryOf(context: ReaderContext, row: Row): ActivityEntry {
  const data = JSON.parse(row.data) as Record<string, unknown>
  // The body of a look is its tables: large, and nothing a person wrote. That of a correction is content of the record.
  const body = row.type === 'drift.look' || row.type === 'record.corrected' ? {} : bodyOf(context.payloads, row.seq)
  return { seq: row.seq, time: isoMs(row.time_us), type: row.type, actor: row.actor, data, ...describe(row.type, data, body) }
}

const fold = (value: string): string => value.normalize('NFKC').toLowerCase()

/** One page of the activity, newest first. */
export function activityPage(context: ReaderContext, filter: ActivityFilter, before: number | undefined, limit: number): ActivityPage {
  const types: readonly LeafType[] = filter.kind ? activityKinds[filter.kind] : everyKind
  const wanted = filter.text === undefined ? undefined : fold(filter.text)
  const selective = wanted !== undefined || filter.person !== undefined
  const entries: ActivityEntry[] = []
  let at = before ?? Number.MAX_SAFE_INTEGER
  for (let examined = 0; ; ) {
    const size = selective ? CHUNK : limit + 1
    const rows = rowsBefore(context, types, at, filter, size)
    for (const row of rows) {
      if (entries.length === limit) return { entries, next: at }
      at = row.seq
      examined++
      const { person } = filter
      if (person !== undefined && row.actor !== person && !row.data.includes(`"user":${JSON.stringify(person)}`)) continue
      const entry = entryOf(context, row)
      if (wanted === undefined || fold(`${entry.what} ${entry.detail}`).includes(wanted)) entries.push(entry)
    }
    if (rows.length < size) return { entries, next: null }
    if (examined >= MOST_EXAMINED) return { entries, next: at }
  }
}

const HEAD = ['leaf', 'time_utc', 'type', 'actor', 'what', 'on_leaf', 'on_person', 'detail']

/** Writes the whole activity of a filter as CSV (RFC 4180, no cell a spreadsheet would run). A crash leaves the old file or the new one. */
export function activityCsv(
  context: ReaderContext,
  args: { readonly filter: ActivityFilter; readonly out: string },
  control: ReaderControl
): { readonly rows: number; readonly bytes: number; readonly sha256: string } {
  const temporary = `${args.out}.${process.pid}.tmp`
  const hash = createHash('sha256')
  let bytes = 0
  let rows = 0
  try {
    const fd = openSync(temporary, 'w', 0o600)
    const write = (line: string) => {
      const data = Buffer.from(line, 'utf8')
      hash.update(data)
      bytes += writeSync(fd, data)
    }
    try {
      write(csvRow(HEAD))
      let before: number | undefined
      do {
        if (control.cancelled()) throw new AffidavitError('cancelled', 'cancelled')
        const page = activityPage(context, args.filter, before, 200)
        rows += page.entries.length
        write(
          page.entries
            .map((one) => csvRow([one.seq, one.time, one.type, one.actor, one.what, one.on_seq, one.on_person, one.detail]))
            .join('')
        )
        before = page.next ?? undefined
      } while (before !== undefined)
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
    renameSync(temporary, args.out)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw notWritten(error)
  }
  return { rows, bytes, sha256: hash.digest('hex') }
}
