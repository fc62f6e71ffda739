// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import { createReadStream, statSync } from 'node:fs'
import { basename } from 'node:path'
import { AffidavitError } from '../../../shared/contract/errors.ts'
import type { ImportPreview } from '../../../shared/contract/imports.ts'
import { type CanonicalEvent, messagesText } from '../../../shared/event/canonical-event.ts'
import { normaliseIngest } from '../../../shared/event/ingest.ts'
import type { ImportProfile, MapContext, Mapped } from '../../../shared/event/profiles/profile.ts'
import { isZone } from '../../../shared/event/profiles/zones.ts'
import { csvFields, type RawRecord, readRecords } from './line-reader.ts'
import { importProfiles, profileNamed } from './profiles.ts'

/** One row of a file, mapped. `read` is how far into the file its line ends, in bytes; `part` counts the rows of a line, from 0. */
export type ImportLine =
  | { readonly line: number; readonly part: number; readonly ok: true; readonly event: CanonicalEvent; readonly read: number }
  | { readonly line: number; readonly ok: false; readonly code: string; readonly message: string; readonly read: number }

const decoder = new TextDecoder('utf-8', { fatal: true })
const PREVIEW_ROWS = 20

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

function textOf(record: RawRecord): string | { readonly code: string; readonly message: string } {
  if (record.bytes === null) return { code: 'line_too_long', message: 'the line is longer than 10 MiB' }
  try {
    return decoder.decode(record.bytes)
  } catch {
    return { code: 'invalid_utf8', message: 'the line is not UTF-8' }
  }
}

function headerOf(text: string, profile: Extract<ImportProfile, { format: 'csv' }>): readonly string[] | undefined {
  const header = csvFields(text)?.map((name) => name.trim())
  return header && profile.required.every((name) => header.includes(name)) ? header : undefined
}

const notThisFormat = (profile: ImportProfile): AffidavitError =>
  new AffidavitError('not_this_format', `this file is not in the format ${profile.title}: choose another profile or file`)

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
    const text = textOf(record)
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
        yield { line, ok: false, code: normal.code, message: normal.message, read }
      }
    }
  }
  if (profile.format === 'csv' && header === undefined) throw notThisFormat(profile)
}

function mapLine(text: string, profile: ImportProfile, header: readonly string[], context: MapContext): readonly Mapped[] {
  if (profile.format === 'jsonl') {
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch {
      return [{ ok: false, code: 'malformed_json', message: 'the line is not JSON' }]
    }
    if (profile.split === undefined) return [profile.map(value, context)]
    const rows = profile.split(value)
    return (
      rows?.map((row) => profile.map(row, context)) ?? [
        { ok: false, code: 'wrong_type', message: `the line is not in the format ${profile.title}` }
      ]
    )
  }
  const fields = csvFields(text)
  if (!fields) return [{ ok: false, code: 'malformed_csv', message: 'a quotation mark is not closed' }]
  if (fields.length !== header.length)
    return [{ ok: false, code: 'malformed_csv', message: `expected ${header.length} columns, found ${fields.length}` }]
  return [profile.map(Object.fromEntries(header.map((name, i) => [name, fields[i] ?? ''])), context)]
}

/** How well each profile fits the head of a file, best first. */
export async function detectProfiles(path: string): Promise<{ readonly profile: ImportProfile; readonly confidence: number }[]> {
  const first: string[] = []
  for await (const record of readRecords(path, { quoted: true })) {
    const text = textOf(record)
    if (typeof text === 'string') first.push(text)
    break
  }
  const lines: unknown[] = []
  for await (const record of readRecords(path, { quoted: false })) {
    const text = textOf(record)
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

/**
 * First rows as they would be recorded; stores nothing.
 * @throws AffidavitError file_unreadable, not_this_format, bad_request
 */
export async function previewImport(path: string, name: string | undefined, context: MapContext): Promise<ImportPreview> {
  const bytes = fileSize(path)
  const candidates = await detectProfiles(path)
  const profile = name === undefined ? candidates.find((one) => one.confidence > 0)?.profile : profileNamed(name)
  if (!profile)
    throw new AffidavitError(
      'not_this_format',
      name === undefined ? 'none of the known formats fits this file' : 'there is no such import profile'
    )
  const rows: ImportPreview['rows'] = []
  const problems: ImportPreview['problems'] = []
  for await (const line of readImport(path, profile, context)) {
    if (line.ok) rows.push(previewRow(line.line, line.event))
    else problems.push({ line: line.line, code: line.code, message: line.message })
    if (rows.length + problems.length >= PREVIEW_ROWS) break
  }
  return {
    file: { name: basename(path), bytes },
    profile: profile.name,
    candidates: candidates.map((one) => ({ profile: one.profile.name, title: one.profile.title, confidence: one.confidence })),
    units: profile.units.map((unit) => ({ ...unit })),
    asks_zone: profile.asksZone,
    rows,
    problems
  }
}

const shorten = (text: string): string => text.replace(/\s+/g, ' ').trim().slice(0, 160)

function previewRow(line: number, event: CanonicalEvent): ImportPreview['rows'][number] {
  return {
    line,
    timestamp: event.start_us === undefined ? null : new Date(Math.floor(event.start_us / 1000)).toISOString(),
    model: event.request_model ?? null,
    source: event.source,
    request: shorten(messagesText(event.input_messages)),
    response: shorten(messagesText(event.output_messages)),
    latency_ms: event.latency_us === undefined ? null : event.latency_us / 1000,
    input_tokens: event.input_tokens ?? null,
    output_tokens: event.output_tokens ?? null,
    status: event.status
  }
}
