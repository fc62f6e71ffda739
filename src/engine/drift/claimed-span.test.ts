// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { claimedSpan } from './claimed-span.ts'

describe('the span of claimed hours', () => {
  const usual = Array.from({ length: 50 }, (_, i) => [1000 + i, 2] as const)

  it('is none without a record, and one hour with one', () => {
    expect(claimedSpan([])).toBeUndefined()
    expect(claimedSpan([[7, 0]])).toBeUndefined()
    expect(claimedSpan([[7, 1]])).toEqual({ first: 7, last: 7, outside: 0 })
  })

  it('leaves out the few that claim another time, on either side, and counts them', () => {
    expect(claimedSpan([[0, 1], ...usual, [900_000, 3]])).toEqual({ first: 1000, last: 1049, outside: 4 })
    expect(claimedSpan([[0, 1], ...usual, [900_000, 3]], true)).toEqual({ first: 1000, last: 1049, outside: 4 })
  })

  it('keeps many that claim another time: they are no wrong clock', () => {
    expect(claimedSpan([[0, 20], ...usual])).toEqual({ first: 0, last: 1049, outside: 0 })
  })

  it('keeps the slow beginning of a history where it is asked to', () => {
    const grown = [[700, 1] as const, ...usual, ...Array.from({ length: 400 }, (_, i) => [1050 + i, 10] as const)]
    expect(claimedSpan(grown)).toMatchObject({ first: 1036, outside: 73 })
    expect(claimedSpan(grown, true)).toMatchObject({ first: 700, outside: 0 })
  })
})
