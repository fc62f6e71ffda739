// SPDX-License-Identifier: Apache-2.0
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { z } from 'zod'
import type { endpoint } from '../../../shared/contract/workspace.ts'
import type { HttpDependencies, HttpToken } from './dependencies.ts'
import { removeEndpointFile, writeEndpointFile } from './endpoint-file.ts'
import { allowedFor, isLoopback } from './guards.ts'
import { defaultLimits, type HttpLimits } from './limits.ts'
import { findPortHolder, nextFreePort, portTakenMessage } from './port-holder.ts'
import { type ServerName, serverNames } from './routes.ts'
import { type App, buildApp } from './server.ts'

export type Endpoint = z.infer<typeof endpoint>

/** Address of one server; port 0 asks the system for a free one. */
export interface Binding {
  readonly host: string
  readonly port: number
}

export interface HttpConfig {
  /** null: this server is not wanted. */
  readonly compliance: Binding | null
  readonly drift: Binding | null
  /** Folder that gets `endpoint.json`; null for none. */
  readonly workspace: string | null
  readonly instanceId: string
  readonly version: string
  readonly allowedHosts?: readonly string[] | undefined
  readonly allowedOrigins?: readonly string[] | undefined
  readonly tokens?: readonly HttpToken[] | undefined
  readonly limits?: Partial<HttpLimits> | undefined
}

export interface HttpServers {
  readonly endpoints: Readonly<Record<ServerName, Endpoint>>
  /** Stream clients now, both servers. */
  readonly streamClients: number
  /** Ends streams, lets running requests finish for a moment, frees the ports, removes `endpoint.json`. */
  close(): Promise<void>
}

interface Running {
  readonly app: App
  readonly servers: readonly Server[]
}

/**
 * Starts both servers. Never rejects for a port that cannot be had: that server's endpoint then says who likely holds it and which port
 * is free, and the other one serves.
 */
export async function startServers(deps: HttpDependencies, config: HttpConfig): Promise<HttpServers> {
  const limits: HttpLimits = { ...defaultLimits, ...config.limits }
  const running: Running[] = []
  const start = async (name: ServerName, taken: readonly number[]): Promise<Endpoint> => {
    const started = await startOne(deps, config, limits, name, taken)
    if (started.running !== null) running.push(started.running)
    const { state, url, port } = started.endpoint
    if (state === 'listening') deps.log.info({ event: 'http.listening', server: name, url })
    else if (config[name] !== null) deps.log.warn({ event: 'http.not_listening', server: name, port })
    return started.endpoint
  }
  // One after the other, so that neither is offered the port of the other.
  const compliance = await start('compliance', config.drift === null ? [] : [config.drift.port])
  const drift = await start('drift', config.compliance === null ? [] : [config.compliance.port, compliance.port])
  const endpoints = { compliance, drift }
  publish(deps, config, endpoints)
  let closing: Promise<void> | null = null
  return {
    endpoints,
    get streamClients() {
      return running.reduce((sum, { app }) => sum + app.streams.clients, 0)
    },
    close: () => {
      closing ??= closeAll(running, limits.closeMs).then(() => {
        if (config.workspace !== null) removeEndpointFile(config.workspace, config.instanceId)
      })
      return closing
    }
  }
}

function publish(deps: HttpDependencies, config: HttpConfig, endpoints: Readonly<Record<ServerName, Endpoint>>): void {
  if (config.workspace === null) return
  const urlOf = (name: ServerName): { readonly url: string } | null =>
    endpoints[name].state === 'listening' ? { url: endpoints[name].url } : null
  if (serverNames.every((name) => urlOf(name) === null)) return
  try {
    writeEndpointFile(config.workspace, {
      product: 'affidavit',
      version: config.version,
      instance_id: config.instanceId,
      pid: process.pid,
      started: new Date().toISOString(),
      compliance: urlOf('compliance'),
      drift: urlOf('drift')
    })
  } catch (error) {
    // Clients can still be given the address by hand.
    deps.log.warn({ event: 'endpoint_file.failed', code: codeOf(error) })
  }
}

interface Started {
  readonly endpoint: Endpoint
  readonly running: Running | null
}

