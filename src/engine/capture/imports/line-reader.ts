// SPDX-License-Identifier: Apache-2.0
import { chunksOf, type FileSpan } from './file-span.ts'

/** Longest record of a file in bytes. */
export const MOST_RECORD_BYTES = 10 * 1024 * 1024

/** Thrown for a file that has no rows in the form in which it is read. */
export class NotThisForm extends Error {}

/** One record of a file as bytes; null bytes: longer than allowed, skipped. `line` is the physical line it begins on, from 1. */
export interface RawRecord {
  readonly line: number
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
    return { code: 'invalid_utf8', message: 'the row is not UTF-8' }
  }
}

const LF = 10
const CR = 13
const QUOTE = 34

/**
 * Splits a file into records at line feeds; with `quoted`, line feeds between quotation marks belong to the record (RFC 4180).
 * A byte-order mark at the start and a CR before the LF are dropped, empty lines are skipped. Holds one record at a time.
 */
export async function* readRecords(
  path: string,
  options: { readonly quoted: boolean; readonly signal?: AbortSignal | undefined; readonly span?: FileSpan | undefined }
): AsyncGenerator<RawRecord> {
  let kept: Buffer[] = []
  let size = 0
  let line = 1
  let begins = 1
  let inside = false
  let read = 0
  const take = (piece: Buffer): RawRecord | null => {
    const tooLong = size + piece.length > MOST_RECORD_BYTES
    let bytes = tooLong ? null : kept.length === 0 ? piece : Buffer.concat([...kept, piece])
    kept = []
    size = 0
    if (bytes && begins === 1 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) bytes = bytes.subarray(3)
    if (bytes && bytes.at(-1) === CR) bytes = bytes.subarray(0, -1)
    return bytes?.length === 0 ? null : { line: begins, bytes, read }
  }
  for await (const chunk of chunksOf(path, options)) {
    let from = 0
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i]
      if (byte === QUOTE && options.quoted) inside = !inside
      else if (byte === LF) {
        line++
        // A record beyond the cap ends at its line: an unclosed quotation mark must not swallow the rest of the file.
        if (inside && size + (i - from) <= MOST_RECORD_BYTES) continue
        inside = false
        const record = take(chunk.subarray(from, i))
        if (record) yield { ...record, read: read + i + 1 }
        from = i + 1
        begins = line
      }
    }
    const rest = chunk.subarray(from)
    size += rest.length
    if (size <= MOST_RECORD_BYTES) kept.push(Buffer.from(rest))
    else kept = []
    read += chunk.length
  }
  if (size > 0) {
    const record = take(Buffer.alloc(0))
    if (record) yield record
  }
}

/** Fields of one CSV record (RFC 4180): doubled quotation marks inside quoted fields. Undefined when a quotation mark is not closed. */
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
      // Text after a closing quotation mark is kept as it is, as spreadsheets do.
      fields.push(value + text.slice(i, comma < 0 ? text.length : comma))
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
