// SPDX-License-Identifier: Apache-2.0
// Reads a Parquet file piece by piece. Runs in a thread of its own with a bounded heap: what a page claims to hold costs that thread alone.
import { closeSync, openSync, readSync } from 'node:fs'
import { type AsyncBuffer, parquetMetadataAsync, parquetReadObjects, parquetSchema } from 'hyparquet'
import { parseExact } from '../../../shared/event/exact-json.ts'
import { checkCodecs, compressors, damaged, ParquetRefused, tooLarge } from './parquet-codecs.ts'
import { inspectGroup } from './parquet-pages.ts'

const MiB = 1024 * 1024
/** `PAR1`. */
const MAGIC = 0x31524150
const MOST_FOOTER = 64 * MiB
/** Bytes of one column of a row group, as stored. */
const MOST_CHUNK = 512 * MiB
const MOST_COLUMNS = 10_000
/** Kept of what was read: a row group is read in pieces, its columns are fetched once. */
const MOST_KEPT = 512 * MiB
/** Text of a row, and of the rows that are handed over at once. */
const MOST_ROW = 10 * MiB
const MOST_BATCH = 4 * MiB
/** Rows decoded at once: a page that lies in two pieces is decoded twice. Fewer at first, for a preview. */
const MOST_PIECE = 50_000
const LEAST_PIECE = 1_000
const FIRST = 64
const PIECE_CELLS = 2_000_000

function openBuffer(file: number, byteLength: number): AsyncBuffer {
  const kept = new Map<string, ArrayBuffer>()
  let size = 0
  return {
    byteLength,
    slice(start, end = byteLength) {
      const key = `${start}-${end}`
      const known = kept.get(key)
      if (known) return known
      if (!(start >= 0 && start <= end && end <= byteLength)) throw damaged()
      if (end - start > MOST_CHUNK) throw tooLarge('a column of more than 512 MiB in one row group: write smaller row groups')
      const buffer = new ArrayBuffer(end - start)
      const view = new Uint8Array(buffer)
      for (let at = 0; at < view.length; ) {
        const got = readSync(file, view, at, view.length - at, start + at)
        if (got === 0) throw damaged()
        at += got
      }
      if (size + view.length > MOST_KEPT) {
        kept.clear()
        size = 0
      }
      kept.set(key, buffer)
      size += view.length
      return buffer
    }
  }
}

/** Microseconds since 1970 as text, so that nothing is lost to milliseconds. */
function isoOf(micros: bigint): string | null {
  const ms = Number(micros / 1000n)
  const rest = Number(micros % 1000n)
  if (!(Math.abs(ms) < 8.64e15)) return null
  const [whole, past] = rest < 0 ? [ms - 1, rest + 1000] : [ms, rest]
  return new Date(whole).toISOString().replace('Z', `${String(past).padStart(3, '0')}Z`)
}

/** A cell of a JSON column; what is none stays the text that it is, so that it costs no other row. */
function jsonOf(bytes: Uint8Array | undefined): unknown {
  if (bytes === undefined) return undefined
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  try {
    return parseExact(text)
  } catch {
    return text
  }
}

const parsers = {
  jsonFromBytes: jsonOf,
  timestampFromMilliseconds: (millis: bigint) => isoOf(millis * 1000n),
  timestampFromMicroseconds: isoOf,
  timestampFromNanoseconds: (nanos: bigint) => isoOf(nanos / 1000n)
}

/** How much text a value holds; stops counting beyond the most that a row may have. */
function weight(value: unknown, left = MOST_ROW): number {
  if (typeof value === 'string') return value.length
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return 8
  let sum = 16
  for (const name in value) {
    sum += name.length + weight((value as Readonly<Record<string, unknown>>)[name], left - sum)
    if (sum > left) break
  }
  return sum
}

/** Rows as JSON has them, a few megabytes at once; null for a row that is too long. */
function* batches(rows: readonly unknown[]): Generator<unknown[]> {
  let batch: unknown[] = []
  let size = 0
  for (const row of rows) {
    const own = weight(row)
    if (size + own > MOST_BATCH && batch.length > 0) {
      yield batch
      batch = []
      size = 0
    }
    batch.push(own > MOST_ROW ? null : plain(row))
    size += own
  }
  yield batch
}

