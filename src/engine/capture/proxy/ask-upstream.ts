// SPDX-License-Identifier: Apache-2.0
// Questions of our own to an upstream: is it there, and which model stands behind a tag. Never part of a client's call.
import type { Upstream } from '../../../shared/contract/proxy.ts'
import { Agents } from './agents.ts'
import { joinTarget, upstreamUrl } from './target.ts'

const TIMEOUT_MS = 5_000
const MOST_BYTES = 4 * 1024 * 1024

interface Answer {
  readonly status: number
  readonly body: Buffer
}

/** GETs a path of an upstream without any credential. @throws Error with a code of the system, or `timeout`, `too_large` */
export function askUpstream(upstream: Upstream, path: string, signal?: AbortSignal): Promise<Answer> {
  const url = upstreamUrl(upstream.url)
  const target = joinTarget(url, path) ?? path
  const agents = new Agents()
  return new Promise<Answer>((resolve, reject) => {
    const request = agents.request(url, { method: 'GET', path: target, headers: { host: url.host, accept: 'application/json' } })
    const fail = (code: string) => request.destroy(Object.assign(new Error(code), { code }))
    const timer = setTimeout(() => fail('timeout'), TIMEOUT_MS)
    const onAbort = (): void => void fail('aborted')
    signal?.addEventListener('abort', onAbort, { once: true })
    request.once('close', () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      agents.close()
    })
    request.on('error', reject)
    request.once('response', (response) => {
      const chunks: Buffer[] = []
      let size = 0
      response.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size > MOST_BYTES) fail('too_large')
        else chunks.push(chunk)
      })
      response.on('error', reject)
      response.once('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) }))
    })
    request.end()
  })
}

const probes: Readonly<Record<Upstream['kind'], readonly string[]>> = {
  ollama: ['/api/version'],
  openai: ['/v1/models', '/models'],
  anthropic: ['/v1/models']
}

/** Asks an upstream once. Its answer is not shown: only whether there was one. */
export async function testUpstream(upstream: Upstream, signal?: AbortSignal) {
  const started = performance.now()
  const done = (ok: boolean, status: number | null, problem: string | null) => ({
    ok,
    status,
    problem,
    took_ms: Math.round(performance.now() - started)
  })
  try {
    let status = 0
    for (const path of probes[upstream.kind]) {
      ;({ status } = await askUpstream(upstream, path, signal))
      if (status < 300) return done(true, status, null)
      if (status === 401 || status === 403)
        return done(true, status, 'the upstream answers and asks for a key, which each client sends itself')
    }
    return done(false, status, `the upstream answers with HTTP status ${status} where its models or version should be`)
  } catch (error) {
    return done(false, null, problemOf(error))
  }
}

/** Why an upstream could not be reached, in words without any of its data. */
export function problemOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  switch (code) {
    case 'ECONNREFUSED':
      return 'nothing listens at this address: start the model server, or check the port'
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'the host name leads nowhere'
    case 'timeout':
    case 'ETIMEDOUT':
      return 'no answer in time'
    case 'ECONNRESET':
    case 'EPIPE':
      return 'the connection was closed before an answer came'
    default:
      return /CERT|SSL|TLS|SELF_SIGNED|UNABLE_TO/.test(code)
        ? 'the certificate of the upstream is not trusted by this machine'
        : 'the connection failed'
  }
}
