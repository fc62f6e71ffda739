// SPDX-License-Identifier: Apache-2.0
// The decoder against the reference implementation of the runtime, and against damaged and hostile frames.
import { constants, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ZstandardError } from './bits.ts'
import { unpackZstandard } from './unpack.ts'

const MiB = 1024 * 1024

/** Mulberry32: the same bytes in every run. */
function random(seed: number): () => number {
  let a = seed
  return () => {
    a = (a + 0x6d2b79f5) | 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}
const next = random(8878)
const bytes = (length: number, of: (i: number) => number): Buffer => Buffer.from(Array.from({ length }, (_, i) => of(i)))
const words = Array.from({ length: 3000 }, (_, i) => `word${i * i}`)
const text = (length: number): Buffer => {
  let all = ''
  while (all.length < length) all += `${words[Math.floor(next() ** 3 * words.length)]} `
  return Buffer.from(all.slice(0, length))
}
const contents: Readonly<Record<string, Buffer>> = {
  nothing: Buffer.alloc(0),
  'one byte': Buffer.from('x'),
  'one value': Buffer.alloc(300_000, 7),
  noise: bytes(200_000, () => Math.floor(next() * 256)),
  'few values': bytes(150_000, () => Math.floor(next() ** 4 * 5)),
  'skewed values': bytes(150_000, () => Math.floor(next() ** 6 * 256)),
  text: text(700_000),
  'far repetitions': Buffer.concat([text(400_000), bytes(MiB, () => Math.floor(next() * 256)), text(5_000)].flatMap((one) => [one, one])),
  numbers: Buffer.from(BigInt64Array.from({ length: 40_000 }, (_, i) => 1_700_000_000_000n + BigInt(i * 37)).buffer),
  'many short lines': Buffer.from(Array.from({ length: 20_000 }, (_, i) => `${i % 97},${i % 13},ok\n`).join(''))
}
const packed = (content: Buffer, level: number, more: Record<number, number> = {}): Buffer =>
  zstdCompressSync(content, { params: { [constants.ZSTD_c_compressionLevel]: level, ...more } })

describe('Zstandard', () => {
  it.each(Object.keys(contents))('is unpacked at every level: %s', (name) => {
    const content = contents[name] ?? Buffer.alloc(0)
    for (const level of [-7, 1, 3, 9, 19])
      for (const more of [
        {},
        { [constants.ZSTD_c_checksumFlag]: 1, [constants.ZSTD_c_contentSizeFlag]: 0 },
        { [constants.ZSTD_c_windowLog]: 12 }
      ])
        expect(content.equals(unpackZstandard(packed(content, level, more), content.length)), `level ${level}`).toBe(true)
  })

  it('is unpacked whatever the bytes are', () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 9 }), fc.integer({ min: 1, max: 4000 })).map(([some, n]) => Buffer.alloc(n, some))
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), fc.integer({ min: -7, max: 19 }), (pieces, level) => {
        const content = Buffer.concat(pieces)
        expect(content.equals(unpackZstandard(packed(content, level), content.length))).toBe(true)
      }),
      { numRuns: 300 }
    )
  })

  it('may be several frames, with some to be skipped', () => {
    const skipped = Buffer.from([0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3])
    const all = Buffer.concat([packed(Buffer.from('one '), 3), skipped, packed(Buffer.from('two'), 3)])
    expect(Buffer.from(unpackZstandard(all, 7)).toString()).toBe('one two')
  })

  it('that is more or less than it claims is refused before more memory is taken', () => {
    const bomb = packed(Buffer.alloc(64 * MiB), 19)
    expect(bomb.length).toBeLessThan(10_000)
    const before = process.memoryUsage().arrayBuffers
    for (const length of [0, 1, 1024, 64 * MiB - 1]) expect(() => unpackZstandard(bomb, length)).toThrow(ZstandardError)
    expect(() => unpackZstandard(bomb, 64 * MiB + 1)).toThrow('less than it claims')
    // Without a size of its own in the frame: only the blocks tell.
    const silent = packed(Buffer.alloc(64 * MiB), 19, { [constants.ZSTD_c_contentSizeFlag]: 0 })
    expect(() => unpackZstandard(silent, 1024)).toThrow('more than it claims')
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(200 * MiB)
  })

  it('that is cut anywhere, or of another form, is refused', () => {
    const whole = packed(text(3000), 19)
    for (let end = 1; end < whole.length; end++)
      expect(() => unpackZstandard(whole.subarray(0, end), 3000), String(end)).toThrow(ZstandardError)
    expect(() => unpackZstandard(Buffer.from('PAR1PAR1PAR1'), 10)).toThrow('no Zstandard')
    // A dictionary that is not here.
    expect(() => unpackZstandard(Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x21, 9, 1, 1, 0, 0]), 1)).toThrow('dictionary')
  })

  it('with bytes changed ends in that many bytes or in the one error, in short time', () => {
    const seeds = ['text', 'skewed values', 'many short lines', 'numbers'].map((name) => {
      const content = (contents[name] ?? Buffer.alloc(0)).subarray(0, 4_000)
      return [packed(content, 19), content.length] as const
    })
    const ends = { same: 0, refused: 0 }
    let slowest = 0
    for (let i = 0; i < 8_000; i++) {
      const [whole, length] = seeds[i % seeds.length] ?? [Buffer.alloc(0), 0]
      const damaged = Buffer.from(whole)
      for (let n = Math.floor(next() * 3); n >= 0; n--) damaged[Math.floor(next() * damaged.length)] = Math.floor(next() * 256)
      const began = performance.now()
      try {
        expect(unpackZstandard(damaged, length)).toHaveLength(length)
        ends.same++
      } catch (error) {
        if (!(error instanceof ZstandardError)) throw error
        ends.refused++
      }
      slowest = Math.max(slowest, performance.now() - began)
    }
    expect(ends.same).toBeGreaterThan(100)
    expect(ends.refused).toBeGreaterThan(1_000)
    expect(slowest).toBeLessThan(1_000)
  })
})
