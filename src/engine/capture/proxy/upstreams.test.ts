// SPDX-License-Identifier: Apache-2.0
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { wireApi } from '../../../shared/event/wire/routes.ts'
import { type TestEngine, testEngine } from '../../test/test-engine.ts'
import { joinTarget, splitTarget, upstreamUrl } from './target.ts'

describe('a request target', () => {
  const base = new URL('http://127.0.0.1:11434/base/')

  it('names its upstream and keeps the rest as it came', () => {
    expect(splitTarget('/proxy/local/api/chat?x=%2F&y')).toEqual({ name: 'local', rest: '/api/chat?x=%2F&y' })
    expect(splitTarget('/proxy/local')).toEqual({ name: 'local', rest: '/' })
    expect(splitTarget('/proxy/local?x')).toEqual({ name: 'local', rest: '/?x' })
    expect(splitTarget('/api/chat')).toBeNull()
    expect(splitTarget('http://elsewhere/proxy/local/')).toBeNull()
    expect(joinTarget(base, '/api/chat?x=%2F&y')).toBe('/base/api/chat?x=%2F&y')
    expect(joinTarget(new URL('http://h'), '/v1/models')).toBe('/v1/models')
    expect(joinTarget(base, '/v1/a..b/...')).toBe('/base/v1/a..b/...')
  })

  it.each([
    'http://elsewhere/',
    '//elsewhere/api',
    '/..',
    '/../admin',
    '/a/../../admin',
    '/a/%2e%2E/admin',
    '/a/.%2e/admin',
    '/a%2f..%2fadmin',
    '/a%5C..%5cadmin',
    '/a\\..\\admin',
    '/./a',
    '/a\r\nx: y',
    '/a b',
    '/a#b',
    '/\u00e9',
    ''
  ])('that is %j leads nowhere', (rest) => expect(joinTarget(base, rest)).toBeNull())
})

describe('a call to a model', () => {
  it.each([
    ['/v1/chat/completions', 'openai.chat'],
    ['/v1/chat/completions/?api-version=1', 'openai.chat'],
    ['/v1/chat/completion%73', 'openai.chat'],
    ['/v1/chat%2Fcompletions', 'openai.chat'],
    ['/V1/Chat/Completions', 'openai.chat'],
    ['/%61pi/%43hat%2f', 'ollama.chat'],
    ['/v1/messages', 'anthropic.messages'],
    ['/v1/messages/count_tokens', null],
    ['/v1/models?x=/v1/chat/completions', null],
    ['/v1/chat/completions%', null],
    ['/v1/chat/completions%00', null]
  ])('is known by its path however it is written: %s', (target, api) => expect(wireApi('POST', target)).toBe(api))
})

describe('the address of an upstream', () => {
  it.each(['http://127.0.0.1:11434', 'https://api.openai.com', 'http://gpu.lan:8000/v1', 'http://[::1]:8080'])('may be %s', (url) =>
    expect(upstreamUrl(url).host).not.toBe('')
  )
  it.each([
    'localhost:11434',
    'ftp://h/',
    'file:///etc/passwd',
    'http://user:key@h/',
    'http://h/?key=1',
    'http://h/#x',
    'http://169.254.169.254/',
    'http://[fe80::1]/',
    'http://[::ffff:169.254.169.254]/',
    'http://[64:ff9b::169.254.169.254]/',
    'http://[2002:a9fe:a9fe::1]/',
    'http://[::169.254.169.254]/',
    'http://2852039166/',
    'http://0xa9.0xfe.0xa9.0xfe/',
    'http://169.254.169.254./',
    'http://0.0.0.0:1/',
    'no'
  ])('may not be %s', (url) => expect(() => upstreamUrl(url)).toThrow(/^url: /))
})

