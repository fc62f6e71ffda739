// SPDX-License-Identifier: Apache-2.0
// Files whose encoding or line ends keep them from being read: the refusal names them, and what to do.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { ImportMapping } from '../../../shared/contract/import-mapping.ts'
import { mappedProfile } from '../../../shared/event/profiles/mapped.ts'
import type { ImportProfile } from '../../../shared/event/profiles/profile.ts'
import { previewImport } from './preview-import.ts'
import { profileNamed } from './profiles.ts'
import { readImport } from './read-import.ts'

const root = mkdtempSync(join(tmpdir(), 'affidavit-text-'))
afterAll(() => rmSync(root, { recursive: true }))
let files = 0
function fileOf(content: Uint8Array): string {
  const path = join(root, `${files++}.dat`)
  writeFileSync(path, content)
  return path
}
const context = { zone: 'UTC', source: undefined }
const fields: ImportMapping['fields'] = { model: { from: 'model' }, prompt: { from: 'prompt' } }
const mapping: ImportMapping = { version: 1, form: 'csv', fields, others: 'keep' }
const known = (name: string): ImportProfile => {
  const profile = profileNamed(name)
  if (!profile) throw new Error('no such profile')
  return profile
}
async function refusalOf(path: string, profile: ImportProfile): Promise<unknown> {
  try {
    for await (const _ of readImport(path, profile, context));
  } catch (error) {
    return error
  }
  return undefined
}

const table = 'model,prompt\nm,caf\u00e9\nm,Q\n'
const lines = '{"model":"m","prompt":"Q"}\n{"model":"m","prompt":"R"}\n'
const littleEndian = (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le')
const utf16 = 'the file is UTF-16 by its byte-order mark: save it as UTF-8 and import that'
const cr = 'the lines of the file end with CR alone: save it with LF or CRLF as line ends and import that'
const other = 'the file is not UTF-8, but perhaps Latin-1 or Windows-1252: save it as UTF-8 and import that'

describe('the preview and the import name the cause of', () => {
  it.each([
    ['UTF-16, little-endian', littleEndian(table), utf16, mappedProfile(mapping)],
    ['UTF-16, big-endian', littleEndian(table).swap16(), utf16, mappedProfile(mapping)],
    ['UTF-16 for a known table', littleEndian(table), utf16, known('azure-llm-trace-csv')],
    ['JSON lines in UTF-16', littleEndian(lines), utf16, known('affidavit-jsonl')],
    ['line ends of CR alone', Buffer.from(table.replaceAll('\n', '\r')), cr, mappedProfile(mapping)],
    ['JSON lines that end with CR alone', Buffer.from(lines.replaceAll('\n', '\r')), cr, known('affidavit-jsonl')],
    ['Latin-1 in the header', Buffer.from('mod\u00e8le,prompt\nm,Q\n', 'latin1'), other, mappedProfile(mapping)],
    ['Latin-1 in every row', Buffer.from(`model,prompt\n${'m,caf\u00e9\n'.repeat(100)}`, 'latin1'), other, mappedProfile(mapping)]
  ])('%s', async (_, content, message, profile) => {
    const path = fileOf(content)
    await expect(previewImport(path, context)).rejects.toMatchObject({ code: 'not_this_format', message })
    expect(await refusalOf(path, profile)).toMatchObject({ code: 'not_this_format', message })
  })
})

it('a row that is not UTF-8 costs itself alone, and says what to do', async () => {
  const path = fileOf(Buffer.from(table, 'latin1'))
  const { rows, problems } = await previewImport(path, { ...context, mapping })
  expect([rows.length, problems]).toEqual([1, [{ line: 2, code: 'invalid_utf8', message: 'the row is not UTF-8: save the file as UTF-8' }]])
})

it('what is no text is not called one of another encoding, and a hundred bad rows say what is wrong with the last', async () => {
  const picture = Buffer.concat([Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 0]), Buffer.alloc(300, 0xff)])
  await expect(previewImport(fileOf(picture), context)).rejects.toMatchObject({ message: expect.stringContaining('no known format') })
  const open = fileOf(Buffer.from(`model,prompt\nm,"5 inch\n${'m,Q\n'.repeat(200)}`))
  expect(await refusalOf(open, mappedProfile(mapping))).toMatchObject({
    message: expect.stringContaining('lines 2 to 202 are not read: a quotation mark among them is not closed')
  })
})
