// SPDX-License-Identifier: Apache-2.0
import { chunksOf, type FileSpan } from './file-span.ts'

/** Longest record of a file in bytes. */
export const MOST_RECORD_BYTES = 10 * 1024 * 1024

/** Thrown for a file that has no rows in the form in which it is read. */
export class NotThisForm extends Error {}

/** One record of a file as bytes; null bytes: longer than allowed, skipped. `line` is the physical line it begins on, from 1. */
export interface RawRecord {
  readonly line: number
  /** Physical lines that it spans, when they are more than one. */
  readonly lines?: number
  readonly bytes: Buffer | null
  /** Bytes of the file read up to its end. */
  readonly read: number
}

const decoder = new TextDecoder('utf-8', { fatal: true })

/** The text of a record, or why it has none. */
export function textOfRecord(record: RawRecord): string | { readonly code: string; readonly message: string } {
  if (record.bytes === null) return { code: 'line_too_long', message: 'the row is longer than 10 MiB' }
  try {
    return decoder.decode(record.bytes)
  } catch {
    return { code: 'invalid_utf8', message: 'the row is not UTF-8: save the file as UTF-8' }
  }
}

const LF = 10
const CR = 13
const QUOTE = 34
const BOM = Buffer.from([0xef, 0xbb, 0xbf])

/** Where a byte of a CSV file stands: at the start of a field, in one without quotation marks or behind them, between them, behind the last of some. */
type Place = 'start' | 'plain' | 'quoted' | 'mark'

function placeAfter(place: Place, byte: number | undefined, separator: number): Place {
  if (place === 'quoted') return byte === QUOTE ? 'mark' : 'quoted'
  if (byte === separator) return 'start'
  // A mark within a field that did not begin with one is a sign like any other; a second one in a row is text between marks.
  return byte === QUOTE && place !== 'plain' ? 'quoted' : 'plain'
}

/**
 * Splits a file into records at line feeds; with a `delimiter`, line feeds in quoted fields belong to the record (RFC 4180), as `csvFields` reads it.
 * A byte-order mark at the start and a CR before the LF are dropped, empty lines are skipped. Holds one record at a time.
 */
export async function* readRecords(
  path: string,
  options: { readonly delimiter?: string; readonly signal?: AbortSignal | undefined; readonly span?: FileSpan | undefined }
): AsyncGenerator<RawRecord> {
  const separator = options.delimiter?.charCodeAt(0)
  let kept: Buffer[] = []
  let size = 0
  let line = 1
  let begins = 1
  let place: Place = 'start'
  let read = 0
  let last: number | undefined
  const take = (piece: Buffer, next: number): RawRecord | null => {
    const tooLong = size + piece.length > MOST_RECORD_BYTES
    let bytes = tooLong ? null : kept.length === 0 ? piece : Buffer.concat([...kept, piece])
    kept = []
    size = 0
    if (bytes && bytes.at(-1) === CR) bytes = bytes.subarray(0, -1)
    const lines = next - begins
    return bytes?.length === 0 ? null : { line: begins, bytes, read, ...(lines === 1 ? {} : { lines }) }
  }
  for await (const chunk of chunksOf(path, options)) {
    let from = read === 0 && chunk.subarray(0, BOM.length).equals(BOM) ? BOM.length : 0
    for (let i = from; i < chunk.length; i++) {
      const byte = chunk[i]
      if (byte === LF) {
        line++
        // A record beyond the cap ends at its line: an unclosed quotation mark must not swallow the rest of the file.
        if (place === 'quoted' && size + (i - from) <= MOST_RECORD_BYTES) continue
        place = 'start'
        const record = take(chunk.subarray(from, i), line)
        if (record) yield { ...record, read: read + i + 1 }
        from = i + 1
        begins = line
      } else if (separator !== undefined) place = placeAfter(place, byte, separator)
    }
    const rest = chunk.subarray(from)
    size += rest.length
    if (size <= MOST_RECORD_BYTES) kept.push(Buffer.from(rest))
    else kept = []
    read += chunk.length
    last = chunk.at(-1)
  }
  if (size > 0) {
    const record = take(Buffer.alloc(0), last === LF ? line : line + 1)
    if (record) yield record
  }
}

/**
 * Fields of one CSV record (RFC 4180): doubled quotation marks inside quoted fields. Undefined when a quotation mark is not closed, or when text follows
 * one that closes a field of several lines: that is the mark that opens a field further down.
 */
export function csvFields(text: string, delimiter = ','): string[] | undefined {
  const fields: string[] = []
  let i = 0
  for (;;) {
    if (text[i] === '"') {
      let value = ''
      let from = i + 1
      for (;;) {
        const quote = text.indexOf('"', from)
        if (quote < 0) return undefined
        if (text[quote + 1] === '"') {
          value += text.slice(from, quote + 1)
          from = quote + 2
          continue
        }
        value += text.slice(from, quote)
        i = quote + 1
        break
      }
      const comma = text.indexOf(delimiter, i)
      const behind = text.slice(i, comma < 0 ? text.length : comma)
      if (behind.trim() !== '' && value.includes('\n')) return undefined
      // Text after a closing quotation mark is kept as it is, as spreadsheets do.
      fields.push(value + behind)
      if (comma < 0) return fields
      i = comma + 1
    } else {
      const comma = text.indexOf(delimiter, i)
      fields.push(text.slice(i, comma < 0 ? text.length : comma))
      if (comma < 0) return fields
      i = comma + 1
    }
  }
}
