// SPDX-License-Identifier: Apache-2.0
// How hard a passphrase is to guess, from what a guessing program tries first. An estimate from its form: nothing here knows how it was chosen.

export type Strength = 'weak' | 'fair' | 'strong'

/** About one word of a list of four thousand. */
const WORD_BITS = 12
const LETTER_BITS = 4.7
const DIGIT_BITS = 3.3
const SIGN_BITS = 4
/** What is tried before anything else, and what repeats or goes on from before. */
const GIVEN_BITS = 3
const YEAR_BITS = 6
const FAIR_BITS = 36
const STRONG_BITS = 60

const tried =
  /^(pass(word|wort|phrase)?|letmein|welcome|admin(istrator)?|affidavit|compliance|secret|geheim|dragon|monkey|iloveyou|login|master|test(ing)?|change(me)?|summer|winter|spring|autumn)$/
const rows = ['abcdefghijklmnopqrstuvwxyz', 'qwertyuiop', 'qwertzuiop', 'asdfghjkl', 'zxcvbnm', '01234567890', '09876543210']

const isRun = (text: string): boolean => text.length > 2 && (new Set(text).size === 1 || rows.some((row) => row.includes(text)))

function bitsOf(token: string): number {
  if (isRun(token) || tried.test(token)) return GIVEN_BITS
  if (/^\d+$/.test(token)) return /^(19|20)\d\d$/.test(token) ? YEAR_BITS : token.length * DIGIT_BITS
  if (/^\p{L}+$/u.test(token))
    return token.length < 4 ? Math.min(WORD_BITS, token.length * LETTER_BITS) : WORD_BITS + (token.length > 6 ? 2 : 0)
  return new Set(token).size * SIGN_BITS
}

/** Bits that a guessing program needs, at the least: words count as words of a list, and a word counts once. */
export function guessingBits(passphrase: string): number {
  const tokens = passphrase.toLowerCase().match(/\p{L}+|\p{N}+|[^\p{L}\p{N}\s]+/gu) ?? []
  const seen = new Set<string>()
  let bits = 0
  for (const token of tokens) {
    bits += seen.has(token) ? 1 : bitsOf(token)
    seen.add(token)
  }
  return bits
}

/** What {@link guessingBits} means. */
export function strengthOf(passphrase: string): Strength {
  const bits = guessingBits(passphrase)
  return bits < FAIR_BITS ? 'weak' : bits < STRONG_BITS ? 'fair' : 'strong'
}

/** The same as a sentence, with what would make it better. */
export const strengthWords: Readonly<Record<Strength, string>> = {
  weak: 'Weak: a program that guesses tries ones like this early. Take five or six words that have nothing to do with each other.',
  fair: 'Fair: it slows a guessing program down. Another word or two that have nothing to do with the others make it strong.',
  strong: 'Strong, provided that its words were picked by chance and are used nowhere else.'
}
