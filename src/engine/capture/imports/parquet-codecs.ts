// SPDX-License-Identifier: Apache-2.0
import * as zlib from 'node:zlib'
import { type Compressors, snappyUncompress } from 'hyparquet'

/** A file that is no Parquet, is damaged, or asks for more than is given. The message is made here and holds nothing of the file. */
export class ParquetRefused extends Error {
  readonly code: 'not_this_format' | 'too_large'
  constructor(code: 'not_this_format' | 'too_large', message: string) {
    super(message)
    this.code = code
  }
}

export const damaged = () => new ParquetRefused('not_this_format', 'the Parquet file is damaged')
export const tooLarge = (what: string) => new ParquetRefused('too_large', `the Parquet file has ${what}`)

/** Bytes of a page when it is unpacked. */
export const MOST_PAGE = 256 * 1024 * 1024

const sized =
  (unpack: (input: Uint8Array, length: number) => Uint8Array) =>
  (input: Uint8Array, length: number): Uint8Array => {
    if (!(length >= 0 && length <= MOST_PAGE)) throw tooLarge('a page of more than 256 MiB')
    const out = unpack(input, length)
    if (out.length !== length) throw damaged()
    return out
  }

/** Not in Node 20, nor in the stand-in runtime: it is asked for, and its absence is said. */
const { zstdDecompressSync }: Partial<typeof zlib> = zlib
const zstandard = zstdDecompressSync && {
  // A frame names the window it wants: no more than the largest page.
  ZSTD: sized((input, length) =>
    zstdDecompressSync(input, {
      maxOutputLength: Math.max(1, length),
      params: { [zlib.constants.ZSTD_d_windowLogMax]: Math.log2(MOST_PAGE) }
    })
  )
}

/** Each takes the memory of the size that the page claims, and no more. */
export const compressors: Compressors = {
  SNAPPY: sized((input, length) => {
    const out = new Uint8Array(length)
    snappyUncompress(input, out)
    return out
  }),
  GZIP: sized((input, length) => zlib.gunzipSync(input, { maxOutputLength: Math.max(1, length) })),
  BROTLI: sized((input, length) => zlib.brotliDecompressSync(input, { maxOutputLength: Math.max(1, length) })),
  ...zstandard
}

/** @throws ParquetRefused when one of the codecs is not read; it says which, and what to do */
export function checkCodecs(codecs: readonly (string | undefined)[]): void {
  const other = codecs.find((codec) => codec === undefined || !(codec === 'UNCOMPRESSED' || codec in compressors))
  if (codecs.length === 0 || (other === undefined && !codecs.includes(undefined))) return
  throw new ParquetRefused(
    'not_this_format',
    `the Parquet file is compressed with ${other ?? 'an unknown codec'}, which is not read here: save it again with Snappy, gzip, Brotli or none`
  )
}
