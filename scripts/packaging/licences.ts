// SPDX-License-Identifier: Apache-2.0
// The licences of what is bundled: found from what the bundles were made of, so that none is forgotten and none is named in vain.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pageModules, pageNames } from '../pages.ts'
import { root } from '../project.ts'

/** The sources that the built files came from, by their maps. */
export function bundledSources(): readonly string[] {
  const out = join(root, 'out')
  const maps = readdirSync(out, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.map'))
  if (maps.length === 0) throw new Error('the build has no source maps: what it is made of is not known')
  return maps.flatMap((name) => (JSON.parse(readFileSync(join(out, name), 'utf8')) as { readonly sources: readonly string[] }).sources)
}

const PACKAGE = /^.*node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)[\\/]/

/** Name of the package that a file belongs to; null for a file of the project. */
export const packageOf = (path: string): string | null => PACKAGE.exec(path)?.[1]?.replaceAll('\\', '/') ?? null

/** Not JavaScript, so in no map. */
const fonts = ['@fontsource-variable/inter', '@fontsource/ibm-plex-mono']
const external = ['better-sqlite3']

interface Described {
  readonly version: string
  readonly license?: string
  readonly author?: string | { readonly name: string }
}

function licenceOf(name: string): string {
  const folder = join(root, 'node_modules', name)
  const { version, license, author } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Described
  const texts = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && /^(licen[cs]e|copying|notice)/i.test(entry.name))
    .map((entry) => readFileSync(join(folder, entry.name), 'utf8').trim())
  const by = typeof author === 'string' ? author : author?.name
  if (texts.length === 0 && !license) throw new Error(`${name} has no licence`)
  const text =
    texts.length > 0 ? texts.join('\n\n') : `${license}, as its package.json says${by ? `; by ${by}` : ''}. It brings no text of its own.`
  return `${name} ${version}${license ? ` (${license})` : ''}\n\n${text}\n`
}

/** The text for the package. */
export async function thirdPartyLicences(): Promise<string> {
  const files = [...bundledSources()]
  for (const page of pageNames) files.push(...(await pageModules(page)))
  const names = new Set([...fonts, ...external])
  for (const file of files) {
    const name = packageOf(file)
    if (name !== null && existsSync(join(root, 'node_modules', name))) names.add(name)
  }
  const rule = `\n${'-'.repeat(78)}\n\n`
  const head =
    'Affidavit contains the following packages. The licences of Electron and Chromium, which it runs on, lie beside the app\n(LICENSE.electron.txt, LICENSES.chromium.html). SQLite is in the public domain.\n'
  return [head, ...[...names].sort().map(licenceOf)].join(rule)
}
