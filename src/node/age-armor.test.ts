// SPDX-License-Identifier: Apache-2.0
// The text form of an age file, piece by piece and in one form only.
import { randomBytes } from 'node:crypto'
import { armor } from 'age-encryption'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { ArmorError, isArmored, unarmored, unarmoredStart } from './age-armor.ts'

async function* pieces(text: string, size: number) {
  for (let at = 0; at < text.length; at += size) yield Buffer.from(text.slice(at, at + size), 'latin1')
}

async function opened(text: string, size = 1000): Promise<Buffer> {
  const all: Uint8Array[] = []
  for await (const piece of unarmored(pieces(text, size))) all.push(piece)
  return Buffer.concat(all)
}

it('gives the bytes that went in, wherever the text is cut', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ minLength: 1, maxLength: 300 }),
      fc.integer({ min: 1, max: 90 }),
      fc.boolean(),
      async (bytes, size, crlf) => {
        const text = armor.encode(bytes).replaceAll('\n', crlf ? '\r\n' : '\n')
        expect(isArmored(text)).toBe(true)
        expect(await opened(text, size)).toEqual(Buffer.from(bytes))
        const start = unarmoredStart(text.slice(0, text.length - size))
        expect(Buffer.from(bytes).subarray(0, start.length)).toEqual(Buffer.from(start))
      }
    ),
    { numRuns: 200 }
  )
  const large = randomBytes(1_000_000)
  expect((await opened(armor.encode(large), 65_536)).equals(large)).toBe(true)
})

it('takes one form of each: no bits that say nothing, no other padding, no other width', async () => {
  const abc = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
  const framed = (...lines: string[]) => ['-----BEGIN AGE ENCRYPTED FILE-----', ...lines, '-----END AGE ENCRYPTED FILE-----', ''].join('\n')
  const full = 'A'.repeat(64)
  expect(await opened(framed(full, 'AAA='))).toEqual(Buffer.alloc(50))
  for (const last of [
    'AAB=',
    'AB==',
    'A===',
    'AAAA=',
    'AAA',
    'AAAAA',
    '====',
    '=AAA',
    'A=AA',
    'AAA=\nAAAA',
    `${full}AAAA`,
    `${full}${full}`
  ])
    await expect(opened(framed(full, last)), last).rejects.toThrow(ArmorError)
  // Of the second character only two bits say something: four of them are right.
  const right: string[] = []
  for (const char of abc)
    await opened(framed(full, `A${char}==`)).then(
      () => right.push(char),
      () => {}
    )
  expect(right.join('')).toBe('AQgw')
  await expect(opened(framed(`${full.slice(0, 60)}AAA=`, full))).rejects.toThrow('a line after the last')
})
