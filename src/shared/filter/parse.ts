// SPDX-License-Identifier: Apache-2.0
// The filter language: words and "phrases" (full text), field:value, field:>n, field:<n, field:a..b, seq:a,b,c..d, review:DECISION, corrected:yes, remote:yes, from:TIME, to:TIME, a leading - negates.
import { isIsoDay } from '../event/iso-day.ts'
import {
  type FilterExpression,
  filterFields,
  hasWord,
  MOST_FILTER_TEXT,
  MOST_TERMS,
  type NumberField,
  numberFields,
  remoteStates,
  reviewStates,
  type Term,
  type TextField,
  textFields
} from './filter.ts'

export interface FilterProblem {
  readonly code: 'too_long' | 'too_many_terms' | 'unknown_field' | 'bad_number' | 'bad_time' | 'bad_value' | 'open_quote'
  readonly message: string
  /** Character position in the text, from 0. */
  readonly position: number
}

export type FilterResult =
  | { readonly ok: true; readonly filter: FilterExpression }
  | { readonly ok: false; readonly problem: FilterProblem }

interface Token {
  readonly position: number
  readonly negated: boolean
  readonly field: string | null
  readonly value: string
  readonly quoted: boolean
}

class Refused {
  readonly problem: FilterProblem
  constructor(code: FilterProblem['code'], message: string, position: number) {
    this.problem = { code, message, position }
  }
}

function readQuoted(text: string, from: number): { value: string; next: number } {
  let value = ''
  for (let i = from + 1; i < text.length; i++) {
    const char = text[i] ?? ''
    if (char === '\\' && i + 1 < text.length) value += text[++i] ?? ''
    else if (char === '"') return { value, next: i + 1 }
    else value += char
  }
  throw new Refused('open_quote', 'a quotation mark is not closed', from)
}

const isSpace = (char: string | undefined): boolean => char !== undefined && /\s/.test(char)

function* tokens(text: string): Generator<Token> {
  let i = 0
  while (i < text.length) {
    if (isSpace(text[i])) {
      i++
      continue
    }
    const position = i
    const negated = text[i] === '-' && i + 1 < text.length && !isSpace(text[i + 1])
    if (negated) i++
    const field = /^([a-z]+):/.exec(text.slice(i, i + 24))?.[1] ?? null
    if (field !== null) i += field.length + 1
    if (text[i] === '"') {
      const { value, next } = readQuoted(text, i)
      yield { position, negated, field, value, quoted: true }
      i = next
      continue
    }
    const start = i
    while (i < text.length && !isSpace(text[i])) i++
    yield { position, negated, field, value: text.slice(start, i), quoted: false }
  }
}

const TIME = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})?)?$/

/** Microseconds of a date or time; without a zone it is UTC. */
function timeOf(token: Token): number {
  const text = token.value
  const zoned = /T/.test(text) && !/(Z|[+-]\d{2}:\d{2})$/.test(text) ? `${text}Z` : text
  const ms = TIME.test(text) && isIsoDay(text) ? Date.parse(zoned) : Number.NaN
  if (Number.isNaN(ms)) throw new Refused('bad_time', 'expected a time such as 2026-11-23 or 2026-11-23T14:30:00Z', token.position)
  const digits = /\.(\d{1,6})/.exec(text)?.[1]?.padEnd(6, '0').slice(3) ?? '0'
  return ms * 1000 + Number(digits)
}

function numberOf(text: string, field: NumberField, position: number): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s)?$/.exec(text)
  const duration = field === 'latency' || field === 'ttft'
  if (!match || (match[2] !== undefined && !duration))
    throw new Refused('bad_number', 'expected a number, such as 500, >1.5s or 10..20', position)
  const value = Number(match[1]) * (match[2] === 's' ? 1000 : 1)
  if (!Number.isFinite(value) || value > Number.MAX_SAFE_INTEGER / 1000)
    throw new Refused('bad_number', 'the number is too large', position)
  return value
}

