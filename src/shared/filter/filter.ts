// SPDX-License-Identifier: Apache-2.0
import { reviewDecisions } from '../evidence/leaf-data.ts'

/** Fields compared as text, exactly. `model` means asked or served. */
export const textFields = [
  'model',
  'source',
  'provider',
  'status',
  'channel',
  'operation',
  'conversation',
  'finish',
  'error',
  'id'
] as const
export type TextField = (typeof textFields)[number]

/** Fields compared as numbers; durations in milliseconds. */
export const numberFields = ['latency', 'ttft', 'input', 'output', 'tokens', 'chars', 'seq'] as const
export type NumberField = (typeof numberFields)[number]

/** How a record stands with those who review: whether anybody decided on it, and what the last of them decided. */
export const reviewStates = ['yes', 'no', ...reviewDecisions] as const

/** Whether a call was answered outside loopback and private networks, as far as it is on record. */
export const remoteStates = ['yes', 'no', 'unknown'] as const

/** Names that may stand before a colon. */
export const filterFields = [...textFields, ...numberFields, 'from', 'to', 'sample', 'restricted', 'remote', 'corrected', 'review'] as const

/** One condition; a filter is the conjunction of its terms. Bounds are inclusive, except the end of a time range. */
export type Term =
  | { readonly kind: 'text'; readonly text: string; readonly negated: boolean }
  | { readonly kind: 'is'; readonly field: TextField; readonly value: string; readonly negated: boolean }
  | { readonly kind: 'range'; readonly field: NumberField; readonly min?: number; readonly max?: number; readonly negated: boolean }
  /** Leaves by number, as ranges with both ends; for records that were chosen one by one. */
  | { readonly kind: 'seqs'; readonly ranges: readonly (readonly [number, number])[]; readonly negated: boolean }
  /** Microseconds since 1970 UTC of the claimed start: from ≤ t < to. */
  | { readonly kind: 'time'; readonly from?: number; readonly to?: number }
  | { readonly kind: 'sample'; readonly value: boolean }
  /** Restricted records (GDPR 18): found only by whoever may see them, and only when asked for. */
  | { readonly kind: 'restricted'; readonly value: boolean }
  | { readonly kind: 'remote'; readonly value: (typeof remoteStates)[number]; readonly negated: boolean }
  /** Whether a correction of the record is on record. */
  | { readonly kind: 'corrected'; readonly value: boolean }
  | { readonly kind: 'review'; readonly value: (typeof reviewStates)[number]; readonly negated: boolean }

export interface FilterExpression {
  readonly terms: readonly Term[]
}

const changedByActs: ReadonlySet<Term['kind']> = new Set(['restricted', 'review', 'corrected'])

/** The filter without terms that acts on a record change later: it finds at least what the whole one found at any time. */
export const withoutChanging = ({ terms }: FilterExpression): FilterExpression => ({
  terms: terms.filter(({ kind }) => !changedByActs.has(kind))
})

/** Longest filter text. */
export const MOST_FILTER_TEXT = 4_096
/** Most terms of a filter. */
export const MOST_TERMS = 32

/** Whether a text holds anything that the full text has words of (tokenizer unicode61: letters, digits, private use). */
export const hasWord = (text: string): boolean => /[\p{L}\p{N}\p{Co}]/u.test(text)

/** What the HTTP query body says, as a filter. Times are ISO 8601 with a zone. */
export function fromQueryBody(body: {
  readonly from?: string | undefined
  readonly to?: string | undefined
  readonly model?: string | undefined
  readonly source?: string | undefined
  readonly status?: string | undefined
  readonly text?: string | undefined
}): FilterExpression {
  const terms: Term[] = []
  const micros = (text: string): number => Date.parse(text) * 1000
  if (body.from !== undefined || body.to !== undefined) {
    terms.push({
      kind: 'time',
      ...(body.from === undefined ? {} : { from: micros(body.from) }),
      ...(body.to === undefined ? {} : { to: micros(body.to) })
    })
  }
  for (const field of ['model', 'source', 'status'] as const) {
    const value = body[field]
    if (value !== undefined) terms.push({ kind: 'is', field, value, negated: false })
  }
  // Words are all required, in any order; quoted words stand together. Signs between them are none.
  for (const match of (body.text ?? '').matchAll(/"([^"]*)"|(\S+)/g)) {
    const text = (match[1] ?? match[2] ?? '').trim()
    if (hasWord(text)) terms.push({ kind: 'text', text, negated: false })
  }
  return { terms }
}
