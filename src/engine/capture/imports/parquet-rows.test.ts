// SPDX-License-Identifier: Apache-2.0
// Parquet files, good and hostile, as the import reads them.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ColumnSource, parquetWriteBuffer } from 'hyparquet-writer'
import { afterAll, describe, expect, it } from 'vitest'
import { mappedProfile } from '../../../shared/event/profiles/mapped.ts'
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
const written = (columnData: ColumnSource[], rowGroupSize = 100_000) =>
  Buffer.from(parquetWriteBuffer({ columnData, rowGroupSize }) as ArrayBuffer)
const context = { zone: 'UTC', source: undefined }
const noon = Date.UTC(2025, 0, 31, 12)

const ROWS = 8_000
const numbers = Array.from({ length: ROWS }, (_, i) => i)
const calls = written(
  [
    { name: 'created_at', data: numbers.map((i) => new Date(noon + i)), type: 'TIMESTAMP' },
    { name: 'model', data: numbers.map(() => 'gpt-4o'), type: 'STRING' },
    { name: 'prompt', data: numbers.map((i) => (i === 3 ? null : `Q${i}`)), type: 'STRING', nullable: true },
    { name: 'latency_ms', data: numbers.map((i) => (i === 5 ? -1 : i / 2)), type: 'DOUBLE' },
    { name: 'prompt_tokens', data: numbers.map(BigInt), type: 'INT64' },
    { name: 'meta', data: numbers.map((i) => ({ api_key: 'sk-1', tags: ['a', i] })), type: 'JSON' }
  ],
  5_500
)

