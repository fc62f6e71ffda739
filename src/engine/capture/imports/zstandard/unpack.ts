// SPDX-License-Identifier: Apache-2.0
// Zstandard (RFC 8878) into a buffer whose size is known before. The oldest runtime has no such decoder of its own; see docs/adr/0021.
import { BackwardBits, refuse } from './bits.ts'
import { constantTable, type PrefixTable, readPrefixTable, readStateTable, type StateTable, stateTable } from './tables.ts'

const MAGIC = 0xfd2fb528
const MOST_BLOCK = 128 * 1024

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i)
const times = (count: number, value: number): number[] => new Array<number>(count).fill(value)

/** Bits that follow a code, and the value it stands for without them. */
interface Codes {
  readonly bits: Uint8Array
  readonly base: Int32Array
}
function codes(plain: readonly number[], bits: readonly number[]): Codes {
  const first = (plain.at(-1) ?? 0) + 1
  let value = first
  const bases = bits.map((count) => {
    const own = value
    value += 2 ** count
    return own
  })
  return { bits: new Uint8Array([...times(plain.length, 0), ...bits]), base: new Int32Array([...plain, ...bases]) }
}

interface Field {
  readonly mostLog: number
  readonly mostSymbol: number
  readonly usual: StateTable
}

const literalCodes = codes(range(0, 16), [1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16])
const matchCodes = codes(range(3, 35), [1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16])

/** Literal lengths, offsets and match lengths, in the order in which their tables are written (RFC 8878, 3.1.1.3.2.2). */
const fields: readonly [Field, Field, Field] = [
  {
    mostLog: 9,
    mostSymbol: 35,
    usual: stateTable([4, 3, ...times(11, 2), 1, 1, 1, ...times(9, 2), 3, 2, ...times(5, 1), ...times(4, -1)], 6)
  },
  { mostLog: 8, mostSymbol: 31, usual: stateTable([...times(6, 1), 2, 2, 2, ...times(15, 1), ...times(5, -1)], 5) },
  { mostLog: 9, mostSymbol: 52, usual: stateTable([1, 4, 3, ...times(6, 2), ...times(37, 1), ...times(7, -1)], 6) }
]

/** What one block leaves to the next of its frame. */
interface Frame {
  readonly out: Uint8Array
  readonly start: number
  /** Where the next byte goes. */
  at: number
  prefix: PrefixTable | null
  readonly tables: (StateTable | null)[]
  /** The last three offsets. */
  readonly recent: [number, number, number]
}

const u16 = (bytes: Uint8Array, at: number): number => (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8)
const u32 = (bytes: Uint8Array, at: number): number => (u16(bytes, at) | (u16(bytes, at + 2) << 16)) >>> 0

/** The bytes from `at` on, all of which have to be there. */
function cut(bytes: Uint8Array, at: number, length: number): Uint8Array {
  if (at + length > bytes.length) refuse('it is cut')
  return bytes.subarray(at, at + length)
}

function readPrefixed(bytes: Uint8Array, { width, symbols, bits }: PrefixTable, out: Uint8Array): void {
  const stream = new BackwardBits(bytes)
  for (let i = 0; i < out.length; i++) {
    const next = stream.peek(width)
    out[i] = symbols[next] ?? 0
    stream.left -= bits[next] ?? 0
  }
  if (stream.left !== 0) refuse('literals that do not end where they should')
}

