// SPDX-License-Identifier: Apache-2.0
// The first rows of a file that no profile knows: what form it has, and what stands in its columns.
import type { FileForm, ImportMapping } from '../../../shared/contract/import-mapping.ts'
import { type Guess, guessMapping, type SampleColumn, samplePaths } from '../../../shared/event/profiles/guess.ts'
import { csvFields, NotThisForm, readRecords, textOfRecord } from './line-reader.ts'
import { readRows } from './rows.ts'

const MOST_ROWS = 50
const MOST_CHARACTERS = 4 * 1024 * 1024

export interface Sample {
  readonly form: ImportMapping['form']
  readonly delimiter?: NonNullable<ImportMapping['delimiter']>
  readonly columns: readonly SampleColumn[]
}

/** Names of a header, each of its own: an empty one becomes its number, a repeated one gets a number. */
export function columnNames(header: readonly string[]): string[] {
  const seen = new Set<string>()
  return header.map((given, i) => {
    const name = given.trim() || `column ${i + 1}`
    let own = name
    for (let n = 2; seen.has(own); n++) own = n > 100 ? `${name} (column ${i + 1})` : `${name} (${n})`
    seen.add(own)
    return own
  })
}

async function firstTexts(path: string, delimiter: string): Promise<string[]> {
  const texts: string[] = []
  let characters = 0
  for await (const record of readRecords(path, { delimiter })) {
    const text = textOfRecord(record)
    if (typeof text !== 'string') {
      // The first record says what the file is; a later one that is broken is a matter of the import.
      if (texts.length === 0) return []
      continue
    }
    texts.push(text)
    characters += text.length
    if (texts.length > MOST_ROWS || characters > MOST_CHARACTERS) break
  }
  return texts
}

async function firstValues(path: string, form: FileForm): Promise<unknown[]> {
  const values: unknown[] = []
  let seen = 0
  try {
    for await (const row of readRows(path, form, {})) {
      if (row.ok && typeof row.value === 'object' && row.value !== null && !Array.isArray(row.value)) values.push(row.value)
      if (++seen === MOST_ROWS) break
    }
  } catch (error) {
    if (!(error instanceof NotThisForm)) throw error
  }
  return values
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: what no header of a text file holds.
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ufffd]/

async function csvSample(path: string): Promise<Sample | undefined> {
  let best:
    | { delimiter: NonNullable<ImportMapping['delimiter']>; header: readonly string[]; rows: readonly (readonly string[])[] }
    | undefined
  for (const delimiter of [',', ';', '\t', '|'] as const) {
    // Where a row ends depends on the sign between its fields: only behind it does a quotation mark open one.
    const [first, ...rest] = await firstTexts(path, delimiter)
    if (first === undefined || CONTROL.test(first)) continue
    const header = csvFields(first, delimiter)
    if (header === undefined || header.length < 2 || header.length <= (best?.header.length ?? 0)) continue
    const rows = rest.map((text) => csvFields(text, delimiter)).filter((row) => row?.length === header.length) as string[][]
    if (rows.length > 0) best = { delimiter, header, rows }
  }
  if (best === undefined) return undefined
  const { delimiter, header, rows } = best
  return { form: 'csv', delimiter, columns: columnNames(header).map((from, i) => ({ from, values: rows.map((row) => row[i] ?? '') })) }
}

/** Null: a file with neither a header and rows under it, nor JSON objects. */
export async function sampleOf(path: string, form: FileForm): Promise<Sample | null> {
  if (form === 'csv') return (await csvSample(path)) ?? null
  const values = await firstValues(path, form)
  return values.length === 0 ? null : { form, columns: samplePaths(values) }
}

export const guessOf = ({ columns, ...form }: Sample): Guess => guessMapping(columns, form)
