// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer'
import type { Transform } from 'node:stream'
import zlib from 'node:zlib'

/** Most bytes of a body that are kept for the record. */
export const COPY_BYTES = 4 * 1024 * 1024
/** Of a longer body its end is kept too: that is where streams say how they ended and what they used. */
const TAIL_BYTES = 64 * 1024

/** Memory that all copies share; a body past it is kept as far as there was room. */
export class CopyBudget {
  #left: number

  constructor(bytes: number) {
    this.#left = bytes
  }

  take(bytes: number): boolean {
    if (bytes > this.#left) return false
    this.#left -= bytes
    return true
  }

  give(bytes: number): void {
    this.#left += bytes
  }
}

/** The beginning of a body and, when it is longer than that, its end. */
export class BoundedCopy {
  readonly #budget: CopyBudget
  readonly #limit: number
  readonly #head: Buffer[] = []
  #size = 0
  #tail: Buffer[] = []
  #tailSize = 0
  truncated = false

  constructor(budget: CopyBudget, limit = COPY_BYTES) {
    this.#budget = budget
    this.#limit = limit
  }

  add(chunk: Buffer): void {
    const room = this.truncated ? 0 : Math.min(chunk.length, this.#limit - this.#size)
    const kept = room > 0 && this.#budget.take(room) ? room : 0
    if (kept > 0) {
      // A copy of its own: a chunk may be a small view of a large buffer that it would keep alive.
      this.#head.push(Buffer.from(chunk.subarray(0, kept)))
      this.#size += kept
    }
    if (kept === chunk.length) return
    this.truncated = true
    const rest = Buffer.from(chunk.subarray(Math.max(kept, chunk.length - TAIL_BYTES)))
    this.#tail.push(rest)
    this.#tailSize += rest.length
    while (this.#tailSize - (this.#tail[0]?.length ?? 0) >= TAIL_BYTES) this.#tailSize -= this.#tail.shift()?.length ?? 0
  }

  /** Bytes kept of the beginning. */
  get size(): number {
    return this.#size
  }

  /** What was kept; the copy is empty afterwards and its memory given back. */
  take(): { readonly head: Buffer; readonly tail: Buffer | null; readonly truncated: boolean } {
    const head = Buffer.concat(this.#head)
    const tail = this.truncated ? Buffer.concat(this.#tail) : null
    this.#budget.give(this.#size)
    this.#head.length = 0
    this.#size = 0
    this.#tail = []
    this.#tailSize = 0
    return { head, tail, truncated: this.truncated }
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

/**
 * Decodes a copy by its Content-Encoding, up to `limit` bytes: what a small body may expand to is bounded too. Null when it cannot be decoded.
 * A copy that ends early gives what came before its end.
 */
export function decodeCopy(
  bytes: Buffer,
  encoding: string | undefined,
  limit = COPY_BYTES
): Promise<{ readonly bytes: Buffer; readonly truncated: boolean } | null> {
  const coding = (encoding ?? '').trim().toLowerCase()
  if (coding === '' || coding === 'identity') return Promise.resolve({ bytes, truncated: false })
  const decoder = decoderOf(coding)
  if (decoder === null) return Promise.resolve(null)
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let size = 0
    const finish = (truncated: boolean): void => {
      decoder.removeAllListeners('data')
      decoder.destroy()
      resolve(size === 0 && truncated ? null : { bytes: Buffer.concat(chunks), truncated })
    }
    decoder.on('data', (chunk: Buffer) => {
      const room = limit - size
      chunks.push(chunk.subarray(0, room))
      size += Math.min(chunk.length, room)
      if (chunk.length > room) finish(true)
    })
    decoder.on('end', () => finish(false))
    decoder.on('error', () => finish(true))
    decoder.end(bytes)
  })
}
