// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { arrayElements, startsArray } from './json-array.ts'

const MALFORMED = 'malformed'

function parse(text: string): unknown {
  const values: unknown[] = []
  for (const element of arrayElements(Buffer.from(text, 'utf8'))) {
    if (element === null) return MALFORMED
    try {
      values.push(JSON.parse(element.toString('utf8')))
    } catch {
      return MALFORMED
    }
  }
  return values
}

function reference(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return Array.isArray(value) ? value : MALFORMED
  } catch {
    return MALFORMED
  }
}

describe('arrayElements', () => {
  it('gives what JSON.parse gives for any array, with any white space', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue({ maxDepth: 4 })), fc.constantFrom(undefined, 1, '\t'), (values, indent) => {
        const text = JSON.stringify(values, null, indent)
        expect(parse(text)).toEqual(JSON.parse(text))
      })
    )
  })

  it('refuses exactly what JSON.parse refuses, for damaged arrays', () => {
    const piece = fc.constantFrom(
      '[',
      ']',
      '{',
      '}',
      ',',
      ':',
      '"',
      '\\',
      '"a"',
      '1',
      '-',
      ' ',
      '\n',
      'null',
      '{"a":[1]}',
      '[]',
      '"]"',
      '"\\""'
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 9 }), (pieces) => {
        const text = `[${pieces.join('')}`
        expect(parse(text)).toEqual(reference(text))
      }),
      { numRuns: 3_000 }
    )
  })

  it.each(['[1,]', '[,1]', '[1 2]', '[1]]', '[1}', '[{]}', '[1] x', '[', '["\\', '[,]', '', '{}', '[1,,2]'])('refuses %j', (text) => {
    expect(parse(text)).toBe(MALFORMED)
  })

  it('tells an array by its first byte past white space and a byte order mark', () => {
    expect(startsArray(Buffer.from('\ufeff \n[1]'))).toBe(true)
    expect(startsArray(Buffer.from(' {"a":[1]}'))).toBe(false)
    expect(startsArray(Buffer.alloc(0))).toBe(false)
  })
})
