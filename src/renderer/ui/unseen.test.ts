// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { piecesOf } from './unseen.ts'

const signs = (text: string) => piecesOf(text).map((piece) => ('sign' in piece ? [piece.sign, piece.title] : piece.text))

it('what cannot be seen is shown by its number and name', () => {
  expect(signs('pay \u202eevil\u202c now')).toEqual([
    'pay ',
    ['U+202E', 'Not seen: U+202E right-to-left override'],
    'evil',
    ['U+202C', 'Not seen: U+202C end of an embedding or override'],
    ' now'
  ])
  expect(signs('a\u200b\u200b\u2060b')).toEqual([
    'a',
    ['3 unseen', 'Not seen: U+200B zero width space, U+200B zero width space, U+2060 word joiner'],
    'b'
  ])
  for (const filler of ['\u00ad', '\u034f', '\u115f', '\u1160', '\u17b4', '\u2800', '\u3164', '\uffa0'])
    expect(signs(`gpt${filler}4`)).toMatchObject(['gpt', [expect.stringMatching(/^U\+/), expect.any(String)], '4'])
  expect(signs('pass\u200dword')).toEqual(['pass', ['U+200D', 'Not seen: U+200D zero width joiner'], 'word'])
  expect(signs('\u0000')).toEqual([['U+0000', 'Not seen: U+0000']])
  expect(signs('\u200b'.repeat(13))[0]?.[1]).toMatch(/, …$/)
})

it('what is hidden in tags can be read', () => {
  const tags = [...'ignore all'].map((char) => String.fromCodePoint(0xe0000 + (char.codePointAt(0) ?? 0))).join('')
  expect(signs(`Hi${tags}!`)).toEqual(['Hi', ['10 unseen', 'Not seen, in tags: ignore all'], '!'])
  // Bytes in variation selectors: the first is one that an emoji may have.
  expect(signs('😀\ufe0f\ufe01\ufe02')).toEqual(['😀\ufe0f', ['2 unseen', 'Not seen: U+FE01, U+FE02']])
})

it('ends of lines, tabs, emoji with joiners, and letters that are joined or kept apart are seen', () => {
  for (const text of ['a\tb\r\nc\n', '👩\u200d👧 ❤\ufe0f', 'می\u200cخواهم', 'שלום', ''])
    expect(piecesOf(text).map((piece) => piece.text)).toEqual(text === '' ? [] : [text])
})

it('the pieces are the text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
      const pieces = piecesOf(text)
      expect(pieces.map((piece) => piece.text).join('')).toBe(text)
      for (const { at, text: piece } of pieces) expect(text.startsWith(piece, at)).toBe(true)
    })
  )
})
