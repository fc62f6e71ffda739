// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { endpoint } from '../../../shared/contract/workspace.ts'
import { endpointFile } from './endpoint-file.ts'
import { findPortHolder, listeningInodes, portTakenMessage } from './port-holder.ts'
import { type HttpServers, startServers } from './servers.ts'
import { eventNo, rawExchange, SmallStore, startTestServers } from './test-support.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

function occupy(host = '127.0.0.1'): Promise<{ server: Server; port: number }> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, host, () => {
      const address = server.address()
      cleanups.push(() => new Promise((done) => server.close(done)))
      resolve({ server, port: typeof address === 'object' && address !== null ? address.port : 0 })
    })
  })
}
const folder = (): string => {
  const path = mkdtempSync(join(tmpdir(), 'affidavit-http-'))
  cleanups.push(() => rmSync(path, { recursive: true, force: true }))
  return path
}
async function begin(config: Partial<Parameters<typeof startServers>[1]>): Promise<HttpServers> {
  const servers = await startServers(new SmallStore(), {
    compliance: { host: '127.0.0.1', port: 0 },
    drift: { host: '127.0.0.1', port: 0 },
    workspace: null,
    instanceId: 'instance-1',
    version: '9.9.9',
    limits: { closeMs: 200 },
    ...config
  })
  cleanups.push(() => servers.close())
  return servers
}
const hasIpv6 = async (): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = createServer().once('error', () => resolve(false))
    probe.listen(0, '::1', () => probe.close(() => resolve(true)))
  })

