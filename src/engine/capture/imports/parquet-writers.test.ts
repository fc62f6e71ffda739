// SPDX-License-Identifier: Apache-2.0
// Parquet files as other writers make them (Zstandard, the delta encodings), and such that claim to be what they are not.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { type ColumnSource, parquetWriteBuffer } from 'hyparquet-writer'
import { afterAll, describe, expect, it } from 'vitest'
import { mappedProfile } from '../../../shared/event/profiles/mapped.ts'
import { dice } from '../../sample/dice.ts'
import { previewImport } from './preview-import.ts'
import { type ImportLine, readImport } from './read-import.ts'

const root = mkdtempSync(join(tmpdir(), 'affidavit-parquet-'))
afterAll(() => rmSync(root, { recursive: true }))
let files = 0
function fileOf(bytes: Uint8Array): string {
  const path = join(root, `${files++}.parquet`)
  writeFileSync(path, bytes)
  return path
}
const context = { zone: 'UTC', source: undefined }
const MiB = 1024 * 1024

/**
 * Twelve calls written by the Rust implementation of Arrow (parquet-wasm 0.7), pages of version 1 and 2, compressed with Zstandard: `id` and `prompt` as
 * DELTA_BYTE_ARRAY, `model` as DELTA_LENGTH_BYTE_ARRAY, `created_at` and `prompt_tokens` as DELTA_BINARY_PACKED.
 */
