// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { exampleOf, kindOf, targetOf } from './document.ts'

describe('a body to begin with', () => {
  it.each([
    [{ type: 'object', properties: { limit: { type: 'integer', default: 100 } } }, {}],
    [{ type: 'object', required: ['note'], properties: { note: { type: 'string' } } }, { note: '' }],
    [{ type: 'array', minItems: 1, items: { type: 'integer', minimum: 5 } }, [5]],
    [{ anyOf: [{ enum: ['a', 'b'] }, { type: 'null' }] }, 'a'],
    [{ oneOf: [{ const: 7 }] }, 7],
    [{ type: ['boolean', 'null'] }, false],
    [undefined, null]
  ])('for %j is %j', (schema, expected) => expect(exampleOf(schema)).toEqual(expected))
})

describe('the kind of a parameter', () => {
  it('is said in a few words', () => {
    expect(kindOf({ enum: ['open', 'resolved'] })).toBe('open, resolved')
    expect(kindOf({ type: 'integer', default: 100 })).toBe('integer, else 100')
    expect(kindOf({ type: 'string', format: 'date-time' })).toBe('string, date-time')
  })
})

describe('a target', () => {
  const parameters = [
    { name: 'id', in: 'path' },
    { name: 'q', in: 'query' },
    { name: 'empty', in: 'query' }
  ] as const
  it('keeps values what they are', () => {
    expect(targetOf('/a/{id}/b', parameters, { id: 'x/y?z#', q: 'a&b=c', empty: '' })).toBe('/a/x%2Fy%3Fz%23/b?q=a%26b%3Dc')
    expect(targetOf('/proxy/{upstream}/{path}', parameters, { upstream: 'u', path: 'api/ch at' })).toBe('/proxy/u/api/ch%20at')
  })
})
