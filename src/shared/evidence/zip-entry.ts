// SPDX-License-Identifier: Apache-2.0
// An entry of a zip archive at its own place. A reader that takes one entry after the other never asks the directory: both have to say the same,
// and nothing may lie between them (PKWARE APPNOTE 6.3, sections 4.3.7 and 4.3.9).
import { equalBytes, utf8 } from './bytes.ts'
import { LOCAL_SIZE, readExactly, readExtra, refusal, SIZES_BEHIND, view, type ZipEntry, type ZipSource } from './zip-directory.ts'

/** A header is read together with this many bytes after it: small entries follow each other closely. */
const WINDOW = 16 * 1024

/** The same bytes, read in pieces of which the last is kept. */
export function windowed(source: ZipSource): ZipSource {
  let from = 0
  let piece: Uint8Array = new Uint8Array(0)
  return {
    size: source.size,
    async read(at, length) {
      if (at < from || at + length > from + piece.length) {
        piece = await source.read(at, Math.min(Math.max(length, WINDOW), source.size - at))
        from = at
      }
      return piece.subarray(at - from, at - from + length)
    }
  }
}

const differs = (): Error => refusal('the archive says two different things of a file')

/**
 * Where the bytes of an entry begin.
 * @throws EvidenceError not_this_format: its own header says something else than the directory, or something follows it that is no entry
 */
export async function dataStart(source: ZipSource, entry: ZipEntry): Promise<number> {
  const expected = utf8(entry.name)
  const bytes = await readExactly(source, entry.at, LOCAL_SIZE + expected.length)
  const header = view(bytes)
  const name = header.getUint16(26, true) === expected.length && equalBytes(bytes.subarray(LOCAL_SIZE), expected)
  if (header.getUint32(0, true) !== 0x04034b50 || !name || header.getUint16(8, true) !== (entry.method === 'stored' ? 0 : 8))
    throw refusal('the archive names a file differently in two places')
  if (header.getUint16(6, true) !== entry.flags || header.getUint8(4) > 45) throw differs()
  const extra = header.getUint16(28, true)
  const start = entry.at + bytes.length + extra
  const found = { packed: header.getUint32(18, true), size: header.getUint32(22, true), at: 0 }
  readExtra(await readExactly(source, start - extra, extra), found)
  const behind = (entry.flags & SIZES_BEHIND) !== 0
  const said = (one: number, other: number): boolean => one === other || (behind && one === 0)
  if (!said(header.getUint32(14, true), entry.crc) || !said(found.packed, entry.packed) || !said(found.size, entry.size)) throw differs()
  await checkEnd(source, entry, start + entry.packed, behind)
  return start
}

/** What stands between the data and the next entry: nothing, or what is behind the data. */
async function checkEnd(source: ZipSource, entry: ZipEntry, end: number, behind: boolean): Promise<void> {
  const length = entry.next - end
  if (!behind && length === 0) return
  if (!behind || (length !== 16 && length !== 24)) throw refusal('the archive holds something between its files')
  const descriptor = view(await readExactly(source, end, length))
  const wide = length === 24
  const at = (from: number): number => (wide ? Number(descriptor.getBigUint64(from, true)) : descriptor.getUint32(from, true))
  const same = at(8) === entry.packed && at(wide ? 16 : 12) === entry.size
  if (descriptor.getUint32(0, true) !== 0x08074b50 || descriptor.getUint32(4, true) !== entry.crc || !same) throw differs()
}
