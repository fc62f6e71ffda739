// SPDX-License-Identifier: Apache-2.0
// A bundle's zip as hostile input: every name and size is checked before anything is read; nothing is written anywhere.
import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'
import { promisify } from 'node:util'
import { type Entry, open, type ZipFile } from 'yauzl'
import { AffidavitError } from '../shared/contract/errors.ts'
import { MOST_ENTRIES } from '../shared/evidence/bundle-layout.ts'
import type { BundleFiles } from '../shared/evidence/verify-steps.ts'

/** Most bytes of all files together, and of one file that is read whole. */
const MOST_TOTAL = 64 * 1024 ** 3
const MOST_READ = 512 * 1024 ** 2
/** Deflate reaches about 1030:1; text of a bundle stays far below this. */
const MOST_RATIO = 500
const RATIO_FREE = 1024 * 1024

const openZip = promisify<string, object, ZipFile>(open as never)

const refuse = (message: string): AffidavitError => new AffidavitError('not_this_format', message)

/** Names that could leave the folder or hide: checked on the raw name, after yauzl's own checks. */
function checkName(name: string): void {
  const bad =
    name === '' ||
    name.length > 512 ||
    name.startsWith('/') ||
    name.includes('\\') ||
    /\p{Cc}/u.test(name) ||
    /^[A-Za-z]:/.test(name) ||
    name.split('/').some((part) => part === '' || part === '.' || part === '..')
  if (bad) throw refuse('the archive holds a name that could leave its folder')
}

function checkEntry(entry: Entry): void {
  checkName(entry.fileName)
  if ((entry.generalPurposeBitFlag & 1) !== 0) throw refuse('the archive holds an encrypted entry')
  if (entry.compressionMethod !== 0 && entry.compressionMethod !== 8) throw refuse('the archive uses an unknown compression')
  const mode = (entry.externalFileAttributes >>> 16) & 0o170000
  if (mode !== 0 && mode !== 0o100000) throw refuse('the archive holds something that is no plain file')
  if (entry.uncompressedSize > RATIO_FREE && entry.uncompressedSize > entry.compressedSize * MOST_RATIO)
    throw refuse('the archive unpacks to far more than a bundle can hold')
}

/** The files of a zip, opened for reading by name. */
export class ZipFiles implements BundleFiles {
  readonly #zip: ZipFile
  readonly #entries: ReadonlyMap<string, Entry>

  private constructor(zip: ZipFile, entries: ReadonlyMap<string, Entry>) {
    this.#zip = zip
    this.#entries = entries
  }

  /**
   * Reads and checks the central directory.
   * @throws AffidavitError not_this_format: no zip, truncated, or one of the refused shapes; file_unreadable
   */
  static async open(path: string): Promise<ZipFiles> {
    let zip: ZipFile
    try {
      zip = await openZip(path, { lazyEntries: true, autoClose: false, strictFileNames: true, validateEntrySizes: true })
    } catch (error) {
      if (error instanceof Error && 'code' in error) throw new AffidavitError('file_unreadable', 'the file cannot be read')
      throw refuse('the file is not a zip archive, or it is truncated')
    }
    try {
      return new ZipFiles(zip, await readEntries(zip))
    } catch (error) {
      zip.close()
      throw error instanceof AffidavitError ? error : refuse('the directory of the archive is damaged')
    }
  }

  names(): readonly string[] {
    return [...this.#entries.keys()]
  }

  size(name: string): number {
    return this.#entry(name).uncompressedSize
  }

  async read(name: string): Promise<Uint8Array> {
    if (this.size(name) > MOST_READ) throw refuse('a file of the archive is too large')
    const chunks: Buffer[] = []
    for await (const chunk of await this.#stream(name)) chunks.push(chunk as Buffer)
    return new Uint8Array(Buffer.concat(chunks))
  }

  async hash(name: string): Promise<string> {
    const hash = createHash('sha256')
    try {
      for await (const chunk of await this.#stream(name)) hash.update(chunk as Buffer)
    } catch {
      // Damaged data: no hash of it can be the listed one.
      return 'unreadable'
    }
    return hash.digest('hex')
  }

  async *lines(name: string): AsyncIterable<Uint8Array> {
    let rest: Buffer = Buffer.alloc(0)
    try {
      for await (const chunk of await this.#stream(name)) {
        let data = rest.length === 0 ? (chunk as Buffer) : Buffer.concat([rest, chunk as Buffer])
        for (let at = data.indexOf(10); at >= 0; at = data.indexOf(10)) {
          yield data.subarray(0, at)
          data = data.subarray(at + 1)
        }
        if (data.length > 64 * 1024 * 1024) throw refuse('a line of the archive is too long')
        rest = data
      }
    } catch (error) {
      if (error instanceof AffidavitError) throw error
      return
    }
    if (rest.length > 0) yield rest
  }

  close(): void {
    this.#zip.close()
  }

  #entry(name: string): Entry {
    const entry = this.#entries.get(name)
    if (!entry) throw refuse('a file of the layout is missing')
    return entry
  }

  #stream(name: string): Promise<Readable> {
    const entry = this.#entry(name)
    return new Promise((resolve, reject) => {
      this.#zip.openReadStream(entry, (error, stream) => (error || !stream ? reject(error ?? new Error('no stream')) : resolve(stream)))
    })
  }
}

function readEntries(zip: ZipFile): Promise<Map<string, Entry>> {
  if (zip.entryCount > MOST_ENTRIES) throw refuse(`the archive holds more than ${MOST_ENTRIES} files`)
  return new Promise((resolve, reject) => {
    const entries = new Map<string, Entry>()
    const folded = new Set<string>()
    let total = 0
    zip.on('error', reject)
    zip.on('end', () => resolve(entries))
    zip.on('entry', (entry: Entry) => {
      try {
        checkEntry(entry)
        const fold = entry.fileName.normalize('NFC').toLowerCase()
        if (folded.has(fold)) throw refuse('the archive holds a name twice')
        folded.add(fold)
        total += entry.uncompressedSize
        if (total > MOST_TOTAL) throw refuse('the archive unpacks to far more than a bundle can hold')
        entries.set(entry.fileName, entry)
        zip.readEntry()
      } catch (error) {
        reject(error instanceof Error ? error : new Error('refused'))
      }
    })
    zip.readEntry()
  })
}
