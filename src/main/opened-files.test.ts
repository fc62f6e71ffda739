// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bundleIn, OpenedFiles } from './opened-files.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'affidavit-opened-'))
  for (const name of ['a.affidavit.zip', 'b.AFFIDAVIT', 'c.zip', 'd.affidavit.zip.age', 'e.age']) writeFileSync(join(folder, name), '')
  mkdirSync(join(folder, 'folder.affidavit'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('bundleIn', () => {
  it('finds the bundle that was opened, by its whole path or beside the caller', () => {
    expect(bundleIn(['affidavit', join(folder, 'a.affidavit.zip')], '/')).toBe(join(folder, 'a.affidavit.zip'))
    expect(bundleIn(['affidavit', '--no-sandbox', 'b.AFFIDAVIT'], folder)).toBe(join(folder, 'b.AFFIDAVIT'))
    expect(bundleIn(['affidavit', 'd.affidavit.zip.age'], folder)).toBe(join(folder, 'd.affidavit.zip.age'))
  })
  it.each([
    [[]],
    [['affidavit']],
    [['a.affidavit.zip']],
    [['affidavit', 'c.zip']],
    [['affidavit', 'e.age']],
    [['affidavit', 'none.affidavit.zip']],
    [['affidavit', 'folder.affidavit']],
    [['affidavit', '--x=a.affidavit.zip']],
    [['affidavit', 'a.affidavit.zip\0.affidavit.zip']]
  ])('takes nothing else: %j', (argv) => expect(bundleIn(argv, folder)).toBeNull())
})

describe('OpenedFiles', () => {
  it('gives a file once, the newest', () => {
    let told = 0
    const files = new OpenedFiles()
    files.offer('/before anybody listens')
    files.onChange(() => told++)
    expect(files.take()).toBe('/before anybody listens')
    files.offer(null)
    expect([files.take(), told]).toEqual([null, 0])
    files.offer('/a')
    files.offer('/b')
    expect([files.take(), files.take(), told]).toEqual(['/b', null, 2])
  })
})
