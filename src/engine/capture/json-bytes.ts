// SPDX-License-Identifier: Apache-2.0
// What every walk through the bytes of a JSON text needs (RFC 8259).

export const QUOTE = 0x22
export const COMMA = 0x2c
export const OPEN_ARRAY = 0x5b
export const CLOSE_ARRAY = 0x5d
export const OPEN_OBJECT = 0x7b
export const CLOSE_OBJECT = 0x7d
const BACKSLASH = 0x5c

/** A longer string is passed over by the runtime's own search. */
const SHORT = 24

export const isSpace = (byte: number | undefined): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09

/** Offset of the closing quote of the string that begins at `quote`; the length of the text when there is none. */
export function endOfString(bytes: Buffer, quote: number): number {
  let i = quote + 1
  const plain = endOfPlain(bytes, i, Math.min(bytes.length, i + SHORT))
  if (bytes[plain] === QUOTE) return plain
  i = plain
  if (bytes[i] !== BACKSLASH) {
    const end = bytes.indexOf(QUOTE, i)
    if (end < 0) return bytes.length
    if (bytes[end - 1] !== BACKSLASH) return end
  }
  // The search ends at each quote, of which there may be millions with a backslash before them.
  for (; i < bytes.length; i++) {
    const byte = bytes[i]
    if (byte === BACKSLASH) i++
    else if (byte === QUOTE) return i
  }
  return bytes.length
}

/** The first quote or backslash from here on, or `to`. */
function endOfPlain(bytes: Buffer, from: number, to: number): number {
  for (let i = from; i < to; i++) if (bytes[i] === QUOTE || bytes[i] === BACKSLASH) return i
  return to
}
