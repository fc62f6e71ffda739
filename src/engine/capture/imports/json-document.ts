// SPDX-License-Identifier: Apache-2.0
// A file that is one JSON text (RFC 8259) instead of lines: its list of rows, one item at a time, without holding the file.
import { chunksOf, type FileSpan } from './file-span.ts'
import { MOST_RECORD_BYTES, NotThisForm, type RawRecord } from './line-reader.ts'

/** Members of an object that hold the rows, also one within the other, as promptfoo's `results.results`. */
const LISTS = new Set(['data', 'traces', 'observations', 'spans', 'results', 'items', 'rows', 'records', 'requests', 'events', 'logs'])
const MOST_NAME = 64
const MOST_LEVELS = 1_000

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_ARRAY = 0x5b
const CLOSE_ARRAY = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

/** Whether an object, parsed, holds its rows in a list. */
export function holdsList(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return Object.entries(value).some(([name, member]) => LISTS.has(name) && (Array.isArray(member) || holdsList(member)))
}

/** Walks to the list: the text itself, or the first one that lies under such members alone. */
class ListSeeker {
  /** For each open container, whether its list would be the rows, and the member of the one around it that it is. */
  readonly #open: { readonly leads: boolean; readonly member: string }[] = []
  #inside = false
  #escaped = false
  #name = ''
  #key = ''
  /** The members that lead to the list, from the outermost on; all of them are names of `LISTS`. */
  members: readonly string[] = []

  /** True at the bracket that opens the list; null when there can be none. */
  step(byte: number): boolean | null {
    if (this.#inside) {
      if (this.#escaped) this.#escaped = false
      else if (byte === BACKSLASH) this.#escaped = true
      else if (byte === QUOTE) this.#inside = false
      if (this.#inside && this.#name.length <= MOST_NAME) this.#name += String.fromCharCode(byte)
      return false
    }
    if (byte === QUOTE) {
      this.#inside = true
      this.#name = ''
    } else if (byte === COLON) this.#key = this.#name
    else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) {
      const leads = this.#open.length === 0 || (this.#open.at(-1)?.leads === true && LISTS.has(this.#key))
      const member = this.#open.length === 0 ? '' : this.#key
      if (leads && byte === OPEN_ARRAY) {
        this.members = [...this.#open.map((one) => one.member), member].slice(1)
        return true
      }
      if (this.#open.length >= MOST_LEVELS) return null
      this.#open.push({ leads, member })
      this.#key = ''
    } else if (byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) {
      this.#open.pop()
      this.#key = ''
      if (this.#open.length === 0) return null
    } else if (byte === COMMA) this.#key = ''
    return false
  }
}

/** The members that lead to the list of rows, none when it is the text itself; null when there is no list. */
export async function listOf(path: string): Promise<readonly string[] | null> {
  const seeker = new ListSeeker()
  for await (const chunk of chunksOf(path, {}))
    for (const byte of chunk) {
      const found = seeker.step(byte)
      if (found !== false) return found === null ? null : seeker.members
    }
  return null
}

/**
 * The items of the list as records; `line` counts the items, from 1. An item that is too long has no bytes. `cut` stands on a last record
 * of a file that stops within its list.
 * @throws NotThisForm there is no list
 */
export async function* readItems(
  path: string,
  options: { readonly signal?: AbortSignal | undefined; readonly span?: FileSpan | undefined } = {}
): AsyncGenerator<RawRecord & { readonly cut?: boolean }> {
  const seeker = new ListSeeker()
  let seeking = true
  let depth = 0
  let inside = false
  let escaped = false
  let item = 1
  let kept: Buffer[] = []
  let size = 0
  let read = 0
  const take = (piece: Buffer, at: number): RawRecord | null => {
    const bytes = size + piece.length > MOST_RECORD_BYTES ? null : kept.length === 0 ? piece : Buffer.concat([...kept, piece])
    kept = []
    size = 0
    return bytes !== null && isBlank(bytes) ? null : { line: item, bytes, read: read + at + 1 }
  }
  for await (const chunk of chunksOf(path, options)) {
    let from = 0
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i] ?? 0
      if (seeking) {
        const found = seeker.step(byte)
        if (found === null) throw new NotThisForm()
        if (found) {
          seeking = false
          from = i + 1
        }
      } else if (inside) {
        if (escaped) escaped = false
        else if (byte === BACKSLASH) escaped = true
        else if (byte === QUOTE) inside = false
      } else if (byte === QUOTE) inside = true
      else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) depth++
      else if (depth > 0 ? byte === CLOSE_ARRAY || byte === CLOSE_OBJECT : byte === COMMA || byte === CLOSE_ARRAY) {
        if (depth > 0) {
          depth--
          continue
        }
        const record = take(chunk.subarray(from, i), i)
        // An empty place between commas is no JSON; behind the last comma, and in an empty list, it is passed over.
        if (record) yield record
        else if (byte === COMMA) yield { line: item, bytes: Buffer.from('?'), read: read + i + 1 }
        if (byte === CLOSE_ARRAY) return
        item++
        from = i + 1
      }
    }
    if (!seeking) {
      const rest = chunk.subarray(from)
      size += rest.length
      if (size <= MOST_RECORD_BYTES) kept.push(Buffer.from(rest))
      else kept = []
    }
    read += chunk.length
  }
  if (seeking) throw new NotThisForm()
  yield { line: item, bytes: Buffer.alloc(0), read, cut: true }
}

function isBlank(bytes: Buffer): boolean {
  for (const byte of bytes) if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return false
  return true
}
