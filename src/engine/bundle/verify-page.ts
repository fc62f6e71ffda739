// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

let page: Promise<string> | undefined

/** verify.html, which goes into every bundle: beside the built engine, or built once from the sources of a checkout. */
export function verifyPage(): Promise<string> {
  page ??= findPage()
  return page
}

async function findPage(): Promise<string> {
  const built = join(import.meta.dirname, 'verify.html')
  if (existsSync(built)) return readFileSync(built, 'utf8')
  const tool = pathToFileURL(join(import.meta.dirname, '..', '..', '..', 'scripts', 'verify-page.ts')).href
  const maker = (await import(/* @vite-ignore */ tool)) as { readonly verifyPage: () => Promise<string> }
  return maker.verifyPage()
}
