// SPDX-License-Identifier: Apache-2.0
import { statSync } from 'node:fs'
import { AffidavitError } from '../../../shared/contract/errors.ts'
import { type FileForm, MAPPED } from '../../../shared/contract/import-mapping.ts'
import type { CanonicalEvent } from '../../../shared/event/canonical-event.ts'
import { normaliseIngest } from '../../../shared/event/ingest.ts'
import { fieldRefused } from '../../../shared/event/profiles/mapped.ts'
import type { Collected, ImportProfile, MapContext, Mapped, Row } from '../../../shared/event/profiles/profile.ts'
import { isZone } from '../../../shared/event/profiles/zones.ts'
import type { FileSpan } from './file-span.ts'
import { likelyCause, unreadable } from './file-text.ts'
import { NotThisForm } from './line-reader.ts'
import { importProfiles } from './profiles.ts'
import { type FileRow, formOf, readRows } from './rows.ts'
import { columnNames } from './sample.ts'

/** One row of a file, mapped. `read` is how far into the file its line ends, in bytes; `part` counts the rows of a line, from 0. */
export type ImportLine =
  | { readonly line: number; readonly part: number; readonly ok: true; readonly event: CanonicalEvent; readonly read: number }
  | {
      readonly line: number
      readonly ok: false
      readonly code: string
      readonly message: string
      readonly field?: string
      readonly read: number
    }

/** @throws AffidavitError file_unreadable */
export function fileSize(path: string): number {
  try {
    const stat = statSync(path)
    if (!stat.isFile()) throw new Error('not a file')
    return stat.size
  } catch {
    throw new AffidavitError('file_unreadable', 'the file cannot be read')
  }
}

/** The columns that a profile finds in a header; undefined when it misses one. */
function columnsFor(profile: ImportProfile, fields: readonly string[]): readonly string[] | undefined {
  const names = profile.name === MAPPED ? columnNames(fields) : fields.map((name) => name.trim())
  return profile.format === 'jsonl' || profile.required.every((name) => names.includes(name)) ? names : undefined
}

/** The form in which a profile reads a file: JSON lines may well begin with one that is broken. */
function formFor(profile: ImportProfile, found: FileForm): FileForm {
  if (profile.form !== undefined) return profile.form
  if (found === 'parquet') return found
  if (profile.format === 'csv') return 'csv'
  return found === 'csv' && !profile.csv ? 'jsonl' : found
}

/** @param last what is wrong with the last of the rows that were tried */
const notThisFormat = (profile: ImportProfile, cause: string | undefined, last = ''): AffidavitError =>
  new AffidavitError(
    'not_this_format',
    cause ??
      (profile.name === MAPPED
        ? 'the mapping does not fit this file: a column is not there, or none of the first 100 rows can be taken'
        : `this file is not in the format ${profile.title}: choose another profile or file`) + last
  )

/**
 * Reads a file through a profile, line by line. Faulty lines are yielded with their code; the rest goes on.
 * @param span what of the file is read; all of it when absent
 * @throws AffidavitError not_this_format: the header or the first lines do not fit; bad_request: unknown time zone
 */
export async function* readImport(
  path: string,
  profile: ImportProfile,
  context: MapContext,
  signal?: AbortSignal,
  span?: FileSpan
): AsyncGenerator<ImportLine> {
  if (!isZone(context.zone)) throw new AffidavitError('bad_request', 'zone: not a time zone this system knows')
  const receivedUs = Date.now() * 1000
  const form = formFor(profile, await formOf(path))
  const against = unreadable(path, form)
  if (against !== undefined) throw notThisFormat(profile, against)
  const header = (fields: readonly string[]) => columnsFor(profile, fields)
  const delimiter = profile.format === 'csv' ? profile.delimiter : undefined
  let good = false
  let bad = 0
  const rows = rowsOrRefuse(
    () => notThisFormat(profile, likelyCause(path, form)),
    readRows(path, form, { delimiter, header, signal, span })
  )
  for await (const { line, part, mapped, read } of mappedRows(rows, profile, form, context)) {
    const normal = mapped.ok
      ? normaliseIngest(mapped.raw, { receivedUs, channel: 'file', defaultSource: context.source ?? 'unknown' })
      : mapped
    if (normal.ok) {
      good = true
      yield { line, part, ok: true, event: normal.event, read }
    } else {
      // A picture or an archive would otherwise give a million complaints.
      if (!good && ++bad >= 100) throw notThisFormat(profile, likelyCause(path, form), `; line ${line}: ${normal.message}`)
      const field = mapped.ok ? (profile.name === MAPPED ? fieldRefused(normal.message) : undefined) : mapped.field
      yield { line, ok: false, code: normal.code, message: normal.message, ...(field === undefined ? {} : { field }), read }
    }
  }
}

