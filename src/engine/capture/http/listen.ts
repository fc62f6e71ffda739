// SPDX-License-Identifier: Apache-2.0
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { z } from 'zod'
import type { endpoint } from '../../../shared/contract/workspace.ts'
import { findPortHolder, nextFreePort, portTakenMessage } from './port-holder.ts'

export type Endpoint = z.infer<typeof endpoint>

/** Address of one server; port 0 asks the system for a free one. */
export interface Binding {
  readonly host: string
  readonly port: number
}

export interface Listening {
  readonly endpoint: Endpoint
  /** Empty when it does not listen. */
  readonly servers: readonly Server[]
}

/**
 * Listens on every address that a host stands for. Never rejects: an endpoint that could not be had says who likely holds the port and which one is free.
 * @param variable what a person changes to get another port, in words
 * @param otherPorts ports that are not offered instead
 */
export async function listenAt(
  createServer: () => Server,
  binding: Binding,
  variable: string,
  otherPorts: readonly number[]
): Promise<Listening> {
  const hosts = addressesOf(binding.host)
  try {
    const servers = await listenOnAll(createServer, hosts, binding.port)
    const port = portOf(servers[0])
    const url = `http://${urlHost(binding.host)}:${port}`
    return { endpoint: { host: binding.host, port, url, state: 'listening', message: null, suggested_port: null }, servers }
  } catch (error) {
    return { endpoint: await explain(error, binding, hosts, variable, otherPorts), servers: [] }
  }
}

/** Ends servers: idle connections at once, the others after a grace. */
export async function closeServers(servers: readonly Server[], graceMs: number): Promise<void> {
  const closed = Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  for (const server of servers) server.closeIdleConnections()
  const timer = setTimeout(() => {
    for (const server of servers) server.closeAllConnections()
  }, graceMs)
  await closed
  clearTimeout(timer)
}

/** 127.0.0.1 and ::1 for this machine under any of its names, otherwise the one address. */
const addressesOf = (host: string): readonly string[] =>
  host === 'localhost' || host === '127.0.0.1' || host === '::1' || host === '[::1]' ? ['127.0.0.1', '::1'] : [host]

const urlHost = (host: string): string => {
  if (host === 'localhost' || host === '::1' || host === '[::1]' || host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host
}

const FREE_PORT_TRIES = 20

async function listenOnAll(createServer: () => Server, hosts: readonly string[], port: number): Promise<readonly Server[]> {
  for (let tries = 1; ; tries++) {
    const servers: Server[] = []
    try {
      for (const host of hosts) {
        const server = createServer()
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
  variable: string,
  otherPorts: readonly number[]
): Promise<Endpoint> {
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

/** The endpoint of a server that does not listen. */
export const failed = (binding: Binding, message: string, suggested: number | null): Endpoint => ({
  host: binding.host,
  port: binding.port,
  url: '',
  state: 'failed',
  message,
  suggested_port: suggested
})

const portOf = (server: Server | undefined): number => (server?.address() as AddressInfo | null | undefined)?.port ?? 0

/** The code of a system error. */
export const codeOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown'
