// SPDX-License-Identifier: Apache-2.0
// OTLP's JSON form: names in lowerCamelCase, ids in hex, enums as numbers, 64-bit numbers as text or number (OTLP specification, JSON Protobuf Encoding).
import { type Encoding, groupsOf, type LogRecord, MOST_DEPTH, OtlpError, type Span } from './message.ts'
import { envelopeTables, type Field, logTable, type Scalar, spanTable, type Table } from './tables.ts'

const refuse = (name: string, expected: string): never => {
  throw new OtlpError(`${name}: expected ${expected}`)
}

const DIGITS = /^\d{1,20}$/
const INTEGER = /^-?\d{1,19}$/
const HEX = /^[0-9a-fA-F]*$/

function scalar(value: unknown, kind: Scalar, name: string): unknown {
  switch (kind) {
    case 'later':
      return value
    case 'string':
    case 'bytes':
      return typeof value === 'string' ? value : refuse(name, 'a text')
    case 'bool':
      return typeof value === 'boolean' ? value : refuse(name, 'true or false')
    case 'id':
      return typeof value === 'string' && value.length % 2 === 0 && HEX.test(value)
        ? value.toLowerCase()
        : refuse(name, 'hexadecimal digits')
    case 'nanos':
      if (typeof value === 'string' && DIGITS.test(value)) return Number(value.slice(0, -3))
      return typeof value === 'number' && value >= 0 && Number.isFinite(value) ? Math.floor(value / 1000) : refuse(name, 'nanoseconds')
    case 'int64':
      if (typeof value === 'number' && Number.isInteger(value)) return value
      if (typeof value !== 'string' || !INTEGER.test(value)) return refuse(name, 'a whole number')
      return Number.isSafeInteger(Number(value)) ? Number(value) : value
    case 'uint32':
    case 'fixed32':
      return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : refuse(name, 'a whole number from 0')
    case 'double':
      // Infinity and NaN are texts in this form, and so is a whole number of many digits by now.
      if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return Number(value)
      return typeof value === 'number' || (typeof value === 'string' && /^-?\d+$/.test(value)) ? Number(value) : refuse(name, 'a number')
  }
}

function readMessage(value: unknown, table: Table, depth: number, name: string): Record<string, unknown> {
  if (depth > MOST_DEPTH) throw new OtlpError(`messages are nested more than ${MOST_DEPTH} deep`)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return refuse(name, 'an object')
  const out: Record<string, unknown> = {}
  const given = value as Readonly<Record<string, unknown>>
  for (const key in given) {
    const member = given[key]
    const field = table.byName.get(key)
    if (field === undefined || member === null) continue
    if (!field.repeated) out[key] = readField(member, field, depth)
    else if (Array.isArray(member)) out[key] = member.map((one) => readField(one, field, depth))
    else refuse(key, 'a list')
  }
  return out
}

const readField = (value: unknown, field: Field, depth: number): unknown =>
  typeof field.kind === 'string' ? scalar(value, field.kind, field.name) : readMessage(value, field.kind, depth + 1, field.name)

/** Bodies of type `application/json`, parsed; unknown members are left out. */
export const jsonEncoding: Encoding<unknown> = {
  groups: (body, signal) => groupsOf(readMessage(body, envelopeTables[signal], 1, 'body')),
  span: (item) => readMessage(item, spanTable, 4, 'span') as Span,
  log: (item) => readMessage(item, logTable, 4, 'log record') as LogRecord
}
