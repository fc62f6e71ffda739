// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import { Validator } from '@seriousme/openapi-schema-validator'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { defaultLimits } from './limits.ts'
import { openapiDocument } from './openapi.ts'
import { serverNames } from './routes.ts'
import { buildApp } from './server.ts'
import { startTestServers, type TestServers } from './test-support.ts'

interface Described {
  readonly operationId: string
  readonly security?: readonly object[]
}
type Paths = Readonly<Record<string, Readonly<Record<string, Described>>>>

let at: TestServers
beforeAll(async () => {
  at = await startTestServers()
})
afterAll(() => at.stop())

const pathsOf = async (base: string): Promise<Paths> => ((await (await fetch(`${base}/openapi.json`)).json()) as { paths: Paths }).paths

describe.each(serverNames)('the OpenAPI document of the %s server', (name) => {
  it('is valid', async () => {
    const document = (await (await fetch(`${at[name]}/openapi.json`)).json()) as Record<string, unknown>
    expect(await new Validator().validate(document)).toMatchObject({ valid: true })
    // The validator sees a fault where there is one.
    expect(await new Validator().validate({ ...document, paths: { 'no-slash': { get: {} } } })).toMatchObject({ valid: false })
  })

  it('has every route that is served, and no other but the proxy', async () => {
    const options = { name, version: '1', limits: defaultLimits, tokens: () => [], onToken: () => {}, tokenNeeded: false }
    const app = await buildApp(at.store, options)
    const served = app.served.filter(({ path }) => path !== '*').map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`)
    await app.close()
    const described = Object.entries(await pathsOf(at[name])).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`)
    )
    expect(described.filter((one) => !one.includes('/proxy/')).sort()).toEqual(served.sort())
    expect(described.filter((one) => one.includes('/proxy/'))).toHaveLength(name === 'compliance' ? 5 : 0)
  })

  it('names each operation once and says for each whether it takes a token', async () => {
    const all = Object.values(await pathsOf(at[name])).flatMap((methods) => Object.values(methods))
    const ids = all.map(({ operationId }) => operationId)
    expect(new Set(ids).size).toBe(ids.length)
    for (const { operationId, security } of all) expect([operationId, Array.isArray(security)]).toEqual([operationId, true])
  })

  it('is the same for the same server, whatever address it has', () => {
    expect(openapiDocument(name, '1', ['http://a'])).toEqual({
      ...openapiDocument(name, '1', ['http://b']),
      servers: [{ url: 'http://a' }]
    })
  })
})

describe('GET /docs', () => {
  it.each(serverNames)('is one page under a strict policy: %s', async (name) => {
    const answer = await fetch(`${at[name]}/docs`)
    const page = await answer.text()
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
    const policy = answer.headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toMatch(/unsafe|https?:|\*|nonce/)
    const inside = [...page.matchAll(/<(script|style)>([\s\S]*?)<\/\1>/g)]
    expect(inside.map(([, tag]) => tag)).toEqual(['style', 'script'])
    for (const [, tag, text = ''] of inside)
      expect(policy).toContain(`${tag}-src 'sha256-${createHash('sha256').update(text).digest('base64')}'`)
    // Nothing is loaded from anywhere, and nothing is kept.
    expect(page.replaceAll('href="/openapi.json"', '')).not.toMatch(/\b(src|href|action)=|https?:\/\/|on(click|load|error)=/)
    expect(page).not.toMatch(/localStorage|sessionStorage|indexedDB|document\.cookie/)
    for (const header of ['x-content-type-options', 'referrer-policy', 'cross-origin-opener-policy'])
      expect(answer.headers.get(header)).not.toBeNull()
  })
})
