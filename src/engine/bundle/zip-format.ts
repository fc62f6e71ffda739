// SPDX-License-Identifier: Apache-2.0
// Records of a zip file (APPNOTE 6.3.9): fixed DOS time, deflate, UTF-8 names, 64-bit forms only where a size or an offset needs them.

/** One entry as it stands in the file. `streamed`: its sizes stand behind its data, because they were not known before. */
export interface ZipEntry {
  readonly name: string
  readonly crc: number
  readonly size: number
  readonly packed: number
  readonly offset: number
  readonly streamed: boolean
}

const MOST_32 = 0xfffffffe
const FULL_32 = 0xffffffff
/** Made by: Unix, version 6.3 of the specification. */
const MADE_BY = (3 << 8) | 63
const NEEDS = 20
const NEEDS_64 = 45
const UTF8_NAMES = 1 << 11
const SIZES_BEHIND = 1 << 3
const DEFLATE = 8
/** 1 January 1980: the first day that the format can say. */
const DATE = 0x21
const MODE = (0o100644 << 16) >>> 0

const wide = ({ size, packed, offset }: ZipEntry): boolean => size > MOST_32 || packed > MOST_32 || offset > MOST_32
const flags = (streamed: boolean): number => UTF8_NAMES | (streamed ? SIZES_BEHIND : 0)

/** What stands before the data of an entry. */
export function localHeader(entry: Pick<ZipEntry, 'name' | 'crc' | 'size' | 'packed' | 'streamed'>): Buffer {
  const name = Buffer.from(entry.name, 'utf8')
  const header = Buffer.alloc(30 + name.length)
  header.writeUInt32LE(0x04034b50, 0)
  header.writeUInt16LE(NEEDS, 4)
  header.writeUInt16LE(flags(entry.streamed), 6)
  header.writeUInt16LE(DEFLATE, 8)
  header.writeUInt16LE(DATE, 12)
  if (!entry.streamed) {
    header.writeUInt32LE(entry.crc, 14)
    header.writeUInt32LE(entry.packed, 18)
    header.writeUInt32LE(entry.size, 22)
  }
  header.writeUInt16LE(name.length, 26)
  name.copy(header, 30)
  return header
}

/** What stands behind the data of a streamed entry; empty for another. */
export function dataDescriptor(entry: ZipEntry): Buffer {
  if (!entry.streamed) return Buffer.alloc(0)
  const large = wide(entry)
  const descriptor = Buffer.alloc(large ? 24 : 16)
  descriptor.writeUInt32LE(0x08074b50, 0)
  descriptor.writeUInt32LE(entry.crc, 4)
  if (large) {
    descriptor.writeBigUInt64LE(BigInt(entry.packed), 8)
    descriptor.writeBigUInt64LE(BigInt(entry.size), 16)
  } else {
    descriptor.writeUInt32LE(entry.packed, 8)
    descriptor.writeUInt32LE(entry.size, 12)
  }
  return descriptor
}

/** Bytes that an entry takes in the file. */
export const entryLength = (entry: ZipEntry): number =>
  30 + Buffer.byteLength(entry.name, 'utf8') + entry.packed + (entry.streamed ? (wide(entry) ? 24 : 16) : 0)

function centralRecord(entry: ZipEntry): Buffer {
  const name = Buffer.from(entry.name, 'utf8')
  const large = wide(entry)
  const record = Buffer.alloc(46 + name.length + (large ? 28 : 0))
  record.writeUInt32LE(0x02014b50, 0)
  record.writeUInt16LE(MADE_BY, 4)
  record.writeUInt16LE(large ? NEEDS_64 : NEEDS, 6)
  record.writeUInt16LE(flags(entry.streamed), 8)
  record.writeUInt16LE(DEFLATE, 10)
  record.writeUInt16LE(DATE, 14)
  record.writeUInt32LE(entry.crc, 16)
  record.writeUInt32LE(large ? FULL_32 : entry.packed, 20)
  record.writeUInt32LE(large ? FULL_32 : entry.size, 24)
  record.writeUInt16LE(name.length, 28)
  record.writeUInt16LE(large ? 28 : 0, 30)
  record.writeUInt32LE(MODE, 38)
  record.writeUInt32LE(large ? FULL_32 : entry.offset, 42)
  name.copy(record, 46)
  if (large) {
    const at = 46 + name.length
    record.writeUInt16LE(1, at)
    record.writeUInt16LE(24, at + 2)
    record.writeBigUInt64LE(BigInt(entry.size), at + 4)
    record.writeBigUInt64LE(BigInt(entry.packed), at + 12)
    record.writeBigUInt64LE(BigInt(entry.offset), at + 20)
  }
  return record
}

/** The central directory and the end of a file whose entries end at `start`. */
export function* directory(entries: readonly ZipEntry[], start: number): Generator<Buffer> {
  let length = 0
  for (const entry of entries) {
    const record = centralRecord(entry)
    length += record.length
    yield record
  }
  const end = Buffer.alloc(22)
  const large = entries.length >= 0xffff || length >= FULL_32 || start >= FULL_32
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(Math.min(entries.length, 0xffff), 8)
  end.writeUInt16LE(Math.min(entries.length, 0xffff), 10)
  end.writeUInt32LE(Math.min(length, FULL_32), 12)
  end.writeUInt32LE(Math.min(start, FULL_32), 16)
  if (large) {
    const end64 = Buffer.alloc(56 + 20)
    end64.writeUInt32LE(0x06064b50, 0)
    end64.writeBigUInt64LE(44n, 4)
    end64.writeUInt16LE(MADE_BY, 12)
    end64.writeUInt16LE(NEEDS_64, 14)
    end64.writeBigUInt64LE(BigInt(entries.length), 24)
    end64.writeBigUInt64LE(BigInt(entries.length), 32)
    end64.writeBigUInt64LE(BigInt(length), 40)
    end64.writeBigUInt64LE(BigInt(start), 48)
    end64.writeUInt32LE(0x07064b50, 56)
    end64.writeBigUInt64LE(BigInt(start + length), 64)
    end64.writeUInt32LE(1, 72)
    yield end64
  }
  yield end
}
