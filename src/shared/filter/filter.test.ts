// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { filterOfSeqs, periodOf, withPeriod } from './chosen.ts'
import {
  type FilterExpression,
  filterFields,
  fromQueryBody,
  hasWord,
  numberFields,
  remoteStates,
  reviewStates,
  type Term,
  textFields
} from './filter.ts'
import { formatFilter } from './format.ts'
import { parseFilter } from './parse.ts'

const parsed = (text: string): readonly Term[] => {
  const result = parseFilter(text)
  if (!result.ok) throw new Error(result.problem.message)
  return result.filter.terms
}
const problem = (text: string) => {
  const result = parseFilter(text)
  return result.ok ? undefined : result.problem
}

describe('parseFilter', () => {
  it('reads words, phrases, fields, ranges and times', () => {
    expect(
      parsed('prime "step by step" -refund model:gpt-4-0314 latency:>1.5s tokens:10..20 from:2023-08-01 to:2023-08-02T12:00Z sample:no')
    ).toEqual([
      { kind: 'text', text: 'prime', negated: false },
      { kind: 'text', text: 'step by step', negated: false },
      { kind: 'text', text: 'refund', negated: true },
      { kind: 'is', field: 'model', value: 'gpt-4-0314', negated: false },
      { kind: 'range', field: 'latency', min: 1500, negated: false },
      { kind: 'range', field: 'tokens', min: 10, max: 20, negated: false },
      { kind: 'time', from: Date.UTC(2023, 7, 1) * 1000 },
      { kind: 'time', to: Date.UTC(2023, 7, 2, 12) * 1000 },
      { kind: 'sample', value: false }
    ])
  })

  it.each([
    ['nofield:x', 'unknown_field', 0],
    ['a latency:fast', 'bad_number', 2],
    ['tokens:5s', 'bad_number', 0],
    ['from:yesterday', 'bad_time', 0],
    ['from:2026-02-30', 'bad_time', 0],
    ['to:2026-06-31T10:00:00+02:00', 'bad_time', 0],
    ['x "open', 'open_quote', 2],
    ['€', 'bad_value', 0],
    ['model:m  § ?', 'bad_value', 9],
    ['a "???"', 'bad_value', 2],
    ['a -😀', 'bad_value', 2],
    ['model:', 'bad_value', 0],
    ['sample:maybe', 'bad_value', 0],
    ['remote:maybe', 'bad_value', 0],
    ['remote:', 'bad_value', 0],
    ['-from:2023-01-01', 'bad_value', 0],
    [Array.from({ length: 33 }, () => 'a').join(' '), 'too_many_terms', 64],
    ['x'.repeat(4097), 'too_long', 4096]
  ])('names what is wrong in %s', (text, code, position) => {
    expect(problem(text)).toMatchObject({ code, position })
  })

  it('names the fields there are, each of which there is', () => {
    expect(problem('nofield:x')?.message).toMatch(/^there is no field nofield, only model, source, .*latency.*from.*review;/)
    for (const field of filterFields) expect(problem(`${field}:x`)?.code, field).not.toBe('unknown_field')
  })

  it('reads past the signs between words', () => {
    expect(parsed('What is 2 + 2 ?')).toEqual(['What', 'is', '2', '2'].map((text) => ({ kind: 'text', text, negated: false })))
    expect(parsed(' ')).toEqual([])
  })

  it('never throws', () => {
    fc.assert(fc.property(fc.string({ maxLength: 200, unit: 'binary' }), (text) => void parseFilter(text)))
  })
})

