// SPDX-License-Identifier: Apache-2.0
// Which column of an unknown file means what, from names and from values.
import type { DurationUnit, ImportMapping, MappedField, TimeUnit } from '../../contract/import-mapping.ts'
import { isSecret, wordsOf } from '../credentials.ts'
import { pointerOf } from './mapped.ts'
import { durationIn, isNone, numberIn, statusIn, timeIn } from './mapped-values.ts'

/** A column or path of the file and what stands in it in the first rows. */
export interface SampleColumn {
  readonly from: string
  readonly values: readonly unknown[]
}

export interface Guess {
  readonly mapping: ImportMapping
  /** Fields whose unit or column is no more than likely. */
  readonly unsure: readonly MappedField[]
}

/** More columns than this are not kept unless a person says so. */
const MOST_OTHERS = 256
const MOST_PATHS = 2_000
const MOST_DEPTH = 6

const numeric = (value: unknown): boolean => {
  const number = numberIn(value)
  return number !== undefined && number >= 0
}
const wholeNumber = (value: unknown): boolean => numeric(value) && Number.isInteger(numberIn(value))
const shortText = (value: unknown): boolean =>
  (typeof value === 'string' && value.length <= 256 && !value.includes('\n')) || typeof value === 'number'
const content = (value: unknown): boolean => typeof value === 'string' || typeof value === 'object'

interface Rule {
  readonly field: MappedField
  /** The whole name, in words. */
  readonly exact: RegExp
  /** Part of the name. */
  readonly part?: RegExp
  readonly fits: (value: unknown) => boolean
}

const id = (of: string): RegExp => new RegExp(`^(${of})( ?id| uuid| identifier)?$`)

/** In the order in which columns are given away: the narrow names first. */
const rules: readonly Rule[] = [
  {
    field: 'ttft',
    exact: /^ttft( (ms|s|us|ns|seconds|millis|milliseconds))?$/,
    part: /\b(ttft|time to first token|first token)\b/,
    fits: numeric
  },
  {
    field: 'input_tokens',
    exact: /^(input|prompt|request|context) tokens?$|^tokens? (in|input|prompt)$/,
    part: /\b((input|prompt|request|context|in) tokens?|tokens? (in|input|prompt)|(input|prompt) token count)\b/,
    fits: wholeNumber
  },
  {
    field: 'output_tokens',
    exact: /^(output|completion|response|generated|answer) tokens?$|^tokens? (out|output|completion)$/,
    part: /\b((output|completion|response|generated|answer|out) tokens?|tokens? (out|output|completion)|(output|completion) token count)\b/,
    fits: wholeNumber
  },
  {
    field: 'latency',
    exact:
      /^(latency|duration|elapsed|took|response time|processing time|total time|elapsed time|delay)( (in )?(ms|s|us|ns|secs?|seconds|millis|milliseconds|microseconds|nanoseconds))?$/,
    part: /\b(latency|duration|elapsed|took|response time|processing time|inference time|execution time|runtime|time taken)\b/,
    fits: numeric
  },
  {
    field: 'time',
    exact:
      /^(timestamp|time|date ?time|ts|created( at| time)?|start(ed)?( at| time)?|request (time|timestamp|created at)|event time|logged at|sent at|date)( (utc|ms|us|ns|s))?$/,
    part: /\b(timestamp|created|start(ed)? (at|time)|date ?time|unix)\b/,
    fits: (value) => timeUnitOf([value]) !== undefined
  },
  {
    field: 'cost',
    exact: /^(total )?(cost|spend|price|charge)( (usd|dollars))?$/,
    part: /\b(cost|spend|price)\b/,
    fits: (value) => numberIn(value) !== undefined
  },
  {
    field: 'error',
    exact: /^(error|error ?message|error text|exception|failure( reason)?|err)$/,
    part: /\b(error|exception) (message|text|detail|details)\b/,
    fits: content
  },
  {
    field: 'status',
    exact: /^(status|outcome|success|ok|succeeded|result status|(http |response )?status ?code|http status|state|response status)$/,
    part: /\bstatus\b/,
    fits: (value) => statusIn(value) !== undefined
  },
  {
    field: 'model',
    exact: /^(model|(request|response|llm|requested) model|model ?name|model ?id|llm|engine|deployment)$/,
    part: /\bmodel( name)?\b/,
    fits: shortText
  },
  { field: 'provider', exact: /^((llm|model|api) )?(provider|vendor)$/, part: /\b(provider|vendor)\b/, fits: shortText },
  {
    field: 'prompt',
    exact:
      /^(prompt|prompts|inputs?|question|query|request|messages|input messages|user message|instructions?|(request|input|prompt) (body|text|content)|user input)$/,
    part: /\b(prompt|question|query|messages|input)\b/,
    fits: content
  },
  {
    field: 'response',
    exact:
      /^(response|responses|outputs?|answer|completion|reply|output messages|assistant message|generation|generated text|(response|output|answer) (body|text|content)|result)$/,
    part: /\b(response|output|answer|completion|reply|generation|choices 0 (message content|text))\b/,
    fits: content
  },
  { field: 'user_id', exact: id('user|end user|customer|account|caller|member'), part: /\b(user|customer) ?id\b/, fits: shortText },
  {
    field: 'conversation_id',
    exact: id('conversation|session|thread|chat|dialog'),
    part: /\b(conversation|session|thread|chat) ?id\b/,
    fits: shortText
  },
  { field: 'source', exact: /^(source|app|application|app name|service|service name|project|project name|client|team)$/, fits: shortText },
  { field: 'id', exact: /^(id|uuid|(request|record|call|event|row|response|log|completion|span) ?(id|uuid)|custom id)$/, fits: shortText }
]

