// SPDX-License-Identifier: Apache-2.0
// The directory of a zip archive as hostile input (PKWARE APPNOTE 6.3, sections 4.3.7 to 4.3.16): every name, size and place is checked
// before anything is read. The same refusals in the app, on the command line and in the page.
import { MOST_ENTRIES } from './bundle-layout.ts'
import { equalBytes, utf8, utf8Decode } from './bytes.ts'
import { EvidenceError } from './errors.ts'

/** Bytes of an archive, wherever they lie. */
export interface ZipSource {
  readonly size: number
  /** Exactly `length` bytes from `from`; fewer only when the source was cut short meanwhile. */
  read(from: number, length: number): Promise<Uint8Array>
}

/** A file of an archive. */
export interface ZipEntry {
  readonly name: string
  readonly method: 'stored' | 'deflated'
  /** Bytes in the archive. */
  readonly packed: number
  /** Bytes unpacked. */
  readonly size: number
  /** Where its local header lies. */
  readonly at: number
  /** Where the next entry, or the directory, begins. */
  readonly next: number
  readonly crc: number
  readonly flags: number
}

/** Sizes and checksum stand behind the data (data descriptor). */
export const SIZES_BEHIND = 1 << 3
/** That, names in UTF-8, and how hard was compressed. */
const KNOWN_FLAGS = SIZES_BEHIND | (1 << 11) | 6
/** ZIP64; newer forms are for encryption and other compressions. */
const NEWEST = 45

/** Most bytes of all files together. */
const MOST_TOTAL = 64 * 1024 ** 3
/** Deflate reaches about 1030:1; text of a bundle stays far below this. */
const MOST_RATIO = 500
const RATIO_FREE = 1024 * 1024
/** A directory of the most entries with the longest names. */
const MOST_DIRECTORY = MOST_ENTRIES * 1024

const END_SIZE = 22
export const LOCAL_SIZE = 30
const NOT_HERE = 0xffffffff

/** What a file that is no archive, or a refused one, is answered with. */
export const refusal = (message: string): EvidenceError => new EvidenceError('not_this_format', message)

export const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** @throws EvidenceError not_this_format */
function u64(data: DataView, at: number): number {
  const value = data.getBigUint64(at, true)
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw damaged()
  return Number(value)
}

/** Names that could leave the folder or hide. */
function checkName(name: string): void {
  const bad =
    name === '' ||
    name.length > 512 ||
    name.startsWith('/') ||
    name.includes('\\') ||
    /\p{Cc}/u.test(name) ||
    /^[A-Za-z]:/.test(name) ||
    name.split('/').some((part) => part === '' || part === '.' || part === '..')
  if (bad) throw refusal('the bundle holds a name that could leave its folder')
}

/** The names of a bundle, each of which is looked at as it is added. */
export class NameCheck {
  readonly #folded = new Set<string>()