describe('formatFilter', () => {
  const word = fc.string({ minLength: 1, maxLength: 30 }).filter(hasWord)
  const bound = fc.integer({ min: 0, max: 1e9 })
  const term: fc.Arbitrary<Term> = fc.oneof(
    fc.record({ kind: fc.constant('text' as const), text: word, negated: fc.boolean() }),
    fc.record({ kind: fc.constant('is' as const), field: fc.constantFrom(...textFields), value: word, negated: fc.boolean() }),
    fc.record({
      kind: fc.constant('range' as const),
      field: fc.constantFrom(...numberFields),
      min: bound,
      max: bound,
      negated: fc.boolean()
    }),
    fc.record({ kind: fc.constant('time' as const), from: fc.integer({ min: 0, max: 4e15 }) }),
    fc.record({ kind: fc.constant('remote' as const), value: fc.constantFrom(...remoteStates), negated: fc.boolean() }),
    fc.record({ kind: fc.constant('review' as const), value: fc.constantFrom(...reviewStates), negated: fc.boolean() }),
    fc.record({ kind: fc.constantFrom('corrected' as const, 'restricted' as const), value: fc.boolean() }),
    fc.record({ kind: fc.constant('sample' as const), value: fc.boolean() })
  )
  it('writes what parses to the same terms', () => {
    fc.assert(
      fc.property(fc.array(term, { maxLength: 8 }), (terms) => {
        const filter: FilterExpression = { terms }
        expect(parsed(formatFilter(filter))).toEqual(terms)
      })
    )
  })
})

describe('fromQueryBody', () => {
  it('takes the fields of the HTTP query', () => {
    expect(fromQueryBody({ from: '2023-08-01T02:00:00+02:00', model: 'gpt-4', status: 'error', text: 'prime "step by"' }).terms).toEqual([
      { kind: 'time', from: Date.UTC(2023, 7, 1) * 1000 },
      { kind: 'is', field: 'model', value: 'gpt-4', negated: false },
      { kind: 'is', field: 'status', value: 'error', negated: false },
      { kind: 'text', text: 'prime', negated: false },
      { kind: 'text', text: 'step by', negated: false }
    ])
    expect(fromQueryBody({ text: '2 + "..." 3' }).terms.map((term) => term.kind === 'text' && term.text)).toEqual(['2', '3'])
  })
})

describe('leaves chosen one by one', () => {
  it('are named by a filter that reads back, in ranges where they follow each other', () => {
    expect(filterOfSeqs([3, 5, 6, 7, 9])).toBe('seq:3,5..7,9')
    expect(filterOfSeqs([4, 5])).toBe('seq:4..5')
    expect(filterOfSeqs([])).toBeNull()
    expect(filterOfSeqs(Array.from({ length: 3000 }, (_, i) => 2 * i))).toBeNull()
    const read = parseFilter('-seq:3,5..7,9')
    expect(read).toEqual({
      ok: true,
      filter: {
        terms: [
          {
            kind: 'seqs',
            ranges: [
              [3, 3],
              [5, 7],
              [9, 9]
            ],
            negated: true
          }
        ]
      }
    })
    expect(read.ok && formatFilter(read.filter)).toBe('-seq:3,5..7,9')
  })

  it.each(['seq:3,', 'seq:,3', 'seq:3,x', 'seq:3,9..5', 'seq:3,1e9', 'seq:3,-5', `seq:1,${'9'.repeat(16)}`])('refuses %s', (text) =>
    expect(parseFilter(text)).toMatchObject({ ok: false, problem: { code: 'bad_number' } })
  )
})

describe('the period of a filter', () => {
  const DAY = 86_400_000_000
  it('is read, put in its place, and taken away; the rest stays', () => {
    const from = Date.UTC(2026, 0, 1) * 1000
    expect(withPeriod('model:gpt-4 from:2025-01-01', { from, to: from + DAY })).toBe(
      'model:gpt-4 from:2026-01-01T00:00:00Z to:2026-01-02T00:00:00Z'
    )
    expect(withPeriod('model:gpt-4 from:2025-01-01', {})).toBe('model:gpt-4')
    expect(withPeriod('latency:fast', { from })).toBe('latency:fast')
    const read = parseFilter('from:2026-01-01 to:2026-02-01 to:2026-01-05')
    expect(read.ok && periodOf(read.filter)).toEqual({ from, to: from + 4 * DAY })
  })
})