describe('Parquet', () => {
  it('keeps every digit of a JSON column, and a cell of it that is no JSON as the text that it is', async () => {
    const cells = numbers.slice(0, 200).map((i) => ({ order: 'LONG_NUMBER_OF_ORDER', cell: `cell${String(i).padStart(3, '0')}` }))
    const data = Buffer.from(
      parquetWriteBuffer({
        columnData: [
          { name: 'model', data: cells.map(() => 'gpt-4o'), type: 'STRING' },
          { name: 'meta', data: cells, type: 'JSON', encoding: 'PLAIN' }
        ],
        codec: 'UNCOMPRESSED',
        statistics: false
      }) as ArrayBuffer
    )
    // As long as what it stands for, so that no length in the file changes.
    const long = '  1152921504606846977 '
    expect(long).toHaveLength('"LONG_NUMBER_OF_ORDER"'.length)
    const bytes = Buffer.from(data.toString('latin1').replaceAll('"LONG_NUMBER_OF_ORDER"', long), 'latin1')
    bytes.write('!', bytes.indexOf('"cell150"') - 1)
    const lines: ImportLine[] = []
    const profile = mappedProfile({ version: 1, form: 'parquet', others: 'keep', fields: { model: { from: 'model' } } })
    for await (const line of readImport(fileOf(bytes), profile, context)) lines.push(line)
    expect(lines).toHaveLength(200)
    const metaOf = (line: ImportLine | undefined) => (line?.ok ? line.event.attributes?.meta : undefined)
    expect(metaOf(lines[0])).toEqual({ order: '1152921504606846977', cell: 'cell000' })
    expect(metaOf(lines[150])).toBe('{"order":  1152921504606846977 ,"cell"!"cell150"}')
  })

  it('is mapped by its columns and read across row groups', async () => {
    const path = fileOf(calls)
    const { profile, file, mapping, rows } = await previewImport(path, context)
    expect({ profile, form: file.form, rows: rows.length }).toEqual({ profile: 'mapped', form: 'parquet', rows: 19 })
    expect(mapping?.used).toMatchObject({
      form: 'parquet',
      fields: {
        time: { from: 'created_at', unit: 'text' },
        model: { from: 'model' },
        prompt: { from: 'prompt' },
        latency: { from: 'latency_ms', unit: 'ms' },
        input_tokens: { from: 'prompt_tokens' }
      }
    })
    if (!mapping) throw new Error('no mapping')
    const lines: ImportLine[] = []
    for await (const line of readImport(path, mappedProfile(mapping.used), context)) lines.push(line)
    expect(lines.map((line) => line.line)).toEqual(numbers.map((i) => i + 1))
    expect(lines[5]).toMatchObject({ ok: false, code: 'wrong_type', field: 'latency' })
    const last = lines.at(-1)
    expect(last).toMatchObject({
      ok: true,
      event: {
        start_us: (noon + ROWS - 1) * 1000,
        request_model: 'gpt-4o',
        latency_us: ((ROWS - 1) / 2) * 1000,
        input_tokens: ROWS - 1,
        input_messages: [{ role: 'user', parts: [{ type: 'text', content: `Q${ROWS - 1}` }] }],
        attributes: { meta: { tags: ['a', ROWS - 1] } }
      }
    })
    expect(JSON.stringify(last)).not.toContain('sk-1')
    expect(lines[3]?.ok && lines[3].event.input_messages).toBeUndefined()
  })

  it('is known by a profile when it has its columns', async () => {
    const spans = written([
      { name: 'context.trace_id', data: ['1'.repeat(32)], type: 'STRING' },
      { name: 'context.span_id', data: ['2'.repeat(16)], type: 'STRING' },
      { name: 'span_kind', data: ['LLM'], type: 'STRING' },
      { name: 'start_time', data: [new Date(noon)], type: 'TIMESTAMP' },
      { name: 'attributes.llm.model_name', data: ['gpt-4o'], type: 'STRING' },
      { name: 'attributes.llm.token_count.prompt', data: [3], type: 'DOUBLE' }
    ])
    const { profile, rows } = await previewImport(fileOf(spans), context)
    expect(profile).toBe('phoenix-spans')
    expect(rows[0]).toMatchObject({ model: 'gpt-4o', input_tokens: 3, timestamp: '2025-01-31T12:00:00.000Z' })
    const trace = written([
      { name: 'TIMESTAMP', data: ['2025-01-31 12:00:00'], type: 'STRING' },
      { name: 'ContextTokens', data: [4n], type: 'INT64' },
      { name: 'GeneratedTokens', data: [5n], type: 'INT64' }
    ])
    expect(await previewImport(fileOf(trace), context)).toMatchObject({ profile: 'azure-llm-trace-csv', rows: [{ input_tokens: 4 }] })
  })

  it('that is cut, claims too much or is of another form is refused with a code', async () => {
    const footer = Buffer.from(calls)
    footer.writeUInt32LE(0x7fffffff, footer.length - 8)
    const magic = Buffer.from(calls)
    magic.write('NOPE', magic.length - 4)
    for (const [bytes, code] of [
      [calls.subarray(0, 40_000), 'not_this_format'],
      [Buffer.concat([calls.subarray(0, 2_000), calls.subarray(20_000)]), 'not_this_format'],
      [footer, 'too_large'],
      [magic, 'not_this_format'],
      [Buffer.from('PAR1PAR1'), 'not_this_format']
    ] as const)
      await expect(previewImport(fileOf(bytes), context)).rejects.toMatchObject({ code })
  })

  it.each([
    [
      'a page that claims a billion values',
      'UEFSMRUAFRQVFCwVgICAgAgVABUGFQYAAAYAAACAgICACAAVAhksSAFyFQIAFQIlAhgFbW9kZWwAFoCAgIAIGRwZHCYIHBUCGRUAGRgFbW9kZWwVABaAgICACBY+Fj4mCAAAFj4WgICAgAgAAEoAAABQQVIx'
    ],
    [
      'a run that stands for a billion values',
      'UEFSMRUAFRQVFCwV0A8VABUGFQYAAAYAAACAgICACAAVAhksSAFyFQIAFQIlAhgFbW9kZWwAFtAPGRwZHCYIHBUCGRUAGRgFbW9kZWwVABbQDxY4FjgmCAAAFjgW0A8AAEEAAABQQVIx'
    ]
  ])('of a few bytes with %s ends in a code', async (_, bytes) => {
    await expect(previewImport(fileOf(Buffer.from(bytes, 'base64')), context)).rejects.toMatchObject({ code: 'too_large' })
  })

  it('is left at once when the import is cancelled', async () => {
    const control = new AbortController()
    const profile = mappedProfile({ version: 1, form: 'parquet', others: 'drop', fields: { model: { from: 'model' } } })
    const read = async () => {
      for await (const line of readImport(fileOf(calls), profile, context, control.signal)) if (line.line === 10) control.abort()
    }
    await expect(read()).rejects.toMatchObject({ code: 'cancelled' })
  })
})
