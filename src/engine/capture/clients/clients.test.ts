// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestEngine, testEngine } from '../../test/test-engine.ts'
import { TextReader } from '../http/test-support.ts'
import { readTokenFile } from './token-file.ts'

let t: TestEngine
const post = (path: string, token: string | null, body: unknown) =>
  fetch(`${t.engine.status().endpoints.compliance.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token === null ? {} : { authorization: `Bearer ${token}` }) },
    body: JSON.stringify(body)
  })
const event = { model: 'm', prompt: 'p', response: 'r', start_time: '2026-01-01T00:00:00Z' }

beforeAll(async () => {
  t = await testEngine({ servers: true })
})
afterAll(() => t.remove())

describe('clients', () => {
  it('has a token that is shown once, names the source, opens what its scopes open, and counts', async () => {
    const { client, token } = await t.call('clients.add', { name: 'web-app', scopes: ['ingest'] })
    expect(token).toMatch(/^aff_[A-Za-z0-9_-]{43}$/)
    expect(client).toMatchObject({ name: 'web-app', scopes: ['ingest'], revoked: null, actor: 'local' })
    expect((await post('/api/compliance/events', token, event)).status).toBe(200)
    expect((await post('/api/compliance/events', token, { model: 7 })).status).toBe(422)
    expect((await post('/api/compliance/query', token, {})).status).toBe(401)
    expect((await post('/api/compliance/events', `${token}x`, event)).status).toBe(401)
    const { records } = await t.call('records.query', {})
    expect(records).toMatchObject([{ source: 'web-app' }])
    const listed = (await t.call('clients.list', {})).clients
    expect(listed).toMatchObject([{ id: client.id, used: { requests: 2, records: 1, last: expect.any(String) } }])
    expect(JSON.stringify(listed)).not.toContain(token)
    // Not even in the files of the workspace.
    for (const name of readdirSync(t.workspace, { recursive: true, encoding: 'utf8' })) {
      const path = join(t.workspace, name)
      if (statSync(path).isFile()) expect(readFileSync(path).includes(token), name).toBe(false)
    }
  })

  it('refuses a name that is taken or no label, and scopes that are none', async () => {
    expect(await t.codeOf('clients.add', { name: 'web-app', scopes: ['read'] })).toBe('conflict')
    expect(await t.codeOf('clients.add', { name: 'a b', scopes: ['read'] })).toBe('bad_request')
    expect(await t.codeOf('clients.add', { name: 'x', scopes: [] })).toBe('bad_request')
    expect(await t.codeOf('clients.add', { name: 'x', scopes: ['all'] })).toBe('bad_request')
    expect(await t.codeOf('clients.revoke', { id: '0192f0c0-0000-7000-8000-000000000000' })).toBe('not_found')
  })

  it('is refused from the moment it is revoked, and after a restart', async () => {
    const { client, token } = await t.call('clients.add', { name: 'mobile', scopes: ['ingest', 'read'] })
    const kept = await t.call('clients.add', { name: 'kept', scopes: ['read'] })
    expect((await post('/api/compliance/query', token, {})).status).toBe(200)
    expect((await t.call('clients.revoke', { id: client.id })).client.revoked).not.toBeNull()
    expect((await post('/api/compliance/query', token, {})).status).toBe(401)
    expect(await t.codeOf('clients.revoke', { id: client.id })).toBe('not_found')
    await t.restart()
    expect((await post('/api/compliance/query', token, {})).status).toBe(401)
    expect((await post('/api/compliance/query', kept.token, {})).status).toBe(200)
    const { clients } = await t.call('clients.list', {})
    expect(clients.map(({ name, revoked }) => [name, revoked === null])).toEqual([
      ['kept', true],
      ['mobile', false],
      ['web-app', true]
    ])
  })

  it('is cut off from what it has open when it is revoked', async () => {
    const { client, token } = await t.call('clients.add', { name: 'open-ends', scopes: ['ingest', 'read'] })
    const other = await t.call('clients.add', { name: 'stays', scopes: ['read'] })
    const { compliance, drift } = t.engine.status().endpoints
    const headers = { authorization: `Bearer ${token}` }
    const streams = await Promise.all([
      TextReader.open(`${compliance.url}/api/compliance/stream`, { headers }),
      TextReader.open(`${drift.url}/api/drift/stream`, { headers })
    ])
    const kept = await TextReader.open(`${compliance.url}/api/compliance/stream`, { headers: { authorization: `Bearer ${other.token}` } })
    const feed = request(`${compliance.url}/api/compliance/events`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/x-ndjson', accept: 'application/x-ndjson' }
    })
    const cut = new Promise((resolve) => feed.once('error', resolve).once('close', resolve))
    feed.write(`${JSON.stringify({ ...event, model: 'before' })}\n`)
    const count = async (model: string) => (await t.call('records.query', { model })).records.length
    await expect.poll(() => count('before')).toBe(1)
    await t.call('clients.revoke', { id: client.id })
    await cut
    feed.destroy()
    await expect.poll(() => streams.map(({ reader }) => reader.ended)).toEqual([true, true])
    expect(kept.reader.ended).toBe(false)
    kept.reader.close()
    await t.call('clients.revoke', { id: other.client.id })
  })

  it('is refused on loopback too when it was the last one', async () => {
    const alone = await testEngine({ servers: true })
    try {
      const { client, token } = await alone.call('clients.add', { name: 'last', scopes: ['read'] })
      await alone.call('clients.revoke', { id: client.id })
      const ask = (headers: Record<string, string>) =>
        fetch(`${alone.engine.status().endpoints.compliance.url}/api/compliance/statistics`, { headers })
      expect((await ask({ authorization: `Bearer ${token}` })).status).toBe(401)
      expect((await ask({ authorization: 'Bearer never-was-one' })).status).toBe(401)
      expect((await ask({ authorization: 'Basic bmV2ZXI6d2Fz' })).status).toBe(401)
      expect((await ask({})).status).toBe(200)
    } finally {
      await alone.remove()
    }
  })

  it('leaves events that the activity shows', async () => {
    const { entries } = await t.call('activity.list', { limit: 50 })
    expect(entries.map((entry) => entry.type)).toEqual(expect.arrayContaining(['client.added', 'client.revoked']))
  })

  it('may be added and revoked by who administers, not by who reads', async () => {
    const reader = await t.as('auditor')
    expect(await reader.codeOf('clients.add', { name: 'x', scopes: ['read'] })).toBe('forbidden')
    const administrator = await t.as('administrator')
    const { client } = await administrator.call('clients.add', { name: 'x', scopes: ['read'] })
    expect(client.actor).toBe(administrator.ref)
  })
})

describe('the file of tokens', () => {
  const folder = mkdtempSync(join(tmpdir(), 'affidavit-tokens-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const file = (text: string): string => {
    const path = join(folder, 'tokens')
    writeFileSync(path, text)
    return path
  }

  it('holds names and tokens, or one token alone', () => {
    const token = 'a'.repeat(24)
    expect(readTokenFile(file(`# clients\n\nweb ${token}\r\n${token}b\n`))).toEqual([
      { name: 'web', token },
      { name: 'default', token: `${token}b` }
    ])
  })

  it('is refused with the line, never with what is in it', () => {
    for (const line of ['web short', `bad*name ${'a'.repeat(24)}`, `web ${'a'.repeat(24)} more`]) {
      const read = () => readTokenFile(file(`# x\n${line}\n`))
      expect(read).toThrow('line 2')
      expect(read).not.toThrow(/short|bad\*|aaaa/)
    }
    expect(() => readTokenFile(join(folder, 'none'))).toThrow('cannot be read')
  })

  it('is refused when a name or a token comes twice', () => {
    const [one, two] = ['a'.repeat(24), 'b'.repeat(24)]
    for (const text of [`web ${one}\nweb ${two}\n`, `web ${one}\napp ${one}\n`, `${one}\ndefault ${two}\n`])
      expect(() => readTokenFile(file(text))).toThrow('line 2')
  })

  it('is followed at each start: another token replaces, a line that is gone revokes, what was revoked stays so', {
    timeout: 60_000
  }, async () => {
    const [first, second, third, own] = ['1', '2', '3', '4'].map((sign) => sign.repeat(24)) as [string, string, string, string]
    const env = { AFFIDAVIT_TOKEN_FILE: file(`web ${first}\nbatch ${third}\n`) }
    const engine = await testEngine({ servers: true, env })
    const status = async (token: string) =>
      (
        await fetch(`${engine.engine.status().endpoints.compliance.url}/api/compliance/statistics`, {
          headers: { authorization: `Bearer ${token}` }
        })
      ).status
    const all = async (...tokens: string[]) => Promise.all(tokens.map(status))
    try {
      const made = await engine.call('clients.add', { name: 'made-here', scopes: ['read'] })
      expect(await all(first, second, third, made.token)).toEqual([200, 401, 200, 200])
      await engine.restart(() => file(`web ${second}\nbatch ${third}\n`))
      expect(await all(first, second, third, made.token)).toEqual([401, 200, 200, 200])
      await engine.restart(() => file(`web ${second}\n`))
      expect(await all(first, second, third, made.token)).toEqual([401, 200, 401, 200])
      // Once revoked, always: its line is passed over. A name that was given here is the file's from then on.
      await engine.restart(() => file(`web ${second}\nbatch ${third}\nmade-here ${own}\n`))
      expect(await all(second, third, made.token, own)).toEqual([200, 401, 401, 200])
      // Without the file nothing changes: another program may open the workspace.
      env.AFFIDAVIT_TOKEN_FILE = ''
      await engine.restart()
      expect(await all(second, own)).toEqual([200, 200])
      env.AFFIDAVIT_TOKEN_FILE = file('')
      await engine.restart()
      expect(await all(second, own)).toEqual([401, 401])
    } finally {
      await engine.remove()
    }
  })
})
