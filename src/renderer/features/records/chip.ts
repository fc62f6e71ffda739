// SPDX-License-Identifier: Apache-2.0
import type { NumberField, Term } from '../../../shared/filter/filter.ts'
import { formatFilter } from '../../../shared/filter/format.ts'

/** What a chip says of a term, and the term as it can be typed. */
export interface Chip {
  /** The field with its colon; for words that are searched for, a word that is no field. */
  readonly lead: string
  readonly value: string
  readonly typed: string
}

/** Durations in seconds where these are as exact as milliseconds. */
function amount(value: number, field: NumberField): string {
  if (field !== 'latency' && field !== 'ttft') return `${value}`
  const seconds = value / 1000
  return seconds >= 1 && Number(`${seconds}`) * 1000 === value ? `${seconds}s` : `${value}ms`
}

function rangeText({ field, min, max }: Term & { readonly kind: 'range' }): string {
  if (min === undefined) return max === undefined ? '' : `<${amount(max, field)}`
  if (max === undefined) return `>${amount(min, field)}`
  return min === max ? amount(min, field) : `${amount(min, field)}..${amount(max, field)}`
}

/** The words of a chip are those of the filter language: what it says of a field can be typed. */
export function chipOf(term: Term): Chip {
  if (term.kind === 'range') {
    const lead = `${term.negated ? '-' : ''}${term.field}:`
    const value = rangeText(term)
    return { lead, value, typed: `${lead}${value}` }
  }
  const typed = formatFilter({ terms: [term] })
  if (term.kind === 'text')
    return term.negated ? { lead: 'without', value: typed.slice(1), typed } : { lead: 'contains', value: typed, typed }
  const colon = typed.indexOf(':') + 1
  return { lead: typed.slice(0, colon), value: typed.slice(colon), typed }
}
