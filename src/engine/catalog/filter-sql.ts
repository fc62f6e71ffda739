// SPDX-License-Identifier: Apache-2.0
import { type FilterExpression, hasWord, type NumberField, type Term, type TextField } from '../../shared/filter/filter.ts'
import { phraseOf } from './full-text.ts'

/** A WHERE condition over `record r` with its bound parameters. */
export interface SqlCondition {
  readonly where: string
  readonly params: readonly (string | number)[]
}

const textColumns: Record<Exclude<TextField, 'model'>, string> = {
  source: 'r.source',
  provider: 'r.provider',
  status: 'r.status',
  channel: 'r.channel',
  operation: 'r.operation',
  conversation: 'r.conversation',
  finish: 'r.finish',
  error: 'r.error_type',
  id: 'r.id'
}

const numberColumns: Record<NumberField, string> = {
  latency: 'r.latency_us / 1000.0',
  ttft: 'r.ttft_us / 1000.0',
  input: 'r.input_tokens',
  output: 'r.output_tokens',
  tokens: '(ifnull(r.input_tokens, 0) + ifnull(r.output_tokens, 0))',
  chars: 'r.response_chars',
  seq: 'r.seq'
}

/** The last decision on each record. With max(), the other columns of a group are those of its row (SQLite, Bare columns). */
const LAST_REVIEWS = `SELECT json_extract(data, '$.record') AS record, json_extract(data, '$.decision') AS decision, max(seq)
    FROM event
    WHERE type = 'review.decided'
    GROUP BY 1`

const CORRECTED = "r.seq IN (SELECT json_extract(data, '$.record') FROM event WHERE type = 'record.corrected')"

const EXPANDED = 8
const numbers = (first: number, last: number): number[] => Array.from({ length: last - first + 1 }, (_, i) => first + i)

function condition(term: Term): SqlCondition {
  switch (term.kind) {
    case 'text': {
      // No record holds it; the full text would refuse the question.
      if (!hasWord(term.text)) return { where: term.negated ? '1' : '0', params: [] }
      const inside = 'r.rid IN (SELECT rowid FROM record_text WHERE record_text MATCH ?)'
      return { where: term.negated ? `NOT (${inside})` : inside, params: [phraseOf(term.text)] }
    }
    case 'is': {
      if (term.field === 'model') {
        const where = term.negated ? "(r.model <> ? AND ifnull(r.served, '') <> ?)" : '(r.model = ? OR r.served = ?)'
        return { where, params: [term.value, term.value] }
      }
      const column = textColumns[term.field]
      return { where: term.negated ? `ifnull(${column}, '') <> ?` : `${column} = ?`, params: [term.value] }
    }
    case 'range': {
      const column = numberColumns[term.field]
      const bounds = [...(term.min === undefined ? [] : [`${column} >= ?`]), ...(term.max === undefined ? [] : [`${column} <= ?`])]
      const params = [term.min, term.max].filter((bound) => bound !== undefined)
      const where = `(${bounds.join(' AND ')})`
      return { where: term.negated ? `NOT ifnull(${where}, 0)` : where, params }
    }
    case 'seqs': {
      // Short ranges number by number: a long chain of conditions would be too deep for one expression.
      const singles = term.ranges.filter(([first, last]) => last - first < EXPANDED).flatMap(([first, last]) => numbers(first, last))
      const wide = term.ranges.filter(([first, last]) => last - first >= EXPANDED)
      const parts = [
        ...(singles.length > 0 ? [`r.seq IN (${singles.map(() => '?').join(', ')})`] : []),
        ...wide.map(() => 'r.seq BETWEEN ? AND ?')
      ]
      const where = `(${parts.join(' OR ')})`
      return { where: term.negated ? `NOT ${where}` : where, params: [...singles, ...wide.flat()] }
    }
    case 'time': {
      const bounds = [...(term.from === undefined ? [] : ['r.time_us >= ?']), ...(term.to === undefined ? [] : ['r.time_us < ?'])]
      const where = bounds.length === 0 ? '1' : bounds.join(' AND ')
      return { where, params: [term.from, term.to].filter((bound) => bound !== undefined) }
    }
    case 'sample':
      return { where: 'r.sample = ?', params: [term.value ? 1 : 0] }
    case 'restricted':
      return { where: term.value ? 'r.restricted <> 0' : 'r.restricted = 0', params: [] }
    case 'remote': {
      const value = { yes: '1', no: '0', unknown: 'NULL' }[term.value]
      return { where: `r.remote IS ${term.negated ? 'NOT ' : ''}${value}`, params: [] }
    }
    case 'corrected':
      return { where: `${term.value ? '' : 'NOT '}(${CORRECTED})`, params: [] }
    case 'review': {
      const decided = term.value !== 'yes' && term.value !== 'no'
      const inside = decided
        ? `r.seq IN (SELECT record FROM (${LAST_REVIEWS}) WHERE decision = ?)`
        : `r.seq IN (SELECT record FROM (${LAST_REVIEWS}))`
      const negated = term.negated !== (term.value === 'no')
      return { where: negated ? `NOT (${inside})` : inside, params: decided ? [term.value] : [] }
    }
  }
}

/** The conjunction of a filter's terms; `1` for everything. */
export function filterSql(filter: FilterExpression): SqlCondition {
  const parts = filter.terms.map(condition)
  if (parts.length === 0) return { where: '1', params: [] }
  return { where: parts.map((part) => part.where).join('\n  AND '), params: parts.flatMap((part) => [...part.params]) }
}

/**
 * The condition of a search. Restricted records are processed no further (GDPR 18(2)): whoever may see them finds them in a list of everything,
 * and when the filter asks for them; for everybody else they are not there.
 */
export const searched = (filter: FilterExpression, where: string, seesRestricted: boolean): string =>
  seesRestricted && (filter.terms.length === 0 || asksForRestricted(filter)) ? where : `(${where}) AND r.restricted = 0`

/** Whether a filter asks for restricted records. */
export const asksForRestricted = ({ terms }: FilterExpression): boolean => terms.some((term) => term.kind === 'restricted' && term.value)
