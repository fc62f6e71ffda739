// SPDX-License-Identifier: Apache-2.0
// Where a call goes: to a configured upstream and nowhere else, whatever its request target says.
import { isIP } from 'node:net'
import { AffidavitError } from '../../../shared/contract/errors.ts'
import { isNeverReached } from '../../addresses.ts'

const refuse = (message: string): AffidavitError => new AffidavitError('bad_request', `url: ${message}`)

/** Base address of an upstream. @throws AffidavitError bad_request: what is wrong with it */
export function upstreamUrl(text: string): URL {
  if (!URL.canParse(text)) throw refuse('no web address')
  const url = new URL(text)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw refuse('http or https')
  if (url.username !== '' || url.password !== '')
    throw refuse('a name or password in an address is not used: each client sends its own key')
  if (url.search !== '' || url.hash !== '') throw refuse('a query or fragment is not used')
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (isIP(host) > 0 && isNeverReached(host)) throw refuse('this address is link-local, unspecified or multicast')
  return url
}

const PREFIX = '/proxy/'

/** The upstream that a request target names and the rest of it; null when it is no target of the proxy. */
export function splitTarget(target: string): { readonly name: string; readonly rest: string } | null {
  if (!target.startsWith(PREFIX)) return null
  const end = target.slice(PREFIX.length).search(/[/?]/)
  if (end < 0) return { name: target.slice(PREFIX.length), rest: '/' }
  const rest = target.slice(PREFIX.length + end)
  return { name: target.slice(PREFIX.length, PREFIX.length + end), rest: rest.startsWith('?') ? `/${rest}` : rest }
}

const SAFE = /^\/[\x21\x24-\x5b\x5d-\x7e]*$/

/**
 * The request target at the upstream: its base path and that of the call, the query as it came. Null for what could mean another place than it
 * seems: an absolute form, an empty first segment (`//host`), a backslash, and segments of dots however they are written.
 */
export function joinTarget(base: URL, rest: string): string | null {
  if (!SAFE.test(rest)) return null
  const query = rest.indexOf('?')
  const path = query < 0 ? rest : rest.slice(0, query)
  if (path.startsWith('//')) return null
  for (const segment of path.split(/\/|%2f|%5c/i)) if (/^(?:\.|%2e){1,2}$/i.test(segment)) return null
  return base.pathname.replace(/\/+$/, '') + rest
}
