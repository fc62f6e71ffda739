// SPDX-License-Identifier: Apache-2.0
// Files that are one JSON text instead of lines.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { previewImport } from './preview-import.ts'
import { profileNamed } from './profiles.ts'
import { detectProfiles, type ImportLine, readImport } from './read-import.ts'

const root = mkdtempSync(join(tmpdir(), 'affidavit-json-'))
afterAll(() => rmSync(root, { recursive: true }))
let files = 0

async function linesOf(text: string): Promise<ImportLine[]> {
  const profile = profileNamed('litellm-spend-logs')
  if (profile === undefined) throw new Error('no such profile')
  const path = join(root, `${files++}.json`)
  writeFileSync(path, text)
  const out: ImportLine[] = []
  for await (const line of readImport(path, profile, { zone: 'UTC', source: undefined })) out.push(line)
  if (out.length > 0) expect((await detectProfiles(path)).candidates[0]?.profile.name).toBe(profile.name)
  return out
}

describe('one JSON text', () => {
  const good = {
    request_id: 'r',
    call_type: 'acompletion',
    startTime: '2025-01-31T12:00:00',
    spend: 0.01,
    model: 'a[b]"{\\'
  }
  const models = (lines: readonly ImportLine[]) => lines.map((line) => (line.ok ? line.event.request_model : line.code))
  const list = [good, { ...good, startTime: 5 }, good]

  it.each([
    ['a list', JSON.stringify(list)],
    ['a list over many lines, with a byte-order mark', `\ufeff${JSON.stringify(list, null, 2)}\n`],
    ['under data', JSON.stringify({ total: 3, meta: { data: [1, [2]] }, data: list, more: [{}] })],
    ['under results.results', JSON.stringify({ version: '[{', results: { stats: [1], results: list } }, null, 1)]
  ])('%s is read item by item', async (_, text) => {
    const lines = await linesOf(text)
    expect(models(lines)).toEqual([good.model, 'wrong_type', good.model])
    expect(lines.map((line) => line.line)).toEqual([1, 2, 3])
  })

  it('says under which members the list lies, and which times name no zone', async () => {
    const at = '2025-01-31T12:00:00'
    const call = { id: 'o', traceId: 't', type: 'GENERATION', model: 'm', startTime: at, endTime: `${at}Z` }
    const previewOf = async (value: unknown) => {
      const path = join(root, `${files++}.json`)
      writeFileSync(path, typeof value === 'string' ? value : JSON.stringify(value, null, 1))
      const { file, zone_for } = await previewImport(path, { zone: 'UTC', source: undefined })
      return [file.form, file.list, zone_for]
    }
    expect(await previewOf([call])).toEqual(['json', null, ['startTime']])
    expect(await previewOf({ meta: { data: [1] }, data: [call] })).toEqual(['json', 'data', ['startTime']])
    expect(await previewOf({ results: { stats: [], results: [{ ...call, startTime: `${at}+01:00` }] } })).toEqual([
      'json',
      'results.results',
      []
    ])
    expect(await previewOf({ data: [{ id: 't', timestamp: at, observations: [call] }] })).toEqual(['json', 'data', ['startTime']])
    expect(await previewOf(`${JSON.stringify(call)}\n${JSON.stringify(call)}\n`)).toEqual(['jsonl', null, ['startTime']])
    // Mapped by hand, the column is one of the person's own choosing.
    expect(await previewOf({ rows: [{ model: 'm', started: at }] })).toEqual(['json', 'rows', ['started']])
    // Only a name that leads to rows is shown; in quotation marks it is a text.
    await expect(previewOf({ ['x'.repeat(5000)]: [call] })).rejects.toMatchObject({ code: 'not_this_format' })
    expect(await previewOf({ note: '"data": [', data: [call] })).toEqual(['json', 'data', ['startTime']])
  })

  it('a list of nothing is nothing; what stops within it, or is none, is said', async () => {
    const read = async (text: string) => models(await linesOf(text))
    const one = JSON.stringify(good)
    expect(await read('[ ]')).toEqual([])
    expect(await read(`[${one},\n`)).toEqual([good.model, 'malformed_json'])
    expect(await read(`[${one},{"request_id":"`)).toEqual([good.model, 'malformed_json'])
    expect(await read(`[${one},,${one} ${one},${'['.repeat(100_000)}${']'.repeat(100_000)},${one},]`)).toEqual([
      good.model,
      'malformed_json',
      'malformed_json',
      'not_an_object',
      good.model
    ])
    expect(await read(`[${one},"${'x'.repeat(10 * 1024 * 1024)}",${one}]`)).toEqual([good.model, 'line_too_long', good.model])
    for (const text of ['{\n"nothing": [1]\n}', `{\n${'{"data":'.repeat(5_000)}`, '{'])
      await expect(read(text)).rejects.toMatchObject({ code: 'not_this_format' })
  })

  it('lines stay lines when one of the first is broken', async () => {
    expect(models(await linesOf(`{"request_id":\n${JSON.stringify(good)}\n`))).toEqual(['malformed_json', good.model])
  })
})
