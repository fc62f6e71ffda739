// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LineSplitter } from './line-splitter.ts'

const split = (chunks: readonly Buffer[], limit = 1_000): (string | null)[][] => {
  const splitter = new LineSplitter(limit)
  const lines: (string | null)[][] = []
  const note = (line: { number: number; bytes: Buffer | null }) => lines.push([String(line.number), line.bytes?.toString('utf8') ?? null])
  for (const chunk of chunks) for (const line of splitter.push(chunk)) note(line)
  const last = splitter.end()
  if (last !== null) note(last)
  return lines
}
const text = (content: string): Buffer => Buffer.from(content, 'utf8')

describe('LineSplitter', () => {
  it('numbers lines from 1, counts blank ones, drops CR and a byte order mark', () => {
    expect(split([text('\ufeff{"a":1}\r\n\r\n  \n{"b":2}\n{"c":3}')])).toEqual([
      ['1', '{"a":1}'],
      ['4', '{"b":2}'],
      ['5', '{"c":3}']
    ])
  })

  it('keeps a byte order mark that is not at the beginning', () => {
    expect(split([text('a\n\ufeffb\n')])).toEqual([
      ['1', 'a'],
      ['2', '\ufeffb']
    ])
  })

  it('skips a line past the limit and goes on with the next', () => {
    expect(split([text('12345\n123456\n'), text('123'), text('456789'), text('012\n12345\r\n123456')], 5)).toEqual([
      ['1', '12345'],
      ['2', null],
      ['3', null],
      ['4', '12345'],
      ['5', null]
    ])
  })

  it('gives the same lines however the bytes are cut', () => {
    const line = fc.string({ unit: 'binary', maxLength: 30 }).map((s) => s.replace(/[\n\r]/g, ''))
    fc.assert(
      fc.property(
        fc.array(line, { maxLength: 12 }),
        fc.array(fc.nat(400), { maxLength: 8 }),
        fc.constantFrom('\n', '\r\n'),
        (lines, cuts, end) => {
          const whole = text(lines.join(end))
          const places = [...new Set(cuts.map((cut) => Math.min(cut, whole.length)))].sort((a, b) => a - b)
          const chunks = [...places, whole.length].map((to, i) => whole.subarray(places[i - 1] ?? 0, to))
          expect(split(chunks)).toEqual(split([whole]))
        }
      )
    )
  })
})
