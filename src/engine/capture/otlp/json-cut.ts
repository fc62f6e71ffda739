// SPDX-License-Identifier: Apache-2.0
// A JSON text in pieces: the elements of the lists that a text consists of are cut out and parsed one by one, so that no large one holds the thread.
import { CLOSE_ARRAY, CLOSE_OBJECT, COMMA, endOfString, isSpace, OPEN_ARRAY, OPEN_OBJECT, QUOTE } from '../json-bytes.ts'

/** Bytes looked at between two pauses of the caller. */
const PAUSE_BYTES = 65_536

/** A text without the elements that were cut out: in their places their numbers. */
export interface Cut {
  readonly around: Buffer
  readonly elements: readonly Buffer[]
}

function isBlank(bytes: Buffer, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (!isSpace(bytes[i])) return false
  return true
}

/**
 * Cuts the elements out of every list that stands in the text as `path` says, a bracket for each level: `{[` are the members of the text that are
 * lists. What is no JSON is found when what is around and the elements are parsed. Gives now and then, for the caller to pause.
 * @param most ends with one element more when there are more
 */
export function* cutElements(bytes: Buffer, path: string, most: number): Generator<void, Cut, undefined> {
  const elements: Buffer[] = []
  const around: Buffer[] = []
  let depth = 0
  /** Levels from the outside on that are as the path says. */
  let along = 0
  let from = 0
  let start = 0
  let first = 0
  let pause = PAUSE_BYTES
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]
    if (byte === QUOTE) i = endOfString(bytes, i)
    else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
      if (along === depth && path.charCodeAt(depth) === byte) along++
      depth++
      if (depth === path.length && along === depth) {
        around.push(bytes.subarray(from, i + 1))
        start = i + 1
        first = elements.length
      }
    } else if (byte === COMMA) {
      if (depth !== path.length || along !== depth) continue
      elements.push(bytes.subarray(start, i))
      start = i + 1
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
      if (depth === path.length && along === depth) {
        // An empty list has no element; a comma before the end is found when the empty one behind it is parsed.
        if (elements.length > first || !isBlank(bytes, start, i)) elements.push(bytes.subarray(start, i))
        if (elements.length > first) around.push(numbers(first, elements.length))
        from = i
      }
      depth--
      if (along > depth) along = Math.max(0, depth)
    }
    if (i > pause) {
      if (elements.length > most) break
      pause = i + PAUSE_BYTES
      yield
    }
  }
  around.push(bytes.subarray(from))
  return { around: Buffer.concat(around), elements }
}

function numbers(from: number, to: number): Buffer {
  let text = String(from)
  for (let n = from + 1; n < to; n++) text += `,${n}`
  return Buffer.from(text, 'latin1')
}
