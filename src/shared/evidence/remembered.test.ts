// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { toBase64 } from './bytes.ts'
import { leafHash, rootOf } from './merkle.ts'
import { recollect, type SeenHead } from './remembered.ts'

const sha256 = (data: Uint8Array) => createHash('sha256').update(data).digest()
const root = (size: number, salt = '') =>
  rootOf(
    sha256,
    Array.from({ length: size }, (_, i) => leafHash(sha256, Buffer.from(`${i}${i > 2 ? salt : ''}`)))
  )
const seen = (size: number, time = '2026-01-02T00:00:00.000Z', salt = ''): SeenHead => ({
  size,
  root: toBase64(root(size, salt)),
  seen: time
})
const head = (size: number, salt = '', signed: string | null = '2026-01-01T00:00:00.000Z', at: readonly number[] = []) => ({
  size,
  root: root(size, salt),
  signed,
  rootAt: (n: number) => (at.includes(n) ? root(n, salt) : undefined)
})
const state = (known: readonly SeenHead[], one: ReturnType<typeof head>) => recollect(known, one).state

describe('the memory of heads', () => {
  it('knows the first, the same, and what extends it', () => {
    expect(state([], head(5))).toBe('first')
    expect(state([seen(5)], head(5))).toBe('same')
    expect(state([seen(5)], head(8, '', null, [5]))).toBe('extends')
    expect(state([seen(5), seen(7)], head(8, '', null, [5]))).toBe('extends')
  })
  it('finds two trees of one size, directly and by a proof', () => {
    expect(state([seen(5)], head(5, ' other'))).toBe('fork')
    expect(state([seen(5)], head(8, ' other', null, [5]))).toBe('fork')
    // Also when another head fits.
    expect(state([seen(2), seen(5)], head(8, ' other', null, [2, 5]))).toBe('fork')
  })
  it('finds a tree that is smaller than one that was signed before it', () => {
    const wide = { ...seen(9), signed: '2026-01-02T00:00:00.000Z' }
    expect(state([wide], head(5, '', '2026-01-03T00:00:00.000Z'))).toBe('rollback')
    expect(state([wide], head(5, '', '2026-01-01T00:00:00.000Z'))).toBe('not_comparable')
    expect(state([wide], head(5, '', null))).toBe('not_comparable')
    expect(state([wide], { ...head(5, '', '2026-01-03T00:00:00.000Z'), rootAt: (n) => (n === 9 ? root(9) : undefined) })).toBe('earlier')
  })
  it('takes nothing for cut off as long as a clock that was set back has not caught up', () => {
    // Five leaves signed by a clock that was an hour ahead, and nine, which extend them, by one that was right.
    const early = { ...seen(5), signed: '2026-01-02T13:00:00.000Z' }
    const wide = { ...seen(9), signed: '2026-01-02T12:30:00.000Z' }
    expect(state([early, wide], head(5, '', early.signed))).toBe('same')
    expect(recollect([early, wide], head(5, '', early.signed)).heads.map(({ consistent }) => consistent)).toEqual([null, true])
    expect(state([early, wide], head(7, '', '2026-01-02T12:50:00.000Z'))).toBe('not_comparable')
    // Five leaves signed again later than all of that.
    expect(state([early, wide], head(5, '', '2026-01-02T13:30:00.000Z'))).toBe('rollback')
    // A wider head than that which is smaller counts for itself.
    expect(state([wide, { ...seen(12), signed: '2026-01-02T14:00:00.000Z' }], head(5, '', '2026-01-02T13:30:00.000Z'))).toBe('rollback')
  })
  it('never takes the clock of whoever looks for that of the log', () => {
    // Seen by a clock that is behind: signed afterwards by the clock of the log, and honest.
    const wide = { ...seen(9, '2026-01-01T00:00:00.000Z'), signed: '2026-01-05T00:00:00.000Z' }
    expect(state([wide], head(5, '', '2026-01-03T00:00:00.000Z'))).toBe('not_comparable')
    // Kept before the time of signing was.
    expect(state([seen(9, '2026-01-01T00:00:00.000Z')], head(5, '', '2026-01-03T00:00:00.000Z'))).toBe('not_comparable')
    // Seen by a clock that is ahead: it was cut off all the same.
    const ahead = { ...seen(9, '2099-01-01T00:00:00.000Z'), signed: '2026-01-02T00:00:00.000Z' }
    expect(state([ahead], head(5, '', '2026-01-03T00:00:00.000Z'))).toBe('rollback')
  })
  it('lists the heads one by one, widest first, each with whether the two are states of one tree', () => {
    const standing = (known: readonly SeenHead[], one: ReturnType<typeof head>) =>
      recollect(known, one).heads.map(({ size, consistent }) => [size, consistent])
    expect(standing([], head(8))).toEqual([])
    expect(standing([seen(3), seen(8), seen(5), seen(9)], head(8, '', null, [5]))).toEqual([
      [9, null],
      [8, true],
      [5, true],
      [3, null]
    ])
    expect(standing([seen(5), seen(8)], head(8, ' other', null, [5]))).toEqual([
      [8, false],
      [5, false]
    ])
    expect(standing([{ ...seen(9), signed: '2026-01-02T00:00:00.000Z' }], head(5, '', '2026-01-03T00:00:00.000Z'))).toEqual([[9, false]])
    expect(
      standing(
        Array.from({ length: 40 }, (_, n) => seen(n + 1)),
        head(50)
      )
    ).toHaveLength(20)
  })
  it('says plainly what cannot be decided', () => {
    const found = recollect([seen(5)], head(8))
    expect(found.state).toBe('not_comparable')
    expect(found.message).toContain('5 leaves')
  })
})
