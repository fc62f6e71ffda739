// SPDX-License-Identifier: Apache-2.0
// A profile made of a mapping: for files that no tool's profile knows.

import { type ImportMapping, MAPPED, type MappedField, mappedFields } from '../../contract/import-mapping.ts'
import { isSecret } from '../credentials.ts'
import { durationIn, isNone, numberIn, statusIn, timeIn } from './mapped-values.ts'
import { type ImportProfile, isObject, type MapContext, type Mapped, type Row } from './profile.ts'
import { contentOf } from './values.ts'

type Reader = (row: Row) => unknown

/** Members of a pointer (RFC 6901): `/a~1b/0` is member `a/b`, then element 0. */
export const tokensOf = (pointer: string): string[] =>
  pointer
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))

export const pointerOf = (tokens: readonly string[]): string =>
  tokens.map((token) => `/${token.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')

/** Reads what a column or path says; only members of the row itself, never what it inherits. */
function readerOf(from: string, form: ImportMapping['form']): Reader {
  if (form === 'csv' || !from.startsWith('/')) return (row) => (Object.hasOwn(row, from) ? row[from] : undefined)
  const tokens = tokensOf(from)
  return (row) => {
    let at: unknown = row
    for (const token of tokens) {
      if (typeof at !== 'object' || at === null || !Object.hasOwn(at, token)) return undefined
      at = (at as Row)[token]
    }
    return at
  }
}

class Unfit extends Error {
  readonly field: MappedField
  constructor(field: MappedField, expected: string) {
    super(`${field}: expected ${expected}`)
    this.field = field
  }
}

const plainText = (field: MappedField, value: unknown, most: number): string => {
  const text = typeof value === 'string' ? value.trim() : typeof value === 'number' || typeof value === 'bigint' ? String(value) : undefined
  if (text === undefined || text.length > most) throw new Unfit(field, `a text of at most ${most} characters`)
  return text
}

const whole = (field: MappedField, value: unknown): number => {
  const number = numberIn(value)
  if (number === undefined || !Number.isSafeInteger(number) || number < 0) throw new Unfit(field, 'a whole number from 0')
  return number
}

const unitName = { s: 'seconds', ms: 'milliseconds', us: 'microseconds', ns: 'nanoseconds' } as const
const timeName = {
  text: 'a time such as 2024-01-31 12:00:00',
  text_mdy: 'a time such as 01/31/2024 12:00',
  text_dmy: 'a time such as 31/01/2024 12:00',
  s: 'seconds since 1970',
  ms: 'milliseconds since 1970',
  us: 'microseconds since 1970',
  ns: 'nanoseconds since 1970'
} as const

/** What the value of a field adds to the body of the ingest. */
function fieldOf(field: MappedField, value: unknown, mapping: ImportMapping, context: MapContext): Row {
  const { fields } = mapping
  switch (field) {
    case 'time': {
      const unit = fields.time?.unit ?? 'text'
      const start = timeIn(value, unit, context.zone)
      if (start === undefined) throw new Unfit(field, timeName[unit])
      return { start_us: start }
    }
    case 'latency':
    case 'ttft': {
      const unit = fields[field]?.unit ?? 'ms'
      const us = durationIn(value, unit)
      if (us === undefined) throw new Unfit(field, `${unitName[unit]} from 0`)
      return { [`${field}_us`]: us }
    }
    case 'input_tokens':
    case 'output_tokens':
      return { [field]: whole(field, value) }
    case 'cost': {
      const cost = numberIn(value)
      if (cost === undefined) throw new Unfit(field, 'a number')
      return { cost_usd: cost }
    }
    case 'status': {
      const outcome = statusIn(value)
      if (outcome === undefined) throw new Unfit(field, 'an outcome such as success, failed or 200')
      return outcome
    }
    case 'prompt':
      return { input_messages: contentOf(value) }
    case 'response':
      return { output_messages: contentOf(value) }
    case 'error':
      if (value === false || value === 0) return {}
      return { error_message: (typeof value === 'string' ? value : JSON.stringify(value)).slice(0, 65_536) }
    case 'model':
      return { request_model: plainText(field, value, 256) }
    case 'id':
      return { id: plainText(field, value, 200) }
    case 'source':
      return { source: context.source ?? plainText(field, value, 256) }
    case 'provider':
      return { provider: plainText(field, value, 256).toLowerCase() }
    default:
      return { [field]: plainText(field, value, 4096) }
  }
}

const fieldsOfIngest: Readonly<Record<string, MappedField>> = {
  start_time: 'time',
  request_model: 'model',
  input_messages: 'prompt',
  output_messages: 'response',
  latency_us: 'latency',
  ttft_us: 'ttft',
  error_message: 'error'
}

/** The mapped field that a refusal of the ingest is about; its message begins with the name of the canonical one. */
export function fieldRefused(message: string): MappedField | undefined {
  const name = message.slice(0, Math.max(0, message.indexOf(':')))
  return Object.hasOwn(fieldsOfIngest, name) ? fieldsOfIngest[name] : mappedFields.find((field) => field === name)
}

const titles = { csv: 'CSV by columns', jsonl: 'JSON lines by paths', json: 'JSON by paths', parquet: 'Parquet by columns' } as const

/** The profile that a mapping makes. Errors of a row name the field, never the value. */
export function mappedProfile(mapping: ImportMapping): ImportProfile {
  const { form } = mapping
  const readers: { readonly field: MappedField; readonly read: Reader }[] = []
  const used = new Set<string>()
  for (const field of mappedFields) {
    const given = mapping.fields[field]
    if (given === undefined) continue
    if ('value' in given) {
      const { value } = given
      readers.push({ field, read: () => value })
      continue
    }
    readers.push({ field, read: readerOf(given.from, form) })
    used.add(form !== 'csv' && given.from.startsWith('/') ? (tokensOf(given.from)[0] ?? '') : given.from)
  }
  const skipped = (name: string): boolean => used.has(name) || isSecret(name)
  const map = (row: unknown, context: MapContext): Mapped => {
    if (!isObject(row)) return { ok: false, code: 'not_an_object', message: 'expected a JSON object' }
    const raw: Record<string, unknown> = context.source === undefined ? {} : { source: context.source }
    const attributes: [string, unknown][] = []
    try {
      for (const { field, read } of readers) {
        const value = read(row)
        // Content may well read `none`; everything else means that there is nothing.
        if (field === 'prompt' || field === 'response' ? value === undefined || value === null || value === '' : isNone(value)) continue
        const { cost_usd: cost, ...rest } = fieldOf(field, value, mapping, context)
        if (cost !== undefined) attributes.push(['cost_usd', cost])
        Object.assign(raw, rest)
      }
    } catch (error) {
      if (error instanceof Unfit) return { ok: false, code: 'wrong_type', message: error.message, field: error.field }
      throw error
    }
    if (mapping.others === 'keep')
      for (const name of Object.keys(row)) {
        const value = row[name]
        if (value !== '' && value !== null && !skipped(name)) attributes.push([name, value])
      }
    if (raw.request_model === undefined)
      return { ok: false, code: 'missing_field', message: 'model: expected a model name', field: 'model' }
    if (attributes.length > 0) raw.attributes = Object.fromEntries(attributes)
    return { ok: true, raw }
  }
  const base = { name: MAPPED, title: titles[form], form, extensions: [], times: [], units: [] }
  return form === 'csv'
    ? { ...base, format: 'csv', delimiter: mapping.delimiter ?? ',', required: [...used], map }
    : { ...base, format: 'jsonl', detect: () => 0, map }
}
