// SPDX-License-Identifier: Apache-2.0
// Archives whose entries, taken one after the other as they lie there, are not what the directory says. Only these bytes are changed: whoever
// asks the directory gets every file as it was signed.
import { crc32 } from 'node:zlib'

/** An archive, and the step that fails; without one it is refused before any. */
export interface ZipWay {
  readonly name: string
  readonly content: Buffer
  readonly step: number | null
  readonly code: string | null
}

interface Places {
  /** Where the record of an entry stands in the directory. */
  readonly records: readonly number[]
  readonly directory: number
  readonly end: number
}

function placesIn(zip: Buffer): Places {
  const end = zip.length - 22
  const directory = zip.readUInt32LE(end + 16)
  const records: number[] = []
  for (let at = directory; at < end; at += 46 + zip.readUInt16LE(at + 28) + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32))
    records.push(at)
  return { records, directory, end }
}

/** An entry that the directory does not name. */
function entryOf(name: string, content: string): Buffer {
  const bytes = Buffer.from(content)
  const header = Buffer.alloc(30)
  header.writeUInt32LE(0x04034b50, 0)
  header.writeUInt16LE(20, 4)
  header.writeUInt32LE(crc32(bytes), 14)
  header.writeUInt32LE(bytes.length, 18)
  header.writeUInt32LE(bytes.length, 22)
  header.writeUInt16LE(name.length, 26)
  return Buffer.concat([header, Buffer.from(name), bytes])
}

/** Bytes put in where an entry or the directory begins; what points behind them is moved. */
function put(zip: Buffer, at: number, bytes: Buffer): Buffer {
  const { records, directory, end } = placesIn(zip)
  const moved = Buffer.from(zip)
  for (const record of records) {
    const from = moved.readUInt32LE(record + 42)
    if (from >= at) moved.writeUInt32LE(from + bytes.length, record + 42)
  }
  moved.writeUInt32LE(directory + bytes.length, end + 16)
  return Buffer.concat([moved.subarray(0, at), bytes, moved.subarray(at)])
}

/** @param zip a bundle as it was written, with entries whose sizes stand behind their data and with others */
export function zipWays(zip: Buffer): readonly ZipWay[] {
  const { records, directory, end } = placesIn(zip)
  /** Changes the record and the header of the first entry whose sizes stand behind its data, or of the first other one. */
  const patched = (behind: boolean, change: (zip: Buffer, record: number, header: number) => void): Buffer => {
    const bytes = Buffer.from(zip)
    const record = records.find((one) => ((bytes.readUInt16LE(one + 8) & 8) !== 0) === behind)
    if (record === undefined) throw new Error('the corpus needs entries of both kinds')
    change(bytes, record, bytes.readUInt32LE(record + 42))
    return bytes
  }
  const commented = Buffer.concat([zip, Buffer.from('Verified by the court.')])
  commented.writeUInt16LE(commented.length - zip.length, end + 20)
  const noted = put(zip, directory, Buffer.alloc(0))
  const last = records.at(-1) ?? 0
  const note = Buffer.from('verified')
  const withNote = Buffer.concat([noted.subarray(0, end), note, noted.subarray(end)])
  withNote.writeUInt16LE(note.length, last + 32)
  withNote.writeUInt32LE(end + note.length - directory, end + note.length + 12)
  const refused: readonly (readonly [name: string, content: Buffer])[] = [
    ['a file before the directory that it does not name', put(zip, directory, entryOf('data/EVIL.txt', 'evil'))],
    ['a second report that the directory does not name', put(zip, directory, entryOf('data/report.html', '<h1>forged</h1>'))],
    ['a file between two others that the directory does not name', put(zip, zip.readUInt32LE(last + 42), entryOf('data/EVIL.txt', 'evil'))],
    ['a page before the first file', put(zip, 0, Buffer.from('<html><h1>another document</h1><!--'))],
    ['a file before the first', put(zip, 0, entryOf('data/EVIL.txt', 'evil'))],
    ['another size at the entry', patched(false, (bytes, _, at) => bytes.writeUInt32LE(1, at + 22))],
    ['another packed size at the entry', patched(false, (bytes, _, at) => bytes.writeUInt32LE(1, at + 18))],
    ['another checksum at the entry', patched(false, (bytes, _, at) => bytes.writeUInt32LE(0x12345678, at + 14))],
    ['no checksum and no size at the entry', patched(false, (bytes, _, at) => bytes.fill(0, at + 14, at + 26))],
    [
      'an entry that is encrypted at its own place',
      patched(false, (bytes, _, at) => bytes.writeUInt16LE(bytes.readUInt16LE(at + 6) | 1, at + 6))
    ],
    ['an entry that needs a newer program', patched(false, (bytes, record) => bytes.writeUInt16LE(99, record + 6))],
    ['an entry that needs a newer program at its own place', patched(false, (bytes, _, at) => bytes.writeUInt16LE(99, at + 4))],
    ['another checksum behind the data', patched(true, (bytes, record, at) => bytes.writeUInt32LE(1, behindData(bytes, record, at) + 4))],
    ['another size behind the data', patched(true, (bytes, record, at) => bytes.writeUInt32LE(1, behindData(bytes, record, at) + 12))],
    ['a comment of the archive', commented],
    ['a comment of an entry', withNote]
  ]
  const checksum = patched(false, (bytes, record, at) => {
    bytes.writeUInt32LE(0x12345678, record + 16)
    bytes.writeUInt32LE(0x12345678, at + 14)
  })
  return [
    ...refused.map(([name, content]) => ({ name, content, step: null, code: null })),
    { name: 'a checksum that is not that of the file', content: checksum, step: 2, code: 'file_changed' }
  ]
}

const behindData = (zip: Buffer, record: number, header: number): number =>
  header + 30 + zip.readUInt16LE(record + 28) + zip.readUInt32LE(record + 20)
