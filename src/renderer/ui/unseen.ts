// SPDX-License-Identifier: Apache-2.0
import { codeOf, UNSEEN } from '../../shared/report/unseen.ts'

/** A piece of a text: what is seen, or a run of what is not, with a short sign for it and what it is. */
export type Piece =
  | { readonly at: number; readonly text: string }
  | { readonly at: number; readonly text: string; readonly sign: string; readonly title: string }

const RUN = new RegExp(`(?:(?![\\t\\n\\r])(?:${UNSEEN.source}))+`, 'gu')

const names: Readonly<Record<string, string>> = {
  'U+00AD': 'soft hyphen',
  'U+034F': 'combining grapheme joiner',
  'U+061C': 'Arabic letter mark',
  'U+200B': 'zero width space',
  'U+115F': 'Hangul filler',
  'U+1160': 'Hangul filler',
  'U+200C': 'zero width non-joiner',
  'U+200D': 'zero width joiner',
  'U+2800': 'Braille blank',
  'U+3164': 'Hangul filler',
  'U+FFA0': 'Hangul filler',
  'U+200E': 'left-to-right mark',
  'U+200F': 'right-to-left mark',
  'U+202A': 'left-to-right embedding',
  'U+202B': 'right-to-left embedding',
  'U+202C': 'end of an embedding or override',
  'U+202D': 'left-to-right override',
  'U+202E': 'right-to-left override',
  'U+2060': 'word joiner',
  'U+2066': 'left-to-right isolate',
  'U+2067': 'right-to-left isolate',
  'U+2068': 'first strong isolate',
  'U+2069': 'end of an isolate',
  'U+FEFF': 'byte order mark'
}
const MOST_NAMED = 12

const nameOf = (char: string): string => {
  const code = codeOf(char)
  return code in names ? `${code} ${names[code]}` : code
}

/** Tags repeat ASCII without being seen. */
const hiddenIn = (chars: readonly string[]): string =>
  chars
    .map((char) => (char.codePointAt(0) ?? 0) - 0xe0000)
    .filter((code) => code >= 0x20 && code < 0x7f)
    .map((code) => String.fromCharCode(code))
    .join('')

function unseen(text: string): { readonly sign: string; readonly title: string } {
  const chars = [...text]
  const hidden = hiddenIn(chars)
  const listed = chars.slice(0, MOST_NAMED).map(nameOf).join(', ')
  const more = chars.length > MOST_NAMED ? ', …' : ''
  return {
    sign: chars.length === 1 ? codeOf(text) : `${chars.length} unseen`,
    title: hidden === '' ? `Not seen: ${listed}${more}` : `Not seen, in tags: ${hidden}`
  }
}

/** A text in pieces, so that what cannot be seen in it can be shown. Tabs and ends of lines are seen. */
export function piecesOf(text: string): readonly Piece[] {
  const pieces: Piece[] = []
  let from = 0
  for (const { 0: run, index } of text.matchAll(RUN)) {
    if (index > from) pieces.push({ at: from, text: text.slice(from, index) })
    pieces.push({ at: index, text: run, ...unseen(run) })
    from = index + run.length
  }
  if (from < text.length) pieces.push({ at: from, text: text.slice(from) })
  return pieces
}