/** A row of a file as the profile has it, with its place. */
interface MappedRow {
  readonly line: number
  readonly part: number
  readonly mapped: Mapped
  readonly read: number
}

/** What a profile makes of the rows of a file, in the order in which it is whole. */
async function* mappedRows(
  rows: AsyncGenerator<FileRow>,
  profile: ImportProfile,
  form: FileForm,
  context: MapContext
): AsyncGenerator<MappedRow> {
  const collector = profile.format === 'jsonl' ? profile.collect?.() : undefined
  const placed = (one: Collected, read: number): MappedRow => ({
    line: one.line,
    part: one.part,
    mapped: 'refused' in one ? one.refused : profile.map(one.row as never, context),
    read
  })
  let end = 0
  for await (const row of rows) {
    const { line, read } = row
    end = read
    if (!row.ok) yield { line, part: 0, mapped: row, read }
    else if (collector === undefined)
      for (const [part, mapped] of mapRow(row.value, profile, form, context).entries()) yield { line, part, mapped, read }
    else {
      const whole = collector.take(row.value, line)
      if (whole === undefined) yield { line, part: 0, mapped: notOf(profile), read }
      else for (const one of whole) yield placed(one, read)
    }
  }
  for (const one of collector?.rest() ?? []) yield placed(one, end)
}

const notOf = (profile: ImportProfile): Mapped => ({
  ok: false,
  code: 'wrong_type',
  message: `the row is not in the format ${profile.title}`
})

async function* rowsOrRefuse(refusal: () => AffidavitError, rows: AsyncGenerator<FileRow>): AsyncGenerator<FileRow> {
  try {
    yield* rows
  } catch (error) {
    throw error instanceof NotThisForm ? refusal() : error
  }
}

/** A row of a file as what the profile makes of it, which may be several records or none. */
function mapRow(value: unknown, profile: ImportProfile, form: FileForm, context: MapContext): readonly Mapped[] {
  try {
    if (profile.format === 'csv') return [profile.map(form === 'csv' ? (value as Readonly<Record<string, string>>) : texts(value), context)]
    const row = form === 'csv' && profile.csv ? filled(value as Readonly<Record<string, string>>) : value
    if (profile.split === undefined) return [profile.map(row, context)]
    return profile.split(row)?.map((one) => profile.map(one, context)) ?? [notOf(profile)]
  } catch (error) {
    // Writing a value of a million levels as text exhausts the stack; that must cost a row, not the import.
    if (error instanceof RangeError) return [{ ok: false, code: 'too_deep', message: 'the row has too many levels' }]
    throw error
  }
}

/** The cells of a Parquet row as CSV would hold them. */
const texts = (row: unknown): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(row as Row).map(([name, value]) => [
      name,
      value === null ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value)
    ])
  )

/** Without the empty cells: CSV has no other way to say that there is nothing. */
const filled = (row: Readonly<Record<string, string>>) => Object.fromEntries(Object.entries(row).filter(([, cell]) => cell !== ''))

/** The first rows of a file, as far as it has any in this form, and the header of a CSV file. */
async function headOf(path: string, form: FileForm): Promise<{ readonly rows: readonly unknown[]; readonly names: readonly string[] }> {
  const rows: unknown[] = []
  let names: readonly string[] = []
  const header = (fields: readonly string[]) => {
    names = fields.map((name) => name.trim())
    return names
  }
  let seen = 0
  try {
    for await (const row of readRows(path, form, { header })) {
      if (row.ok) rows.push(row.value)
      if (++seen === 5) break
    }
  } catch (error) {
    if (!(error instanceof NotThisForm)) throw error
  }
  return { rows, names }
}

/** The first rows of a file, and how well each profile fits them, best first. */
export async function detectProfiles(path: string): Promise<{
  readonly form: FileForm
  readonly first: readonly unknown[]
  readonly candidates: { readonly profile: ImportProfile; readonly confidence: number }[]
}> {
  const form = await formOf(path)
  const { rows, names } = await headOf(path, form)
  const first = form === 'csv' ? rows.map((row) => filled(row as Readonly<Record<string, string>>)) : rows
  const candidates = importProfiles
    .map((profile) => ({ profile, confidence: confidenceOf(profile, form, first, names) }))
    .sort((a, b) => b.confidence - a.confidence)
  return { form, first, candidates }
}

function confidenceOf(profile: ImportProfile, form: FileForm, first: readonly unknown[], names: readonly string[]): number {
  if (profile.format === 'jsonl') return form !== 'csv' || profile.csv ? profile.detect(first) : 0
  return (form === 'csv' || form === 'parquet') && profile.required.every((name) => names.includes(name)) ? 1 : 0
}