describe('upstreams as settings', () => {
  let engine: TestEngine
  let server: Server
  let url: string
  beforeAll(async () => {
    engine = await testEngine({ servers: true })
    server = createServer((request, response) => {
      response.statusCode = request.url === '/api/version' ? 200 : 404
      response.end('{"version":"0.0.0"}')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterAll(async () => {
    server.close()
    await engine.remove()
  })

  it('are set, changed, kept over a restart and removed, each by a leaf', async () => {
    expect((await engine.call('upstreams.list', {})).upstreams).toEqual([])
    const { upstream } = await engine.call('upstreams.set', { name: 'local', url, kind: 'ollama' })
    expect(upstream).toMatchObject({ name: 'local', url, kind: 'ollama', mode: 'fail-open', port: null, source: null })
    await engine.call('upstreams.set', { name: 'local', url, kind: 'ollama', mode: 'fail-closed', source: 'desk' })
    await engine.call('upstreams.set', { name: 'cloud', url: 'https://api.openai.com', kind: 'openai' })
    await engine.restart()
    const { upstreams } = await engine.call('upstreams.list', {})
    expect(upstreams.map(({ name, mode, source }) => [name, mode, source])).toEqual([
      ['cloud', 'fail-open', null],
      ['local', 'fail-closed', 'desk']
    ])
    expect((await engine.call('upstreams.remove', { name: 'cloud' })).upstreams.map((one) => one.name)).toEqual(['local'])
    const { entries } = await engine.call('activity.list', { kind: 'setting' })
    expect(entries.filter((entry) => entry.what.includes('proxy.upstream.')).length).toBe(4)
  })

  it('are refused when they cannot be', async () => {
    const own = engine.engine.status().endpoints.compliance
    const set = (more: object) => engine.codeOf('upstreams.set', { name: 'x', url, kind: 'openai', ...more })
    expect(await set({ name: 'Not/A/Name' })).toBe('bad_request')
    expect(await set({ url: 'http://169.254.169.254/latest' })).toBe('bad_request')
    expect(await set({ url: own.url })).toBe('bad_request')
    for (const host of ['localhost', 'localhost.', 'x.localhost', '127.1', '127.0.0.2', '[::1]', '[::ffff:127.0.0.1]', '2130706433'])
      expect(await set({ url: `http://${host}:${own.port}/proxy/x` }), host).toBe('bad_request')
    expect(await set({ port: own.port })).toBe('conflict')
    expect(await set({ port: 0 })).toBe('bad_request')
    expect(await set({ kind: 'other' })).toBe('bad_request')
    expect(await set({ url: `http://h/${'a'.repeat(150)}`, source: 's'.repeat(64) })).toBe('bad_request')
    expect(await engine.codeOf('upstreams.remove', { name: 'x' })).toBe('not_found')
    expect(await engine.codeOf('upstreams.test', { name: 'x' })).toBe('not_found')
    expect((await engine.call('upstreams.list', {})).upstreams.map((one) => one.name)).toEqual(['local'])
  })

  it('are asked on demand', async () => {
    expect(await engine.call('upstreams.test', { name: 'local' })).toMatchObject({ ok: true, status: 200, problem: null })
    await engine.call('upstreams.set', { name: 'other', url, kind: 'anthropic' })
    expect(await engine.call('upstreams.test', { name: 'other' })).toMatchObject({ ok: false, status: 404 })
    await engine.call('upstreams.set', { name: 'other', url: 'http://127.0.0.1:1', kind: 'openai' })
    const refused = await engine.call('upstreams.test', { name: 'other' })
    expect(refused).toMatchObject({ ok: false, status: null })
    expect(refused.problem).toContain('nothing listens')
    await engine.call('upstreams.remove', { name: 'other' })
  })

  it('are changed by those who may change settings only', async () => {
    const auditor = await engine.as('auditor')
    expect(await auditor.codeOf('upstreams.set', { name: 'local', url, kind: 'ollama' })).toBe('forbidden')
    expect(await auditor.codeOf('upstreams.remove', { name: 'local' })).toBe('forbidden')
    expect(await auditor.codeOf('upstreams.list', {})).toBeUndefined()
    const administrator = await engine.as('administrator')
    expect(await administrator.codeOf('upstreams.set', { name: 'local', url, kind: 'ollama' })).toBeUndefined()
  })
})
