// SPDX-License-Identifier: Apache-2.0
import { brotliCompressSync, constants, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { decodeCopy } from './bounded-copy.ts'

const text = Buffer.from('{"answer":42}')

describe('a copy', () => {
  it.each([
    ['gzip', gzipSync(text)],
    ['x-gzip', gzipSync(text)],
    ['deflate', deflateSync(text)],
    ['br', brotliCompressSync(text)],
    [' ZSTD ', zstdCompressSync(text)],
    ['identity', text],
    [undefined, text]
  ])('in %s is unpacked', async (coding, bytes) =>
    expect(await decodeCopy(bytes, coding)).toEqual({ bytes: text, truncated: false, broken: false })
  )

  it.each([
    ['compress', text],
    ['gzip, br', brotliCompressSync(gzipSync(text))]
  ])('in %s, which is not known here, is given up', async (coding, bytes) => expect(await decodeCopy(bytes, coding)).toBeNull())

  it.each([
    ['gzip', text, ''],
    ['zstd', text, ''],
    ['gzip', gzipSync(text).subarray(0, -8), '{"answer":42}']
  ])('that does not come to its end as %s is broken, with what came before', async (coding, bytes, before) =>
    expect(await decodeCopy(bytes, coding)).toEqual({ bytes: Buffer.from(before), truncated: true, broken: true })
  )

  it('is no larger than its limit, whatever it unpacks to', async () => {
    const large = Buffer.alloc(4_000_000, 'a')
    for (const [coding, bytes] of [
      ['gzip', gzipSync(large)],
      ['zstd', zstdCompressSync(large)]
    ] as const) {
      const copy = await decodeCopy(bytes, coding, 1_000)
      expect([copy?.bytes.length, copy?.truncated, copy?.broken]).toEqual([1_000, true, false])
    }
  })

  it('does not take the memory that a zstd frame asks for beyond 8 MiB', async () => {
    const of = (windowLog: number) =>
      zstdCompressSync(Buffer.concat([text, Buffer.alloc(20_000_000)]), { params: { [constants.ZSTD_c_windowLog]: windowLog } })
    expect((await decodeCopy(of(23), 'zstd', 13))?.bytes).toEqual(text)
    expect(await decodeCopy(of(24), 'zstd', 13)).toMatchObject({ bytes: Buffer.alloc(0), broken: true })
  })
})
