// SPDX-License-Identifier: Apache-2.0
// The rows of a file, whatever form it has, as values that a profile maps.
import type { FileForm } from '../../../shared/contract/import-mapping.ts'
import { parseExact } from '../../../shared/event/exact-json.ts'
import type { FileSpan } from './file-span.ts'
import { headOf } from './file-text.ts'
import { holdsList, readItems } from './json-document.ts'
import { csvFields, NotThisForm, type RawRecord, readRecords, textOfRecord } from './line-reader.ts'
import { parquetRows } from './parquet-rows.ts'

/** One row, or why it is none. `line`: of a file of lines the line it begins on, else its number; from 1. */
export type FileRow =
  | { readonly line: number; readonly read: number; readonly ok: true; readonly value: unknown }
  | { readonly line: number; readonly read: number; readonly ok: false; readonly code: string; readonly message: string }

export interface RowOptions {
  /** Of a CSV file; a comma when absent. */
  readonly delimiter?: string | undefined
  /** Names of the columns of a CSV or Parquet file from its header; undefined: this is no such header, and nothing is read. */
  readonly header?: ((fields: readonly string[]) => readonly string[] | undefined) | undefined
  readonly signal?: AbortSignal | undefined
  /** What of the file is read; all of it when absent. */
  readonly span?: FileSpan | undefined
}

const parsed = (record: RawRecord): unknown => {
  const text = textOfRecord(record)
  try {
    return typeof text === 'string' ? JSON.parse(text) : undefined
  } catch {
    return undefined
  }
}

/** What the first bytes and lines say of a file: what is neither JSON nor lines of it may be CSV. */
export async function formOf(path: string): Promise<FileForm> {
  const head = headOf(path)
  if (head.toString('latin1', 0, 4) === 'PAR1') return 'parquet'
  const start = head
    .toString('latin1')
    .replace(/^\u00ef\u00bb\u00bf/, '')
    .trimStart()
  if (start.startsWith('[')) return 'json'
  if (!start.startsWith('{')) return 'csv'
  const first: unknown[] = []
  for await (const record of readRecords(path, {})) {
    first.push(parsed(record))
    if (first.length === 3) break
  }
  const objects = first.filter((value) => typeof value === 'object' && value !== null)
  return objects.length === 0 || (first.length === 1 && holdsList(first[0])) ? 'json' : 'jsonl'
}

/**
 * Reads the rows of a file in its form.
 * @throws NotThisForm the header is refused, or there is no list
 */
export async function* readRows(path: string, form: FileForm, options: RowOptions): AsyncGenerator<FileRow> {
  switch (form) {
    case 'csv':
      return yield* csvRows(path, options)
    case 'jsonl':
      for await (const record of readRecords(path, { signal: options.signal, span: options.span })) yield jsonRow(record, 'line')
      return
    case 'parquet':
      return yield* parquetRows(path, options)
    case 'json':
      for await (const record of readItems(path, options))
        yield record.cut
          ? { line: record.line, read: record.read, ok: false, code: 'malformed_json', message: 'the file ends within its list' }
          : jsonRow(record, 'item')
  }
}

function jsonRow(record: RawRecord, what: 'line' | 'item'): FileRow {
  const { line, read } = record
  const text = textOfRecord(record)
  if (typeof text !== 'string') return { line, read, ok: false, ...text }
  try {
    return { line, read, ok: true, value: parseExact(text) }
  } catch {
    return { line, read, ok: false, code: 'malformed_json', message: `the ${what} is not JSON` }
  }
}

async function* csvRows(path: string, { delimiter = ',', header, signal, span }: RowOptions): AsyncGenerator<FileRow> {
  let names: readonly string[] | undefined
  for await (const record of readRecords(path, { delimiter, signal, span })) {
    const { line, read, bytes } = record
    const text = textOfRecord(record)
    // Marks and separators are ASCII: where a row ends can be told without its encoding.
    const fields = bytes === null ? undefined : csvFields(typeof text === 'string' ? text : bytes.toString('latin1'), delimiter)
    if (names === undefined) {
      names = typeof text === 'string' && fields ? (header ? header(fields) : fields) : undefined
      if (names === undefined) throw new NotThisForm()
    } else if (fields === undefined) yield* notClosed(record)
    else if (typeof text !== 'string') yield { line, read, ok: false, ...text }
    else if (fields.length !== names.length)
      yield { line, read, ok: false, code: 'malformed_csv', message: `expected ${names.length} columns, found ${fields.length}` }
    else yield { line, read, ok: true, value: Object.fromEntries(names.map((name, i) => [name, fields[i] ?? ''])) }
  }
  if (names === undefined) throw new NotThisForm()
}

/** Every line of a record that cannot be told apart into rows: a quotation mark opens a field that is not closed where it should be. */
function* notClosed({ line, lines = 1, read, bytes }: RawRecord): Generator<FileRow> {
  const why =
    lines === 1
      ? bytes === null
        ? { code: 'line_too_long', message: 'the row is longer than 10 MiB' }
        : { code: 'malformed_csv', message: 'a quotation mark is not closed' }
      : { code: 'malformed_csv', message: `lines ${line} to ${line + lines - 1} are not read: a quotation mark among them is not closed` }
  for (let i = 0; i < lines; i++) yield { line: line + i, read, ok: false, ...why }
}
