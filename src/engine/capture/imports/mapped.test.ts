// SPDX-License-Identifier: Apache-2.0
// Files that no profile knows: the guess, the mapping, and what hostile files do.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { type ImportMapping, importMapping } from '../../../shared/contract/import-mapping.ts'
import { importOperations } from '../../../shared/contract/imports.ts'
import { mappedProfile } from '../../../shared/event/profiles/mapped.ts'
import { previewImport } from './preview-import.ts'
import { type ImportLine, readImport } from './read-import.ts'

const root = mkdtempSync(join(tmpdir(), 'affidavit-mapped-'))
afterAll(() => rmSync(root, { recursive: true }))
let files = 0
function fileOf(content: string | Uint8Array): string {
  const path = join(root, `${files++}.dat`)
  writeFileSync(path, content)
  return path
}
const context = { zone: 'UTC', source: undefined }
const preview = (content: string | Uint8Array, mapping?: ImportMapping) => previewImport(fileOf(content), { ...context, mapping })
async function linesOf(content: string | Uint8Array, mapping: ImportMapping, zone = 'UTC'): Promise<ImportLine[]> {
  const out: ImportLine[] = []
  for await (const line of readImport(fileOf(content), mappedProfile(mapping), { zone, source: undefined })) out.push(line)
  return out
}
const mapped = (fields: ImportMapping['fields'], more: Partial<ImportMapping> = {}): ImportMapping => ({
  version: 1,
  form: 'csv',
  fields,
  others: 'keep',
  ...more
})
const noon = Date.UTC(2025, 0, 31, 12) * 1000

describe('the guess', () => {
  it.each([
    [
      'CSV, names with units',
      'Request ID,Created At,Model Name,User Prompt,Completion,latency_ms,prompt_tokens,completion_tokens,userId,success\nr1,2025-01-31 12:00:00,gpt-4o,"Q, and ""so"" on",A,812,3,4,u7,true\n',
      {
        id: { from: 'Request ID' },
        time: { from: 'Created At', unit: 'text' },
        model: { from: 'Model Name' },
        prompt: { from: 'User Prompt' },
        response: { from: 'Completion' },
        latency: { from: 'latency_ms', unit: 'ms' },
        input_tokens: { from: 'prompt_tokens' },
        output_tokens: { from: 'completion_tokens' },
        user_id: { from: 'userId' },
        status: { from: 'success' }
      },
      { unsure: ['prompt'], zone_for: ['Created At'] }
    ],
    [
      'CSV with semicolons, seconds by their size',
      'ts;model;question;answer;duration;spend\n1738324800;m;Q;A;1.25;0.5\n1738324801;m;Q;A;0.7;0.5\n',
      {
        time: { from: 'ts', unit: 's' },
        model: { from: 'model' },
        prompt: { from: 'question' },
        response: { from: 'answer' },
        latency: { from: 'duration', unit: 's' },
        cost: { from: 'spend' }
      },
      { unsure: ['latency'], zone_for: [] }
    ],
    [
      'JSON lines with objects in objects',
      `${JSON.stringify({ meta: { at: 1738324800000, created: 1738324800000 }, req: { model: 'm', messages: [{ role: 'user', content: 'Q' }] }, choices: [{ message: { content: 'A' } }], usage: { prompt_tokens: 3, completion_tokens: 4 } })}\n`,
      {
        time: { from: '/meta/created', unit: 'ms' },
        model: { from: '/req/model' },
        prompt: { from: '/req/messages' },
        response: { from: '/choices/0/message/content' },
        input_tokens: { from: '/usage/prompt_tokens' },
        output_tokens: { from: '/usage/completion_tokens' }
      },
      { zone_for: [] }
    ]
  ])('%s', async (_, content, fields, more) => {
    const { mapping, ...rest } = await preview(content)
    expect(rest.profile).toBe('mapped')
    expect(importMapping.parse(mapping?.used).fields).toEqual(fields)
    expect(mapping?.guessed).toBe(true)
    if ('unsure' in more) expect(mapping?.unsure).toEqual(more.unsure)
    expect(rest.zone_for).toEqual(more.zone_for)
    expect(rest.problems).toEqual([])
    expect(rest.rows[0]).toMatchObject({ timestamp: '2025-01-31T12:00:00.000Z', response: 'A' })
  })

  it('leaves credentials alone and says what is missing', async () => {
    const { mapping, rows, problems } = await preview('id,API_Key,prompt\n1,sk-12345,Q\n')
    expect(mapping?.used.fields).toEqual({ id: { from: 'id' }, prompt: { from: 'prompt' } })
    expect(mapping?.faults).toEqual([{ field: 'model', message: expect.stringContaining('model: choose'), rows: 0 }])
    expect(rows).toEqual([])
    expect(problems[0]).toMatchObject({ field: 'model', code: 'missing_field' })
  })

  it('says of the mapping what does not fit, field by field', async () => {
    const given = mapped({ model: { from: 'm' }, time: { from: 't', unit: 'ms' }, latency: { from: 'gone', unit: 's' } })
    const { mapping, rows } = await preview('m,t\nx,1738324800\ny,1738324800000\n', given)
    expect(mapping?.faults).toEqual([
      { field: 'latency', message: 'latency: the file has no such column', rows: 0 },
      { field: 'time', message: 'time: expected milliseconds since 1970', rows: 1 }
    ])
    expect(rows.map((row) => row.line)).toEqual([3])
  })
})

