// SPDX-License-Identifier: Apache-2.0
// The files of a zipped bundle, read by name in slices; nothing is written anywhere.
import { concatBytes } from './bytes.ts'
import type { BundleFiles } from './verify-steps.ts'
import { readZipDirectory, refusal, type ZipEntry, type ZipSource } from './zip-directory.ts'
import { dataStart, windowed } from './zip-entry.ts'

/** What a runtime brings to unpack with. */
export interface ZipRuntime {
  /** Raw deflate (RFC 1951), streamed; throws for damaged data and for bytes after the end. `sizes` is what the directory says. */
  inflate(packed: AsyncIterable<Uint8Array>, sizes: { readonly packed: number; readonly size: number }): AsyncIterable<Uint8Array>
  /** CRC-32 of bytes that follow others, whose CRC-32 is `before`. */
  crc32(bytes: Uint8Array, before: number): number
  /** SHA-256, fed piece by piece. */
  sha256(): { update(bytes: Uint8Array): unknown; hex(): string }
}

/** Most bytes of a file that is read whole, and of one line. */
export const MOST_READ = 512 * 1024 ** 2
const MOST_LINE = 64 * 1024 ** 2
const SLICE = 256 * 1024

/** What can be read of a file; step 2 says that it is damaged. */
async function* readable(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const chunks = content[Symbol.asyncIterator]()
  for (;;) {
    let next: IteratorResult<Uint8Array>
    try {
      next = await chunks.next()
    } catch {
      return
    }
    if (next.done) return
    yield next.value
  }
}

/** The lines of what can be read of a file, without their line feed. @throws EvidenceError not_this_format: a line that is too long */
export async function* linesOf(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let rest: Uint8Array = new Uint8Array(0)
  for await (const chunk of readable(content)) {
    let data = rest.length === 0 ? chunk : concatBytes(rest, chunk)
    for (let at = data.indexOf(10); at >= 0; at = data.indexOf(10)) {
      yield data.subarray(0, at)
      data = data.subarray(at + 1)
    }
    if (data.length > MOST_LINE) throw refusal('a line of the bundle is too long')
    rest = data
  }
  if (rest.length > 0) yield rest
}

/** The files of an archive whose directory was checked. */
export class ZipBundle implements BundleFiles {
  readonly #source: ZipSource
  readonly #runtime: ZipRuntime
  readonly #entries: ReadonlyMap<string, ZipEntry>
  readonly #names: readonly string[]
  /** Where the bytes of an entry begin, once its own header was checked. */
  readonly #starts = new Map<string, number>()

  private constructor(source: ZipSource, runtime: ZipRuntime, entries: ReadonlyMap<string, ZipEntry>) {
    this.#source = source
    this.#runtime = runtime
    this.#entries = entries
    this.#names = [...entries.keys()]
  }

  /** Reads the directory. @throws EvidenceError not_this_format: no zip, truncated, or one of the refused shapes */
  static async open(source: ZipSource, runtime: ZipRuntime): Promise<ZipBundle> {
    return new ZipBundle(source, runtime, await readZipDirectory(source))
  }

  /** Checks that nothing lies in the archive but its entries, each of which is what the directory says. @throws EvidenceError not_this_format */
  async checkEntries(): Promise<void> {
    const source = windowed(this.#source)
    for (const entry of [...this.#entries.values()].sort((a, b) => a.at - b.at)) await this.#start(entry, source)
  }

  names(): readonly string[] {
    return this.#names
  }

  size(name: string): number {
    return this.#entry(name).size
  }

  async read(name: string): Promise<Uint8Array> {
    if (this.size(name) > MOST_READ) throw refusal('a file of the archive is too large')
    const chunks: Uint8Array[] = []
    for await (const chunk of this.#unpacked(name)) chunks.push(chunk)
    return chunks.length === 1 && chunks[0] ? chunks[0] : concatBytes(...chunks)
  }

  async hash(name: string): Promise<string> {
    const hash = this.#runtime.sha256()
    try {
      for await (const chunk of this.#unpacked(name)) hash.update(chunk)
    } catch {
      // Damaged data: no hash of it can be the listed one.
      return 'unreadable'
    }
    return hash.hex()
  }

  lines(name: string): AsyncIterable<Uint8Array> {
    return linesOf(this.#unpacked(name))
  }

  async *#unpacked(name: string): AsyncGenerator<Uint8Array> {
    const entry = this.#entry(name)
    const packed = this.#packed(entry)
    const { crc32 } = this.#runtime
    let size = 0
    let crc = 0
    for await (const chunk of entry.method === 'stored' ? packed : this.#runtime.inflate(packed, entry)) {
      size += chunk.length
      if (size > entry.size) throw refusal('a file of the archive unpacks to more than it says')
      crc = crc32(chunk, crc)
      yield chunk
    }
    if (size !== entry.size) throw refusal('a file of the archive unpacks to less than it says')
    if (crc !== entry.crc) throw refusal('a file of the archive is not what its checksum says')
  }

  async *#packed(entry: ZipEntry): AsyncGenerator<Uint8Array> {
    const start = await this.#start(entry, this.#source)
    for (let at = 0; at < entry.packed; at += SLICE) {
      const length = Math.min(SLICE, entry.packed - at)
      const slice = await this.#source.read(start + at, length)
      if (slice.length !== length) throw refusal('the archive is truncated')
      yield slice
    }
  }

  async #start(entry: ZipEntry, source: ZipSource): Promise<number> {
    const start = this.#starts.get(entry.name) ?? (await dataStart(source, entry))
    this.#starts.set(entry.name, start)
    return start
  }

  #entry(name: string): ZipEntry {
    const entry = this.#entries.get(name)
    if (!entry) throw refusal('a file of the layout is missing')
    return entry
  }
}
