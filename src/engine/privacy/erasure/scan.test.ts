// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SHORTEST } from './needles.ts'
import { ByteFinder } from './scan.ts'

/** Occurrences as `at:needle`, in order. */
function found(needles: readonly Buffer[], bytes: Buffer): string[] {
  const hits: string[] = []
  new ByteFinder(needles).search(bytes, bytes.length, (needle, at) => hits.push(`${at}:${needle.toString('latin1')}`))
  return hits.sort()
}

describe('many byte strings in one pass', () => {
  it('are found from the first byte to the last; what only begins at the end is none', () => {
    const needle = Buffer.from('marmalade-octopus')
    expect(found([needle], Buffer.from('marmalade-octopus, marmalade-octopus'))).toHaveLength(2)
    for (let cut = 0; cut < needle.length; cut++) expect(found([needle], Buffer.from(`x marmalade-octopus`.slice(0, 2 + cut)))).toEqual([])
    expect(found([needle], Buffer.alloc(0))).toEqual([])
  })

  it('are those that a plain search finds', () => {
    // Few letters, so that beginnings repeat and overlap.
    const bytes = (min: number, max: number) =>
      fc.array(fc.constantFrom(97, 98), { minLength: min, maxLength: max }).map((list) => Buffer.from(list))
    fc.assert(
      fc.property(
        fc.uniqueArray(bytes(SHORTEST, 14), { maxLength: 6, selector: (one) => one.toString('latin1') }),
        bytes(0, 120),
        (needles, text) => {
          const plain = needles.flatMap((needle) => {
            const at: string[] = []
            for (let i = text.indexOf(needle); i >= 0; i = text.indexOf(needle, i + 1)) at.push(`${i}:${needle.toString('latin1')}`)
            return at
          })
          expect(found(needles, text)).toEqual(plain.sort())
        }
      )
    )
  })
})
