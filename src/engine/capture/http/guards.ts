// SPDX-License-Identifier: Apache-2.0
import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Failure } from '../../../shared/contract/errors.ts'
import type { HttpScope, HttpToken } from './dependencies.ts'
import { refusals } from './errors.ts'
import type { HttpLimits } from './limits.ts'

/** Whether a host name or address is this machine only. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host)
}

/** Host headers and web origins a server answers to. Equality only: prefixes and suffixes have been used to get past such checks. */
export interface Allowed {
  readonly hosts: ReadonlySet<string>
  readonly origins: ReadonlySet<string>
  /** Origins of other sites that may read answers (configured ones). */
  readonly crossOrigins: ReadonlySet<string>
}

/**
 * The lists for one server once its port is known.
 * @param bound the address it listens on
 * @param extraHosts `host` (with and without the port) or `host:port`
 */
export function allowedFor(bound: string, port: number, extraHosts: readonly string[], extraOrigins: readonly string[]): Allowed {
  const hosts = new Set<string>()
  for (const name of ['127.0.0.1', '[::1]', 'localhost', ...(isWildcard(bound) || isLoopback(bound) ? [] : [bracketed(bound)])]) {
    hosts.add(`${name}:${port}`)
    if (port === 80) hosts.add(name)
  }
  for (const entry of extraHosts) {
    const name = entry.trim().toLowerCase()
    if (name === '') continue
    hosts.add(name)
    if (!/:\d+$/.test(name) || name.endsWith(']')) hosts.add(`${name}:${port}`)
  }
  const crossOrigins = new Set(
    extraOrigins.map((origin) => origin.trim().toLowerCase()).filter((origin) => origin !== '' && origin !== 'null')
  )
  const origins = new Set(crossOrigins)
  for (const host of hosts) origins.add(`http://${host}`)
  return { hosts, origins, crossOrigins }
}

const isWildcard = (host: string): boolean => host === '0.0.0.0' || host === '::' || host === '[::]'
const bracketed = (host: string): string => (host.includes(':') && !host.startsWith('[') ? `[${host}]` : host.toLowerCase())

/** DNS rebinding: exactly one Host header, equal to an entry of the list. */
export function checkHost(request: IncomingMessage, allowed: Allowed): Failure | null {
  const host = request.headers.host
  if (host === undefined) return refusals.host
  if (!allowed.hosts.has(host) && !allowed.hosts.has(host.toLowerCase())) return refusals.host
  let seen = 0
  const raw = request.rawHeaders
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]
    if (name !== undefined && name.length === 4 && name.toLowerCase() === 'host') seen++
  }
  return seen === 1 ? null : refusals.host
}

/**
 * A browser names the page that asks: an absent Origin passes, `null` and anything not listed does not. It names none for what it fetches without
 * asking (pictures, scripts, frames, links); then `Sec-Fetch-Site` says whether another site is behind it.
 * @param mayBeOpened whether a link of another site may lead here
 */
export function checkOrigin(headers: IncomingHttpHeaders, allowed: Allowed, mayBeOpened = false): Failure | null {
  const { origin } = headers
  if (origin !== undefined) return allowed.origins.has(origin) ? null : refusals.origin
  const site = headers['sec-fetch-site']
  if (site === undefined || site === 'same-origin' || site === 'none') return null
  return mayBeOpened && headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document' ? null : refusals.origin
}

/** What a body is. */
export type BodyKind = 'json' | 'ndjson'

const JSON_TYPE = 'application/json'

/** The kind of a POST body, null for what is not taken. Forms and text/plain, which a foreign page may send unasked, are among that. */
export function bodyKind(headers: IncomingHttpHeaders): BodyKind | null {
  const type = headers['content-type']
  const encoding = headers['content-encoding']
  if (type === undefined || (encoding !== undefined && encoding !== 'identity')) return null
  if (type === JSON_TYPE) return 'json'
  const [essence = '', ...parameters] = type.split(';')
  for (const parameter of parameters) {
    const [name = '', value = ''] = parameter.split('=')
    if (name.trim().toLowerCase() === 'charset' && !/^"?utf-?8"?$/i.test(value.trim())) return null
  }
  switch (essence.trim().toLowerCase()) {
    case JSON_TYPE:
      return 'json'
    case 'application/x-ndjson':
      return 'ndjson'
    default:
      return null
  }
}

/** Who a bearer token belongs to, null for none. All entries are compared in constant time. */
export function clientOf(headers: IncomingHttpHeaders, tokens: readonly HttpToken[], scope: HttpScope): HttpToken | null {
  const header = headers.authorization
  if (header === undefined || header.length > 4096 || !/^bearer /i.test(header)) return null
  const digest = createHash('sha256').update(header.slice(7).trim()).digest()
  let found: HttpToken | null = null
  for (const token of tokens) {
    const expected = Buffer.from(token.sha256, 'hex')
    if (expected.length === digest.length && timingSafeEqual(expected, digest)) found = token
  }
  return found?.scopes.includes(scope) ? found : null
}

const CLIENTS_REMEMBERED = 10_000

/** A bucket of requests per client address that refills evenly. */
export class RateLimiter {
  readonly #perMs: number
  readonly #burst: number
  readonly #clients = new Map<string, { left: number; at: number }>()

  constructor(rate: HttpLimits['rate']) {
    this.#perMs = rate.perSecond / 1000
    this.#burst = rate.burst
  }

  /** Takes one request; false when the bucket is empty. @param now milliseconds of a monotonic clock */
  take(client: string, now: number): boolean {
    let bucket = this.#clients.get(client)
    if (bucket === undefined) {
      if (this.#clients.size >= CLIENTS_REMEMBERED) this.#forgetFull(now)
      bucket = { left: this.#burst, at: now }
      this.#clients.set(client, bucket)
    }
    bucket.left = Math.min(this.#burst, bucket.left + (now - bucket.at) * this.#perMs)
    bucket.at = now
    if (bucket.left < 1) return false
    bucket.left--
    return true
  }

  #forgetFull(now: number): void {
    for (const [client, bucket] of this.#clients) {
      if (bucket.left + (now - bucket.at) * this.#perMs >= this.#burst) this.#clients.delete(client)
    }
    if (this.#clients.size >= CLIENTS_REMEMBERED) this.#clients.clear()
  }
}