const ARROW = {
  'version 1':
    'UEFSMRUAFcQBFbgBLBUYFQ4VBhUGAAAotS/9IGKdAgCkBAIAAAAYAYABBAwAAQUAAAA0hBBCCAEIAIABBAwoJQUAAABgzjnnnJNKAHJlcXVlc3QtMjAyNS0wMS0wMDAwMTIzNDU2Nzg5MTAxAgAAF+AAHhUAFTQVRiwVGBUKFQYVBgAAKLUv/SAa0QAAAgAAABgBgAIEDIDAqoPpv5YGwI23AQAAAAAVABWwARVmLBUYFQwVBhUGAAAotS/9IFhVAQD4AgAAABgBgAEEDAQHBAAAAEiABEiABABvM2dwdC00bwMAY0KQMvgCNAEVABW0ARWwASwVGBUOFQYVBgAAKLUv/SBafQIAZAQDAAAABfcPgAEECwAABAAAAAgAAAAQAIABBAsUDwQAAACAiIiIeQBXaGF0IGlzIDA/MT8yPzQ/NT82Pzc/OD85PzEwPzE/AgDAXjfQBBUAFToVTCwVGBUKFQYVBgAAKLUv/SAd6QAAAwAAAAXfD4ABBAsGDgMAAAAAcAAAAAAAAAAAAAAZHBYIFd4BFgAAGRbgAwAZHBbmARVoFgAAABkcFs4CFYoBFgAAGRZwABkcFtgDFdYBFgAAGRbgAQAZHBauBRVuFgAAABUCGWxIDGFycm93X3NjaGVtYRUKABUMJQIYAmlkJQBMHAAAABUEJQIYCmNyZWF0ZWRfYXQlFEyMEhwsAAAAAAAVDCUCGAVtb2RlbCUATBwAAAAVDCUCGAZwcm9tcHQlAEwcAAAAFQIlAhgNcHJvbXB0X3Rva2VucwAWGBkcGVwmABwVDBklBg4ZGAJpZBUMFhgW6gEW3gEmCEkcFQAVDhUCAAAWnAYVHgAmABwVBBklBgoZGApjcmVhdGVkX2F0FQwWGBZWFmgm5gFJHBUAFQoVAgAAFroGFRYAJgAcFQwZJQYMGRgFbW9kZWwVDBYYFtQBFooBJs4CSRwVABUMFQIAABbQBhUeACYAHBUMGSUGDhkYBnByb21wdBUMFhgW2gEW1gEm2ANJHBUAFQ4VAgAAFu4GFSAAJgAcFQIZJQYKGRgNcHJvbXB0X3Rva2VucxUMFhgWXBZuJq4FSRwVABUKFQIAABaOBxUWABbKBhYYJggWlAYUAAAZHBgMQVJST1c6c2NoZW1hGMgDLy8vLy8wd0JBQUFRQUFBQUFBQUtBQXdBQ2dBSkFBUUFDZ0FBQUJBQUFBQUFBUVFBQ0FBSUFBQUFCQUFJQUFBQUJBQUFBQVVBQUFEMEFBQUFvQUFBQUhRQUFBQklBQUFBQkFBQUFERC8vLzhZQUFBQUlBQUFBQUFBQVFJY0FBQUFDQUFNQUFRQUN3QUlBQUFBSUFBQUFBQUFBQUVBQUFBQURRQUFBSEJ5YjIxd2RGOTBiMnRsYm5NQUFBQncvLy8vRkFBQUFBd0FBQUFBQUFFRkRBQUFBQUFBQUFCZy8vLy9CZ0FBQUhCeWIyMXdkQUFBbVAvLy94UUFBQUFNQUFBQUFBQUJCUXdBQUFBQUFBQUFpUC8vL3dVQUFBQnRiMlJsYkFBQUFNRC8vLzhjQUFBQURBQUFBQUFBQVFvZ0FBQUFBQUFBQUFBQUJnQUlBQVlBQmdBQUFBQUFBZ0FBQUFBQUFBQUFBQW9BQUFCamNtVmhkR1ZrWDJGMEFBQVFBQlFBRUFBT0FBOEFCQUFBQUFnQUVBQUFBQmdBQUFBTUFBQUFBQUFCQlJBQUFBQUFBQUFBQkFBRUFBUUFBQUFDQUFBQWFXUUFBQT09ABgZcGFycXVldC1ycyB2ZXJzaW9uIDU5LjMuMBlcHAAAHAAAHAAAHAAAHAAAAIEDAABQQVIx',
  'version 2':
    'UEFSMRUGFbwBFbABXBUYFQAVGBUOFQQVABEAABgBKLUv/SBcbQIARASAAQQMAAEFAAAANIQQQggBCACAAQQMKCUFAAAAYM4555yTSgByZXF1ZXN0LTIwMjUtMDEtMDAwMDEyMzQ1Njc4OTEwMQIAABdwwA4VBhUsFSxcFRgVABUYFQoVBBUAEgAAGAGAAgQMgMCqg+m/lgbAjbcBAAAAABUGFagBFV5cFRgVABUYFQwVBBUAEQAAGAEotS/9IFIlAQDIgAEEDAQHBAAAAEiABEiABABvM2dwdC00bwMAY0KQMvgCLAEVBhWsARWoAVwVGBUCFRgVDhUGFQARAAAF9w8otS/9IFNFAgD0A4ABBAsAAAQAAAAIAAAAEACAAQQLFA8EAAAAgIiIiHkAV2hhdCBpcyAwPzE/Mj80PzU/Nj83Pzg/OT8xMD8xPwIAwF42sAQVBhUyFTJcFRgVAhUYFQoVBhUAEgAABd8PgAEECwYOAwAAAABwAAAAAAAAAAAAABkcFggV4AEWAAAZFuADABkcFugBFVgWAAAAGRwWwAIVjAEWAAAZFnAAGRwWzAMV2AEWAAAZFuABABkcFqQFFV4WAAAAFQQZbEgMYXJyb3dfc2NoZW1hFQoAFQwlAhgCaWQlAEwcAAAAFQQlAhgKY3JlYXRlZF9hdCUUTIwSHCwAAAAAABUMJQIYBW1vZGVsJQBMHAAAABUMJQIYBnByb21wdCUATBwAAAAVAiUCGA1wcm9tcHRfdG9rZW5zABYYGRwZXCYAHBUMGSUGDhkYAmlkFQwWGBbsARbgASYISRwVBhUOFQIAABaCBhUeACYAHBUEGSUGChkYCmNyZWF0ZWRfYXQVDBYYFlgWWCboAUkcFQYVChUCAAAWoAYVFgAmABwVDBklBgwZGAVtb2RlbBUMFhgW1gEWjAEmwAJJHBUGFQwVAgAAFrYGFR4AJgAcFQwZJQYOGRgGcHJvbXB0FQwWGBbcARbYASbMA0kcFQYVDhUCAAAW1AYVIAAmABwVAhklBgoZGA1wcm9tcHRfdG9rZW5zFQwWGBZeFl4mpAVJHBUGFQoVAgAAFvQGFRYAFtQGFhgmCBb6BRQAABkcGAxBUlJPVzpzY2hlbWEYyAMvLy8vLzB3QkFBQVFBQUFBQUFBS0FBd0FDZ0FKQUFRQUNnQUFBQkFBQUFBQUFRUUFDQUFJQUFBQUJBQUlBQUFBQkFBQUFBVUFBQUQwQUFBQW9BQUFBSFFBQUFCSUFBQUFCQUFBQURELy8vOFlBQUFBSUFBQUFBQUFBUUljQUFBQUNBQU1BQVFBQ3dBSUFBQUFJQUFBQUFBQUFBRUFBQUFBRFFBQUFIQnliMjF3ZEY5MGIydGxibk1BQUFCdy8vLy9GQUFBQUF3QUFBQUFBQUVGREFBQUFBQUFBQUJnLy8vL0JnQUFBSEJ5YjIxd2RBQUFtUC8vL3hRQUFBQU1BQUFBQUFBQkJRd0FBQUFBQUFBQWlQLy8vd1VBQUFCdGIyUmxiQUFBQU1ELy8vOGNBQUFBREFBQUFBQUFBUW9nQUFBQUFBQUFBQUFBQmdBSUFBWUFCZ0FBQUFBQUFnQUFBQUFBQUFBQUFBb0FBQUJqY21WaGRHVmtYMkYwQUFBUUFCUUFFQUFPQUE4QUJBQUFBQWdBRUFBQUFCZ0FBQUFNQUFBQUFBQUJCUkFBQUFBQUFBQUFCQUFFQUFRQUFBQUNBQUFBYVdRQUFBPT0AGBlwYXJxdWV0LXJzIHZlcnNpb24gNTkuMy4wGVwcAAAcAAAcAAAcAAAcAAAAgQMAAFBBUjE='
}
/** The same by the same, compressed with a codec that is not read. */
const LZ4 =
  'UEFSMRUAFcQBFaIBLBUYFQ4VBhUGAAD4CQIAAAAYAYABBAwAAQUAAAA0hBBCCAEIAAEAAB4AICglHgB4YM4555yTSh0A8BIAcmVxdWVzdC0yMDI1LTAxLTAwMDAxMjM0NTY3ODkxMDEVABU0FTgsFRgVChUGFQYAAPALAgAAABgBgAIEDIDAqoPpv5YGwI23AQAAAAAVABWwARVkLBUYFQwVBhUGAADwBgIAAAAYAYABBAwEBwQAAABIgARIgAkAAwIAgm8zZ3B0LTRvBgAPDgARYGdwdC00bxUAFbQBFZoBLBUYFQ4VBhUGAAD2CAMAAAAF9w+AAQQLAAAEAAAACAAAABAAAQAAGgAgFA8aAFaAiIiIeRkA8BEAV2hhdCBpcyAwPzE/Mj80PzU/Nj83Pzg/OT8xMD8xPxUAFToVOiwVGBUKFQYVBgAA0AMAAAAF3w+AAQQLBg4NAMAAcAAAAAAAAAAAAAAZHBYIFcgBFgAAGRbgAwAZHBbQARVaFgAAABkcFqoCFYgBFgAAGRZwABkcFrIDFcABFgAAGRbgAQAZHBbyBBVcFgAAABUCGWxIDGFycm93X3NjaGVtYRUKABUMJQIYAmlkJQBMHAAAABUEJQIYCmNyZWF0ZWRfYXQlFEyMEhwsAAAAAAAVDCUCGAVtb2RlbCUATBwAAAAVDCUCGAZwcm9tcHQlAEwcAAAAFQIlAhgNcHJvbXB0X3Rva2VucwAWGBkcGVwmABwVDBklBg4ZGAJpZBUOFhgW6gEWyAEmCEkcFQAVDhUCAAAWzgUVHgAmABwVBBklBgoZGApjcmVhdGVkX2F0FQ4WGBZWFlom0AFJHBUAFQoVAgAAFuwFFRYAJgAcFQwZJQYMGRgFbW9kZWwVDhYYFtQBFogBJqoCSRwVABUMFQIAABaCBhUeACYAHBUMGSUGDhkYBnByb21wdBUOFhgW2gEWwAEmsgNJHBUAFQ4VAgAAFqAGFSAAJgAcFQIZJQYKGRgNcHJvbXB0X3Rva2VucxUOFhgWXBZcJvIESRwVABUKFQIAABbABhUWABbKBhYYJggWxgUUAAAZHBgMQVJST1c6c2NoZW1hGMgDLy8vLy8wd0JBQUFRQUFBQUFBQUtBQXdBQ2dBSkFBUUFDZ0FBQUJBQUFBQUFBUVFBQ0FBSUFBQUFCQUFJQUFBQUJBQUFBQVVBQUFEMEFBQUFvQUFBQUhRQUFBQklBQUFBQkFBQUFERC8vLzhZQUFBQUlBQUFBQUFBQVFJY0FBQUFDQUFNQUFRQUN3QUlBQUFBSUFBQUFBQUFBQUVBQUFBQURRQUFBSEJ5YjIxd2RGOTBiMnRsYm5NQUFBQncvLy8vRkFBQUFBd0FBQUFBQUFFRkRBQUFBQUFBQUFCZy8vLy9CZ0FBQUhCeWIyMXdkQUFBbVAvLy94UUFBQUFNQUFBQUFBQUJCUXdBQUFBQUFBQUFpUC8vL3dVQUFBQnRiMlJsYkFBQUFNRC8vLzhjQUFBQURBQUFBQUFBQVFvZ0FBQUFBQUFBQUFBQUJnQUlBQVlBQmdBQUFBQUFBZ0FBQUFBQUFBQUFBQW9BQUFCamNtVmhkR1ZrWDJGMEFBQVFBQlFBRUFBT0FBOEFCQUFBQUFnQUVBQUFBQmdBQUFBTUFBQUFBQUFCQlJBQUFBQUFBQUFBQkFBRUFBUUFBQUFDQUFBQWFXUUFBQT09ABgZcGFycXVldC1ycyB2ZXJzaW9uIDU5LjMuMBlcHAAAHAAAHAAAHAAAHAAAAIEDAABQQVIx'

