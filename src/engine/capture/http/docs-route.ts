// SPDX-License-Identifier: Apache-2.0
import type { FastifyReply, FastifyRequest } from 'fastify'
import { builtPage } from '../../pages.ts'

/** The content policy that a page brings in its head. */
const policyOf = (page: string): string => /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(page)?.[1] ?? "default-src 'none'"

/** The page on which the routes of this server are tried: one file, which asks nobody but this server. */
export async function docsRoute(_request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const page = await builtPage('docs')
  return (
    reply
      .header('content-type', 'text/html; charset=utf-8')
      // As a header too: frames are forbidden only here.
      .header('content-security-policy', `${policyOf(page)}; frame-ancestors 'none'`)
      .header('referrer-policy', 'no-referrer')
      .header('cross-origin-opener-policy', 'same-origin')
      .header('cross-origin-resource-policy', 'same-origin')
      .send(page)
  )
}