const MODEL_NAMES = /^(?:[\w.-]+\/)?(gpt-|chatgpt|claude|llama|gemini|gemma|mi[sx]tral|qwen|deepseek|phi-?\d|command-|grok|o\d(-|$))/i

/** Where no name says it: values that can hardly be anything else. */
const telling: readonly { readonly field: 'time' | 'model'; readonly fits: (values: readonly unknown[]) => boolean }[] = [
  { field: 'time', fits: (values) => timeUnitOf(values)?.startsWith('text') === true },
  { field: 'model', fits: (values) => most(values, (value) => typeof value === 'string' && MODEL_NAMES.test(value)) }
]

/** 3: the whole name; 2: the last word of a path is one; 1: a part of it; 0: none. */
function nameScore({ exact, part }: Rule, from: string, json: boolean): number {
  const words = wordsOf(from)
  if (exact.test(words)) return 3
  if (json && from.startsWith('/') && exact.test(wordsOf(from.slice(from.lastIndexOf('/') + 1)))) return 2
  return part?.test(words) ? 1 : 0
}

const most = <T>(values: readonly T[], fits: (value: T) => boolean): boolean =>
  values.length > 0 && values.filter(fits).length >= 0.8 * values.length

/** The unit in which most of the values are times. */
export function timeUnitOf(values: readonly unknown[]): TimeUnit | undefined {
  const texts = ['text', 'text_mdy', 'text_dmy'] as const
  const numbers = ['s', 'ms', 'us', 'ns'] as const
  return [...texts, ...numbers].find((unit) => most(values, (value) => timeIn(value, unit, 'UTC') !== undefined))
}

const NAMED_UNITS: readonly (readonly [RegExp, DurationUnit])[] = [
  [/\b(ms|msec|millis|milliseconds?)\b/, 'ms'],
  [/\b(us|usec|micros|microseconds?)\b/, 'us'],
  [/\b(ns|nsec|nanos|nanoseconds?)\b/, 'ns'],
  [/\b(s|secs?|seconds?)\b/, 's']
]

