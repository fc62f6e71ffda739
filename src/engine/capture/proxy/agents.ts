// SPDX-License-Identifier: Apache-2.0
import { type LookupAddress, lookup } from 'node:dns'
import { Agent, type ClientRequest, request as httpRequest, type RequestOptions } from 'node:http'
import { Agent as SecureAgent, request as secureRequest } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { isNeverReached } from '../../addresses.ts'

/** Resolves a name, and refuses when it leads to an address that nothing is connected to: a name may change its mind after it was configured. */
const checkedLookup: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
    const good = addresses?.filter(({ address }) => !isNeverReached(address)) ?? []
    const first = good[0]
    if (error ?? !first) return callback(error ?? Object.assign(new Error('address'), { code: 'ENOTFOUND' }), '', 4)
    if (options.all === true) callback(null, good)
    else callback(null, first?.address ?? '', first?.family)
  })
}

/** Idle connections to upstreams are kept this long; longer ones tend to be closed by the other side at the moment they are used. */
const KEEP_MS = 4_000
const options = { keepAlive: true, timeout: KEEP_MS, maxSockets: Number.POSITIVE_INFINITY, scheduling: 'lifo' } as const

/** Connections to upstreams, kept and used again. */
export class Agents {
  readonly #plain = new Agent(options)
  readonly #secure = new SecureAgent(options)

  /** A request to the host of `url`, with this target; nothing in the target can lead to another host. */
  request(url: URL, given: Pick<RequestOptions, 'method' | 'path' | 'headers'>): ClientRequest {
    const secure = url.protocol === 'https:'
    const host = url.hostname.replace(/^\[|\]$/g, '')
    const port = url.port === '' ? (secure ? 443 : 80) : Number(url.port)
    const all = { ...given, host, port, lookup: checkedLookup, setDefaultHeaders: false, agent: secure ? this.#secure : this.#plain }
    return secure ? secureRequest({ ...all, ...(isIP(host) > 0 ? {} : { servername: host }) }) : httpRequest(all)
  }

  close(): void {
    this.#plain.destroy()
    this.#secure.destroy()
  }
}
