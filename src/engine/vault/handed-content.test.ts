// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { ContentCache, packContent } from './handed-content.ts'
import type { PayloadState } from './payload-reader.ts'

const part = (name: string, text: string) => ({ name, opening: new Uint8Array(32).fill(text.length), data: Buffer.from(text, 'utf8') })
const stored = { open: (): PayloadState => ({ state: 'missing' }) }
const read = (cache: ContentCache, seq: number): unknown => {
  const found = cache.open(seq)
  return found.state === 'present' ? found.parts.map((one) => [one.name, Buffer.from(one.data).toString(), one.opening[0]]) : found.state
}

describe('content handed to the projector', () => {
  it('is what was sealed, part by part, and everything else is read from the store', () => {
    const cache = new ContentCache(stored)
    cache.add(
      packContent([
        { seq: 7, parts: [part('event', '{}'), part('request', 'Grüße')] },
        { seq: 8, parts: [] },
        { seq: 9, parts: [part('event', ''), part('scope.3', 'x')] }
      ])
    )
    expect([6, 7, 8, 9].map((seq) => read(cache, seq))).toEqual([
      'missing',
      [
        ['event', '{}', 2],
        ['request', 'Grüße', 5]
      ],
      'missing',
      [
        ['event', '', 0],
        ['scope.3', 'x', 1]
      ]
    ])
  })

  it('is forgotten once it was applied, and before a replay', () => {
    const cache = new ContentCache(stored)
    for (const seq of [1, 2, 3]) cache.add(packContent([{ seq, parts: [part('body', 'x')] }]))
    cache.forget(3)
    expect([1, 2, 3].map((seq) => typeof read(cache, seq))).toEqual(['string', 'string', 'object'])
    cache.forget()
    expect(read(cache, 3)).toBe('missing')
  })
})