/** The unit that the name says, else the likely one: answers take a second or so, not milliseconds and not hours. */
function durationUnitOf({ from, values }: SampleColumn): { readonly unit: DurationUnit; readonly sure: boolean } {
  const words = wordsOf(from)
  for (const [name, unit] of NAMED_UNITS) if (name.test(words)) return { unit, sure: true }
  const numbers = values.map(numberIn).filter((one): one is number => one !== undefined && one > 0)
  const middle = numbers.sort((a, b) => a - b)[numbers.length >> 1] ?? 1
  return { unit: middle < 120 ? 's' : middle < 3e5 ? 'ms' : middle < 3e8 ? 'us' : 'ns', sure: false }
}

/** A mapping for the columns of a file; fields that nothing fits stay open. */
export function guessMapping(
  columns: readonly SampleColumn[],
  form: { readonly form: ImportMapping['form']; readonly delimiter?: ImportMapping['delimiter'] }
): Guess {
  const json = form.form !== 'csv'
  const taken = new Set<string>()
  const unsure: MappedField[] = []
  const fields: Record<string, unknown> = {}
  const candidates = columns
    .filter(({ from }) => from.length <= 512 && !isSecret(from))
    .map(({ from, values }) => ({ from, values: values.filter((value) => !isNone(value)) }))
  for (const rule of rules) {
    let best: SampleColumn | undefined
    let bestScore = 0
    for (const column of candidates) {
      if (taken.has(column.from)) continue
      const score = nameScore(rule, column.from, json)
      if (score <= bestScore || (column.values.length > 0 && !most(column.values, rule.fits))) continue
      best = column
      bestScore = score
    }
    if (best === undefined) continue
    const { field } = rule
    const { from } = best
    taken.add(from)
    if (bestScore === 1) unsure.push(field)
    if (field === 'time') {
      const unit = timeUnitOf(best.values)
      // 03/04/2024 is both.
      if (unit === 'text_mdy' && most(best.values, (value) => timeIn(value, 'text_dmy', 'UTC') !== undefined)) unsure.push(field)
      fields[field] = { from, unit: unit ?? 'text' }
    } else if (field === 'latency' || field === 'ttft') {
      const { unit, sure } = durationUnitOf(best)
      if (!sure) unsure.push(field)
      fields[field] = { from, unit: most(best.values, (value) => durationIn(value, unit) !== undefined) ? unit : 's' }
    } else fields[field] = { from }
  }
  for (const { field, fits } of telling) {
    const found = field in fields ? undefined : candidates.find(({ from, values }) => !taken.has(from) && fits(values))
    if (found === undefined) continue
    taken.add(found.from)
    unsure.push(field)
    fields[field] = field === 'time' ? { from: found.from, unit: timeUnitOf(found.values) } : { from: found.from }
  }
  return {
    mapping: {
      version: 1,
      form: form.form,
      ...(form.delimiter === undefined || form.delimiter === ',' ? {} : { delimiter: form.delimiter }),
      fields: fields as ImportMapping['fields'],
      others: columns.length > MOST_OTHERS ? 'drop' : 'keep'
    },
    unsure: [...new Set(unsure)]
  }
}

/** The paths of JSON rows with their values: members of the top by name, those below by pointer. Of a list, itself and its first element. */
export function samplePaths(rows: readonly unknown[]): SampleColumn[] {
  const found = new Map<string, unknown[]>()
  const note = (from: string, value: unknown) => {
    const values = found.get(from)
    if (values !== undefined) values.push(value)
    else if (found.size < MOST_PATHS) found.set(from, [value])
  }
  const walk = (value: object, tokens: readonly string[]) => {
    const list = Array.isArray(value)
    for (const key of list ? (value.length > 0 ? ['0'] : []) : Object.keys(value)) {
      const member = (value as Record<string, unknown>)[key]
      const path = [...tokens, key]
      const from = path.length === 1 && !key.startsWith('/') && key !== '' ? key : pointerOf(path)
      const inner = typeof member === 'object' && member !== null
      if (!inner || Array.isArray(member)) note(from, member)
      if (inner && path.length < MOST_DEPTH && found.size < MOST_PATHS) walk(member, path)
    }
  }
  for (const row of rows) if (typeof row === 'object' && row !== null && !Array.isArray(row)) walk(row, [])
  return [...found].map(([from, values]) => ({ from, values }))
}
