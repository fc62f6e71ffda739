// SPDX-License-Identifier: Apache-2.0
import type { Server } from 'node:http'
import { bareServer } from './bare-server.ts'
import type { HttpDependencies, HttpToken, OnToken } from './dependencies.ts'
import { removeEndpointFile, writeEndpointFile } from './endpoint-file.ts'
import { allowedFor, isLoopback } from './guards.ts'
import { defaultLimits, type HttpLimits } from './limits.ts'
import { type Binding, closeServers, codeOf, type Endpoint, failed, listenAt } from './listen.ts'
import { otlpOnly } from './otlp-route.ts'
import { type ServerName, serverNames } from './routes.ts'
import { type App, buildApp } from './server.ts'

export interface HttpConfig {
  /** null: this server is not wanted. */
  readonly compliance: Binding | null
  readonly drift: Binding | null
  /** A further port of the compliance server's host, for OTLP alone; null for none. */
  readonly otlpPort?: number | null | undefined
  /** Folder that gets `endpoint.json`; null for none. */
  readonly workspace: string | null
  readonly instanceId: string
  readonly version: string
  readonly allowedHosts?: readonly string[] | undefined
  readonly allowedOrigins?: readonly string[] | undefined
  /** Tokens taken now, none by default. */
  readonly tokens?: (() => readonly HttpToken[]) | undefined
  readonly onToken?: OnToken | undefined
  readonly limits?: Partial<HttpLimits> | undefined
}

type Endpoints = Readonly<Record<ServerName, Endpoint>> & { readonly otlp: Endpoint | null }

export interface HttpServers {
  readonly endpoints: Endpoints
  /** Stream clients now, both servers. */
  readonly streamClients: number
  /** Ends streams, lets running requests finish for a moment, frees the ports, removes `endpoint.json`. */
  close(): Promise<void>
}

interface Running {
  readonly name: ServerName | 'otlp'
  readonly app: App
  readonly servers: readonly Server[]
}

/** The port of a server and the one that was offered instead: no other is offered either. */
const portsOf = ({ port, suggested_port }: Endpoint): number[] => (suggested_port === null ? [port] : [port, suggested_port])

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
  const drift = await start('drift', config.compliance === null ? [] : [config.compliance.port, ...portsOf(compliance)])
  const otlp = await startOtlp(deps, config, limits, running, [...portsOf(compliance), ...portsOf(drift)])
  const endpoints = { compliance, drift, otlp }
  publish(deps, config, endpoints)
  let closing: Promise<void> | null = null
  return {
    endpoints,
    get streamClients() {
      return running.reduce((sum, { name, app }) => sum + (name === 'otlp' ? 0 : app.streams.clients), 0)
    },
    close: () => {
      closing ??= closeAll(running, limits.closeMs).then(() => {
        if (config.workspace !== null) removeEndpointFile(config.workspace, config.instanceId)
      })
      return closing
    }
  }
}

function publish(deps: HttpDependencies, config: HttpConfig, endpoints: Endpoints): void {
  if (config.workspace === null) return
  const urlOf = (name: keyof Endpoints): { readonly url: string } | null =>
    endpoints[name]?.state === 'listening' ? { url: endpoints[name].url } : null
  if (serverNames.every((name) => urlOf(name) === null)) return
  try {
    writeEndpointFile(config.workspace, {
      product: 'affidavit',
      version: config.version,
      instance_id: config.instanceId,
      pid: process.pid,
      started: new Date().toISOString(),
      compliance: urlOf('compliance'),
      drift: urlOf('drift'),
      otlp: urlOf('otlp')
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
  const tokens = config.tokens ?? (() => [])
  const tokenNeeded = !isLoopback(binding.host)
  if (tokenNeeded && tokens().length === 0) {
    return {
      endpoint: failed(
        binding,
        `Listening on ${binding.host} needs client tokens: add a client, or name a file of tokens in AFFIDAVIT_TOKEN_FILE; without them the servers listen on 127.0.0.1 only.`,
        null
      ),
      running: null
    }
  }
  const app = await buildApp(deps, { name, version: config.version, limits, tokens, onToken: config.onToken ?? (() => {}), tokenNeeded })
  const variable = name === 'compliance' ? 'COMPLIANCE_API_PORT' : 'DRIFT_API_PORT'
  const { endpoint, servers } = await listenAt(() => app.createServer(), binding, variable, otherPorts)
  if (servers.length === 0) {
    await app.close()
    return { endpoint, running: null }
  }
  app.allow(allowedFor(binding.host, endpoint.port, config.allowedHosts ?? [], config.allowedOrigins ?? []), endpoint.url)
  return { endpoint, running: { name, app, servers } }
}

/** Port for exporters that are set up with it. It is the compliance server's: what comes there is joined with what comes here. */
async function startOtlp(
  deps: HttpDependencies,
  config: HttpConfig,
  limits: HttpLimits,
  running: Running[],
  taken: readonly number[]
): Promise<Endpoint | null> {
  if (config.otlpPort == null || config.compliance === null) return null
  const binding = { host: config.compliance.host, port: config.otlpPort }
  const app = running.find(({ name }) => name === 'compliance')?.app
  if (!app) return failed(binding, 'This port belongs to the compliance server, which does not listen.', null)
  const listener = otlpOnly(app.listener)
  const { endpoint, servers } = await listenAt(() => bareServer(listener, limits), binding, 'AFFIDAVIT_OTLP_PORT', taken)
  if (servers.length === 0) {
    deps.log.warn({ event: 'http.not_listening', server: 'otlp', port: binding.port })
    return endpoint
  }
  app.allowAlso(allowedFor(binding.host, endpoint.port, config.allowedHosts ?? [], []).hosts)
  running.push({ name: 'otlp', app, servers })
  deps.log.info({ event: 'http.listening', server: 'otlp', url: endpoint.url })
  return endpoint
}

async function closeAll(running: readonly Running[], graceMs: number): Promise<void> {
  for (const { app } of running) {
    app.streams.close()
    app.answerHeld()
  }
  await closeServers(
    running.flatMap((one) => one.servers),
    graceMs
  )
  await Promise.all([...new Set(running.map(({ app }) => app))].map((app) => app.close()))
}
