// SPDX-License-Identifier: Apache-2.0
// Why a second look has to be at other requests: what the same ones would confirm, and what new ones do.
import { describe, expect, it } from 'vitest'
import { secondLooks } from './second-looks.ts'
import { seededRandom, tokenLike } from './testing.ts'

describe('a second look', () => {
  it('at new requests keeps most false first ones from alarming; at the same requests it would confirm every one', () => {
    const random = seededRandom(71)
    const drawn = (size: number) => tokenLike(random, size)
    // Without a floor, so that chance alone decides; one look in eight is a false first one.
    const { looks, waiting, bySame, byNew } = secondLooks({
      runs: 4_000,
      settings: { looksPerFalseAlarm: 8, floor: 0, stepBudget: 0 },
      reference: drawn,
      current: drawn,
      n: 300,
      m: 100
    })
    expect(waiting / looks).toBeGreaterThan(0.08)
    expect(waiting / looks).toBeLessThan(0.125)
    expect(bySame).toBe(waiting)
    // More than one in eight, because both are against one reference; alarms stay far below one look in eight.
    expect(byNew / waiting).toBeLessThan(0.35)
    expect(byNew / looks).toBeLessThan(1 / 8 / 3)
  })

  it('at new requests confirms a shift that is there', () => {
    const random = seededRandom(72)
    const { waiting, byNew } = secondLooks({
      runs: 200,
      settings: {},
      reference: (size) => tokenLike(random, size),
      current: (size) => tokenLike(random, size).map((value, i) => (i % 5 < 2 ? value + 10_000 : value)),
      n: 500,
      m: 150
    })
    expect(waiting).toBeGreaterThan(180)
    expect(byNew / waiting).toBeGreaterThan(0.95)
  })
})