const written = (columnData: ColumnSource[], compress: (input: Uint8Array) => Uint8Array, more: object = {}) =>
  Buffer.from(parquetWriteBuffer({ columnData, codec: 'ZSTD', compressors: { ZSTD: compress }, ...more }) as ArrayBuffer)
const asZstandard = (input: Uint8Array): Uint8Array => zstdCompressSync(input)

const models = mappedProfile({
  version: 1,
  form: 'parquet',
  others: 'keep',
  fields: { model: { from: 'model' }, prompt: { from: 'prompt' } }
})
async function linesOf(path: string, profile = models): Promise<ImportLine[]> {
  const lines: ImportLine[] = []
  for await (const line of readImport(path, profile, context)) lines.push(line)
  return lines
}

describe('Parquet of other writers', () => {
  it.each(Object.entries(ARROW))('is read: Zstandard and delta encodings, pages of %s', async (_, base64) => {
    const path = fileOf(Buffer.from(base64, 'base64'))
    const calls = mappedProfile({
      version: 1,
      form: 'parquet',
      others: 'keep',
      fields: {
        time: { from: 'created_at', unit: 'text' },
        model: { from: 'model' },
        prompt: { from: 'prompt' },
        input_tokens: { from: 'prompt_tokens' }
      }
    })
    expect((await previewImport(path, context)).problems).toEqual([])
    const lines = await linesOf(path, calls)
    const seen = lines.map(
      (line) => line.ok && [line.event.start_us, line.event.request_model, line.event.input_tokens, line.event.attributes]
    )
    expect(seen).toEqual(
      Array.from({ length: 12 }, (_, i) => [
        1_738_324_800_000_000 + i * 1_500_000,
        i % 3 === 0 ? 'o3' : 'gpt-4o',
        i === 5 ? undefined : i * 7 + 3,
        { id: `request-2025-01-${String(i).padStart(4, '0')}` }
      ])
    )
  })

  it.each([
    ['DELTA_BINARY_PACKED', 'INT64', (i: number) => BigInt(i * i) - 7n],
    ['DELTA_LENGTH_BYTE_ARRAY', 'STRING', (i: number) => 'x'.repeat(i % 50) + i],
    ['DELTA_BYTE_ARRAY', 'STRING', (i: number) => `https://example.org/runs/${Math.floor(i / 10)}/${i}`]
  ] as const)('is read over several pages and row groups: %s', async (encoding, type, of) => {
    const values = Array.from({ length: 9_000 }, (_, i) => of(i))
    const columns: ColumnSource[] = [
      { name: 'model', data: values.map(() => 'gpt-4o'), type: 'STRING' },
      { name: 'value', data: values.map((value, i) => (i % 11 === 3 ? null : value)), type, encoding, nullable: true }
    ]
    const lines = await linesOf(fileOf(written(columns, asZstandard, { rowGroupSize: 4_000, pageSize: 5_000 })))
    expect(lines).toHaveLength(9_000)
    lines.forEach((line, i) => {
      const value = values[i]
      const expected = i % 11 === 3 ? undefined : typeof value === 'bigint' ? Number(value) : value
      expect(line.ok && line.event.attributes?.value).toBe(expected)
    })
  })

  it('says which codec or encoding is not read, and what to do', async () => {
    await expect(previewImport(fileOf(Buffer.from(LZ4, 'base64')), context)).rejects.toMatchObject({
      code: 'not_this_format',
      message: expect.stringMatching(/compressed with LZ4_RAW, which is not read here: save it again with Snappy/)
    })
    // The encoding is the third field of the header of a page: 8 is DELTA_BYTE_ARRAY, made 4 (BIT_PACKED).
    const whole = written([{ name: 'model', data: ['a', 'b'], type: 'STRING', encoding: 'DELTA_BYTE_ARRAY' }], asZstandard)
    const at = whole.indexOf(Buffer.from([0x15, 0x0e, 0x15]))
    expect(at).toBeGreaterThan(0)
    whole[at + 1] = 8
    await expect(previewImport(fileOf(whole), context)).rejects.toMatchObject({
      code: 'not_this_format',
      message: expect.stringMatching(/encoded as BIT_PACKED, which is not read: save it again with plain/)
    })
  })
})