/** The literals of a block, and where its sequences begin. */
function readLiterals(block: Uint8Array, frame: Frame): { readonly literals: Uint8Array; readonly end: number } {
  const head = block[0] ?? refuse('an empty block')
  const kind = head & 3
  const form = (head >> 2) & 3
  if (kind < 2) {
    const wide = form === 1 ? 2 : form === 3 ? 3 : 1
    const size = wide === 1 ? head >> 3 : wide === 2 ? u16(block, 0) >> 4 : (u32(block, 0) & 0xffffff) >> 4
    if (size > MOST_BLOCK) refuse('literals of more than a block')
    if (kind === 0) return { literals: cut(block, wide, size), end: wide + size }
    return { literals: new Uint8Array(size).fill(cut(block, wide, 1)[0] ?? 0), end: wide + 1 }
  }
  const wide = form < 2 ? 3 : form + 2
  // Two sizes of 10, 14 or 18 bits; those of 18 lie across five bytes.
  const width = form < 2 ? 10 : form === 2 ? 14 : 18
  const packed = u32(block, 0) + (block[4] ?? 0) * 2 ** 32
  const size = Math.floor(packed / 16) % 2 ** width
  const stored = Math.floor(packed / 2 ** (4 + width)) % 2 ** width
  if (size > MOST_BLOCK) refuse('literals of more than a block')
  let body = cut(block, wide, stored)
  if (kind === 2) {
    const { table, size: own } = readPrefixTable(body)
    frame.prefix = table
    body = body.subarray(own)
  }
  const { prefix } = frame
  if (prefix === null) refuse('literals without a prefix code')
  const literals = new Uint8Array(size)
  if (form === 0) readPrefixed(body, prefix, literals)
  else {
    if (body.length < 10) refuse('it is cut')
    const each = (size + 3) >> 2
    let from = 6
    for (let i = 0; i < 4; i++) {
      const length = i < 3 ? u16(body, i * 2) : body.length - from
      if (length < 1 || each * 3 > size) refuse('literals that do not add up')
      readPrefixed(cut(body, from, length), prefix, literals.subarray(each * i, i < 3 ? each * (i + 1) : size))
      from += length
    }
  }
  return { literals, end: wide + stored }
}

/** Copies within the output; what is copied may be what was just written. */
function repeat(out: Uint8Array, at: number, offset: number, length: number): void {
  if (offset >= length && length > 24) out.copyWithin(at, at - offset, at - offset + length)
  else if (offset === 1) out.fill(out[at - 1] ?? 0, at, at + length)
  else for (let i = at; i < at + length; i++) out[i] = out[i - offset] ?? 0
}

/** The offset that a value stands for: a new one, or one of the last three (RFC 8878, 3.1.1.5). */
function offsetOf(value: number, noLiterals: boolean, recent: [number, number, number]): number {
  const [first, second, third] = recent
  if (value > 3) {
    recent[2] = second
    recent[1] = first
    recent[0] = value - 3
    return value - 3
  }
  const which = value - (noLiterals ? 0 : 1)
  if (which === 0) return first
  const offset = which === 1 ? second : which === 2 ? third : first - 1
  if (which > 1) recent[2] = second
  recent[1] = first
  recent[0] = offset
  return offset
}

function readTables(block: Uint8Array, at: number, frame: Frame): number {
  const modes = block[at++] ?? refuse('it is cut')
  if ((modes & 3) !== 0) refuse('a reserved mode')
  fields.forEach(({ mostLog, mostSymbol, usual }, i) => {
    const mode = (modes >> (6 - 2 * i)) & 3
    if (mode === 0) frame.tables[i] = usual
    else if (mode === 1) {
      const symbol = cut(block, at++, 1)[0] ?? 0
      if (symbol > mostSymbol) refuse('an unknown code')
      frame.tables[i] = constantTable(symbol)
    } else if (mode === 2) {
      const { table, size } = readStateTable(block.subarray(at), mostLog, mostSymbol)
      frame.tables[i] = table
      at += size
    }
  })
  return at
}

