// SPDX-License-Identifier: Apache-2.0
// A bag that another program made and zipped is no bundle with files missing: it is refused in words that say what to do.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { verifyBundleFile } from './verify-file.ts'

const root = mkdtempSync(join(tmpdir(), 'affidavit-zipped-bag-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

function zipped(name: string, files: readonly string[]): string {
  const folder = join(root, name)
  for (const file of files) {
    mkdirSync(join(folder, file, '..'), { recursive: true })
    writeFileSync(join(folder, file), file)
  }
  const out = join(root, `${name}.zip`)
  execFileSync('zip', ['-q', '-r', '-D', out, '.'], { cwd: folder })
  return out
}

it.each([
  ['flat', ['bagit.txt', 'bag-info.txt', 'manifest-sha256.txt', 'data/letter.txt']],
  ['in-a-folder', ['bag/bagit.txt', 'bag/manifest-sha512.txt', 'bag/data/letter.txt']]
])('%s', async (name, files) => {
  await expect(verifyBundleFile(zipped(name, files))).rejects.toMatchObject({
    code: 'not_this_format',
    message: 'this is a zipped BagIt bag of another program: unpack it, and choose its folder'
  })
})

it('what has a file of the layout is a bundle, however much of it is missing', async () => {
  const bundle = zipped('bundle', ['bagit.txt', 'manifest-sha256.txt', 'trust/log.vkey'])
  expect((await verifyBundleFile(bundle)).kind).toBe('invalid')
})
