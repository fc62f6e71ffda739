// SPDX-License-Identifier: Apache-2.0
import { createHash, type Hash } from 'node:crypto'
import { closeSync, constants, fstatSync, fsyncSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs'
import { Readable } from 'node:stream'
import { crc32, createDeflateRaw, deflateRawSync } from 'node:zlib'
import { manifestLine } from '../../shared/evidence/bundle-layout.ts'
import { type JournalEntry, type JournalPoint, note, type Place, readJournal, rewrite } from './export-journal.ts'
import { dataDescriptor, directory, entryLength, localHeader } from './zip-format.ts'

/** Bytes after which the file so far is worth a point in the journal. */
const WORTH_KEEPING = 1024 * 1024
const BLOCK = 1024 * 1024
/** zlib works while the next chunk is made, and no more waits in memory than this. */
const DEFLATE = { level: 6, chunkSize: 256 * 1024, highWaterMark: 256 * 1024 } as const

/** A point that the file at hand bears out, and the state of the digest there. */
interface HeldPoint {
  readonly point: JournalPoint
  readonly hash: Hash
}

/**
 * Writes files into a zip in the order of their names and keeps their hashes. Content that an interrupted run has finished is kept when it is
 * there byte for byte by the journal, and when everything before it is what it would be today.
 */
export class BagWriter {
  readonly #fd: number
  readonly #journal: string
  readonly #entries: JournalEntry[] = []
  /** Points that the journal rightly has up to here. */
  readonly #points: JournalPoint[] = []
  /** Points of the earlier run that hold and are still ahead. */
  #kept: HeldPoint[] = []
  #taken = 0
  #hash = createHash('sha256')
  #offset = 0
  /** State of the digest at the last point, and where that is. */
  #last = { hash: createHash('sha256'), offset: 0, entries: 0 }
  #closed = false

  /** Opens or makes `path`. @throws the error of the system when it cannot be opened or is no plain file */
  constructor(path: string, journal: string) {
    this.#journal = journal
    // No link is followed: whoever can put one there must not choose what is written.
    this.#fd = openSync(path, constants.O_RDWR | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0), 0o600)
    if (!fstatSync(this.#fd).isFile()) {
      this.close()
      throw Object.assign(new Error('not a file'), { code: 'EISDIR' })
    }
    this.#kept = this.#checked(readJournal(journal).points)
    ftruncateSync(this.#fd, this.#kept.at(-1)?.point.end ?? 0)
    rewrite(
      journal,
      this.#kept.map((held) => held.point)
    )
  }

  hashOf(name: string): string {
    return this.#entries.find((entry) => entry.name === name)?.sha256 ?? ''
  }

  entries(where: (name: string) => boolean): string {
    return this.#entries
      .filter(({ name }) => where(name))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ name, sha256 }) => manifestLine(sha256, name))
      .join('')
  }

  add(name: string, content: string | Uint8Array): void {
    const bytes = typeof content === 'string' ? Buffer.from(content, 'utf8') : content
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    if (this.#keep(name, (kept) => !kept.streamed && kept.sha256 === sha256)) return
    const packed = deflateRawSync(bytes, { level: DEFLATE.level })
    const sizes = { crc: crc32(bytes), size: bytes.length, packed: packed.length }
    const entry = { name, sha256, ...sizes, offset: this.#offset, streamed: false, next: null }
    this.#write(localHeader(entry))
    this.#write(packed)
    this.#entries.push(entry)
  }

  /**
   * Streams a file too large for memory. `next` is asked when it has been read to its end, or told by the journal when the file is kept and
   * `content` is not asked for.
   */
  async stream(
    name: string,
    content: () => AsyncIterable<Buffer> | Iterable<Buffer>,
    progress: () => { readonly done: number; readonly total: number } = () => ({ done: 0, total: 0 }),
    next: () => Place | null = () => null
  ): Promise<Place | null> {
    const kept = this.#keep(name, (entry) => entry.streamed)
    if (kept) return kept.next
    const offset = this.#offset
    const hash = createHash('sha256')
    let crc = 0
    let size = 0
    let packed = 0
    const counted = async function* () {
      for await (const chunk of content()) {
        hash.update(chunk)
        crc = crc32(chunk, crc)
        size += chunk.length
        yield chunk
      }
    }
    this.#write(localHeader({ name, crc: 0, size: 0, packed: 0, streamed: true }))
    const source = Readable.from(counted(), { objectMode: false, highWaterMark: BLOCK })
    const deflate = createDeflateRaw(DEFLATE)
    // A failure of the source ends the loop below with that failure.
    source.once('error', (error) => deflate.destroy(error))
    try {
      for await (const chunk of source.pipe(deflate) as AsyncIterable<Buffer>) {
        packed += chunk.length
        this.#write(chunk)
      }
    } finally {
      source.destroy()
    }
    const entry = { name, sha256: hash.digest('hex'), crc, size, packed, offset, streamed: true, next: next() }
    this.#write(dataDescriptor(entry))
    this.#entries.push(entry)
    if (this.#offset - this.#last.offset >= WORTH_KEEPING) this.#notePoint(progress())
    return entry.next
  }

  /** Ends the zip, on disk. @returns its size and SHA-256 */
  end(): { readonly bytes: number; readonly sha256: string } {
    if (this.#kept.length > 0) this.#cut()
    for (const record of directory(this.#entries, this.#offset)) this.#write(record)
    fsyncSync(this.#fd)
    this.close()
    return { bytes: this.#offset, sha256: this.#hash.digest('hex') }
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    closeSync(this.#fd)
  }

  #write(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) done += writeSync(this.#fd, bytes, done, bytes.length - done, this.#offset + done)
    this.#hash.update(bytes)
    this.#offset += bytes.length
  }

  #notePoint(progress: { readonly done: number; readonly total: number }): void {
    const entries = this.#entries.slice(this.#last.entries)
    const point = { entries, end: this.#offset, prefix_sha256: this.#hash.copy().digest('hex'), ...progress }
    note(this.#journal, point)
    this.#passed(point)
  }

  #passed(point: JournalPoint): void {
    this.#points.push(point)
    this.#last = { hash: this.#hash.copy(), offset: this.#offset, entries: this.#entries.length }
  }

  /** The points that the file at hand bears out. */
  #checked(points: readonly JournalPoint[]): HeldPoint[] {
    const hash = createHash('sha256')
    const held: HeldPoint[] = []
    let offset = 0
    for (const point of points) {
      const there = feed(this.#fd, hash, offset, point.end)
      if (!there || hash.copy().digest('hex') !== point.prefix_sha256) break
      offset = point.end
      held.push({ point, hash: hash.copy() })
    }
    return held
  }

  /** Takes the next entry over from the earlier run, or gives up what is left of that run. */
  #keep(name: string, fits: (entry: JournalEntry) => boolean): JournalEntry | undefined {
    const [held] = this.#kept
    const entry = held?.point.entries[this.#taken]
    if (!held || !entry) return undefined
    if (entry.name !== name || entry.offset !== this.#offset || !fits(entry)) {
      this.#cut()
      return undefined
    }
    this.#entries.push(entry)
    this.#offset += entryLength(entry)
    if (++this.#taken === held.point.entries.length) {
      this.#kept.shift()
      this.#taken = 0
      this.#hash = held.hash
      this.#passed(held.point)
    }
    return entry
  }

  /** From here on nothing of the earlier run is used. */
  #cut(): void {
    this.#kept = []
    this.#taken = 0
    this.#hash = this.#last.hash.copy()
    feed(this.#fd, this.#hash, this.#last.offset, this.#offset)
    ftruncateSync(this.#fd, this.#offset)
    rewrite(this.#journal, this.#points)
  }
}

/** Adds a range of a file to a hash; false when the file ends before. */
function feed(fd: number, hash: Hash, from: number, to: number): boolean {
  const block = Buffer.alloc(Math.min(BLOCK, Math.max(0, to - from)))
  for (let at = from; at < to; ) {
    const read = readSync(fd, block, 0, Math.min(block.length, to - at), at)
    if (read === 0) return false
    hash.update(block.subarray(0, read))
    at += read
  }
  return true
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
