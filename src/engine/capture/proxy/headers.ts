// SPDX-License-Identifier: Apache-2.0
// Headers that go on, as flat lists of names and values in the order and spelling in which they came (RFC 9110 7.6.1).

/** Headers that are about one connection only. `expect` is answered here. */
const HOP = new Set([
  'connection',
  'expect',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade'
])
/** Headers between a client and this proxy. */
const OWN = 'x-affidavit-'

/** Values of every header of that name. */
function valuesOf(raw: readonly string[], name: string): string[] {
  const found: string[] = []
  for (let i = 0; i + 1 < raw.length; i += 2) if (raw[i]?.toLowerCase() === name) found.push(raw[i + 1] ?? '')
  return found
}

/** What `Connection` names besides; the length of a body is never such a header, whoever says so. */
function namedHops(raw: readonly string[]): Set<string> {
  const names = valuesOf(raw, 'connection').flatMap((value) => value.split(','))
  return new Set(names.map((name) => name.trim().toLowerCase()).filter((name) => name !== 'content-length'))
}

/**
 * Headers of a request for the upstream. Null when two readers could disagree where its body ends: several lengths, a length beside a transfer
 * coding, or a coding other than `chunked`.
 */
export function requestHeaders(raw: readonly string[], host: string): string[] | null {
  const lengths = valuesOf(raw, 'content-length')
  const codings = valuesOf(raw, 'transfer-encoding')
  if (lengths.length + codings.length > 1) return null
  if (lengths.some((length) => !/^\d{1,15}$/.test(length)) || codings.some((coding) => coding.toLowerCase() !== 'chunked')) return null
  const hops = namedHops(raw)
  const out: string[] = ['Host', host]
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? ''
    const key = name.toLowerCase()
    if (key === 'host' || HOP.has(key) || hops.has(key) || key.startsWith(OWN)) continue
    out.push(name, raw[i + 1] ?? '')
  }
  if (codings.length > 0) out.push('Transfer-Encoding', 'chunked')
  return out
}

/** Headers of an answer for the client. */
export function responseHeaders(raw: readonly string[]): string[] {
  const hops = namedHops(raw)
  const out: string[] = []
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? ''
    const key = name.toLowerCase()
    if (!HOP.has(key) && !hops.has(key)) out.push(name, raw[i + 1] ?? '')
  }
  return out
}
