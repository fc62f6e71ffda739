// SPDX-License-Identifier: Apache-2.0
import { CLOSE_ARRAY, CLOSE_OBJECT, COMMA, endOfString, isSpace, OPEN_ARRAY, OPEN_OBJECT, QUOTE } from '../json-bytes.ts'

/** Offset of the first byte that is not JSON white space; a byte order mark counts as white space. */
export function skipSpace(bytes: Uint8Array, from = 0): number {
  let i = from
  if (i === 0 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) i = 3
  while (i < bytes.length && isSpace(bytes[i])) i++
  return i
}

/** Whether a JSON text is an array, by its first byte. */
export const startsArray = (bytes: Uint8Array): boolean => bytes[skipSpace(bytes)] === OPEN_ARRAY

/**
 * The elements of a JSON array as slices of its text (RFC 8259 section 5), so that a large array can be parsed in short steps.
 * Every slice still has to be parsed: the array is valid when all slices are and no null was given. Null stands for a text that is
 * not an array; nothing follows it.
 */
export function* arrayElements(bytes: Buffer): Generator<Buffer | null, void, undefined> {
  let at = skipSpace(bytes)
  if (bytes[at] !== OPEN_ARRAY) return yield null
  let start = ++at
  let depth = 1
  let first = true
  for (; at < bytes.length; at++) {
    const byte = bytes[at]
    if (byte === QUOTE) at = endOfString(bytes, at)
    else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) depth++
    else if (byte === COMMA && depth === 1) {
      if (skipSpace(bytes, start) >= at) return yield null
      yield bytes.subarray(start, at)
      first = false
      start = at + 1
    } else if ((byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) && --depth === 0) {
      if (byte !== CLOSE_ARRAY || skipSpace(bytes, at + 1) !== bytes.length) return yield null
      const empty = skipSpace(bytes, start) >= at
      if (empty && !first) return yield null
      if (!empty) yield bytes.subarray(start, at)
      return
    }
  }
  yield null
}
