// SPDX-License-Identifier: Apache-2.0
// What may be in a package, looked at after it was made: all that is not expected is a problem.
import { readdirSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, sep } from 'node:path'
import { extractFile, getRawHeader, listPackage, statFile } from '@electron/asar'
import { FuseState, FuseV1Options, getCurrentFuseWire } from '@electron/fuses'
import { root } from '../project.ts'
import { fuses } from './configuration.ts'

const inArchive: readonly RegExp[] = [
  /^package\.json$/,
  /^out\/main\/[\w.-]+\.js$/,
  /^out\/main\/(verify|docs)\.html$/,
  /^out\/preload\/index\.cjs$/,
  /^out\/renderer\/index\.html$/,
  /^out\/renderer\/assets\/[\w.-]+\.(js|css|woff2?|svg)$/,
  /^node_modules\/better-sqlite3\/(package\.json|LICENSE|lib\/[\w./-]+\.js|prebuilds\/[\w-]+\.node)$/
]

const beside: readonly RegExp[] = [
  /^app\.asar$/,
  /^app\.asar\.unpacked\/node_modules\/better-sqlite3\/prebuilds\/[\w-]+\.node$/,
  /^(LICENSE|THIRD-PARTY-LICENSES)\.txt$/,
  /^bin\/affidavit(\.cmd)?$/,
  // Of electron-builder, on Windows and macOS.
  /^(elevate\.exe|icon\.icns|app-update\.yml|[a-z]{2}(_[A-Z]{2})?\.lproj(\/.*)?|LICENSES?\.(electron|chromium)\.(txt|html))$/
]

const forbidden: readonly (readonly [what: string, pattern: RegExp])[] = [
  ['a source map with sources', /"sourcesContent"\s*:|sourceMappingURL=data:/],
  ['a private key', /-----BEGIN [A-Z ]*PRIVATE KEY-----\s*(\\n)?[A-Za-z0-9+/=]{40}/],
  ['an age identity', /AGE-SECRET-KEY-1[0-9A-Z]{58}/],
  ['a token', /\b(npm_[A-Za-z0-9]{36}|gh[pousr]_[A-Za-z0-9]{36}|AKIA[0-9A-Z]{16}|sk-[A-Za-z0-9]{40,})\b/],
  ['a database', /^SQLite format 3\0/],
  ['the library of the tests', /from ['"](vitest|@playwright\/test|fast-check)['"]/]
]

/** Problems of one file's content; `folders` are places on this machine that must not be named. */
export function problemsOfText(name: string, text: string, folders: readonly string[]): readonly string[] {
  const found = forbidden.filter(([, pattern]) => pattern.test(text)).map(([what]) => `${name} holds ${what}`)
  for (const folder of folders) if (text.includes(`${folder}${sep}`)) found.push(`${name} names ${folder}, a folder of this machine`)
  return found
}

/** Sources that have no place in a build: tests, and what only tests use. */
export const problemsOfSources = (sources: readonly string[]): readonly string[] =>
  sources
    .filter((source) => !source.includes('node_modules'))
    .filter((source) => /\.(test|spec)\.tsx?$|(^|\/)(test|e2e|bench|scripts)\//.test(source))
    .map((source) => `${source} was bundled`)

/** Files below `folder`, with `/` between the parts. */
const filesBelow = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() || entry.isSymbolicLink())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(folder.length + 1)
        .split(sep)
        .join('/')
    )

/** Problems of `app.asar`. A file of which only a part is there would read as zeros, so that an archive that ends early is looked at no further. */
export function problemsOfArchive(archive: string): readonly string[] {
  const problems: string[] = []
  const sizePrefix = 8
  const begin = sizePrefix + getRawHeader(archive).headerSize
  const length = statSync(archive).size
  const folders = [root, homedir()]
  const names = listPackage(archive, { isPack: false }).map((name) => name.replace(/^[\\/]/, ''))
  let files = 0
  for (const native of names) {
    const name = native.split(sep).join('/')
    const stat = statFile(archive, native, false)
    if ('files' in stat) continue
    if ('link' in stat) {
      problems.push(`${name} is a link`)
      continue
    }
    files += 1
    if (!inArchive.some((pattern) => pattern.test(name))) problems.push(`${name} does not belong into the package`)
    if (stat.unpacked) continue
    if (begin + Number(stat.offset) + stat.size > length) return [`the package ends before ${name} does`]
    problems.push(...problemsOfText(name, extractFile(archive, native).toString('latin1'), folders))
  }
  if (files === 0) problems.push('the package is empty')
  return problems
}

/** Problems of the folder `resources`. */
export const problemsOfResources = (resources: string): readonly string[] => [
  ...filesBelow(resources)
    .filter((name) => !beside.some((pattern) => pattern.test(name)))
    .map((name) => `resources/${name} does not belong into the package`),
  ...problemsOfArchive(join(resources, 'app.asar'))
]

/** Files beside the runtime's own that are neither its nor ours. Linux only: elsewhere the builder makes a different tree of them. */
export function problemsOfFolder(folder: string, runtime: string): readonly string[] {
  const theirs = new Set(filesBelow(runtime))
  const ours = new Set(['affidavit', 'affidavit-desktop', 'LICENSE.electron.txt'])
  return filesBelow(folder)
    .filter((name) => !name.startsWith('resources/') && !theirs.has(name) && !ours.has(name))
    .map((name) => `${name} does not belong into the package`)
}

const wires: Readonly<Record<keyof typeof fuses, FuseV1Options>> = {
  runAsNode: FuseV1Options.RunAsNode,
  enableCookieEncryption: FuseV1Options.EnableCookieEncryption,
  enableNodeOptionsEnvironmentVariable: FuseV1Options.EnableNodeOptionsEnvironmentVariable,
  enableNodeCliInspectArguments: FuseV1Options.EnableNodeCliInspectArguments,
  enableEmbeddedAsarIntegrityValidation: FuseV1Options.EnableEmbeddedAsarIntegrityValidation,
  onlyLoadAppFromAsar: FuseV1Options.OnlyLoadAppFromAsar,
  loadBrowserProcessSpecificV8Snapshot: FuseV1Options.LoadBrowserProcessSpecificV8Snapshot,
  grantFileProtocolExtraPrivileges: FuseV1Options.GrantFileProtocolExtraPrivileges
}

/** Fuses of an executable that are not as they should be. */
export async function problemsOfFuses(executable: string): Promise<readonly string[]> {
  const wire = await getCurrentFuseWire(executable)
  return Object.entries(wires)
    .filter(([name, option]) => (wire[option] === FuseState.ENABLE) !== fuses[name as keyof typeof fuses])
    .map(([name]) => `the fuse ${name} is not set as it should be`)
}