describe('startServers', () => {
  it('answers on 127.0.0.1 and, where there is one, on ::1 under the same port', async () => {
    const { endpoints } = await begin({})
    for (const one of [endpoints.compliance, endpoints.drift]) {
      expect(endpoint.parse(one)).toMatchObject({
        state: 'listening',
        url: `http://127.0.0.1:${one.port}`,
        message: null,
        suggested_port: null
      })
      expect((await fetch(`${one.url}/health`)).status).toBe(200)
      if (await hasIpv6()) expect((await fetch(`http://[::1]:${one.port}/health`)).status).toBe(200)
    }
  })

  it('says who holds a taken port and which is free, and the other server serves', async () => {
    const { port } = await occupy()
    const workspace = folder()
    const { endpoints } = await begin({ compliance: { host: 'localhost', port }, workspace })
    const { compliance, drift } = endpoints
    expect(endpoint.parse(compliance)).toMatchObject({ state: 'failed', port, url: '' })
    // This process is the one that holds it.
    expect(compliance.message).toContain(process.platform === 'linux' ? `Port ${port} is this program’s own` : `Port ${port} is in use by `)
    expect(compliance.message).toContain('COMPLIANCE_API_PORT')
    expect(compliance.suggested_port).toBeGreaterThan(port)
    expect(compliance.suggested_port).not.toBe(drift.port)
    expect((await fetch(`${drift.url}/health`)).status).toBe(200)
    expect(endpointFile.parse(JSON.parse(readFileSync(join(workspace, 'endpoint.json'), 'utf8')))).toMatchObject({
      compliance: null,
      drift: { url: drift.url }
    })
    const second = await begin({ compliance: { host: '127.0.0.1', port: compliance.suggested_port ?? 0 }, drift: null })
    expect(second.endpoints.compliance.state).toBe('listening')
  })

  it('takes OTLP alone on a port of its own, where one is asked for', async () => {
    const workspace = folder()
    const { endpoints, close } = await begin({ otlpPort: 0, workspace })
    const { compliance, otlp } = endpoints
    const url = otlp?.url ?? ''
    expect(otlp).toMatchObject({ state: 'listening', url: `http://127.0.0.1:${otlp?.port}` })
    expect(otlp?.port).not.toBe(compliance.port)
    expect(JSON.parse(readFileSync(join(workspace, 'endpoint.json'), 'utf8'))).toMatchObject({ otlp: { url } })
    const post = (path: string, headers: Record<string, string> = {}) =>
      fetch(`${url}${path}`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: '{}' })
    for (const path of ['/v1/traces', '/v1/logs', '/v1/metrics', '/otlp/v1/traces'])
      expect([path, (await post(path)).status]).toEqual([path, 200])
    expect((await fetch(`${url}/health`)).status).toBe(200)
    for (const path of ['/api/compliance/events', '/api/compliance/query', '/proxy/x/api/chat', '/witness/add-checkpoint'])
      expect([path, (await post(path)).status]).toEqual([path, 404])
    for (const path of [
      '/docs',
      '/openapi.json',
      '/api/compliance/statistics',
      '/api/compliance/stream',
      '/proxy/x/v1/traces',
      '/v1/traces'
    ])
      expect([path, (await fetch(`${url}${path}`)).status]).toEqual([path, 404])
    // Host and Origin are held to as everywhere.
    expect((await post('/v1/traces', { origin: 'http://127.0.0.1:1' })).status).toBe(403)
    expect((await post('/v1/traces', { origin: url })).status).toBe(403)
    expect(await rawExchange(otlp?.port ?? 0, 'GET /health HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 403 /
    )
    await close()
    await expect(fetch(`${url}/health`)).rejects.toThrow()
  })

  it('says who holds a taken OTLP port, and serves without it', async () => {
    const { port } = await occupy()
    const { endpoints } = await begin({ otlpPort: port })
    expect(endpoints.otlp).toMatchObject({ state: 'failed', port })
    expect(endpoints.otlp?.message).toContain('AFFIDAVIT_OTLP_PORT')
    expect(endpoints.compliance.state).toBe('listening')
    const without = await begin({ compliance: { host: '127.0.0.1', port }, otlpPort: 0 })
    expect(without.endpoints.otlp).toMatchObject({ state: 'failed' })
    expect((await begin({})).endpoints.otlp).toBeNull()
  })

  it('does not suggest the port of the other server', async () => {
    const { port } = await occupy()
    const { endpoints } = await begin({ compliance: { host: '127.0.0.1', port }, drift: { host: '127.0.0.1', port: port + 1 } })
    expect(endpoints.compliance.suggested_port).not.toBe(port + 1)
    // Both taken, as by another engine: each is offered a port of its own.
    const two = await begin({ compliance: { host: '127.0.0.1', port }, drift: { host: '127.0.0.1', port } })
    expect(two.endpoints.drift.suggested_port).not.toBe(two.endpoints.compliance.suggested_port)
  })

  it('treats a port that is taken on ::1 only as taken: localhost would lead elsewhere', async () => {
    if (!(await hasIpv6())) return expect(await hasIpv6()).toBe(false)
    const { port } = await occupy('::1')
    const { endpoints } = await begin({ compliance: { host: '127.0.0.1', port } })
    expect(endpoints.compliance.state).toBe('failed')
  })

  it('reports a host name that leads nowhere', async () => {
    const tokens = () => [{ id: 'c1', name: 'any', sha256: '0'.repeat(64), scopes: [] }]
    const { endpoints } = await begin({ compliance: { host: '203.0.113.77', port: 0 }, tokens })
    expect(endpoints.compliance).toMatchObject({ state: 'failed', suggested_port: null })
    expect(endpoints.compliance.message).toContain('EADDRNOTAVAIL')
  })

  it('starts no server that is not wanted', async () => {
    const workspace = folder()
    const { endpoints } = await begin({ compliance: null, drift: null, workspace })
    expect([endpoints.compliance.state, endpoints.drift.state]).toEqual(['failed', 'failed'])
    expect(existsSync(join(workspace, 'endpoint.json'))).toBe(false)
  })
})

