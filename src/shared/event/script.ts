// SPDX-License-Identifier: Apache-2.0

/**
 * Writing systems that are told apart. A class of script is no language: English and French are both `latin`; it is a plain,
 * reproducible sign that answers have changed their language, and nothing more is claimed.
 */
export const scripts = [
  'latin',
  'cyrillic',
  'greek',
  'arabic',
  'hebrew',
  'devanagari',
  'thai',
  'japanese',
  'hangul',
  'han',
  'other',
  'none'
] as const
export type Script = (typeof scripts)[number]

const classes: readonly (readonly [Script, RegExp])[] = [
  ['latin', /\p{Script=Latin}/u],
  ['cyrillic', /\p{Script=Cyrillic}/u],
  ['greek', /\p{Script=Greek}/u],
  ['arabic', /\p{Script=Arabic}/u],
  ['hebrew', /\p{Script=Hebrew}/u],
  ['devanagari', /\p{Script=Devanagari}/u],
  ['thai', /\p{Script=Thai}/u],
  ['japanese', /[\p{Script=Hiragana}\p{Script=Katakana}]/u],
  ['hangul', /\p{Script=Hangul}/u],
  ['han', /\p{Script=Han}/u]
]

/** Letters looked at: enough to tell, and a bound on the time a long answer takes. */
const MOST_LETTERS = 400
const MOST_CHARACTERS = 4_000

const PLAIN = /^[\0-\x7f]*$/

/**
 * The script most letters of a text belong to, judged by its first 400 letters within its first 4,000 characters; `none` without
 * a letter. Japanese is a text of which at least a tenth of the letters is kana, whatever the share of Han characters.
 */
export function scriptOf(text: string): Script {
  const looked = text.slice(0, MOST_CHARACTERS)
  if (PLAIN.test(looked)) return /[A-Za-z]/.test(looked) ? 'latin' : 'none'
  const counts = new Map<Script, number>()
  let letters = 0
  for (const character of looked) {
    const code = character.codePointAt(0) ?? 0
    const plain = (code >= 65 && code <= 90) || (code >= 97 && code <= 122)
    if (!plain && (code < 128 || !/\p{L}/u.test(character))) continue
    const found = plain ? 'latin' : (classes.find(([, pattern]) => pattern.test(character))?.[0] ?? 'other')
    counts.set(found, (counts.get(found) ?? 0) + 1)
    if (++letters === MOST_LETTERS) break
  }
  if (letters === 0) return 'none'
  if ((counts.get('japanese') ?? 0) >= letters / 10) return 'japanese'
  return [...counts].reduce((best, entry) => (entry[1] > best[1] ? entry : best))[0]
}
