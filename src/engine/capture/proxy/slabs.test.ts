// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BoundedCopy } from './bounded-copy.ts'
import { CopyBudget, Slabs } from './slabs.ts'

/** What a budget has left. */
function leftOf(budget: CopyBudget): number {
  let left = 0
  for (let step = 2 ** 30; step >= 1; step /= 2) if (budget.take(step)) left += step
  budget.give(left)
  return left
}
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

describe('slabs', () => {
  it('give back what was put in, in whatever pieces, and all of their memory', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 5_000 })), (chunks) => {
        const budget = new CopyBudget(10_000_000)
        const slabs = new Slabs(budget)
        for (const chunk of chunks) expect(slabs.add(Buffer.from(chunk))).toBe(true)
        const whole = Buffer.concat(chunks)
        expect(Buffer.concat([...slabs.pieces()]).equals(whole)).toBe(true)
        expect(slabs.take().equals(whole)).toBe(true)
        expect([slabs.size, leftOf(budget)]).toEqual([0, 10_000_000])
      })
    )
  })

  it('take little more memory than their bytes, however small the chunks are', () => {
    const budget = new CopyBudget(10_000_000)
    const slabs = new Slabs(budget)
    const one = Buffer.from('x')
    for (let i = 0; i < 1_000_000; i++) slabs.add(one)
    expect(10_000_000 - leftOf(budget)).toBeLessThan(1_000_000 + 256 * 1024)
    expect([...slabs.pieces()].length).toBeLessThan(32)
  })

  it('take nothing that there is no memory for', () => {
    const budget = new CopyBudget(1_500)
    const slabs = new Slabs(budget)
    expect([slabs.add(Buffer.alloc(1_000)), slabs.add(Buffer.alloc(1_000)), slabs.size]).toEqual([true, false, 1_000])
    slabs.clear()
    expect(leftOf(budget)).toBe(1_500)
  })
})

describe('a bounded copy', () => {
  it('has beginning, end, length and digest of any body in any pieces', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 90_000 }), { maxLength: 8 }), fc.integer({ min: 0, max: 100_000 }), (sizes, limit) => {
        const budget = new CopyBudget(10_000_000)
        const copy = new BoundedCopy(budget, limit)
        const body = Buffer.from(Uint8Array.from({ length: sizes.reduce((sum, size) => sum + size, 0) }, (_, i) => (i * 31) % 251))
        let at = 0
        for (const size of sizes) {
          copy.add(body.subarray(at, at + size))
          at += size
        }
        const { head, tail, truncated, bytes, sha256: digest } = copy.take()
        expect([truncated, bytes, digest()]).toEqual([body.length > limit, body.length, sha256(body)])
        expect(head.equals(body.subarray(0, limit))).toBe(true)
        const behind = Math.min(65_536, Math.max(0, body.length - limit))
        expect(tail === null ? 0 : tail.length).toBe(behind)
        if (tail !== null) expect(tail.equals(body.subarray(body.length - behind))).toBe(true)
        expect(leftOf(budget)).toBe(10_000_000)
      })
    )
  })

  it('without memory has the digest all the same, and gives back nothing that it did not take', () => {
    const budget = new CopyBudget(10)
    const copy = new BoundedCopy(budget)
    const body = Buffer.from('more than ten bytes')
    for (const sign of body) copy.add(Buffer.of(sign))
    const { head, tail, truncated, bytes, sha256: digest } = copy.take()
    expect([truncated, tail, bytes, digest(), leftOf(budget)]).toEqual([true, null, body.length, sha256(body), 10])
    expect(body.subarray(0, head.length).equals(head)).toBe(true)
  })
})
