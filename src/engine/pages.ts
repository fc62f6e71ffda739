// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** `verify` goes into every bundle, `docs` is served by both ports. */
export type PageName = 'verify' | 'docs'

const pages = new Map<PageName, Promise<string>>()

/** A page of one file: beside the built engine, or built once from the sources of a checkout. */
export function builtPage(name: PageName): Promise<string> {
  const known = pages.get(name)
  if (known) return known
  const page = findPage(name)
  pages.set(name, page)
  return page
}

async function findPage(name: PageName): Promise<string> {
  const built = join(import.meta.dirname, `${name}.html`)
  if (existsSync(built)) return readFileSync(built, 'utf8')
  const tool = pathToFileURL(join(import.meta.dirname, '..', '..', 'scripts', 'pages.ts')).href
  const maker = (await import(/* @vite-ignore */ tool)) as { readonly builtPage: (name: PageName) => Promise<string> }
  return maker.builtPage(name)
}
