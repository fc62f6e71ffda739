// SPDX-License-Identifier: Apache-2.0
import { lookup } from 'node:dns/promises'
import { BlockList, isIP } from 'node:net'
import { AffidavitError } from '../../../shared/contract/errors.ts'

/** An address nobody runs a receiver on: link-local (the metadata services of clouds), unspecified, multicast, broadcast, documentation. */
const never = new BlockList()
for (const [net, prefix] of [
  ['0.0.0.0', 8],
  ['169.254.0.0', 16],
  ['192.0.2.0', 24],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4]
] as const)
  never.addSubnet(net, prefix, 'ipv4')
for (const [net, prefix] of [
  ['::', 128],
  ['fe80::', 10],
  ['ff00::', 8],
  ['fd00:ec2::', 32]
] as const)
  never.addSubnet(net, prefix, 'ipv6')
const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

const family = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 4 ? 'ipv4' : 'ipv6')
/** An IPv4 address written as IPv6 is judged as the IPv4 address that is reached. */
const plain = (address: string): string => /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address
const within = (list: BlockList, address: string): boolean => list.check(plain(address), family(plain(address)))

const refuse = (message: string): AffidavitError => new AffidavitError('bad_request', `url: ${message}`)

/** An address of a webhook that may be used. @throws AffidavitError bad_request: what is wrong with it */
export function webhookUrl(text: string): URL {
  if (!URL.canParse(text)) throw refuse('no web address')
  const url = new URL(text)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw refuse('https, or http on this machine')
  if (url.username !== '' || url.password !== '')
    throw refuse('a name or password in an address is not used: the signature tells who sends')
  if (url.hash !== '') throw refuse('a fragment is never sent: leave it out')
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const address = isIP(host) > 0
  if (address && within(never, host)) throw refuse('this address is link-local, unspecified or multicast')
  if (url.protocol === 'http:' && !(address ? within(loopback, host) : host === 'localhost'))
    throw refuse('plain http only to 127.0.0.1, [::1] or localhost; https everywhere else')
  return url
}

/**
 * The address a name leads to, checked at the time of sending: the connection is made to this address, so that a name that changes its
 * mind reaches nothing else. @throws AffidavitError bad_request
 */
export async function addressOf(url: URL): Promise<{ readonly address: string; readonly family: 4 | 6 }> {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const found = isIP(host) > 0 ? { address: host, family: isIP(host) } : await lookup(host)
  if (within(never, found.address)) throw refuse('the name leads to a link-local, unspecified or multicast address')
  if (url.protocol === 'http:' && !within(loopback, found.address)) throw refuse('the name does not lead to this machine')
  return { address: found.address, family: found.family === 4 ? 4 : 6 }
}
