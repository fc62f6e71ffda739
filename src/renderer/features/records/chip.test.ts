// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { numberFields, type Term } from '../../../shared/filter/filter.ts'
import { parseFilter } from '../../../shared/filter/parse.ts'
import { chipOf } from './chip.ts'

const termsOf = (text: string): readonly Term[] => {
  const parsed = parseFilter(text)
  if (!parsed.ok) throw new Error(parsed.problem.message)
  return parsed.filter.terms
}
const said = (text: string): readonly string[] => termsOf(text).map((term) => `${chipOf(term).lead} ${chipOf(term).value}`)

describe('a chip', () => {
  it('says of a field what can be typed, with unit and comparison', () => {
    expect(said('latency:>2s latency:<1.5s ttft:250..1250 -latency:80 tokens:>10000 tokens:10..20')).toEqual([
      'latency: >2s',
      'latency: <1.5s',
      'ttft: 250ms..1.25s',
      '-latency: 80ms',
      'tokens: >10000',
      'tokens: 10..20'
    ])
    expect(said('model:gpt-4 -source:"client desk" review:no from:2026-11-23 seq:3,5..7')).toEqual([
      'model: gpt-4',
      '-source: "client desk"',
      'review: no',
      'from: 2026-11-23T00:00:00Z',
      'seq: 3,5..7'
    ])
  })

  it('says of words that they are no field', () => {
    expect(said('prime "step by step" -refund "model:gpt-4"')).toEqual([
      'contains prime',
      'contains "step by step"',
      'without refund',
      'contains "model:gpt-4"'
    ])
  })

  it('holds the term as it can be typed', () => {
    const bound = fc.oneof(
      fc.nat(),
      fc.double({ min: 0.001, max: 1e6, noNaN: true }).map((n) => Number(n.toFixed(3)))
    )
    const range = fc.record({
      kind: fc.constant('range' as const),
      field: fc.constantFrom(...numberFields),
      min: bound,
      max: bound,
      negated: fc.boolean()
    })
    fc.assert(
      fc.property(range, fc.constantFrom('min', 'max', 'both'), ({ min, max, ...rest }, has) => {
        const term: Term = { ...rest, ...(has === 'max' ? {} : { min }), ...(has === 'min' ? {} : { max }) }
        expect(termsOf(chipOf(term).typed)).toEqual([term])
      })
    )
  })
})