describe('a mapping', () => {
  it('reads units, zones, outcomes and a fixed model; never repeats a value that does not fit', async () => {
    const mapping = mapped({
      model: { value: 'gpt-4o' },
      time: { from: 'when', unit: 'text_dmy' },
      latency: { from: 'took', unit: 's' },
      status: { from: 'code' },
      error: { from: 'err' },
      cost: { from: 'usd' },
      input_tokens: { from: 'in' },
      prompt: { from: 'q' }
    })
    const lines = await linesOf(
      'when,took,code,err,usd,in,q,team,password\n31/01/2025 1:00 PM,1.5,200,None,0.25,3,none,blue,hunter2\n31/01/2025 13:00,1,429,slow down,,NaN,,,\n01/31/2025 13:00,1,200,,,3,,,\n31/01/2025 13:00,-1,200,,,3,,,\n31/01/2025 13:00,1,maybe,,,3,,,\n31/01/2025 13:00,1,200,,,1.5,,,\n',
      mapping,
      'Europe/Paris'
    )
    expect(lines[0]).toMatchObject({
      ok: true,
      event: {
        request_model: 'gpt-4o',
        start_us: noon,
        latency_us: 1_500_000,
        status: 'success',
        http_status: 200,
        input_tokens: 3,
        input_messages: [{ role: 'user', parts: [{ type: 'text', content: 'none' }] }],
        attributes: { cost_usd: 0.25, team: 'blue' }
      }
    })
    expect(lines[1]).toMatchObject({ ok: true, event: { status: 'error', http_status: 429, error_message: 'slow down' } })
    expect(lines[1]?.ok && 'input_tokens' in lines[1].event).toBe(false)
    expect(lines.slice(2).map((line) => (line.ok ? 'ok' : line.field))).toEqual(['time', 'latency', 'status', 'input_tokens'])
    expect(JSON.stringify(lines)).not.toMatch(/hunter2|maybe|password/)
  })

  it('is refused by the contract when it is none', () => {
    const start = importOperations['import.start'].input
    const good = { path: '/f', profile: 'mapped', mapping: mapped({ model: { from: 'm' } }) }
    expect(start.safeParse(good).success).toBe(true)
    const bad: unknown[] = [
      { model: { from: '' } },
      { model: { from: 'm', value: 'v' } },
      { model: {} },
      { model: { from: 'm' }, time: { from: 't' } },
      { model: { from: 'm' }, latency: { from: 'l', unit: 'h' } },
      { prompt: { value: 'fixed' } },
      { model: { from: 'x'.repeat(513) } },
      { model: { from: '\ud800' } },
      JSON.parse('{"__proto__": {"from": "x"}}')
    ]
    for (const fields of bad)
      expect(start.safeParse({ ...good, mapping: { ...good.mapping, fields } }).success, JSON.stringify(fields)).toBe(false)
    expect(start.safeParse({ ...good, mapping: { ...good.mapping, version: 2 } }).success).toBe(false)
    expect(start.safeParse({ ...good, mapping: { ...good.mapping, form: 'xls' } }).success).toBe(false)
  })
})

