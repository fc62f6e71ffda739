// SPDX-License-Identifier: Apache-2.0
import { createHash, type Hash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { ZipFile } from 'yazl'
import { manifestLine } from '../../shared/evidence/bundle-layout.ts'

/** DOS times have no zone: a local midnight gives the same bytes everywhere. */
const FIXED_TIME = new Date(1980, 0, 1)

/** Streams files into a zip in the order of their names and keeps their hashes. */
export class BagWriter {
  readonly #zip = new ZipFile()
  readonly #hashes = new Map<string, string>()
  readonly #done: Promise<void>
  readonly digest: Hash = createHash('sha256')

  constructor(path: string) {
    const file = createWriteStream(path, { mode: 0o600 })
    this.#zip.outputStream.on('data', (chunk: Buffer) => this.digest.update(chunk))
    this.#done = finished(this.#zip.outputStream.pipe(file))
    // Handled where it is awaited; without this a failure in between would end the thread.
    this.#done.catch(() => {})
  }

  hashOf(name: string): string {
    return this.#hashes.get(name) ?? ''
  }

  entries(where: (name: string) => boolean): string {
    return [...this.#hashes]
      .filter(([name]) => where(name))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, hash]) => manifestLine(hash, name))
      .join('')
  }

  add(name: string, content: string | Uint8Array): void {
    const bytes = typeof content === 'string' ? Buffer.from(content, 'utf8') : Buffer.from(content)
    this.#hashes.set(name, createHash('sha256').update(bytes).digest('hex'))
    this.#zip.addBuffer(bytes, name, { mtime: FIXED_TIME, forceDosTimestamp: true, mode: 0o100644 })
  }

  /** Streams a file too large for memory; resolves when it has been read to its end. */
  async stream(name: string, content: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<void> {
    const hash = createHash('sha256')
    const hashed = async function* () {
      for await (const chunk of content) {
        hash.update(chunk)
        yield chunk
      }
    }
    const readable = Readable.from(hashed(), { objectMode: false })
    this.#zip.addReadStream(readable, name, { mtime: FIXED_TIME, forceDosTimestamp: true, mode: 0o100644 })
    await Promise.race([finished(readable), this.#done])
    this.#hashes.set(name, hash.digest('hex'))
  }

  async end(): Promise<void> {
    this.#zip.end()
    await this.#done
  }

  abort(): void {
    this.#zip.outputStream.unpipe?.()
  }
}

/** Chunks of about 64 kB from many small texts. */
export function* chunked(texts: Iterable<string | Buffer>): Generator<Buffer> {
  let parts: Buffer[] = []
  let size = 0
  for (const text of texts) {
    const part = typeof text === 'string' ? Buffer.from(text, 'utf8') : text
    parts.push(part)
    size += part.length
    if (size < 65_536) continue
    yield Buffer.concat(parts)
    parts = []
    size = 0
  }
  if (size > 0) yield Buffer.concat(parts)
}