async function startOne(
  deps: HttpDependencies,
  config: HttpConfig,
  limits: HttpLimits,
  name: ServerName,
  otherPorts: readonly number[]
): Promise<Started> {
  const binding = config[name]
  if (binding === null) return { endpoint: failed({ host: '', port: 0 }, 'This server is not part of this run.', null), running: null }
  const tokens = config.tokens ?? []
  const tokenNeeded = !isLoopback(binding.host)
  if (tokenNeeded && tokens.length === 0) {
    return {
      endpoint: failed(
        binding,
        `Listening on ${binding.host} needs client tokens: without them the servers listen on 127.0.0.1 only.`,
        null
      ),
      running: null
    }
  }
  const app = await buildApp(deps, { name, version: config.version, limits, tokens, tokenNeeded })
  const hosts = addressesOf(binding.host)
  try {
    const servers = await listenOnAll(app, hosts, binding.port)
    const port = portOf(servers[0])
    const url = `http://${urlHost(binding.host)}:${port}`
    app.allow(allowedFor(binding.host, port, config.allowedHosts ?? [], config.allowedOrigins ?? []), url)
    return {
      endpoint: { host: binding.host, port, url, state: 'listening', message: null, suggested_port: null },
      running: { app, servers }
    }
  } catch (error) {
    await app.close()
    return { endpoint: await explain(error, binding, hosts, name, otherPorts), running: null }
  }
}

/** 127.0.0.1 and ::1 for this machine under any of its names, otherwise the one address. */
const addressesOf = (host: string): readonly string[] =>
  host === 'localhost' || host === '127.0.0.1' || host === '::1' || host === '[::1]' ? ['127.0.0.1', '::1'] : [host]

const urlHost = (host: string): string => {
  if (host === 'localhost' || host === '::1' || host === '[::1]' || host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host
}

const FREE_PORT_TRIES = 20

async function listenOnAll(app: App, hosts: readonly string[], port: number): Promise<readonly Server[]> {
  for (let tries = 1; ; tries++) {
    const servers: Server[] = []
    try {
      for (const host of hosts) {
        const server = app.createServer()
        const at = servers.length > 0 ? portOf(servers[0]) : port
        if (await listen(server, host, at)) servers.push(server)
      }
      if (servers.length > 0) return servers
      throw Object.assign(new Error('no address of this machine can be bound'), { code: 'EADDRNOTAVAIL' })
    } catch (error) {
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
      // A free port of one family may be taken in the other: the system is asked for another one.
      if (port !== 0 || codeOf(error) !== 'EADDRINUSE' || tries === FREE_PORT_TRIES) throw error
    }
  }
}

/** False when this machine lacks the address family. */
function listen(server: Server, host: string, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const code = codeOf(error)
      if (host === '::1' && (code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT')) resolve(false)
      else reject(error)
    })
    server.listen({ host, port, exclusive: true, ipv6Only: host === '::1' }, () => {
      server.removeAllListeners('error')
      server.on('error', () => {})
      resolve(true)
    })
  })
}

async function explain(
  error: unknown,
  binding: Binding,
  hosts: readonly string[],
  name: ServerName,
  otherPorts: readonly number[]
): Promise<Endpoint> {
  const variable = name === 'compliance' ? 'COMPLIANCE_API_PORT' : 'DRIFT_API_PORT'
  const code = codeOf(error)
  if (code === 'EADDRINUSE') {
    const suggested = await nextFreePort(binding.port, hosts, otherPorts)
    const holder = findPortHolder(binding.port)
    return failed(binding, portTakenMessage({ port: binding.port, platform: process.platform, holder, suggested, variable }), suggested)
  }
  if (code === 'EACCES') {
    const suggested = await nextFreePort(Math.max(binding.port, 4999), hosts, otherPorts)
    return failed(binding, `The system does not let this account use port ${binding.port}. Set ${variable} to another port.`, suggested)
  }
  return failed(
    binding,
    `The server could not listen on ${binding.host} port ${binding.port} (${code}). Check the host name and set ${variable}.`,
    null
  )
}

const failed = (binding: Binding, message: string, suggested: number | null): Endpoint => ({
  host: binding.host,
  port: binding.port,
  url: '',
  state: 'failed',
  message,
  suggested_port: suggested
})

async function closeAll(running: readonly Running[], graceMs: number): Promise<void> {
  const servers = running.flatMap((one) => one.servers)
  const closed = Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  for (const { app } of running) app.streams.close()
  for (const server of servers) server.closeIdleConnections()
  const timer = setTimeout(() => {
    for (const server of servers) server.closeAllConnections()
  }, graceMs)
  await closed
  clearTimeout(timer)
  await Promise.all(running.map(({ app }) => app.close()))
}

const portOf = (server: Server | undefined): number => (server?.address() as AddressInfo | null | undefined)?.port ?? 0

const codeOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown'
