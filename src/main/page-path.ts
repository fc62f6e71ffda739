// SPDX-License-Identifier: Apache-2.0
import { extname, resolve, sep } from 'node:path'
import { HOST, parseAddress, SCHEME } from './origin.ts'

/** Media types of the files the page consists of; anything else is not served. */
const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2'
}

export interface PageFile {
  readonly path: string
  readonly type: string
}

/**
 * The file in `folder` that an address of the page names, or null. A path without an extension is a place inside the page and gives
 * index.html. Never leaves `folder`, however the address is written.
 */
export function pageFile(folder: string, address: string): PageFile | null {
  const url = parseAddress(address)
  if (url === null || url.protocol !== `${SCHEME}:` || url.host !== HOST) return null
  let name: string
  try {
    name = decodeURIComponent(url.pathname)
  } catch {
    return null
  }
  // Nothing the page asks for has these; all of them have been used to escape from such handlers.
  if (/[\\:%\p{Cc}]/u.test(name) || name.split('/').some((part) => part.startsWith('.'))) return null
  const wanted = extname(name) === '' ? '/index.html' : name
  const type = types[extname(wanted)]
  const base = resolve(folder)
  const path = resolve(base, `.${wanted}`)
  if (type === undefined || !path.startsWith(base + sep)) return null
  return { path, type }
}