describe('hostile files', () => {
  const byModel = mapped({ model: { from: 'model' }, prompt: { from: 'prompt' } })

  it('10,000 columns are listed in part and left out unless asked for', async () => {
    const names = Array.from({ length: 10_000 }, (_, i) => `c${i}`)
    const { mapping, rows } = await preview(`model,prompt,${names.join(',')}\nm,Q,${names.join(',')}\n`)
    expect(mapping).toMatchObject({ more_columns: 9_702, used: { others: 'drop' } })
    expect(mapping?.columns).toHaveLength(300)
    expect(rows).toHaveLength(1)
  })

  it('a byte-order mark, NUL, formulas, quoted line ends and names of prototypes are values like others', async () => {
    const lines = await linesOf(
      '\ufeffmodel,prompt,__proto__,constructor,toString\r\nm,"=cmd|\' /C calc\'!A0\r\n+1",{"polluted":1},x,a\u0000b\r\n',
      byModel
    )
    const event = lines[0]?.ok ? lines[0].event : undefined
    expect(event?.input_messages?.[0]?.parts[0]?.content).toBe("=cmd|' /C calc'!A0\r\n+1")
    expect(Object.keys(event?.attributes ?? {}).sort()).toEqual(['__proto__', 'constructor', 'toString'])
    expect(({} as { polluted?: number }).polluted).toBeUndefined()
  })

  it('a path leads to members of the row alone', async () => {
    const mapping = mapped({ model: { from: '/constructor/name' }, provider: { from: '/__proto__/x' } }, { form: 'jsonl' })
    const lines = await linesOf('{"model":"m"}\n{"constructor":{"name":"m"},"__proto__":{"x":"p"}}\n', mapping)
    expect(lines[0]).toMatchObject({ ok: false, field: 'model' })
    expect(lines[1]).toMatchObject({ ok: true, event: { request_model: 'm', provider: 'p' } })
  })

  it('broken UTF-8, long lines and a hundred thousand levels cost their line alone', async () => {
    const deep = '['.repeat(100_000) + ']'.repeat(100_000)
    const good = '{"model":"m","prompt":"Q"}\n'
    const content = Buffer.concat([
      Buffer.from(good),
      Buffer.from([0x7b, 0xff, 0x7d, 0x0a]),
      Buffer.from(`{"model":"m","prompt":"${'x'.repeat(10 * 1024 * 1024)}"}\n`),
      Buffer.from(`{"model":"m","prompt":${deep}}\n`),
      Buffer.from(`{"model":"m","prompt":"Q","more":${deep}}\n`),
      Buffer.from(good)
    ])
    const lines = await linesOf(content, { ...byModel, form: 'jsonl' })
    expect(lines.map((line) => (line.ok ? 'ok' : line.code))).toEqual([
      'ok',
      'invalid_utf8',
      'line_too_long',
      'too_deep',
      'wrong_type',
      'ok'
    ])
    expect((await preview(content)).rows).toHaveLength(2)
  })

  it('what is no text is not offered a mapping', async () => {
    for (const content of [
      Buffer.alloc(3_000, 7),
      Buffer.from('PK\u0003\u0004,a\nb,c\n'),
      Buffer.from('\ufffe,a\nb,c', 'utf16le'),
      '',
      'one column\nx\n'
    ])
      await expect(preview(content)).rejects.toMatchObject({ code: 'not_this_format' })
    await expect(linesOf('a,b\n1,2\n', byModel)).rejects.toMatchObject({ code: 'not_this_format' })
  })

  it('two columns of one name, and one without a name, are three columns', async () => {
    const { mapping } = await preview('model,x,x,,prompt\nm,1,2,3,Q\n')
    expect(mapping?.columns.map(({ from }) => from)).toEqual(['model', 'x', 'x (2)', 'column 4', 'prompt'])
  })
})