describe('endpoint.json', () => {
  it('is there while the servers run, for the owner only, and gone after a clean stop', async () => {
    const workspace = folder()
    const servers = await begin({ workspace })
    const path = join(workspace, 'endpoint.json')
    expect(endpointFile.parse(JSON.parse(readFileSync(path, 'utf8')))).toMatchObject({
      product: 'affidavit',
      instance_id: 'instance-1',
      pid: process.pid,
      compliance: { url: servers.endpoints.compliance.url },
      drift: { url: servers.endpoints.drift.url }
    })
    if (process.platform !== 'win32') expect(statSync(path).mode & 0o777).toBe(0o600)
    await servers.close()
    expect(existsSync(path)).toBe(false)
  })

  it('of another instance is left alone', async () => {
    const workspace = folder()
    const servers = await begin({ workspace })
    const path = join(workspace, 'endpoint.json')
    const other = JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), instance_id: 'instance-2' })
    writeFileSync(path, other)
    await servers.close()
    expect(readFileSync(path, 'utf8')).toBe(other)
  })
})

describe('close', () => {
  it('lets a running request finish, ends streams and frees the ports', async () => {
    const at = await startTestServers({ closeMs: 2_000 })
    let release = (): void => {}
    at.store.beforeCommit = () =>
      new Promise<void>((resolve) => {
        release = resolve
      })
    const stream = await fetch(`${at.compliance}/api/compliance/stream`)
    const posted = fetch(`${at.compliance}/api/compliance/events`, {
      method: 'POST',
      body: JSON.stringify(eventNo(1)),
      headers: { 'content-type': 'application/json' }
    })
    while (at.store.inFlight === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    const stopped = at.stop()
    release()
    expect((await posted).status).toBe(200)
    expect(await stream.text()).toContain('retry:')
    await stopped
    await expect(fetch(`${at.compliance}/health`)).rejects.toThrow()
  })
})

describe('the holder of a port', () => {
  const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1388 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4242 1 0000000000000000 100 0 0 10 0
   1: 0100007F:1389 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4243 1 0000000000000000 100 0 0 10 0
   2: 0100007F:1388 0100007F:9C40 01 00000000:00000000 00:00000000 00000000  1000        0 4244 1 0000000000000000 20 4 30 10 -1
   3: 00000000000000000000000001000000:1388 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4245 1
`
  it('is looked up among listening sockets only', () => {
    expect(listeningInodes(TABLE, 5000)).toEqual(['4242', '4245'])
    expect(listeningInodes(TABLE, 5002)).toEqual([])
    expect(listeningInodes('', 5000)).toEqual([])
  })

  it('is this process for a port of its own', async () => {
    const { port } = await occupy()
    const holder = findPortHolder(port)
    if (process.platform === 'linux') expect(holder).toMatchObject({ pid: process.pid, name: expect.not.stringContaining('MainThread') })
    else expect(holder).toBeNull()
  })

  it('is named with the way out', () => {
    const base = { port: 5000, suggested: 5002, variable: 'COMPLIANCE_API_PORT' }
    expect(portTakenMessage({ ...base, platform: 'darwin', holder: null })).toBe(
      'Port 5000 is in use, most likely by the AirPlay receiver of macOS. Turn off AirPlay Receiver in System Settings, General, AirDrop & Handoff, or set COMPLIANCE_API_PORT to a free port such as 5002; clients find the address in endpoint.json.'
    )
    expect(portTakenMessage({ ...base, platform: 'linux', holder: null })).toContain('most likely by MLflow')
    expect(portTakenMessage({ ...base, platform: 'linux', holder: { pid: 7, name: 'mlflow' } })).toMatch(
      /^Port 5000 is in use by mlflow \(process 7\)\. End that program, or set COMPLIANCE_API_PORT/
    )
    expect(portTakenMessage({ ...base, platform: 'linux', holder: { pid: process.pid, name: 'node' } })).toMatch(
      /^Port 5000 is this program’s own other port\. Give the two servers different ports, or set COMPLIANCE_API_PORT/
    )
    expect(portTakenMessage({ ...base, port: 5001, suggested: null, platform: 'darwin', holder: null })).toBe(
      'Port 5001 is in use by another program. End that program, or set COMPLIANCE_API_PORT to a free port; clients find the address in endpoint.json.'
    )
  })
})
