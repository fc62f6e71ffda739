// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import { createReadStream, statSync } from 'node:fs'
import { AffidavitError } from '../../../shared/contract/errors.ts'
import { MAPPED } from '../../../shared/contract/import-mapping.ts'
import type { CanonicalEvent } from '../../../shared/event/canonical-event.ts'
import { normaliseIngest } from '../../../shared/event/ingest.ts'
import { fieldRefused } from '../../../shared/event/profiles/mapped.ts'
import type { CsvProfile, ImportProfile, MapContext, Mapped } from '../../../shared/event/profiles/profile.ts'
import { isZone } from '../../../shared/event/profiles/zones.ts'
import { csvFields, readRecords, textOfRecord } from './line-reader.ts'
import { importProfiles } from './profiles.ts'
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

/** SHA-256 of a file in lower-case hex. */
export async function hashFile(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256')
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20, ...(signal ? { signal } : {}) }))
      hash.update(chunk as Buffer)
  } catch (error) {
    if (signal?.aborted) throw new AffidavitError('cancelled', 'cancelled')
    throw error
  }
  return hash.digest('hex')
}

function headerOf(text: string, profile: CsvProfile): readonly string[] | undefined {
  const fields = csvFields(text, profile.delimiter)
  const header = fields && (profile.name === MAPPED ? columnNames(fields) : fields.map((name) => name.trim()))
  return header && profile.required.every((name) => header.includes(name)) ? header : undefined
}

const notThisFormat = (profile: ImportProfile): AffidavitError =>
  new AffidavitError(
    'not_this_format',
    profile.name === MAPPED
      ? 'the mapping does not fit this file: a column is not there, or none of the first 100 rows can be taken'
      : `this file is not in the format ${profile.title}: choose another profile or file`
  )

/**
 * Reads a file through a profile, line by line. Faulty lines are yielded with their code; the rest goes on.
 * @throws AffidavitError not_this_format: the header or the first lines do not fit; bad_request: unknown time zone
 */
export async function* readImport(
  path: string,
  profile: ImportProfile,
  context: MapContext,
  signal?: AbortSignal
): AsyncGenerator<ImportLine> {
  if (!isZone(context.zone)) throw new AffidavitError('bad_request', 'zone: not a time zone this system knows')
  const receivedUs = Date.now() * 1000
  let header: readonly string[] | undefined
  let good = false
  let bad = 0
  for await (const record of readRecords(path, { quoted: profile.format === 'csv', signal })) {
    const { line, read } = record
    const text = textOfRecord(record)
    if (profile.format === 'csv' && header === undefined) {
      header = typeof text === 'string' ? headerOf(text, profile) : undefined
      if (!header) throw notThisFormat(profile)
      continue
    }
    const rows = typeof text === 'string' ? mapLine(text, profile, header ?? [], context) : [{ ok: false as const, ...text }]
    for (const [part, mapped] of rows.entries()) {
      const normal = mapped.ok
        ? normaliseIngest(mapped.raw, { receivedUs, channel: 'file', defaultSource: context.source ?? 'unknown' })
        : mapped
      if (normal.ok) {
        good = true
        yield { line, part, ok: true, event: normal.event, read }
      } else {
        // A picture or an archive would otherwise give a million complaints.
        if (!good && ++bad >= 100) throw notThisFormat(profile)
        const field = mapped.ok ? (profile.name === MAPPED ? fieldRefused(normal.message) : undefined) : mapped.field
        yield { line, ok: false, code: normal.code, message: normal.message, ...(field === undefined ? {} : { field }), read }
      }
    }
  }
  if (profile.format === 'csv' && header === undefined) throw notThisFormat(profile)
}

/** The rows of a line, mapped. */
function mapLine(text: string, profile: ImportProfile, header: readonly string[], context: MapContext): readonly Mapped[] {
  try {
    if (profile.format === 'csv') return [mapFields(text, profile, header, context)]
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch {
      return [{ ok: false, code: 'malformed_json', message: 'the line is not JSON' }]
    }
    if (profile.split === undefined) return [profile.map(value, context)]
    return (
      profile.split(value)?.map((row) => profile.map(row, context)) ?? [
        { ok: false, code: 'wrong_type', message: `the line is not in the format ${profile.title}` }
      ]
    )
  } catch (error) {
    // Writing a value of a million levels as text exhausts the stack; that must cost a line, not the import.
    if (error instanceof RangeError) return [{ ok: false, code: 'too_deep', message: 'the row has too many levels' }]
    throw error
  }
}

function mapFields(text: string, profile: CsvProfile, header: readonly string[], context: MapContext): Mapped {
  const fields = csvFields(text, profile.delimiter)
  if (!fields) return { ok: false, code: 'malformed_csv', message: 'a quotation mark is not closed' }
  if (fields.length !== header.length)
    return { ok: false, code: 'malformed_csv', message: `expected ${header.length} columns, found ${fields.length}` }
  return profile.map(Object.fromEntries(header.map((name, i) => [name, fields[i] ?? ''])), context)
}

/** How well each profile fits the head of a file, best first. */
export async function detectProfiles(path: string): Promise<{ readonly profile: ImportProfile; readonly confidence: number }[]> {
  const first: string[] = []
  for await (const record of readRecords(path, { quoted: true })) {
    const text = textOfRecord(record)
    if (typeof text === 'string') first.push(text)
    break
  }
  const lines: unknown[] = []
  for await (const record of readRecords(path, { quoted: false })) {
    const text = textOfRecord(record)
    let value: unknown
    try {
      value = typeof text === 'string' ? JSON.parse(text) : undefined
    } catch {
      value = undefined
    }
    lines.push(value)
    if (lines.length >= 5) break
  }
  return importProfiles
    .map((profile) => ({
      profile,
      confidence: profile.format === 'csv' ? (first[0] !== undefined && headerOf(first[0], profile) ? 1 : 0) : profile.detect(lines)
    }))
    .sort((a, b) => b.confidence - a.confidence)
}
