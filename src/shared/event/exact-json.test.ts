// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseExact } from './exact-json.ts'

describe('exact JSON', () => {
  it.each([
    ['9007199254740991', 9007199254740991],
    ['9007199254740992', '9007199254740992'],
    ['-9007199254740993', '-9007199254740993'],
    ['{"a":12345678901234567890}', { a: '12345678901234567890' }],
    ['[18446744073709551615,\n -1234567890123456789 ]', ['18446744073709551615', '-1234567890123456789']],
    ['{"at":1795809241123456789,"text":"id: 1234567890123456789"}', { at: '1795809241123456789', text: 'id: 1234567890123456789' }],
    [
      String.raw`{"a\"":[" \\",12345678901234567890," \\\" ,12345678901234567890"]}`,
      { 'a"': [' \\', '12345678901234567890', ' \\" ,12345678901234567890'] }
    ],
    [
      '[0.30000000000000004, 1e300, 1234567890123456789.5, 12345678901234567890e0]',
      [0.30000000000000004, 1e300, Number('1234567890123456789.5'), Number('12345678901234567890')]
    ],
    ['"1234567890123456789"', '1234567890123456789']
  ])('%s', (json, value) => expect(parseExact(json)).toEqual(value))

  it.each([
    '',
    '{12345678901234567890:1}',
    '[012345678901234567890]',
    '+12345678901234567890',
    '[12345678901234567890',
    '"12345678901234567890',
    '[.12345678901234567890]',
    '12345678901234567890n',
    '{"a":12345678901234567890,}',
    '{-12345678901234567890 \n: 1}',
    '{9007199254740992:1}',
    '[-012345678901234567890]',
    '[12345678901234567890.]',
    '[12345678901234567890 12345678901234567890]',
    '["a"12345678901234567890]',
    '["\\u12",12345678901234567890]',
    '[12345678901234567890,"a]',
    '[12345678901234567890,"a\\"]'
  ])('is no JSON: %s', (json) => {
    expect(() => parseExact(json)).toThrow(SyntaxError)
    expect(() => parseExact(`[12345678901234567890,${json}]`)).toThrow(SyntaxError)
  })

  it('keeps every digit of every whole number, wherever it stands', () => {
    const tree = fc.letrec((tie) => ({
      node: fc.oneof(
        { maxDepth: 4 },
        fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
        fc.string(),
        fc.array(tie('node')),
        fc.dictionary(fc.string(), tie('node'), { noNullPrototype: true })
      )
    })).node
    const safe = (n: bigint): boolean => n >= -(2n ** 53n - 1n) && n <= 2n ** 53n - 1n
    const write = (value: unknown): string => {
      if (typeof value === 'bigint') return value.toString()
      if (Array.isArray(value)) return `[${value.map(write).join(', ')}]`
      if (typeof value !== 'object' || value === null) return JSON.stringify(value)
      return `{${Object.entries(value)
        .map(([name, member]) => `${JSON.stringify(name)}:${write(member)}`)
        .join(',')}}`
    }
    const expected = (value: unknown): unknown => {
      if (typeof value === 'bigint') return safe(value) ? Number(value) : value.toString()
      if (Array.isArray(value)) return value.map(expected)
      if (typeof value !== 'object' || value === null) return value
      return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, expected(member)]))
    }
    fc.assert(
      fc.property(tree, (value) => {
        expect(parseExact(write(value))).toEqual(expected(value))
      })
    )
  })

  it('takes nothing for JSON that is none, and nothing for none that is', () => {
    const pieces = [
      '12345678901234567890',
      '{12345678901234567890:1}',
      '012345678901234567890',
      '-9007199254740993',
      '0',
      '1',
      '.5',
      'e3',
      '-',
      '+',
      '"',
      '\\',
      '"a"',
      ':',
      ',',
      '[',
      ']',
      '{',
      '}',
      ' ',
      'null'
    ]
    const isJson = (read: (text: string) => unknown, text: string): boolean => {
      try {
        read(text)
        return true
      } catch (error) {
        expect(error).toBeInstanceOf(SyntaxError)
        return false
      }
    }
    const same = (text: string): void => expect(isJson(parseExact, text), text).toBe(isJson(JSON.parse, text))
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 12 }), (chosen) => {
        same(chosen.join(''))
        same(`[12345678901234567890,${chosen.join('')}]`)
      }),
      { numRuns: 5_000 }
    )
    // Near misses: JSON with one piece more, or one character less.
    const near = fc.tuple(fc.json(), fc.nat(), fc.constantFrom(...pieces), fc.boolean())
    fc.assert(
      fc.property(near, ([json, at, piece, cut]) => {
        const i = at % (json.length + 1)
        same(`[12345678901234567890,${json.slice(0, i)}${piece}${json.slice(cut ? i + 1 : i)}]`)
      }),
      { numRuns: 5_000 }
    )
  })

  it('reads a text of many megabytes, quotation marks and backslashes in one pass', () => {
    const text = `${'\\" 1234567890123456789, '.repeat(400_000)}`
    expect(parseExact(JSON.stringify({ text, n: 1 }).replace('"n":1', '"n":12345678901234567890'))).toEqual({
      text,
      n: '12345678901234567890'
    })
  })
})
