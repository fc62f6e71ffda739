// SPDX-License-Identifier: Apache-2.0
import { parseJson, type WireReader } from './wire.ts'

/** How an answer is framed, by its media type. */
export type Framing = 'sse' | 'ndjson' | 'json'

/** The framing that a Content-Type names. */
export function framingOf(contentType: string | undefined): Framing {
  const type = (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase()
  if (type === 'text/event-stream') return 'sse'
  return type === 'application/x-ndjson' || type === 'application/jsonl' ? 'ndjson' : 'json'
}

/**
 * Hands the events of a whole answer to a reader, a bounded number of them between two pauses of the caller: an iterator that gives after each piece.
 * Server-sent events as the WHATWG standard has them, as far as these interfaces use it: `event` and `data` lines, comments left out. A last event
 * without its blank line, or a last line that is cut off, is no event.
 * @param cut whether the text is only the beginning of the answer
 */
export function* feed(reader: WireReader, framing: Framing, text: string, cut: boolean): Generator<void> {
  if (framing === 'json') {
    const whole = cut ? undefined : parseJson(text)
    if (whole !== undefined) reader.push(whole, undefined)
    return
  }
  const lines = new Lines(text)
  if (framing === 'ndjson') {
    for (let line = lines.next(); line !== undefined; line = lines.next()) {
      const value = line === '' ? undefined : parseJson(line)
      if (value !== undefined) reader.push(value, undefined)
      yield
    }
    const rest = cut ? undefined : parseJson(lines.rest)
    if (rest !== undefined) reader.push(rest, undefined)
    return
  }
  let name: string | undefined
  let data: string[] = []
  for (let line = lines.next(); line !== undefined; line = lines.next()) {
    if (line === '') {
      if (data.length > 0) {
        const joined = data.join('\n')
        reader.push(parseJson(joined) ?? joined.trim(), name)
        yield
      }
      name = undefined
      data = []
    } else if (line.startsWith('data:')) data.push(line.slice(line.charAt(5) === ' ' ? 6 : 5))
    else if (line.startsWith('event:')) name = line.slice(6).trim()
  }
}

/** Lines of a text, ended by LF or CRLF. */
class Lines {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  /** The next line that has its end; undefined when there is none. */
  next(): string | undefined {
    const end = this.#text.indexOf('\n', this.#at)
    if (end < 0) return undefined
    const line = this.#text.slice(this.#at, this.#text.charCodeAt(end - 1) === 13 && end > this.#at ? end - 1 : end)
    this.#at = end + 1
    return line
  }

  /** What follows the last line that has its end. */
  get rest(): string {
    return this.#text.slice(this.#at)
  }
}
