// SPDX-License-Identifier: Apache-2.0
// Quotation marks in CSV: which of them open a field, and what one that is not closed costs.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { ImportMapping } from '../../../shared/contract/import-mapping.ts'
import { mappedProfile } from '../../../shared/event/profiles/mapped.ts'
import { previewImport } from './preview-import.ts'
import { profileNamed } from './profiles.ts'
import { readImport } from './read-import.ts'

const root = mkdtempSync(join(tmpdir(), 'affidavit-marks-'))
afterAll(() => rmSync(root, { recursive: true }))
let files = 0
function fileOf(content: string | Uint8Array): string {
  const path = join(root, `${files++}.csv`)
  writeFileSync(path, content)
  return path
}
const columns = (delimiter: NonNullable<ImportMapping['delimiter']> = ','): ImportMapping => ({
  version: 1,
  form: 'csv',
  delimiter,
  fields: { model: { from: 'model' }, prompt: { from: 'prompt' } },
  others: 'keep'
})

/** Prompts of the rows taken, and lines and codes of those that are not. */
async function read(content: string | Uint8Array, delimiter?: NonNullable<ImportMapping['delimiter']>) {
  const prompts: (string | undefined)[] = []
  const bad: [number, string, string][] = []
  for await (const line of readImport(fileOf(content), mappedProfile(columns(delimiter)), { zone: 'UTC', source: undefined }))
    if (line.ok) prompts.push(line.event.input_messages?.[0]?.parts[0]?.content ?? undefined)
    else bad.push([line.line, line.code, line.message])
  return { prompts, bad }
}

describe('a quotation mark', () => {
  it('within a field is a sign like any other: a thousand rows are a thousand rows', async () => {
    const rows = Array.from({ length: 1_000 }, (_, i) => `m,${i === 100 ? '5" pipe' : `"ask ${i}"`},x`).join('\n')
    const { prompts, bad } = await read(`model,prompt,more\n${rows}\n`)
    expect({ taken: prompts.length, bad }).toEqual({ taken: 1_000, bad: [] })
    expect(prompts.slice(100, 102)).toEqual(['5" pipe', 'ask 101'])
  })

  it.each([',', ';', '\t', '|'] as const)('opens a field only behind the separator of the file: %j', async (by) => {
    const file =
      ['model', 'prompt'].join(by) +
      '\n' +
      ['a', '"two\nlines, ""said"";|"'].join(by) +
      '\n' +
      ['b', `x,;|"y`.replaceAll(by, '')].join(by) +
      '\n' +
      ['c', 'z'].join(by)
    expect(await read(file, by)).toEqual({ prompts: ['two\nlines, "said";|', `x,;|"y`.replaceAll(by, ''), 'z'], bad: [] })
    expect((await previewImport(fileOf(file), { zone: 'UTC', source: undefined })).rows.map((row) => row.model)).toEqual(['a', 'b', 'c'])
  })

  it('behind a byte-order mark opens the first field', async () => {
    expect(await read('\ufeff"model","prompt"\r\n"m","Q\r\nR"\r\n')).toEqual({ prompts: ['Q\r\nR'], bad: [] })
  })

  it('that is never closed costs the lines from there on, each counted and named', async () => {
    const why = 'lines 3 to 5 are not read: a quotation mark among them is not closed'
    for (const end of ['', '\n'])
      expect(await read(`model,prompt\nm,Q\nm,"5 inch\nm,R\nm,S${end}`)).toEqual({
        prompts: ['Q'],
        bad: [3, 4, 5].map((line) => [line, 'malformed_csv', why])
      })
    // What is not UTF-8 hides none of them.
    const bytes = Buffer.concat([Buffer.from('model,prompt\nm,Q\nm,"5'), Buffer.from([0xe9]), Buffer.from('\nm,R\nm,S')])
    expect((await read(bytes)).bad).toHaveLength(3)
  })

  it('that is closed by the one which opens a later field costs the lines up to there', async () => {
    const { prompts, bad } = await read('model,prompt\nm,Q\nm,"5 inch\nm,R\nm,"S"\nm,T\n')
    expect(prompts).toEqual(['Q', 'T'])
    expect(bad.map(([line]) => line)).toEqual([3, 4, 5])
  })

  it('that is not closed within 10 MiB costs those lines, and what follows is read', async () => {
    const line = `m,${'x'.repeat(1024 * 1024)}\n`
    const { prompts, bad } = await read(`model,prompt\nm,Q\nm,"open\n${line.repeat(11)}m,R\n`)
    expect(prompts.filter((prompt) => prompt !== undefined && prompt.length < 10)).toEqual(['Q', 'R'])
    expect(prompts.length + bad.length).toBe(14)
  })
})

it('a known format reads marks as the preview does', async () => {
  const path = fileOf('TIMESTAMP,ContextTokens,GeneratedTokens\n2025-01-31 12:00:00,4"8,1\n2025-01-31 12:00:01,48,1\n')
  const profile = profileNamed('azure-llm-trace-csv')
  if (!profile) throw new Error('no such profile')
  const taken: boolean[] = []
  for await (const line of readImport(path, profile, { zone: 'UTC', source: undefined })) taken.push(line.ok)
  expect(taken).toEqual([false, true])
  const shown = await previewImport(path, { zone: 'UTC', source: undefined })
  expect([shown.rows.length, shown.problems.map(({ line }) => line)]).toEqual([1, [2]])
})