/** A value as JSON has it. Bytes that are no text are left out. */
function plain(value: unknown, left = 32): unknown {
  if (typeof value === 'string') return value
  if (value === undefined || left === 0) return null
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString()
  if (ArrayBuffer.isView(value)) return value instanceof Uint8Array ? null : Array.from(value as Float64Array)
  if (Array.isArray(value)) return value.map((one) => plain(one, left - 1))
  const out: Record<string, unknown> = {}
  // By this name an object would change its prototype; the decoder has lost such a column already.
  for (const name in value) if (name !== '__proto__') out[name] = plain((value as Readonly<Record<string, unknown>>)[name], left - 1)
  return out
}

export interface ParquetPiece {
  readonly names: readonly string[]
  /** Objects by column; null for a row that is too long. */
  readonly rows: readonly unknown[]
  /** Share of the rows of the file up to here. */
  readonly share: number
}

/** @param size bytes of the file that belong to it: what was added since is not looked at @throws ParquetRefused */
export async function* parquetPieces(path: string, size: number): AsyncGenerator<ParquetPiece> {
  const fd = openSync(path, 'r')
  try {
    yield* pieces(openBuffer(fd, size))
  } catch (error) {
    // The library says what it found; that is the file's own.
    throw error instanceof ParquetRefused ? error : damaged()
  } finally {
    closeSync(fd)
  }
}

async function* pieces(file: AsyncBuffer): AsyncGenerator<ParquetPiece> {
  if (file.byteLength < 12) throw damaged()
  const tail = new DataView(await file.slice(file.byteLength - 8, file.byteLength))
  if (tail.getUint32(4, true) !== MAGIC) throw damaged()
  if (tail.getUint32(0, true) > MOST_FOOTER) throw tooLarge('a footer of more than 64 MiB')
  const metadata = await parquetMetadataAsync(file, { parsers, geoparquet: false })
  const [root, ...elements] = metadata.schema
  if (root === undefined || elements.length > MOST_COLUMNS) throw tooLarge('more than 10,000 columns')
  checkCodecs(metadata.row_groups.flatMap((group) => group.columns.map((column) => column.meta_data?.codec)))
  const schema = parquetSchema(metadata)
  // Lists within columns are decoded from the start of their group for each piece.
  const nested = elements.some((element) => element.num_children !== undefined || element.repetition_type === 'REPEATED')
  const names = topNames(metadata.schema)
  const total = Number(metadata.num_rows)
  let first = 0
  for (const group of metadata.row_groups) {
    const rows = Number(group.num_rows)
    if (!Number.isSafeInteger(rows) || rows < 0) throw damaged()
    const pages = await inspectGroup(file, group, schema)
    const most = Math.max(LEAST_PIECE, Math.floor(Math.min(PIECE_CELLS / names.length, MOST_PIECE)), nested ? Math.ceil(rows / 8) : 0)
    for (let from = 0; from < rows; ) {
      const to = pages.pieceEnd(from, Math.min(rows - from, first === 0 && from === 0 ? FIRST : most))
      const read = await parquetReadObjects({
        file,
        metadata,
        rowStart: first + from,
        rowEnd: first + to,
        compressors,
        parsers,
        geoparquet: false
      })
      // A group that ends before its rows do: the rest would be rows of nothing.
      if (read.length !== to - from || Object.values(read.at(-1) ?? {}).every((value) => value === undefined)) throw damaged()
      for (const batch of batches(read)) yield { names, rows: batch, share: total > 0 ? Math.min(1, (first + to) / total) : 1 }
      from = to
    }
    first += rows
  }
  if (first === 0) yield { names, rows: [], share: 1 }
}

/** Names of the columns at the top of the schema, which lists its tree in depth-first order. */
function topNames(schema: readonly { readonly name: string; readonly num_children?: number }[]): string[] {
  const names: string[] = []
  let at = 1
  const skip = (left: number): void => {
    if (left > 32) throw damaged()
    const children = schema[at++]?.num_children ?? 0
    for (let i = 0; i < children && at < schema.length; i++) skip(left + 1)
  }
  while (at < schema.length) {
    names.push(schema[at]?.name ?? '')
    skip(0)
  }
  return names
}
