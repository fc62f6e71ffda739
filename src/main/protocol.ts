// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { net, protocol, type Session } from 'electron'
import { contentPolicy } from './content-policy.ts'
import { SCHEME } from './origin.ts'
import { pageFile } from './page-path.ts'

/** What the build writes where a nonce belongs; replaced at each load. */
const NONCE_MARK = '__NONCE__'

/** Must run before the app is ready. */
export function registerScheme(): void {
  protocol.registerSchemesAsPrivileged([
    { scheme: SCHEME, privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true } }
  ])
}

const commonHeaders = {
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin'
} as const

const notFound = (): Response => new Response('not found', { status: 404, headers: { ...commonHeaders, 'Content-Type': 'text/plain' } })

function page(html: string, devServer: string | null): Response {
  const nonce = randomBytes(16).toString('base64')
  return new Response(html.replaceAll(NONCE_MARK, nonce), {
    headers: {
      ...commonHeaders,
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': contentPolicy(nonce, devServer),
      'Cache-Control': 'no-store'
    }
  })
}

async function fromFolder(folder: string, address: string): Promise<Response> {
  const file = pageFile(folder, address)
  if (file === null) return notFound()
  let content: Buffer
  try {
    content = await readFile(file.path)
  } catch {
    return notFound()
  }
  if (file.type.startsWith('text/html')) return page(content.toString('utf8'), null)
  return new Response(new Uint8Array(content), { headers: { ...commonHeaders, 'Content-Type': file.type } })
}

async function fromDevServer(devServer: string, address: string): Promise<Response> {
  const { pathname, search } = new URL(address)
  const answer = await net.fetch(new URL(pathname + search, devServer).href)
  if (!answer.headers.get('content-type')?.startsWith('text/html')) return answer
  return page(await answer.text(), devServer)
}

/** Serves the page to `session`: from `folder`, or from the development server under the same origin. */
export function servePage(session: Session, folder: string, devServer: string | null): void {
  session.protocol.handle(SCHEME, async (request) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return notFound()
    return devServer === null ? fromFolder(folder, request.url) : fromDevServer(devServer, request.url)
  })
}
