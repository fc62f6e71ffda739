// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { WithheldIndex } from '../../shared/evidence/withheld.ts'
import { WithheldList } from './withheld-list.ts'

const parts = ['event', 'request', 'response'] as const

describe('the list of what is withheld', () => {
  it('names a part of a million leaves in one entry', () => {
    const list = new WithheldList()
    for (let seq = 0; seq < 1_000_000; seq++) list.withhold(seq, 'request', 'x')
    expect(list.entries).toEqual([{ last: 999_999, part: 'request', reason: 'x', seq: 0 }])
    expect([list.parts, list.groups]).toEqual([1_000_000, [{ part: 'request', reason: 'x', leaves: 1_000_000 }]])
  })

  it('names exactly what it was told, and the index finds exactly that', () => {
    const leaf = fc.record({
      gap: fc.nat(3),
      parts: fc.array(fc.record({ part: fc.constantFrom(...parts), reason: fc.option(fc.constantFrom('x', 'y')) }), { maxLength: 3 })
    })
    fc.assert(
      fc.property(fc.array(leaf, { maxLength: 40 }), (leaves) => {
        const list = new WithheldList()
        const told = new Map<string, string | null>()
        let seq = -1
        for (const { gap, parts: some } of leaves) {
          seq += 1 + gap
          for (const { part, reason } of new Map(some.map((one) => [one.part, one])).values()) {
            told.set(`${seq} ${part}`, reason)
            if (reason === null) list.show(part)
            else list.withhold(seq, part, reason)
          }
        }
        const index = new WithheldIndex(list.entries)
        expect(index.doubled.size).toBe(0)
        for (const [name, reason] of told) {
          const [at = '', part = ''] = name.split(' ')
          const entry = index.find(Number(at), part)
          expect(entry === undefined ? null : list.entries[entry]?.reason).toBe(reason)
        }
        expect(list.parts).toBe([...told.values()].filter((reason) => reason !== null).length)
      })
    )
  })
})

describe('the index of what is withheld', () => {
  it('knows what is named twice, and takes nothing from a run that ends before it begins', () => {
    const of = (...entries: (readonly [seq: number, last?: number])[]) =>
      new WithheldIndex(entries.map(([seq, last]) => ({ seq, part: 'event', reason: 'x', ...(last === undefined ? {} : { last }) })))
    expect([...of([3, 9], [5]).doubled]).toEqual([1])
    expect([...of([5], [3, 9]).doubled]).toEqual([0])
    expect([...of([3, 4], [5, 9]).doubled]).toEqual([])
    expect([...of([1], [1]).doubled]).toEqual([1])
    expect(of([9, 3]).find(5, 'event')).toBeUndefined()
    expect(of([3, 9]).find(5, 'request')).toBeUndefined()
    expect(of([3, 9]).find(10, 'event')).toBeUndefined()
  })
})