  /** @throws EvidenceError not_this_format: a name that could leave the folder or hide, or one that some disks take for another */
  add(name: string): void {
    checkName(name)
    const fold = name.normalize('NFC').toLowerCase()
    if (this.#folded.has(fold)) throw refusal('the bundle holds a name twice')
    this.#folded.add(fold)
  }
}

export async function readExactly(source: ZipSource, from: number, length: number): Promise<Uint8Array> {
  if (from < 0 || length < 0 || from + length > source.size) throw refusal('the archive is truncated')
  const bytes = await source.read(from, length)
  if (bytes.length !== length) throw refusal('the archive is truncated')
  return bytes
}

const damaged = (): EvidenceError => refusal('the directory of the archive is damaged')

const AGE = ['age-encryption.org/v1\n', '-----BEGIN AGE ENCRYPTED FILE-----'].map((text) => utf8(text))

/** A bundle for one recipient is no archive until it is decrypted: that is said instead of calling it damaged. */
async function refuseEncrypted(source: ZipSource): Promise<void> {
  const start = await source.read(0, Math.min(source.size, 64))
  if (!AGE.some((magic) => equalBytes(start.subarray(0, magic.length), magic))) return
  throw refusal('the file is encrypted with age: decrypt it first, with `age --decrypt -i KEYFILE -o bundle.affidavit.zip FILE`')
}

interface Directory {
  readonly entries: number
  readonly at: number
  readonly size: number
}

/** The end record stands at the very end, without a comment: nothing follows it that nobody signed. */
async function readEnd(source: ZipSource): Promise<Directory> {
  if (source.size < END_SIZE) throw refusal('the file is not a zip archive, or it is truncated')
  const end = source.size - END_SIZE
  const data = view(await readExactly(source, end, END_SIZE))
  if (data.getUint32(0, true) !== 0x06054b50 || data.getUint16(20, true) !== 0)
    throw refusal('the file is not a zip archive, it is truncated, or something follows its end')
  const entries = data.getUint16(10, true)
  if (data.getUint16(4, true) !== 0 || data.getUint16(6, true) !== 0 || data.getUint16(8, true) !== entries)
    throw refusal('the archive is one part of several')
  const found = { entries, size: data.getUint32(12, true), at: data.getUint32(16, true) }
  const wide = found.entries === 0xffff || found.size === NOT_HERE || found.at === NOT_HERE
  const directory = wide ? await readWideEnd(source, end, found) : { ...found, end }
  if (directory.entries > MOST_ENTRIES) throw refusal(`the archive holds more than ${MOST_ENTRIES} files`)
  if (directory.size > MOST_DIRECTORY || directory.at + directory.size !== directory.end) throw damaged()
  return directory
}

/** @param short the same in the form for small archives, where a number that is too large is all ones */
async function readWideEnd(source: ZipSource, end: number, short: Directory): Promise<Directory & { readonly end: number }> {
  const locator = view(await readExactly(source, end - 20, 20))
  if (locator.getUint32(0, true) !== 0x07064b50 || locator.getUint32(4, true) !== 0 || locator.getUint32(16, true) !== 1) throw damaged()
  const at = u64(locator, 8)
  const record = view(await readExactly(source, at, 56))
  if (record.getUint32(0, true) !== 0x06064b50 || u64(record, 4) !== 44 || at + 56 !== end - 20) throw damaged()
  const found = { entries: u64(record, 32), size: u64(record, 40), at: u64(record, 48) }
  const same = (one: number, other: number, most: number): boolean => one === most || one === other
  if (
    record.getUint32(16, true) !== 0 ||
    record.getUint32(20, true) !== 0 ||
    u64(record, 24) !== found.entries ||
    !same(short.entries, found.entries, 0xffff) ||
    !same(short.size, found.size, NOT_HERE) ||
    !same(short.at, found.at, NOT_HERE)
  )
    throw damaged()
  return { ...found, end: at }
}

/** Sizes and place of an entry beyond 4 GiB, in the order of the fields that point here (ZIP64 extra field). A second name is refused. */
export function readExtra(extra: Uint8Array, fields: { size: number; packed: number; at: number }): void {
  const data = view(extra)
  for (let at = 0; at + 4 <= extra.length; at += 4 + data.getUint16(at + 2, true)) {
    // Info-ZIP Unicode Path: some tools would unpack under this name.
    if (data.getUint16(at, true) === 0x7075) throw refusal('the archive names a file differently in two places')
    if (data.getUint16(at, true) !== 1) continue
    const end = at + 4 + data.getUint16(at + 2, true)
    let from = at + 4
    for (const key of ['size', 'packed', 'at'] as const) {
      if (fields[key] !== NOT_HERE) continue
      if (from + 8 > end || end > extra.length) throw damaged()
      fields[key] = u64(data, from)
      from += 8
    }
    // A number that no field points to: one reader would take it, another not.
    if (from !== end) throw damaged()
  }
}

/** One entry of the directory. @param data the directory @param at where the entry begins */
function parseEntry(bytes: Uint8Array, data: DataView, at: number): { readonly entry: Omit<ZipEntry, 'next'>; readonly next: number } {
  if (at + 46 > bytes.length || data.getUint32(at, true) !== 0x02014b50) throw damaged()
  const nameEnd = at + 46 + data.getUint16(at + 28, true)
  const extraEnd = nameEnd + data.getUint16(at + 30, true)
  const next = extraEnd + data.getUint16(at + 32, true)
  if (next > bytes.length) throw damaged()
  let name: string
  try {
    name = utf8Decode(bytes.subarray(at + 46, nameEnd))
  } catch {
    throw refusal('the archive holds a name that is not UTF-8')
  }
  const flags = data.getUint16(at + 8, true)
  if ((flags & 0x2041) !== 0) throw refusal('the archive holds an encrypted entry')
  if ((flags & ~KNOWN_FLAGS) !== 0 || data.getUint8(at + 6) > NEWEST) throw refusal('the archive is of a newer form than a bundle has')
  if (data.getUint16(at + 32, true) !== 0) throw refusal('the archive holds a comment that nobody signed')
  if (data.getUint16(at + 34, true) !== 0) throw refusal('the archive is one part of several')
  const method = data.getUint16(at + 10, true)
  if (method !== 0 && method !== 8) throw refusal('the archive uses an unknown compression')
  const mode = (data.getUint32(at + 38, true) >>> 16) & 0o170000
  if (mode !== 0 && mode !== 0o100000) throw refusal('the archive holds something that is no plain file')
  const fields = { size: data.getUint32(at + 24, true), packed: data.getUint32(at + 20, true), at: data.getUint32(at + 42, true) }
  readExtra(bytes.subarray(nameEnd, extraEnd), fields)
  if (fields.size > RATIO_FREE && fields.size > fields.packed * MOST_RATIO)
    throw refusal('the archive unpacks to far more than a bundle can hold')
  if (method === 0 && fields.size !== fields.packed) throw damaged()
  // Where a stored entry ends without its size, a reader that takes one after the other has to guess.
  if (method === 0 && (flags & SIZES_BEHIND) !== 0) throw refusal('the archive is of a newer form than a bundle has')
  return { entry: { name, method: method === 0 ? 'stored' : 'deflated', crc: data.getUint32(at + 16, true), flags, ...fields }, next }
}

/**
 * Reads and checks the whole directory of an archive.
 * @throws EvidenceError not_this_format: no zip, truncated, or one of the refused shapes
 */
export async function readZipDirectory(source: ZipSource): Promise<ReadonlyMap<string, ZipEntry>> {
  await refuseEncrypted(source)
  const directory = await readEnd(source)
  const bytes = await readExactly(source, directory.at, directory.size)
  const data = view(bytes)
  const entries: Omit<ZipEntry, 'next'>[] = []
  const names = new NameCheck()
  let total = 0
  let at = 0
  for (let i = 0; i < directory.entries; i++) {
    const { entry, next } = parseEntry(bytes, data, at)
    at = next
    names.add(entry.name)
    total += entry.size
    if (total > MOST_TOTAL) throw refusal('the archive unpacks to far more than a bundle can hold')
    entries.push(entry)
  }
  if (at !== bytes.length) throw damaged()
  const placed = placesOf(entries, directory.at)
  return new Map(entries.map(({ name }) => [name, placed.get(name) as ZipEntry]))
}

/**
 * From the first byte to the directory one entry follows the other: two over the same bytes would let a small archive unpack to a large one,
 * and what lies before or between them is another file to whoever does not ask the directory. Whether an entry ends where the next begins is
 * seen at the entry itself.
 */
function placesOf(entries: readonly Omit<ZipEntry, 'next'>[], end: number): ReadonlyMap<string, ZipEntry> {
  const ordered = entries.toSorted((a, b) => a.at - b.at)
  if ((ordered[0]?.at ?? 0) !== 0) throw refusal('the archive begins with something that is none of its files')
  const placed = new Map<string, ZipEntry>()
  for (const [i, entry] of ordered.entries()) {
    const next = ordered[i + 1]?.at ?? end
    if (entry.at + LOCAL_SIZE + entry.packed > next) throw refusal('the archive holds entries that overlap or leave it')
    placed.set(entry.name, { ...entry, next })
  }
  return placed
}
