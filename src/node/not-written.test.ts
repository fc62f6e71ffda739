// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { writeFileDurably } from './durable-file.ts'
import { isRefusedWrite, notWritten } from './not-written.ts'

const root = mkdtempSync(join(tmpdir(), 'affidavit-not-written-'))
afterAll(() => rmSync(root, { recursive: true }))

/** What the system says of a write. */
function refusal(path: string): unknown {
  try {
    writeFileDurably(path, 'x')
  } catch (error) {
    return error
  }
  return null
}

describe('notWritten', () => {
  it('says why and what to do, without the path', () => {
    writeFileSync(join(root, 'file'), '')
    mkdirSync(join(root, 'folder'))
    const cases = [
      [join(root, 'jane', 'x.zip'), 'its folder is not there: choose another folder'],
      [join(root, 'file', 'x.zip'), 'its folder is not there: choose another folder'],
      [join(root, 'folder'), 'a folder has its name: choose another name'],
      [join(root, 'x'.repeat(300)), 'its name is too long: choose another name']
    ] as const
    for (const [path, words] of cases) {
      const error = refusal(path)
      expect(isRefusedWrite(error)).toBe(true)
      expect(notWritten(error)).toMatchObject({ code: 'file_unreadable', message: `the file cannot be written: ${words}` })
    }
  })

  it('tells a full disk from the rest, and keeps an error of ours', () => {
    const full = Object.assign(new Error('no space'), { code: 'ENOSPC' })
    expect(notWritten(full)).toMatchObject({ code: 'disk_full', message: expect.stringContaining('free some space') })
    expect(notWritten(notWritten(full))).toMatchObject({ code: 'disk_full' })
    expect(isRefusedWrite(new Error('of ours'))).toBe(false)
    expect(notWritten(new Error('of ours'))).toMatchObject({ code: 'file_unreadable' })
  })
})

describe('writeFileDurably', () => {
  it('writes a large content whole', () => {
    const content = Buffer.alloc(8 << 20, 7)
    writeFileDurably(join(root, 'large'), content)
    expect(readFileSync(join(root, 'large')).equals(content)).toBe(true)
  })
})
