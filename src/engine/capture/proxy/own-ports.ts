// SPDX-License-Identifier: Apache-2.0
import type { RequestListener, Server } from 'node:http'
import type { Upstream } from '../../../shared/contract/proxy.ts'
import { writeFailure } from '../http/answers.ts'
import { bareServer } from '../http/bare-server.ts'
import type { HttpToken, OnToken } from '../http/dependencies.ts'
import { refusals } from '../http/errors.ts'
import { allowedFor, isLoopback, RateLimiter } from '../http/guards.ts'
import type { HttpLimits } from '../http/limits.ts'
import { closeServers, type Endpoint, failed, listenAt } from '../http/listen.ts'
import { admit, type GateRules } from './gate.ts'
import type { RecordingProxy } from './recording-proxy.ts'

export interface OwnPortsParts {
  readonly proxy: RecordingProxy
  readonly find: (name: string) => Upstream | undefined
  /** Address of the compliance server. */
  readonly host: string
  readonly limits: HttpLimits
  readonly tokens: () => readonly HttpToken[]
  readonly onToken: OnToken
  readonly allowedHosts: readonly string[]
  readonly allowedOrigins: readonly string[]
  /** Ports of the other servers. */
  readonly otherPorts: readonly number[]
}

interface Port {
  readonly port: number
  readonly endpoint: Endpoint
  readonly servers: readonly Server[]
}

/** Ports of single upstreams: opened and closed as the list changes. */
export class OwnPorts {
  readonly #parts: OwnPortsParts
  readonly #ports = new Map<string, Port>()
  #last: Promise<void> = Promise.resolve()

  constructor(parts: OwnPortsParts) {
    this.#parts = parts
  }

  endpointOf(name: string): Endpoint | null {
    return this.#ports.get(name)?.endpoint ?? null
  }

  /** Ports that are listened on. */
  get ports(): readonly number[] {
    return [...this.#ports.values()].filter((one) => one.servers.length > 0).map((one) => one.port)
  }

  /** Resolves when the ports are those of the list. A port that could not be had is tried again. */
  follow(list: readonly Upstream[]): Promise<void> {
    this.#last = this.#last.then(() => this.#follow(list))
    return this.#last
  }

  async #follow(list: readonly Upstream[]): Promise<void> {
    const wanted = new Map(list.flatMap(({ name, port }) => (port === null ? [] : [[name, port] as const])))
    for (const [name, one] of this.#ports) {
      if (wanted.get(name) === one.port && one.servers.length > 0) continue
      this.#ports.delete(name)
      await closeServers(one.servers, this.#parts.limits.closeMs)
    }
    for (const [name, port] of wanted) if (!this.#ports.has(name)) this.#ports.set(name, await this.#open(name, port))
  }

  async #open(name: string, port: number): Promise<Port> {
    const { host, tokens, onToken, limits, allowedHosts, allowedOrigins, otherPorts } = this.#parts
    const tokenNeeded = !isLoopback(host)
    if (tokenNeeded && tokens().length === 0) {
      const endpoint = failed({ host, port }, `Listening on ${host} needs client tokens: without them it listens on 127.0.0.1 only.`, null)
      return { port, endpoint, servers: [] }
    }
    const allowed = allowedFor(host, port, allowedHosts, allowedOrigins)
    const listener = this.#listener(name, { allowed, limiter: new RateLimiter(limits.rate), limits, tokens, onToken, tokenNeeded })
    const taken = [...otherPorts, ...this.ports]
    const { endpoint, servers } = await listenAt(
      () => bareServer(listener, limits),
      { host, port },
      `the port of ${name} in the settings`,
      taken
    )
    return { port, endpoint, servers }
  }

  #listener(name: string, rules: GateRules): RequestListener {
    const { proxy, find } = this.#parts
    return (request, response) => {
      const caller = admit(request, response, rules)
      const upstream = find(name)
      if ('code' in caller || !upstream) {
        request.resume()
        writeFailure(response, 'code' in caller ? caller : refusals.upstream)
        return
      }
      proxy.handle(request, response, upstream, request.url ?? '/', caller)
    }
  }

  async close(): Promise<void> {
    await this.follow([])
  }
}
