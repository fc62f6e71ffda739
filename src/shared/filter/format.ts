// SPDX-License-Identifier: Apache-2.0
import type { FilterExpression, Term } from './filter.ts'

/** Plain words stand as they are; everything that could be read otherwise is quoted. */
const quote = (value: string): string => (/^[^\s"\\:-][^\s"\\:]*$/.test(value) ? value : `"${value.replace(/(["\\])/g, '\\$1')}"`)

/** Values after a field may hold colons and dashes. */
const quoteValue = (value: string): string => (/^[^\s"\\]+$/.test(value) ? value : `"${value.replace(/(["\\])/g, '\\$1')}"`)

/** ISO 8601 UTC of microseconds, as short as it is exact. */
export function isoOf(micros: number): string {
  const ms = Math.floor(micros / 1000)
  const rest = micros - ms * 1000
  const text = new Date(ms).toISOString()
  if (rest !== 0) return `${text.slice(0, -1)}${String(rest).padStart(3, '0')}Z`
  return text.endsWith('.000Z') ? `${text.slice(0, -5)}Z` : text
}

function formatTerm(term: Term): string {
  switch (term.kind) {
    case 'text':
      return `${term.negated ? '-' : ''}${quote(term.text)}`
    case 'is':
      return `${term.negated ? '-' : ''}${term.field}:${quoteValue(term.value)}`
    case 'range': {
      const range = term.min !== undefined && term.min === term.max ? `${term.min}` : `${term.min ?? ''}..${term.max ?? ''}`
      return `${term.negated ? '-' : ''}${term.field}:${range}`
    }
    case 'seqs':
      return `${term.negated ? '-' : ''}seq:${term.ranges.map(([first, last]) => (first === last ? `${first}` : `${first}..${last}`)).join(',')}`
    case 'time':
      return [term.from === undefined ? '' : `from:${isoOf(term.from)}`, term.to === undefined ? '' : `to:${isoOf(term.to)}`]
        .filter((part) => part !== '')
        .join(' ')
    case 'remote':
    case 'review':
      return `${term.negated ? '-' : ''}${term.kind}:${term.value}`
    case 'sample':
    case 'restricted':
    case 'corrected':
      return `${term.kind}:${term.value ? 'yes' : 'no'}`
  }
}

/** The canonical text of a filter; parsing it gives the same terms (a time with both bounds becomes two). */
export const formatFilter = (filter: FilterExpression): string => filter.terms.map(formatTerm).join(' ')
