// SPDX-License-Identifier: Apache-2.0
import type { CanonicalEvent } from '../event/canonical-event.ts'

/**
 * Where a call was answered, as far as it is on record: the model server said that it passed the call on; or its address is loopback, in a private
 * network, or elsewhere; or no address is on record.
 */
export const places = ['passed_on', 'loopback', 'private', 'elsewhere', 'unknown'] as const
export type Place = (typeof places)[number]

/** 32 bits of an IPv4 address in its plain form; undefined for anything else. */
function ipv4(host: string): number | undefined {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(host)?.slice(1).map(Number)
  return parts?.reduce((sum, part) => sum * 256 + part, 0)
}

/** 0.0.0.0 as a destination is this host; RFC 1918 and 3927 for the rest. */
function placeOfIpv4(address: number): Place {
  const within = (net: string, bits: number): boolean =>
    Math.floor(address / 2 ** (32 - bits)) === Math.floor((ipv4(net) ?? 0) / 2 ** (32 - bits))
  if (within('127.0.0.0', 8) || address === 0) return 'loopback'
  const own = within('10.0.0.0', 8) || within('172.16.0.0', 12) || within('192.168.0.0', 16) || within('169.254.0.0', 16)
  return own ? 'private' : 'elsewhere'
}

/** RFC 4193 and 4291; an IPv4 address written as IPv6 is judged as the IPv4 address. @param host as URLs write it, without brackets */
function placeOfIpv6(host: string): Place {
  if (host === '::1' || host === '::') return 'loopback'
  const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(host) ?? []
  if (high !== undefined && low !== undefined) return placeOfIpv4(Number.parseInt(high, 16) * 65_536 + Number.parseInt(low, 16))
  return /^f[cd][0-9a-f]{2}:|^fe[89ab][0-9a-f]:/.test(host) ? 'private' : 'elsewhere'
}

/** Names that no public server has: without a dot, or under a domain set aside for private use (RFC 6761, 6762, 8375; ICANN for `internal`). */
const PRIVATE_NAME = /^[^.]+$|\.(local|internal|home\.arpa)$/

/** Where a server is, by its address or name alone; nothing is looked up. */
export function placeOfAddress(address: string): Place {
  const text = address.trim()
  const bare = /^[0-9a-f:.]+(%[^/]*)?$/i.test(text) && text.split(':').length > 2 ? `[${text.replace(/%.*/, '')}]` : text
  let host: string
  try {
    // The parser of URLs knows every spelling of an address; some instrumentations send a whole URL.
    host = new URL(/^[a-z][a-z0-9+.-]*:\/\//i.test(bare) ? bare : `http://${bare}`).hostname.replace(/\.$/, '')
  } catch {
    return 'unknown'
  }
  if (host.startsWith('[')) return placeOfIpv6(host.slice(1, -1))
  const number = ipv4(host)
  if (number !== undefined) return placeOfIpv4(number)
  if (host === '') return 'unknown'
  if (/^(.+\.)?localhost$/.test(host)) return 'loopback'
  return PRIVATE_NAME.test(host) ? 'private' : 'elsewhere'
}

/** Where a call was answered, by its event. What the model server said of it goes before the address it was sent to. */
export function placeOf(event: Pick<Partial<CanonicalEvent>, 'server_address' | 'remote_model' | 'remote_host'>): Place {
  if (event.remote_model !== undefined || event.remote_host !== undefined) return 'passed_on'
  return event.server_address === undefined ? 'unknown' : placeOfAddress(event.server_address)
}

/** Whether the data of a call left loopback and private networks; null where nothing on record says. */
export function isRemote(place: Place): boolean | null {
  return place === 'unknown' ? null : place === 'passed_on' || place === 'elsewhere'
}