describe('Parquet that claims to be what it is not', () => {
  const column: ColumnSource[] = [
    { name: 'model', data: Array.from({ length: 500 }, (_, i) => `model ${i}`), type: 'STRING', encoding: 'PLAIN' }
  ]
  const bomb = zstdCompressSync(Buffer.alloc(64 * MiB))

  it.each<readonly [string, (input: Uint8Array) => Uint8Array]>([
    ['a page that unpacks to far more than it says', () => bomb],
    ['a page that unpacks to a little more', (input) => zstdCompressSync(Buffer.concat([input, Buffer.alloc(1)]))],
    ['a page that unpacks to less', (input) => zstdCompressSync(input.subarray(1))],
    ['a page that is cut', (input) => zstdCompressSync(input).subarray(0, -5)],
    ['a page of nothing', () => new Uint8Array(0)],
    ['a page of another codec', (input) => gzipSync(input)],
    ['a page that is not compressed', (input) => input]
  ])('%s is refused as damaged', async (_, compress) => {
    await expect(previewImport(fileOf(written(column, compress)), context)).rejects.toMatchObject({
      code: 'not_this_format',
      message: 'the Parquet file is damaged'
    })
  })

  it('a page that claims two gigabytes is refused before memory is taken', async () => {
    const whole = written(column, asZstandard)
    // PAR1, then the header of the page: its type, then its size as a whole number in seven bits each.
    let end = 7
    while ((whole[end] ?? 0) > 127) end++
    const claim = Buffer.concat([whole.subarray(0, 7), Buffer.from([0xfe, 0xff, 0xff, 0xff, 0x0f]), whole.subarray(end + 1)])
    await expect(previewImport(fileOf(claim), context)).rejects.toMatchObject({
      code: 'too_large',
      message: 'the Parquet file has a page of more than 256 MiB'
    })
  })

  it('values that repeat all of the one before are refused before they are made', async () => {
    const value = 'x'.repeat(65_536)
    const repeated = written(
      [{ name: 'model', data: new Array<string>(6_000).fill(value), type: 'STRING', encoding: 'DELTA_BYTE_ARRAY' }],
      asZstandard,
      { rowGroupSize: 10_000, pageSize: 1024 * MiB, statistics: false }
    )
    expect(repeated.length).toBeLessThan(100_000)
    await expect(previewImport(fileOf(repeated), context)).rejects.toMatchObject({ code: 'too_large' })
  })

  it('many pages that are large when unpacked are decoded a few at a time', async () => {
    const value = new Uint8Array(16 * MiB)
    const pages = written(
      [{ name: 'model', data: new Array<Uint8Array>(40).fill(value), type: 'BYTE_ARRAY', encoding: 'PLAIN' }],
      asZstandard,
      {
        pageSize: 1,
        statistics: false
      }
    )
    expect(pages.length).toBeLessThan(100_000)
    const before = process.memoryUsage().rss
    let most = 0
    const watch = setInterval(() => {
      most = Math.max(most, process.memoryUsage().rss - before)
    }, 5)
    try {
      expect(await linesOf(fileOf(pages))).toHaveLength(40)
    } finally {
      clearInterval(watch)
    }
    // All at once would be 640 MiB; the allocator gives back what it had of the pages before when it likes.
    expect(most).toBeLessThan(560 * MiB)
  })

  it('with bytes changed ends in rows or in a code, never in another way', async () => {
    const plain = Array.from({ length: 50 }, (_, i) => `Q${i}`)
    const seeds = [
      ...Object.values(ARROW).map((base64) => Buffer.from(base64, 'base64')),
      written(
        [
          { name: 'model', data: plain, type: 'STRING' },
          { name: 'prompt', data: plain, type: 'STRING' }
        ],
        asZstandard
      )
    ]
    const { below } = dice(11)
    const ends = new Set<string>()
    for (let i = 0; i < 39; i++) {
      const bytes = Buffer.from(seeds[i % seeds.length] ?? '')
      for (let n = 0; n < 2; n++) bytes[4 + below(bytes.length - 8)] = below(256)
      try {
        for await (const line of readImport(fileOf(bytes), models, context)) ends.add(line.ok ? 'row' : line.code)
      } catch (error) {
        ends.add((error as { code?: string }).code ?? String(error))
      }
    }
    expect([...ends].filter((end) => !['row', 'missing_field', 'not_this_format', 'too_large'].includes(end))).toEqual([])
    expect(ends).toContain('not_this_format')
  })
})
