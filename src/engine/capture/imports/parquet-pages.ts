// SPDX-License-Identifier: Apache-2.0
// What the pages of a row group are before any of them is decoded: how they are encoded, and what they take. The figures of the footer are not
// believed; those of the pages bound what decoding can ask for.
import type { AsyncBuffer, ColumnMetaData, DecodedArray, PageHeader, RowGroup, SchemaTree } from 'hyparquet'
import { parquetHeader } from 'hyparquet/src/column.js'
import { DEFAULT_PARSERS } from 'hyparquet/src/convert.js'
import { decompressPage, readDataPage, readDataPageV2 } from 'hyparquet/src/datapage.js'
import { getTreePath, isFlatColumn } from 'hyparquet/src/schema.js'
import { compressors, damaged, MOST_PAGE, ParquetRefused, tooLarge } from './parquet-codecs.ts'

/** Values of a page, and of any list in the thread that decodes (see parquet-thread.ts). */
export const MOST_VALUES = 4_194_304
const MiB = 1024 * 1024
/** What the pages of one piece may take: so much is aimed at, so much is refused. */
const PIECE_BYTES = 32 * MiB
const MOST_PIECE_BYTES = 512 * MiB
/** Of a value beside its bytes. */
const VALUE_BYTES = 16
const ENCODINGS = new Set([
  'PLAIN',
  'PLAIN_DICTIONARY',
  'RLE_DICTIONARY',
  'RLE',
  'DELTA_BINARY_PACKED',
  'DELTA_LENGTH_BYTE_ARRAY',
  'DELTA_BYTE_ARRAY',
  'BYTE_STREAM_SPLIT'
])

/** What a column takes, by its pages in order. */
interface ColumnPages {
  /** Decoded whatever rows are asked for: a dictionary, or all pages of a column that has columns or lists in it. */
  readonly always: number
  /** The row after the last one of each page. */
  readonly ends: readonly number[]
  /** What each page and all before it take. */
  readonly sums: readonly number[]
}

/** How much of the values of DELTA_BYTE_ARRAY is repeated from the one before: by it a small page becomes any size. */
function repeatedBytes(page: PageHeader, bytes: Uint8Array, column: ColumnMetaData, schemaPath: SchemaTree[]): number {
  const element = schemaPath.at(-1)?.element
  if (element === undefined) throw damaged()
  // The lengths of what is repeated stand first in such a page, as a column of whole numbers would.
  const encoding = 'DELTA_BINARY_PACKED'
  const pathInSchema = column.path_in_schema
  const decoder = { ...column, type: 'INT32' as const, element, schemaPath, pathInSchema, compressors, parsers: DEFAULT_PARSERS }
  const { data_page_header: first, data_page_header_v2: second } = page
  let lengths: DecodedArray = []
  if (second) lengths = readDataPageV2(bytes, { ...page, data_page_header_v2: { ...second, encoding } }, decoder).dataPage
  else if (first) {
    const plain = decompressPage(bytes, page.uncompressed_page_size, column.codec, compressors)
    lengths = readDataPage(plain, { ...first, encoding }, decoder).dataPage
  }
  let sum = 0
  for (const length of lengths) {
    if (!(length >= 0)) throw damaged()
    sum += length
  }
  return sum
}

function checkEncoding(encoding: string | undefined): void {
  if (encoding !== undefined && ENCODINGS.has(encoding)) return
  throw new ParquetRefused(
    'not_this_format',
    `a column of the Parquet file is encoded as ${encoding ?? 'something unknown'}, which is not read: save it again with plain or dictionary encoding`
  )
}

