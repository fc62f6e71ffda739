// SPDX-License-Identifier: Apache-2.0

/** A line without its line break. `bytes` is null when the line was longer than allowed; valid until the next chunk is given. */
export interface Line {
  readonly number: number
  readonly bytes: Buffer | null
}

const LF = 0x0a
const CR = 0x0d

/**
 * Splits a byte stream into lines, chunk by chunk. Works on bytes, so that a character cut in two by a chunk border stays whole.
 * Blank lines are counted but not handed out; a byte order mark before line 1 is dropped; CR before LF is dropped. A line past
 * the limit is skipped up to its end without being kept.
 */
export class LineSplitter {
  readonly #limit: number
  #number = 1
  #kept: Buffer[] = []
  #size = 0
  #skipping = false

  constructor(limit: number) {
    this.#limit = limit
  }

  /** The lines that end in this chunk. To be read to its end before the next call. */
  *push(chunk: Buffer): Generator<Line, void, undefined> {
    let start = 0
    for (;;) {
      const end = chunk.indexOf(LF, start)
      if (end < 0) break
      const line = this.#take(chunk.subarray(start, end))
      start = end + 1
      if (line !== null) yield line
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start))
  }

  /** The last line, when the stream does not end in a line break. Called once, at a proper end only. */
  end(): Line | null {
    return this.#size === 0 && !this.#skipping ? null : this.#take(Buffer.alloc(0))
  }

  #keep(piece: Buffer): void {
    if (this.#skipping) return
    this.#size += piece.length
    if (this.#size > this.#limit + 4) {
      // 4: a byte order mark and a carriage return do not count
      this.#skipping = true
      this.#kept = []
    } else this.#kept.push(piece)
  }

  #take(piece: Buffer): Line | null {
    const number = this.#number++
    if (this.#size === 0 && !this.#skipping) return this.#line(number, piece)
    this.#keep(piece)
    const skipped = this.#skipping
    const whole = skipped ? null : Buffer.concat(this.#kept, this.#size)
    this.#kept = []
    this.#size = 0
    this.#skipping = false
    return whole === null ? { number, bytes: null } : this.#line(number, whole)
  }

  #line(number: number, raw: Buffer): Line | null {
    let from = 0
    let to = raw.length
    if (to > 0 && raw[to - 1] === CR) to--
    if (number === 1 && to >= 3 && raw[0] === 0xef && raw[1] === 0xbb && raw[2] === 0xbf) from = 3
    if (to - from > this.#limit) return { number, bytes: null }
    return isBlank(raw, from, to) ? null : { number, bytes: from === 0 && to === raw.length ? raw : raw.subarray(from, to) }
  }
}

function isBlank(bytes: Buffer, from: number, to: number): boolean {
  for (let i = from; i < to; i++) {
    const byte = bytes[i]
    if (byte !== 0x20 && byte !== 0x09 && byte !== CR) return false
  }
  return true
}
