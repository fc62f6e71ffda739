// SPDX-License-Identifier: Apache-2.0

export const SCHEME = 'app'
export const HOST = 'affidavit'
/** The one origin of the page. */
export const ORIGIN = `${SCHEME}://${HOST}`
export const START_URL = `${ORIGIN}/index.html`

/** The parsed address, or null when it is none. (`URL.parse` is newer than the oldest runtime.) */
export function parseAddress(address: string): URL | null {
  return URL.canParse(address) ? new URL(address) : null
}

/** True for addresses of the page's own origin. Compares parsed parts: prefixes of addresses have fooled such checks elsewhere. */
export function isOwnAddress(address: string): boolean {
  // Node gives the origin of a custom scheme as 'null', so scheme and host are compared one by one.
  const url = parseAddress(address)
  return url !== null && url.protocol === `${SCHEME}:` && url.host === HOST && url.username === '' && url.password === ''
}
