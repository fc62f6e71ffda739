// SPDX-License-Identifier: Apache-2.0
// Protocol Buffers encoding (protobuf.dev, Encoding), read side, for the tables beside this file.
import { toBase64, toHex } from '../../evidence/bytes.ts'
import { type Encoding, groupsOf, type LogRecord, MOST_AROUND, MOST_DEPTH, MOST_ITEMS, OtlpError, type Span } from './message.ts'
import { envelopeTables, type Field, logTable, resourceTable, type Scalar, spanTable, type Table } from './tables.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const TWO_32 = 4_294_967_296

class Cursor {
  readonly bytes: Uint8Array
  readonly view: DataView
  at = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** Start of the next `length` bytes before `end`, which are passed over. */
  take(length: number, end: number): number {
    const from = this.at
    if (length > end - from) throw new OtlpError('a field is longer than what holds it')
    this.at = from + length
    return from
  }

  /** A varint below 2^53; one beyond loses its last digits, which no length or tag may have. */
  varint(end: number): number {
    let value = 0
    let factor = 1
    for (let i = 0; i < 10; i++) {
      const byte = this.bytes[this.take(1, end)] ?? 0
      value += (byte & 127) * factor
      if (byte < 128) return value
      factor *= 128
    }
    throw new OtlpError('a number has more than ten bytes')
  }

  /** A varint as a signed 64-bit number. */
  int64(end: number): number | string {
    let value = 0n
    for (let i = 0; i < 10; i++) {
      const byte = this.bytes[this.take(1, end)] ?? 0
      value |= BigInt(byte & 127) << BigInt(7 * i)
      if (byte < 128) {
        const signed = BigInt.asIntN(64, value)
        const number = Number(signed)
        return Number.isSafeInteger(number) ? number : signed.toString()
      }
    }
    throw new OtlpError('a number has more than ten bytes')
  }

  text(from: number, to: number): string {
    let out = ''
    if (to - from <= 48) {
      let i = from
      for (; i < to; i++) {
        const code = this.bytes[i] ?? 0
        if (code > 127) break
        out += String.fromCharCode(code)
      }
      if (i === to) return out
    }
    try {
      return utf8.decode(this.bytes.subarray(from, to))
    } catch {
      throw new OtlpError('a text is not UTF-8')
    }
  }
}

/** Wire type of each kind: 0 varint, 1 eight bytes, 2 length-delimited, 5 four bytes. */
const wireTypes: Readonly<Record<Scalar, number>> = {
  string: 2,
  bool: 0,
  id: 2,
  bytes: 2,
  nanos: 1,
  int64: 0,
  uint32: 0,
  fixed32: 5,
  double: 1,
  later: 2
}

function scalar(cursor: Cursor, kind: Scalar, end: number): string | number | boolean | Uint8Array {
  switch (kind) {
    case 'bool':
      return cursor.varint(end) !== 0
    case 'int64':
      return cursor.int64(end)
    case 'uint32':
      return cursor.varint(end) % TWO_32
    case 'fixed32':
      return cursor.view.getUint32(cursor.take(4, end), true)
    case 'double':
      return cursor.view.getFloat64(cursor.take(8, end), true)
    case 'nanos': {
      const from = cursor.take(8, end)
      const low = cursor.view.getUint32(from, true)
      const high = cursor.view.getUint32(from + 4, true)
      // Divided in two halves: as one double the last digits would be lost.
      return Math.floor(high / 1000) * TWO_32 + Math.floor(((high % 1000) * TWO_32 + low) / 1000)
    }
    case 'string':
    case 'id':
    case 'bytes':
    case 'later': {
      const length = cursor.varint(end)
      const from = cursor.take(length, end)
      if (kind === 'string') return cursor.text(from, from + length)
      const bytes = cursor.bytes.subarray(from, from + length)
      if (kind === 'later') return bytes
      return kind === 'id' ? toHex(bytes) : toBase64(bytes)
    }
  }
}

function skip(cursor: Cursor, wire: number, end: number): void {
  switch (wire) {
    case 0:
      cursor.varint(end)
      return
    case 1:
      cursor.take(8, end)
      return
    case 2:
      cursor.take(cursor.varint(end), end)
      return
    case 5:
      cursor.take(4, end)
      return
    default:
      throw new OtlpError('a field has a wire type that OTLP does not use')
  }
}

function readMessage(cursor: Cursor, table: Table, end: number, depth: number): Record<string, unknown> {
  if (depth > MOST_DEPTH) throw new OtlpError(`messages are nested more than ${MOST_DEPTH} deep`)
  const out: Record<string, unknown> = {}
  while (cursor.at < end) {
    const tag = cursor.varint(end)
    const wire = tag % 8
    const number = Math.floor(tag / 8)
    if (number === 0 || number > 536_870_911) throw new OtlpError('a field has no valid number')
    const field = table.byNumber.get(number)
    if (field === undefined) {
      skip(cursor, wire, end)
      continue
    }
    if (wire !== (typeof field.kind === 'string' ? wireTypes[field.kind] : 2)) throw new OtlpError(`${field.name} has another wire type`)
    put(out, field, readField(cursor, field, end, depth))
  }
  return out
}

function readField(cursor: Cursor, field: Field, end: number, depth: number): unknown {
  if (typeof field.kind === 'string') return scalar(cursor, field.kind, end)
  const length = cursor.varint(end)
  if (field.kind === resourceTable && length > MOST_AROUND) throw new OtlpError('a resource is too long')
  const from = cursor.take(length, end)
  cursor.at = from
  return readMessage(cursor, field.kind, from + length, depth + 1)
}

function put(out: Record<string, unknown>, field: Field, value: unknown): void {
  if (!field.repeated) {
    out[field.name] = value
    return
  }
  const list = out[field.name] as unknown[] | undefined
  if (list === undefined) out[field.name] = [value]
  else if (list.length < MOST_ITEMS) list.push(value)
  else throw new OtlpError('a list has too many members')
}

const decode = (bytes: Uint8Array, table: Table, depth: number): Record<string, unknown> =>
  readMessage(new Cursor(bytes), table, bytes.length, depth)

/** Bodies of type `application/x-protobuf`. */
export const protobufEncoding: Encoding<Uint8Array> = {
  groups: (body, signal) => groupsOf(decode(body, envelopeTables[signal], 1)),
  span: (item) => decode(item as Uint8Array, spanTable, 4) as Span,
  log: (item) => decode(item as Uint8Array, logTable, 4) as LogRecord
}

/** ExportTraceServiceResponse or ExportLogsServiceResponse: empty, or `partial_success` with its count and message. */
export function encodeAnswer(rejected: number, message: string): Uint8Array {
  if (rejected === 0 && message === '') return new Uint8Array(0)
  const text = new TextEncoder().encode(message)
  const inner = [
    ...(rejected === 0 ? [] : [0x08, ...varintBytes(rejected)]),
    ...(text.length === 0 ? [] : [0x12, ...varintBytes(text.length), ...text])
  ]
  return Uint8Array.from([0x0a, ...varintBytes(inner.length), ...inner])
}

function varintBytes(value: number): number[] {
  const out: number[] = []
  let rest = value
  for (; rest > 127; rest = Math.floor(rest / 128)) out.push((rest % 128) | 128)
  out.push(rest)
  return out
}

/** google.rpc.Status with its message alone: what an exporter shows of a refusal. */
export function encodeStatus(message: string): Uint8Array {
  const text = new TextEncoder().encode(message)
  return Uint8Array.from([0x12, ...varintBytes(text.length), ...text])
}
