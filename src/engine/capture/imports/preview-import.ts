// SPDX-License-Identifier: Apache-2.0
import { basename } from 'node:path'
import { AffidavitError } from '../../../shared/contract/errors.ts'
import { type ImportMapping, MAPPED, type MappedField, mappedFields } from '../../../shared/contract/import-mapping.ts'
import type { ImportPreview } from '../../../shared/contract/imports.ts'
import { type CanonicalEvent, messagesText } from '../../../shared/event/canonical-event.ts'
import { mappedProfile } from '../../../shared/event/profiles/mapped.ts'
import { isNone, namesZone } from '../../../shared/event/profiles/mapped-values.ts'
import { type ImportProfile, isObject, type MapContext } from '../../../shared/event/profiles/profile.ts'
import { likelyCause } from './file-text.ts'
import { listOf } from './json-document.ts'
import { noSuchProfile, profileNamed } from './profiles.ts'
import { detectProfiles, fileSize, readImport } from './read-import.ts'
import { guessOf, type Sample, sampleOf } from './sample.ts'

const PREVIEW_ROWS = 20
const MOST_COLUMNS = 300

type MappingPreview = NonNullable<ImportPreview['mapping']>

interface Asked extends MapContext {
  readonly profile?: string | undefined
  readonly mapping?: ImportMapping | undefined
}

/**
 * First rows as they would be recorded; stores nothing. A file that no profile knows is shown by a mapping, which is guessed unless given.
 * @throws AffidavitError file_unreadable, not_this_format, bad_request
 */
export async function previewImport(path: string, asked: Asked): Promise<ImportPreview> {
  const bytes = fileSize(path)
  const { form, first, candidates } = await detectProfiles(path)
  const sample = await sampleOf(path, form)
  const name = asked.profile ?? (asked.mapping ? MAPPED : (candidates.find((one) => one.confidence > 0)?.profile.name ?? MAPPED))
  if (name === MAPPED && sample === null)
    throw new AffidavitError(
      'not_this_format',
      likelyCause(path, form) ??
        (asked.profile === undefined
          ? 'no known format fits this file, and it holds no table and no list of objects that could be mapped'
          : 'the file holds neither a header with rows under it nor JSON objects')
    )
  const mapping = name === MAPPED && sample !== null ? mappingPreview(sample, asked.mapping) : null
  const profile = mapping ? mappedProfile(withoutMissing(mapping)) : profileNamed(name)
  if (!profile) throw new AffidavitError('not_this_format', noSuchProfile)
  const { rows, problems } = await firstRows(path, profile, asked)
  if (mapping) for (const { field, message } of problems) if (field !== undefined) addFault(mapping.faults, field, message)
  return {
    file: { name: basename(path), bytes, form, list: form === 'json' ? (await listOf(path))?.join('.') || null : null },
    profile: profile.name,
    candidates: [
      ...candidates.map((one) => ({ profile: one.profile.name, title: one.profile.title, confidence: one.confidence })),
      ...(sample ? [{ profile: MAPPED, title: 'Columns chosen by hand', confidence: 0.01 }] : [])
    ],
    units: profile.units.map((unit) => ({ ...unit })),
    zone_for: mapping ? zoneForMapped(mapping.used, sample) : zoneFor(profile, first),
    rows,
    problems,
    mapping
  }
}

async function firstRows(path: string, profile: ImportProfile, context: MapContext): Promise<Pick<ImportPreview, 'rows' | 'problems'>> {
  const rows: ImportPreview['rows'] = []
  const problems: ImportPreview['problems'] = []
  for await (const line of readImport(path, profile, context)) {
    if (line.ok) rows.push(previewRow(line.line, line.event))
    else {
      const field = mappedFields.find((one) => one === line.field)
      problems.push({ line: line.line, code: line.code, message: line.message, ...(field === undefined ? {} : { field }) })
    }
    if (rows.length + problems.length >= PREVIEW_ROWS) break
  }
  return { rows, problems }
}

function mappingPreview(sample: Sample, given: ImportMapping | undefined): MappingPreview {
  const guess = given ? { mapping: given, unsure: [] } : guessOf(sample)
  const faults: MappingPreview['faults'] = []
  const known = new Set(sample.columns.map(({ from }) => from))
  for (const field of mappedFields) {
    const one = guess.mapping.fields[field]
    if (one !== undefined && 'from' in one && guess.mapping.form === 'csv' && !known.has(one.from))
      faults.push({ field, message: `${field}: the file has no such column`, rows: 0 })
  }
  if (guess.mapping.fields.model === undefined) faults.push({ field: 'model', message: 'model: choose a column or a fixed value', rows: 0 })
  const columns = sample.columns.map(({ from, values }) => ({ from, example: exampleOf(values) }))
  return {
    used: guess.mapping,
    guessed: given === undefined,
    unsure: [...guess.unsure],
    columns: columns.slice(0, MOST_COLUMNS),
    more_columns: Math.max(0, columns.length - MOST_COLUMNS),
    faults
  }
}

/** Without the columns that the file does not have, so that the rest can be shown. */
function withoutMissing({ used, faults }: MappingPreview): ImportMapping {
  const missing = new Set(faults.map(({ field }) => field))
  return { ...used, fields: Object.fromEntries(Object.entries(used.fields).filter(([field]) => !missing.has(field as MappedField))) }
}

function addFault(faults: MappingPreview['faults'], field: MappedField, message: string): void {
  const at = faults.findIndex((one) => one.field === field)
  const known = faults[at]
  if (known === undefined) faults.push({ field, message, rows: 1 })
  // A field that is not mapped fails in every row; that it is not mapped says it all.
  else if (known.rows > 0) faults[at] = { ...known, rows: known.rows + 1 }
}

/** The column of the time, when some time of the sample names no zone. */
function zoneForMapped(mapping: ImportMapping, sample: Sample | null): string[] {
  const { time } = mapping.fields
  if (time === undefined || !time.unit.startsWith('text')) return []
  const values = sample?.columns.find(({ from }) => from === time.from)?.values.filter((value) => !isNone(value)) ?? []
  return time.unit !== 'text' || values.length === 0 || !values.every(namesZone) ? [time.from] : []
}

/** The times of a known format that name no zone somewhere in the first rows. */
function zoneFor({ times, ...profile }: ImportProfile, first: readonly unknown[]): string[] {
  const split = 'split' in profile ? profile.split : undefined
  const rows = first.flatMap((row) => split?.(row) ?? [row]).filter(isObject)
  return times.filter((name) => rows.some((row) => typeof row[name] === 'string' && !isNone(row[name]) && !namesZone(row[name])))
}

const shorten = (text: string, most = 160): string =>
  text
    .slice(0, 4 * most)
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, most)

function exampleOf(values: readonly unknown[]): string {
  const value = values.find((one) => !isNone(one))
  if (value === undefined) return ''
  if (typeof value !== 'object') return shorten(String(value), 60)
  return Array.isArray(value) ? `${value.length} in a list` : 'an object'
}

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
