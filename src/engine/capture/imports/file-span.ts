// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { AffidavitError } from '../../../shared/contract/errors.ts'

const PIECE = 256 * 1024

/**
 * The first bytes of a file, as many as it had when an import began, with what they hash to as they are read. A log may grow or be rewritten
 * meanwhile: rows are recorded under the hash of the file, which must cover them.
 */
export class FileSpan {
  readonly bytes: number
  readonly #hash = createHash('sha256')
  #at = 0

  constructor(bytes: number) {
    this.bytes = bytes
  }

  /** The next bytes, in order, from the start. */
  take(chunk: Buffer): void {
    this.#hash.update(chunk)
    this.#at += chunk.length
  }

  /** SHA-256 in lower-case hex of what was read, and of the rest of the span as it is now. To be asked once. */
  async sha256(path: string, signal?: AbortSignal): Promise<string> {
    if (this.#at < this.bytes)
      for await (const chunk of createReadStream(path, { start: this.#at, end: this.bytes - 1, highWaterMark: PIECE, signal }))
        this.#hash.update(chunk as Buffer)
    return this.#hash.digest('hex')
  }
}

/** The bytes of a file piece by piece: all, or those of a span, which takes them. */
export async function* chunksOf(
  path: string,
  { signal, span }: { readonly signal?: AbortSignal | undefined; readonly span?: FileSpan | undefined }
): AsyncGenerator<Buffer> {
  if (span?.bytes === 0) return
  const end = span ? span.bytes - 1 : Number.POSITIVE_INFINITY
  for await (const chunk of createReadStream(path, { highWaterMark: PIECE, end, signal })) {
    span?.take(chunk as Buffer)
    yield chunk as Buffer
  }
}

/** SHA-256 of a file in lower-case hex, and how many bytes it had. @throws AffidavitError cancelled */
export async function hashFile(path: string, signal?: AbortSignal): Promise<{ readonly sha256: string; readonly bytes: number }> {
  const hash = createHash('sha256')
  let bytes = 0
  try {
    for await (const chunk of chunksOf(path, { signal })) {
      hash.update(chunk)
      bytes += chunk.length
    }
  } catch (error) {
    if (signal?.aborted) throw new AffidavitError('cancelled', 'cancelled')
    throw error
  }
  return { sha256: hash.digest('hex'), bytes }
}