function rangeOf(token: Token, field: NumberField): Term {
  const { value, negated, position } = token
  const number = (text: string) => numberOf(text, field, position)
  const between = value.split('..')
  if (between.length === 2) {
    const [low = '', high = ''] = between
    if (low === '' && high === '') throw new Refused('bad_number', 'a range needs a bound', position)
    return { kind: 'range', field, ...(low === '' ? {} : { min: number(low) }), ...(high === '' ? {} : { max: number(high) }), negated }
  }
  // Bounds are inclusive; `>` and `<` read naturally and differ only at the bound itself.
  if (value.startsWith('>')) return { kind: 'range', field, min: number(value.slice(1)), negated }
  if (value.startsWith('<')) return { kind: 'range', field, max: number(value.slice(1)), negated }
  return { kind: 'range', field, min: number(value), max: number(value), negated }
}

/** `seq:3,5,9..12`: leaves chosen one by one. */
function seqsOf({ value, negated, position }: Token): Term {
  const ranges = value.split(',').map((one): readonly [number, number] => {
    const match = /^(\d{1,15})(?:\.\.(\d{1,15}))?$/.exec(one)
    const [first, last] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])]
    if (!match || last < first) throw new Refused('bad_number', 'expected leaves such as 3,5,9..12', position)
    return [first, last]
  })
  return { kind: 'seqs', ranges, negated }
}

const isOneOf = <T extends string>(list: readonly T[], value: string): value is T => (list as readonly string[]).includes(value)

function termOf(token: Token): Term | null {
  const { field, value, negated, position } = token
  if (field === null) return value.trim() === '' ? null : { kind: 'text', text: value, negated }
  if (field === 'from' || field === 'to') {
    if (negated) throw new Refused('bad_value', `-${field}: is not possible; use the other bound`, position)
    return field === 'from' ? { kind: 'time', from: timeOf(token) } : { kind: 'time', to: timeOf(token) }
  }
  if (field === 'sample' || field === 'restricted' || field === 'corrected') {
    if (value !== 'yes' && value !== 'no') throw new Refused('bad_value', `expected ${field}:yes or ${field}:no`, position)
    return { kind: field, value: (value === 'yes') !== negated }
  }
  if (field === 'remote') {
    if (!isOneOf(remoteStates, value)) throw new Refused('bad_value', `expected remote: and one of ${remoteStates.join(', ')}`, position)
    return { kind: 'remote', value, negated }
  }
  if (field === 'review') {
    if (!isOneOf(reviewStates, value)) throw new Refused('bad_value', `expected review: and one of ${reviewStates.join(', ')}`, position)
    return { kind: 'review', value, negated }
  }
  if (field === 'seq' && value.includes(',')) return seqsOf(token)
  if (isOneOf(numberFields, field)) return rangeOf(token, field)
  if (isOneOf(textFields, field)) {
    if (value === '') throw new Refused('bad_value', `${field}: needs a value`, position)
    return { kind: 'is', field: field satisfies TextField, value, negated }
  }
  throw new Refused(
    'unknown_field',
    `there is no field ${field}, only ${filterFields.join(', ')}; words with a colon go into quotation marks`,
    position
  )
}

const NO_WORD = 'a search text needs a letter or a digit'

/** Parses the text of a filter; never throws. Signs between words say nothing; alone, in quotation marks or negated they are refused. */
export function parseFilter(text: string): FilterResult {
  if (text.length > MOST_FILTER_TEXT)
    return { ok: false, problem: { code: 'too_long', message: `at most ${MOST_FILTER_TEXT} characters`, position: MOST_FILTER_TEXT } }
  const terms: Term[] = []
  let sign: Token | undefined
  try {
    for (const token of tokens(text)) {
      const term = termOf(token)
      if (!term) continue
      if (term.kind === 'text' && !hasWord(term.text)) {
        if (token.quoted || token.negated) throw new Refused('bad_value', NO_WORD, token.position)
        sign ??= token
        continue
      }
      if (terms.length === MOST_TERMS) throw new Refused('too_many_terms', `at most ${MOST_TERMS} terms`, token.position)
      terms.push(term)
    }
    if (sign && !terms.some(({ kind }) => kind === 'text')) throw new Refused('bad_value', NO_WORD, sign.position)
  } catch (error) {
    if (error instanceof Refused) return { ok: false, problem: error.problem }
    throw error
  }
  return { ok: true, filter: { terms } }
}
