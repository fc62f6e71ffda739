// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createPackage } from '@electron/asar'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { root } from '../project.ts'
import { problemsOfArchive, problemsOfFolder, problemsOfResources, problemsOfSources } from './contents.ts'
import { identityOf } from './identity.ts'
import { packageOf } from './licences.ts'

const good: Readonly<Record<string, string>> = {
  'package.json': '{}',
  'out/main/index.js': 'const pem = "-----BEGIN PRIVATE KEY-----"\n//# sourceMappingURL=index.js.map',
  'out/main/verify.html': '<p>',
  'out/preload/index.cjs': '',
  'out/renderer/index.html': '',
  'out/renderer/assets/index-Bq_YIysn.js': '',
  'node_modules/better-sqlite3/lib/methods/wrappers.js': '',
  'node_modules/better-sqlite3/prebuilds/linux-x64.node': 'binary'
}

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'affidavit-contents-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let made = 0
function write(files: Readonly<Record<string, string>>): string {
  const at = join(folder, String(made++))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(at, dirname(name)), { recursive: true })
    writeFileSync(join(at, name), text)
  }
  return at
}
async function archive(files: Readonly<Record<string, string>>, change: (at: string) => void = () => {}): Promise<string> {
  const at = write(files)
  change(at)
  return pack(at, `${at}.asar`)
}
/** The library is done when the last bytes are on their way, not when they are there. */
async function pack(from: string, to: string): Promise<string> {
  await createPackage(from, to)
  await vi.waitFor(() => expect(problemsOfArchive(to).join()).not.toContain('the package ends'))
  return to
}

describe('problemsOfArchive', () => {
  it('finds none in what a build leaves', async () => expect(problemsOfArchive(await archive(good))).toEqual([]))
  it('does not take an empty package for a good one', async () => {
    expect(problemsOfArchive(await archive({}, (at) => mkdirSync(at)))).toEqual(['the package is empty'])
  })
  it.each([
    ['src/engine/engine.test.ts'],
    ['out/main/index.js.map'],
    ['out/renderer/assets/index-Bq_YIysn.js.map'],
    ['e2e/harness.ts'],
    ['out/main/ledger.db'],
    ['.env'],
    ['node_modules/better-sqlite3/src/addon.cpp'],
    ['node_modules/vitest/index.js']
  ])('refuses the file %s', async (name) => {
    expect(problemsOfArchive(await archive({ ...good, [name]: 'x' }))).toEqual([`${name} does not belong into the package`])
  })
  it.each([
    ['a source map with sources', '{"sourcesContent":["x"]}'],
    ['a private key', `-----BEGIN OPENSSH PRIVATE KEY-----\n${'A'.repeat(64)}`],
    ['a private key', `'-----BEGIN PRIVATE KEY-----\\n${'A'.repeat(64)}'`],
    ['an age identity', `AGE-SECRET-KEY-1${'Q'.repeat(58)}`],
    ['a token', `"npm_${'a'.repeat(36)}"`],
    ['a token', `"sk-${'a'.repeat(48)}"`],
    ['a database', 'SQLite format 3\0'],
    ['the library of the tests', "import { expect } from 'vitest'"]
  ])('refuses %s', async (what, text) => {
    expect(problemsOfArchive(await archive({ ...good, 'out/main/engine.js': text }))).toEqual([`out/main/engine.js holds ${what}`])
  })
  it('refuses a name of a folder of this machine', async () => {
    const found = problemsOfArchive(await archive({ ...good, 'out/main/engine.js': `"${root}/src/x.ts"` }))
    expect(found).toContain(`out/main/engine.js names ${root}, a folder of this machine`)
    expect(problemsOfArchive(await archive({ ...good, 'out/main/engine.js': `"${homedir()}/x"` }))).toHaveLength(1)
  })
  it('refuses a package that ends early', async () => {
    const cut = await archive(good)
    truncateSync(cut, statSync(cut).size - 1)
    expect(problemsOfArchive(cut)).toEqual([expect.stringMatching(/^the package ends before .+ does$/)])
  })
  it('refuses a link', async () => {
    const linked = await archive(good, (at) => symlinkSync('index.js', join(at, 'out/main/other.js')))
    expect(problemsOfArchive(linked)).toEqual(['out/main/other.js is a link'])
  })
})

describe('problemsOfResources and problemsOfFolder', () => {
  it('refuse what lies beside', async () => {
    const files = {
      'resources/LICENSE.txt': '',
      'resources/default_app.asar': '',
      'affidavit-desktop': '',
      'icudtl.dat': '',
      'debug.log': ''
    }
    const at = write(files)
    await pack(write(good), join(at, 'resources', 'app.asar'))
    expect(problemsOfResources(join(at, 'resources'))).toEqual(['resources/default_app.asar does not belong into the package'])
    expect(problemsOfFolder(at, write({ 'icudtl.dat': '', electron: '' }))).toEqual(['debug.log does not belong into the package'])
  })
})

describe('problemsOfSources', () => {
  it('finds tests and what belongs to them among the bundled', () => {
    const sources = [
      '../../src/engine/test/corpus.ts',
      '../../src/main/turns.test.ts',
      '../../scripts/pages.ts',
      '../../node_modules/x/test/y.js'
    ]
    expect(problemsOfSources([...sources, '../../src/engine/engine.ts'])).toEqual(
      sources.slice(0, 3).map((source) => `${source} was bundled`)
    )
  })
})

describe('identityOf', () => {
  it('marks a package on another runtime in everything it is called', () => {
    const test = identityOf({ origin: 'stand-in', version: '33.2.1' })
    expect(test).toMatchObject({ test: true, productName: 'Affidavit Test', appId: 'org.affidavit.desktop.test' })
    expect(test.version).toMatch(/^\d+\.\d+\.\d+-test\.electron33$/)
    expect(test.debianVersion).toMatch(/~test\.electron33$/)
    expect(identityOf({ origin: 'override', version: '' }).version).toMatch(/-test\.electronunknown$/)
    expect(identityOf({ origin: 'installed', version: '45.4.1' })).toMatchObject({ test: false, productName: 'Affidavit' })
  })
})

describe('packageOf', () => {
  it('names the innermost package', () => {
    expect(packageOf('../../node_modules/a/node_modules/@b/c/lib/x.js')).toBe('@b/c')
    expect(packageOf('C:\\p\\node_modules\\@b\\c\\x.js')).toBe('@b/c')
    expect(packageOf('../../src/x.ts')).toBeNull()
  })
})
