// SPDX-License-Identifier: Apache-2.0
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { AffidavitError } from '../../../shared/contract/errors.ts'
import { isLoopbackAddress, isNeverReached } from '../../addresses.ts'

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
  if (address && isNeverReached(host)) throw refuse('this address is link-local, unspecified or multicast')
  if (url.protocol === 'http:' && !(address ? isLoopbackAddress(host) : host === 'localhost'))
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
  if (isNeverReached(found.address)) throw refuse('the name leads to a link-local, unspecified or multicast address')
  if (url.protocol === 'http:' && !isLoopbackAddress(found.address)) throw refuse('the name does not lead to this machine')
  return { address: found.address, family: found.family === 4 ? 4 : 6 }
}
