// SPDX-License-Identifier: Apache-2.0
// The text form of an age file (age-encryption.org/v1, ASCII armor): strict PEM, so that one file has one form. Read piece by piece, because a
// bundle in it may be as large as any.

const BEGIN = '-----BEGIN AGE ENCRYPTED FILE-----'
const END = '-----END AGE ENCRYPTED FILE-----'
/** White space that mail programs put before or after; age itself takes as much. */
const MOST_SPACE = 1024
/** Characters of a line of base64; the last may be shorter. */
const WIDTH = 64
const blank = /^[ \t\r\n]*$/
const base64 = /^[A-Za-z0-9+/]+={0,2}$/

/** What is wrong with the text; `truncated` is never said of one that goes on. */
export class ArmorError extends Error {}

/** Whether a text is the beginning of an armored file. */
export const isArmored = (text: string): boolean => text.trimStart().startsWith(BEGIN) && text.indexOf(BEGIN) <= MOST_SPACE

/** Lines of an armored file, as they come: which are expected next. */
class Armor {
  #state: 'before' | 'within' | 'last' | 'after' = 'before'
  #space = 0

  /** The bytes of a line without its end; undefined where it has none. @throws ArmorError */
  line(text: string): Uint8Array | undefined {
    const line = text.endsWith('\r') ? text.slice(0, -1) : text
    if (this.#state === 'before' || this.#state === 'after') {
      if (this.#state === 'before' && line.trimStart() === BEGIN) {
        this.#state = 'within'
        return undefined
      }
      this.#space += text.length + 1
      if (!blank.test(line) || this.#space > MOST_SPACE) throw new ArmorError('text beside the armored file')
      return undefined
    }
    if (line === END) {
      this.#state = 'after'
      this.#space = 0
      return undefined
    }
    if (this.#state === 'last') throw new ArmorError('a line after the last')
    if (line.length > WIDTH || line.length % 4 !== 0 || !base64.test(line)) throw new ArmorError('a line that is no base64')
    const bytes = Buffer.from(line, 'base64')
    // Padding, or bits that say nothing, would give one file many forms.
    if (bytes.toString('base64') !== line) throw new ArmorError('base64 that is not the shortest')
    if (line.length < WIDTH || line.endsWith('=')) this.#state = 'last'
    return new Uint8Array(bytes)
  }

  end(): void {
    if (this.#state !== 'after') throw new ArmorError('no end')
  }
}

/** Bytes kept of a line that has no end yet; longer than any line may be. */
const MOST_LINE = 4096
/** Pieces of this size go on: a piece for each line would be slow. */
const PIECE = 64 * 1024

/** What an armored file holds. @throws ArmorError as soon as something is wrong */
export async function* unarmored(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const armor = new Armor()
  let rest = ''
  let lines: Uint8Array[] = []
  let held = 0
  const take = (line: string): void => {
    const bytes = armor.line(line)
    if (!bytes) return
    lines.push(bytes)
    held += bytes.length
  }
  const all = (): Uint8Array => {
    const piece = new Uint8Array(Buffer.concat(lines))
    lines = []
    held = 0
    return piece
  }
  for await (const chunk of source) {
    const text = rest + Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1')
    let from = 0
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', from)) {
      take(text.slice(from, at))
      from = at + 1
      if (held >= PIECE) yield all()
    }
    rest = text.slice(from)
    if (rest.length > MOST_LINE) throw new ArmorError('a line without an end')
  }
  if (rest !== '') take(rest)
  armor.end()
  if (held > 0) yield all()
}

/** The first bytes of an armored file, of a text that was cut off somewhere. @throws ArmorError */
export function unarmoredStart(text: string): Uint8Array {
  const armor = new Armor()
  const whole = text.split('\n')
  // Of the last line there may be more.
  const lines = whole.slice(0, -1)
  if ((whole.at(-1) ?? '').length > MOST_LINE) throw new ArmorError('a line without an end')
  return new Uint8Array(Buffer.concat(lines.flatMap((line) => armor.line(line) ?? [])))
}