function readBlock(block: Uint8Array, frame: Frame): void {
  const { literals, end } = readLiterals(block, frame)
  const { out, recent } = frame
  const most = Math.min(out.length, frame.at + MOST_BLOCK)
  let at = end
  let count = block[at++] ?? refuse('it is cut')
  if (count === 255) {
    count = u16(block, at) + 0x7f00
    at += 2
  } else if (count > 127) count = ((count - 128) << 8) | (block[at++] ?? 0)
  let to = frame.at
  let from = 0
  if (count > 0) {
    at = readTables(block, at, frame)
    const [lengths, offsets, matches] = frame.tables
    if (!lengths || !offsets || !matches) refuse('sequences without a table')
    const stream = new BackwardBits(block.subarray(at))
    let length = stream.read(lengths.log)
    let offset = stream.read(offsets.log)
    let match = stream.read(matches.log)
    for (let left = count; left > 0; left--) {
      const offsetCode = offsets.symbols[offset] ?? 0
      const matchCode = matches.symbols[match] ?? 0
      const lengthCode = lengths.symbols[length] ?? 0
      const high = offsetCode > 24 ? stream.read(offsetCode - 24) * 2 ** 24 : 0
      const value = 2 ** offsetCode + high + stream.read(Math.min(offsetCode, 24))
      const repeated = (matchCodes.base[matchCode] ?? 0) + stream.read(matchCodes.bits[matchCode] ?? 0)
      const plain = (literalCodes.base[lengthCode] ?? 0) + stream.read(literalCodes.bits[lengthCode] ?? 0)
      if (left > 1) {
        length = (lengths.next[length] ?? 0) + stream.read(lengths.bits[length] ?? 0)
        match = (matches.next[match] ?? 0) + stream.read(matches.bits[match] ?? 0)
        offset = (offsets.next[offset] ?? 0) + stream.read(offsets.bits[offset] ?? 0)
      }
      const back = offsetOf(value, plain === 0, recent)
      if (stream.left < 0 || from + plain > literals.length) refuse('sequences that are cut')
      if (to + plain + repeated > most) refuse('more than it claims to be')
      if (plain > 24) out.set(literals.subarray(from, from + plain), to)
      else for (let i = 0; i < plain; i++) out[to + i] = literals[from + i] ?? 0
      from += plain
      to += plain
      if (!(back > 0 && back <= to - frame.start)) refuse('an offset before its beginning')
      repeat(out, to, back, repeated)
      to += repeated
    }
    if (stream.left !== 0) refuse('sequences that do not end where they should')
  } else if (at !== block.length) refuse('a block that does not end where it should')
  if (to + literals.length - from > most) refuse('more than it claims to be')
  out.set(literals.subarray(from), to)
  frame.at = to + literals.length - from
}

/** One frame into the output from `start` on; gives where it ended in both. */
function readFrame(input: Uint8Array, begin: number, out: Uint8Array, start: number): readonly [read: number, written: number] {
  const flags = input[begin + 4] ?? refuse('it is cut')
  const single = (flags & 32) !== 0
  if ((flags & 8) !== 0) refuse('a reserved flag')
  let at = begin + 5 + (single ? 0 : 1)
  const dictionary = [0, 1, 2, 4][flags & 3] ?? 0
  if (cut(input, at, dictionary).some((byte) => byte !== 0)) refuse('it needs a dictionary')
  at += dictionary
  const wide = [single ? 1 : 0, 2, 4, 8][flags >> 6] ?? 0
  cut(input, at, wide)
  const claimed =
    wide === 0
      ? null
      : wide === 1
        ? (input[at] ?? 0)
        : wide === 2
          ? u16(input, at) + 256
          : u32(input, at) + (wide === 8 ? u32(input, at + 4) * 2 ** 32 : 0)
  at += wide
  if (claimed !== null && claimed > out.length - start) refuse('more than it claims to be')
  const frame: Frame = { out, start, at: start, prefix: null, tables: [null, null, null], recent: [1, 4, 8] }
  for (let last = false; !last; ) {
    const head = u32(cut(input, at, 3), 0)
    at += 3
    last = (head & 1) === 1
    const kind = (head >> 1) & 3
    const size = head >> 3
    if (size > MOST_BLOCK || kind === 3) refuse('a block that is none')
    if (kind !== 2 && size > out.length - frame.at) refuse('more than it claims to be')
    const stored = kind === 1 ? 1 : size
    const block = cut(input, at, stored)
    at += stored
    if (kind === 2) readBlock(block, frame)
    else {
      if (kind === 0) out.set(block, frame.at)
      else out.fill(block[0] ?? 0, frame.at, frame.at + size)
      frame.at += size
    }
  }
  if (claimed !== null && frame.at - start !== claimed) refuse('less than it claims to be')
  // The checksum is not computed: Parquet writers do not add it, and every length above had to fit.
  if ((flags & 4) !== 0) at += cut(input, at, 4).length
  return [at, frame.at]
}

/**
 * The content of all frames, which has to be exactly so many bytes: never more memory than that is taken for it. Time grows with the input and this
 * size alone.
 * @throws ZstandardError
 */
export function unpackZstandard(input: Uint8Array, length: number): Uint8Array {
  const out = new Uint8Array(length)
  let at = 0
  let to = 0
  while (at < input.length) {
    cut(input, at, 8)
    const magic = u32(input, at)
    if (magic === MAGIC) [at, to] = readFrame(input, at, out, to)
    else if (magic >>> 4 === 0x184d2a5) at += 8 + cut(input, at + 8, u32(input, at + 4)).length
    else refuse('no Zstandard')
  }
  if (to !== length) refuse('less than it claims to be')
  return out
}