/** @throws ParquetRefused */
async function inspectColumn(file: AsyncBuffer, column: ColumnMetaData | undefined, schema: SchemaTree): Promise<ColumnPages> {
  if (column === undefined) throw damaged()
  const schemaPath = getTreePath(schema, column.path_in_schema)
  const flat = isFlatColumn(schemaPath)
  const start = Number(column.dictionary_page_offset || column.data_page_offset)
  const view = new DataView(await file.slice(start, start + Number(column.total_compressed_size)))
  const reader = { view, offset: 0 }
  const ends: number[] = []
  const sums: number[] = []
  let always = 0
  while (reader.offset < view.byteLength - 1) {
    const page = parquetHeader(reader)
    const { compressed_page_size: size, uncompressed_page_size: whole } = page
    if (whole > MOST_PAGE) throw tooLarge('a page of more than 256 MiB')
    if (!(size >= 0 && reader.offset + size <= view.byteLength && whole >= 0)) throw damaged()
    const bytes = new Uint8Array(view.buffer, view.byteOffset + reader.offset, size)
    reader.offset += size
    const second = page.data_page_header_v2
    if (second) {
      const { num_nulls: nulls, definition_levels_byte_length: definitions, repetition_levels_byte_length: repetitions } = second
      if (!(nulls >= 0 && nulls <= second.num_values && definitions >= 0 && repetitions >= 0)) throw damaged()
    }
    for (const header of [page.data_page_header, second, page.dictionary_page_header]) {
      if (header === undefined) continue
      if (!(header.num_values >= 0 && header.num_values <= MOST_VALUES)) throw tooLarge('a page of more than four million values')
      checkEncoding(header.encoding)
      const repeated = header.encoding === 'DELTA_BYTE_ARRAY' ? repeatedBytes(page, bytes, column, schemaPath) : 0
      if (whole + repeated > MOST_PAGE) throw tooLarge('a page of more than 256 MiB')
      const takes = whole + repeated + header.num_values * VALUE_BYTES
      if (flat && header !== page.dictionary_page_header) {
        ends.push((ends.at(-1) ?? 0) + header.num_values)
        sums.push((sums.at(-1) ?? 0) + takes)
      } else always += takes
    }
  }
  return { always, ends, sums }
}

/** The first page that ends after a row. */
function pageOf(ends: readonly number[], row: number): number {
  let low = 0
  let high = ends.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((ends[middle] ?? 0) > row) high = middle
    else low = middle + 1
  }
  return low
}

/** What is decoded for the rows from one to before another. A page that ends just before them is decoded too. */
function takenBy(columns: readonly ColumnPages[], from: number, to: number): number {
  let sum = 0
  for (const { always, ends, sums } of columns) {
    const first = pageOf(ends, from - 1)
    const last = Math.min(pageOf(ends, to - 1), ends.length - 1)
    sum += always + (sums[last] ?? 0) - (sums[first - 1] ?? 0)
  }
  return sum
}

/** The pages of one row group, looked at before they are decoded. */
export interface GroupPages {
  /**
   * Where a piece ends that begins at this row and has at most so many: its pages take what is aimed at, or twice the least that can be, so that a page
   * is not decoded many times over.
   * @throws ParquetRefused too_large: even one row takes too much
   */
  readonly pieceEnd: (from: number, most: number) => number
}

/** @throws ParquetRefused */
export async function inspectGroup(file: AsyncBuffer, group: RowGroup, schema: SchemaTree): Promise<GroupPages> {
  const columns: ColumnPages[] = []
  for (const column of group.columns) columns.push(await inspectColumn(file, column.meta_data, schema))
  return {
    pieceEnd(from, most) {
      const least = takenBy(columns, from, from + 1)
      if (least > MOST_PIECE_BYTES) throw tooLarge('rows that take more than 512 MiB to decode: write smaller row groups or pages')
      const budget = Math.min(MOST_PIECE_BYTES, Math.max(PIECE_BYTES, 2 * least))
      let low = 1
      let high = most
      while (low < high) {
        const middle = Math.ceil((low + high) / 2)
        if (takenBy(columns, from, from + middle) <= budget) low = middle
        else high = middle - 1
      }
      return from + low
    }
  }
}
