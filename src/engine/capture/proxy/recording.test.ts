// SPDX-License-Identifier: Apache-2.0
// What a proxied call leaves behind, in the whole engine.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RecordDetail } from '../../../shared/contract/record.ts'
import { type ScriptedUpstream, scriptedUpstream } from '../../test/scripted-upstream.ts'
import { type TestEngine, testEngine } from '../../test/test-engine.ts'
import { TextReader } from '../http/test-support.ts'

const SECRETS = ['bearer-of-a-secret', 'key-of-a-secret', 'cookie-of-a-secret', 'cookie-of-the-answer']

let engine: TestEngine
let upstream: ScriptedUpstream
let base: string

beforeAll(async () => {
  upstream = await scriptedUpstream()
  engine = await testEngine({ servers: true })
  base = engine.engine.status().endpoints.compliance.url ?? ''
  await engine.call('upstreams.set', { name: 'cloud', url: upstream.url, kind: 'openai' })
})
afterAll(async () => {
  await engine.remove()
  await upstream.close()
})

const ask = (model: string, headers: Record<string, string> = {}, more: object = {}, name = 'cloud') =>
  fetch(`${base}/proxy/${name}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: `What is it, ${model}?` }], ...more })
  })

async function recordOf(model: string): Promise<RecordDetail> {
  const found = async () =>
    (await engine.call('records.query', { model, limit: 10 })).records.filter(({ status }) => status !== 'in_flight')
  await expect.poll(async () => (await found()).length, { timeout: 10_000 }).toBe(1)
  return engine.call('records.get', { seq: (await found())[0]?.seq ?? -1 })
}

describe('a proxied call', () => {
  it('leaves no credential in any file', async () => {
    const headers = { authorization: `Bearer ${SECRETS[0]}`, 'x-api-key': SECRETS[1] ?? '', cookie: `session=${SECRETS[2]}` }
    expect((await ask('secretive', headers)).status).toBe(200)
    const { event } = await recordOf('secretive')
    for (const secret of SECRETS.slice(0, 3)) expect(upstream.seen.at(-1)?.headers.join()).toContain(secret)
    for (const secret of SECRETS) expect(JSON.stringify(event)).not.toContain(secret)
    for (const folder of [engine.workspace, engine.state])
      for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
        if (entry.isFile())
          for (const secret of SECRETS)
            expect(readFileSync(join(entry.parentPath, entry.name)).includes(secret), `${secret} in ${entry.name}`).toBe(false)
  })

  it('is read when its answer is compressed with brotli', async () => {
    const answer = await ask('brotli', { 'accept-encoding': 'br' })
    expect(answer.headers.get('content-encoding')).toBe('br')
    expect(await answer.json()).toMatchObject({ model: 'brotli-2026-01-01' })
    expect((await recordOf('brotli')).output_messages[0]?.parts[0]).toMatchObject({ content: 'The answer is 42.' })
  })

  it('is read when question and answer are compressed with zstd', async () => {
    const body = zstdCompressSync(JSON.stringify({ model: 'zstandard', messages: [{ role: 'user', content: 'Packed?' }] }))
    const bytes = await new Promise<Buffer>((resolve, reject) => {
      const headers = { 'content-type': 'application/json', 'content-encoding': 'zstd', 'accept-encoding': 'zstd' }
      request(`${base}/proxy/cloud/v1/chat/completions`, { method: 'POST', headers }, async (answer) => {
        expect(answer.headers['content-encoding']).toBe('zstd')
        const pieces: Buffer[] = []
        for await (const piece of answer) pieces.push(piece as Buffer)
        resolve(Buffer.concat(pieces))
      })
        .on('error', reject)
        .end(body)
    })
    expect(JSON.parse(zstdDecompressSync(bytes).toString('utf8'))).toMatchObject({ model: 'zstandard-2026-01-01' })
    const { input_messages, output_messages } = await recordOf('zstandard')
    expect(input_messages[0]?.parts[0]).toMatchObject({ content: 'Packed?' })
    expect(output_messages[0]?.parts[0]).toMatchObject({ content: 'The answer is 42.' })
  })

  it('comes from the client whose token it carries, and counts for it', async () => {
    const { token } = await engine.call('clients.add', { name: 'web-app', scopes: ['ingest'] })
    const { token: reads } = await engine.call('clients.add', { name: 'reader', scopes: ['read'] })
    expect((await ask('refused', { 'x-affidavit-token': `${token}x` })).status).toBe(401)
    expect((await ask('refused', { 'x-affidavit-token': reads })).status).toBe(401)
    expect((await ask('named', { 'x-affidavit-token': token })).status).toBe(200)
    expect(upstream.seen.at(-1)?.headers.join()).not.toContain(token)
    expect((await recordOf('named')).row.source).toBe('web-app')
    const { clients } = await engine.call('clients.list', {})
    expect(clients.find(({ name }) => name === 'web-app')?.used).toMatchObject({ requests: 1, records: 1 })
  })

  it('is streamed once, at the leaf that ends it', async () => {
    const { reader } = await TextReader.open(`${base}/api/compliance/stream`)
    await expect.poll(() => reader.text).toContain('retry:')
    await (await ask('streamed', {}, { stream: true })).text()
    const { row } = await recordOf('streamed')
    await expect.poll(() => reader.ids()).toEqual([row.seq])
    expect(reader.text).toContain('"status":"success"')
    reader.close()
  })

  it('to an https server goes out only when its certificate is trusted', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'affidavit-tls-'))
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']
    execFileSync('openssl', ['req', '-x509', ...curve, '-nodes', '-keyout', key, '-out', cert, '-days', '2', ...subject], {
      stdio: 'ignore'
    })
    let hits = 0
    const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => {
      hits++
      request.resume()
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ model: 'sealed', choices: [{ index: 0, message: { role: 'assistant', content: 'Yes.' } }] }))
    })
    await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve))
    const before = getCACertificates('default')
    try {
      const url = `https://localhost:${(server.address() as AddressInfo).port}`
      await engine.call('upstreams.set', { name: 'tls', url, kind: 'openai' })
      const refused = await ask('unsealed', {}, {}, 'tls')
      expect([refused.status, hits]).toEqual([502, 0])
      expect(JSON.stringify(await refused.json())).toContain('not trusted')
      expect((await recordOf('unsealed')).row).toMatchObject({ status: 'error', error_type: 'upstream_unreachable' })
      // As with NODE_EXTRA_CA_CERTS, which is read only at the start of a process.
      setDefaultCACertificates([...before, readFileSync(cert, 'utf8')])
      expect((await ask('sealed', {}, {}, 'tls')).status).toBe(200)
      expect((await recordOf('sealed')).output_messages[0]?.parts[0]).toMatchObject({ content: 'Yes.' })
      expect(hits).toBe(1)
    } finally {
      setDefaultCACertificates(before)
      server.closeAllConnections()
      server.close()
      rmSync(folder, { recursive: true, force: true })
    }
  })

  it('is erased with both of its leaves, and the log verifies', { timeout: 60_000 }, async () => {
    const person = 'zephyrine.quux@example.org'
    expect((await ask('erased', {}, { user: person })).status).toBe(200)
    const { row, leaf } = await recordOf('erased')
    const first = (JSON.parse(leaf.json) as { links: { request: number } }).links.request
    const asker = await engine.as('data_protection')
    const other = await engine.as('reviewer')
    const request = await asker.call('requests.open', { kind: 'erasure', reference: 'DSR 1', received: '2026-01-31' })
    const { seqs } = await asker.call('subjects.find', { identifiers: [person] })
    expect(seqs).toEqual([row.seq])
    const decisions = [{ seqs, ground: 'consent withdrawn', override: 'the subject’s right outweighs the firm’s own period' }]
    const asked = await asker.call('erasure.ask', { request_id: request.id, decisions })
    await other.call('approvals.decide', { id: asked.id, decision: 'give' })
    await expect
      .poll(async () => (await engine.call('jobs.list', {})).jobs.find(({ kind }) => kind === 'erasure')?.state, { timeout: 30_000 })
      .toBe('done')
    expect(await engine.call('records.get', { seq: row.seq })).toMatchObject({ payload: 'erased', input_messages: [], output_messages: [] })
    const { job_id } = await engine.call('verify.workspace', {})
    await engine.job(job_id)
    const report = await engine.call('verify.workspace_report', { job_id })
    expect(report).toMatchObject({ verdict: 'intact', faults: [], erasures: [{ payloads: 2 }] })
    for (const seq of [first, row.seq]) expect((await engine.call('records.proof', { seq })).verdict).toBe('verified')
  })
})
