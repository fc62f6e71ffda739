// SPDX-License-Identifier: Apache-2.0
import { EvidenceError } from './errors.ts'

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue | undefined }

function text(value: string): string {
  // A lone surrogate has no UTF-8 form.
  if (!value.isWellFormed()) throw new EvidenceError('not_canonicalizable', 'a string with a lone surrogate')
  return JSON.stringify(value)
}

const MOST_NAMES = 1024
const names = new Map<string, string>()

/** A member name in quotes. The same few come again and again, and quoting each anew takes a third of the time. */
function nameOf(key: string): string {
  const known = names.get(key)
  if (known !== undefined) return known
  const quoted = `${text(key)}:`
  if (names.size < MOST_NAMES && key.length < 64) names.set(key, quoted)
  return quoted
}

/**
 * RFC 8785 (JSON Canonicalization Scheme). Strings and numbers are written as ECMAScript does, keys are sorted by UTF-16 code units.
 * Members that are undefined are left out, as in JSON.stringify.
 * @throws EvidenceError out_of_range: NaN, Infinity; not_canonicalizable: a lone surrogate, or something that is not JSON
 */
export function jcs(value: JsonValue): string {
  switch (typeof value) {
    case 'string':
      return text(value)
    case 'number':
      if (!Number.isFinite(value)) throw new EvidenceError('out_of_range', 'a number that is not finite')
      return JSON.stringify(value)
    case 'boolean':
      return value ? 'true' : 'false'
    case 'object':
      if (value === null) return 'null'
      return Array.isArray(value)
        ? array(value as readonly JsonValue[])
        : object(value as { readonly [key: string]: JsonValue | undefined })
    default:
      throw new EvidenceError('not_canonicalizable', `a ${typeof value}`)
  }
}

const isFiniteNumber = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value)

function array(values: readonly JsonValue[]): string {
  // Tables of counts are arrays of numbers only, and long: JSON.stringify writes these alike, many times faster.
  if (values.length > 8 && values.every(isFiniteNumber)) return JSON.stringify(values)
  let out = '['
  for (let i = 0; i < values.length; i++) {
    if (i > 0) out += ','
    out += jcs(values[i] as JsonValue)
  }
  return `${out}]`
}

function object(value: { readonly [key: string]: JsonValue | undefined }): string {
  let out = '{'
  // The default sort compares UTF-16 code units, which is what RFC 8785 3.2.3 asks for.
  for (const key of Object.keys(value).sort()) {
    const member = value[key]
    if (member === undefined) continue
    if (out.length > 1) out += ','
    out += nameOf(key) + jcs(member)
  }
  return `${out}}`
}

/** Whether no text or name in a JSON value holds half of a surrogate pair: an escape can say one, UTF-8 cannot. */
export function isWellFormed(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed()
  if (Array.isArray(value)) return value.every(isWellFormed)
  if (typeof value !== 'object' || value === null) return true
  return Object.entries(value).every(([name, member]) => name.isWellFormed() && isWellFormed(member))
}
