// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { toBase64 } from './bytes.ts'
import { ExpectedParts } from './expected-parts.ts'

const commit = (n: number): Uint8Array => Uint8Array.from({ length: 32 }, (_, i) => (n + i) % 256)
const base64 = (n: number): string => toBase64(commit(n))

describe('ExpectedParts', () => {
  it('gives each part once, and names what is left', () => {
    const parts = new ExpectedParts()
    for (let seq = 0; seq < 12_000; seq++)
      for (const [i, name] of ['event', 'request', 'response'].entries()) parts.add(seq * 7, name, base64(seq + i))
    expect(parts.size).toBe(36_000)
    expect(parts.take(7 * 11_999, 'response')).toEqual(commit(11_999 + 2))
    expect(parts.take(7 * 11_999, 'response')).toBeUndefined()
    for (const [seq, name] of [
      [1, 'event'],
      [7, 'error'],
      [-7, 'event'],
      [84_000, 'event'],
      [Number.NaN, 'event']
    ] as const)
      expect(parts.take(seq, name)).toBeUndefined()
    for (let seq = 0; seq < 12_000; seq++) for (const name of ['event', 'request', 'response']) if (seq !== 12) parts.take(seq * 7, name)
    expect([...parts.left()]).toEqual(['event', 'request', 'response'].map((part) => ({ seq: 84, part })))
    expect(parts.size).toBe(3)
  })

  it('finds parts of leaves in any order, the last of two with one name', () => {
    const parts = new ExpectedParts()
    for (const seq of [5, 3, 9, 3, 1]) parts.add(seq, 'event', base64(seq))
    parts.add(9, 'event', base64(200))
    expect(parts.size).toBe(4)
    expect(parts.take(9, 'event')).toEqual(commit(200))
    expect(parts.take(1, 'event')).toEqual(commit(1))
    expect([...parts.left()].map((one) => one.seq)).toEqual([5, 3])
  })

  it('fits no content where the commitment is not written canonically', () => {
    const parts = new ExpectedParts()
    const zeros = new Uint8Array(32)
    // The last sextet of 32 bytes has two bits that mean nothing.
    parts.add(1, 'event', `${base64(1).slice(0, -2)}5=`)
    parts.add(2, 'event', 'short')
    expect([parts.take(1, 'event'), parts.take(2, 'event')]).toEqual([zeros, zeros])
  })
})
