// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer'
import { createHash, type Hash } from 'node:crypto'
import type { Transform } from 'node:stream'
import zlib from 'node:zlib'
import { type CopyBudget, Slabs } from './slabs.ts'

/** Most bytes of a body that are kept for the record. */
export const COPY_BYTES = 4 * 1024 * 1024
/** Of a longer body its end is kept too: that is where streams say how they ended and what they used. */
const TAIL_BYTES = 64 * 1024

/** What was kept of a body. */
export interface Copied {
  readonly head: Buffer
  /** Its end, of a body of which not all is in the head; null for none. */
  readonly tail: Buffer | null
  readonly truncated: boolean
  /** Bytes of the whole body. */
  readonly bytes: number
  /** SHA-256 of the whole body, lower-case hexadecimal. */
  readonly sha256: () => string
}

/** The beginning of a body and, when it is longer than that, its end, its length and its digest. */
export class BoundedCopy {
  readonly #budget: CopyBudget
  readonly #limit: number
  readonly #head: Slabs
  #bytes = 0
  #hash: Hash | null = null
  /** The last bytes behind the head, in a circle. */
  #ring: Buffer | null = null
  #behind = 0

  constructor(budget: CopyBudget, limit = COPY_BYTES) {
    this.#budget = budget
    this.#limit = limit
    this.#head = new Slabs(budget)
  }

  add(chunk: Buffer): void {
    this.#bytes += chunk.length
    const room = this.#hash === null ? Math.min(chunk.length, this.#limit - this.#head.size) : 0
    const kept = room > 0 && this.#head.add(chunk.subarray(0, room)) ? room : 0
    if (kept === chunk.length) return
    const rest = chunk.subarray(kept)
    this.#hash ??= this.#begin()
    this.#hash.update(rest)
    this.#behind += rest.length
    if (this.#ring === null) return
    const last = rest.subarray(Math.max(0, rest.length - TAIL_BYTES))
    const at = (this.#behind - last.length) % TAIL_BYTES
    const fits = Math.min(last.length, TAIL_BYTES - at)
    last.copy(this.#ring, at, 0, fits)
    last.copy(this.#ring, 0, fits)
  }

  #begin(): Hash {
    const hash = createHash('sha256')
    for (const piece of this.#head.pieces()) hash.update(piece)
    if (this.#budget.take(TAIL_BYTES)) this.#ring = Buffer.allocUnsafeSlow(TAIL_BYTES)
    return hash
  }

  /** Bytes kept of the beginning. */
  get size(): number {
    return this.#head.size
  }

  /** What was kept; the copy is empty afterwards and its memory given back. */
  take(): Copied {
    const hash = this.#hash
    const head = this.#head.take()
    const copied = {
      head,
      tail: this.#tail(),
      truncated: hash !== null,
      bytes: this.#bytes,
      sha256: () => (hash ?? createHash('sha256').update(head)).digest('hex')
    }
    if (this.#ring !== null) this.#budget.give(TAIL_BYTES)
    this.#ring = null
    return copied
  }

  #tail(): Buffer | null {
    if (this.#ring === null) return null
    if (this.#behind <= TAIL_BYTES) return Buffer.from(this.#ring.subarray(0, this.#behind))
    const at = this.#behind % TAIL_BYTES
    return Buffer.concat([this.#ring.subarray(at), this.#ring.subarray(0, at)])
  }
}

/** RFC 9659: what a decoder must have of memory for a web answer, 8 MiB; a frame that asks for more is not decoded. */
const ZSTD_WINDOW_LOG = 23

/** Null where the runtime is older than this coding (Electron 33). */
const zstdDecoder = (): Transform | null =>
  'createZstdDecompress' in zlib ? zlib.createZstdDecompress({ params: { [zlib.constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG } }) : null

function decoderOf(coding: string): Transform | null {
  switch (coding) {
    case 'gzip':
    case 'x-gzip':
      return zlib.createGunzip()
    case 'deflate':
      return zlib.createInflate()
    case 'br':
      return zlib.createBrotliDecompress()
    case 'zstd':
      return zstdDecoder()
    default:
      return null
  }
}

/** A copy without its coding. */
export interface Decoded {
  readonly bytes: Buffer
  /** Whether there is more of it, or was to be. */
  readonly truncated: boolean
  /** Whether it could not be decoded to its end. */
  readonly broken: boolean
}

/**
 * Decodes a copy by its Content-Encoding, up to `limit` bytes: what a small body may expand to is bounded too. Null for a coding that is not known here.
 * A copy that ends early, or is damaged, is `broken` and gives what came before.
 */
export function decodeCopy(bytes: Buffer, encoding: string | undefined, limit = COPY_BYTES): Promise<Decoded | null> {
  const coding = (encoding ?? '').trim().toLowerCase()
  if (coding === '' || coding === 'identity') return Promise.resolve({ bytes, truncated: false, broken: false })
  const decoder = decoderOf(coding)
  if (decoder === null) return Promise.resolve(null)
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let size = 0
    const finish = (truncated: boolean, broken = false): void => {
      decoder.removeAllListeners('data')
      decoder.destroy()
      resolve({ bytes: Buffer.concat(chunks), truncated, broken })
    }
    decoder.on('data', (chunk: Buffer) => {
      const room = limit - size
      chunks.push(chunk.subarray(0, room))
      size += Math.min(chunk.length, room)
      if (chunk.length > room) finish(true)
    })
    decoder.on('end', () => finish(false))
    decoder.on('error', () => finish(true, true))
    decoder.end(bytes)
  })
}
