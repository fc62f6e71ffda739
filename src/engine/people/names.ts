// SPDX-License-Identifier: Apache-2.0
// Names that people can tell apart: no invisible characters, one script a word, and no second name that looks like one that is there
// (after Unicode UTS 39, with the part of its table of confusable characters that matters between Latin, Greek and Cyrillic).
import { AffidavitError } from '../../shared/contract/errors.ts'

/** Greek and Cyrillic letters, and digits, that look like a Latin letter. */
const lookalikes: Readonly<Record<string, string>> = {
  а: 'a', в: 'b', с: 'c', ԁ: 'd', е: 'e', ғ: 'f', һ: 'h', н: 'h', і: 'i', ї: 'i', ј: 'j', к: 'k', ӏ: 'i', м: 'm', п: 'n', о: 'o', р: 'p',
  ԛ: 'q', г: 'r', ѕ: 's', т: 't', у: 'y', ү: 'y', ѵ: 'v', ԝ: 'w', х: 'x', ё: 'e', й: 'n', и: 'n', ь: 'b',
  α: 'a', β: 'b', γ: 'y', ε: 'e', η: 'n', ι: 'i', κ: 'k', μ: 'u', ν: 'v', ο: 'o', ρ: 'p', σ: 'o', τ: 't', υ: 'u', χ: 'x', ω: 'w', ζ: 'z',
  '0': 'o', '1': 'i', l: 'i', '|': 'i', '5': 's', ı: 'i', ß: 'b', ſ: 's'
} // biome-ignore format: a table

const scripts = [/\p{Script=Latin}/u, /\p{Script=Greek}/u, /\p{Script=Cyrillic}/u, /\p{Script=Armenian}/u, /\p{Script=Cherokee}/u] as const

/** A name as it is kept: composed, without space at its ends, one space between words. */
const tidy = (name: string): string =>
  name
    .normalize('NFKC')
    .trim()
    .replace(/\p{Zs}+/gu, ' ')

/** What a typed name is looked up by: differences of case, width and composition do not count. */
export const nameKey = (name: string): string => tidy(name).toLowerCase().normalize('NFKC')

/** Equal for names that look alike. */
export const skeleton = (name: string): string =>
  Array.from(nameKey(name).normalize('NFKD').replace(/\p{M}/gu, ''), (letter) => lookalikes[letter] ?? letter)
    .join('')
    .replaceAll('rn', 'm')
    .replaceAll('vv', 'w')

/**
 * The form of a name to keep.
 * @throws AffidavitError bad_request: empty, invisible or unassigned characters, letters of several scripts in one word
 */
export function checkedName(name: string): string {
  const kept = name.isWellFormed() ? tidy(name) : ''
  if (kept === '') throw new AffidavitError('bad_request', 'the name: a person needs a name that can be read')
  if (!/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]+$/u.test(kept) || !/\p{L}/u.test(kept))
    throw new AffidavitError('bad_request', 'the name: it has characters that cannot be seen, or no letter')
  for (const word of kept.split(' ')) {
    if (scripts.filter((script) => script.test(word)).length > 1)
      throw new AffidavitError('bad_request', 'the name: one word mixes letters of several scripts')
  }
  return kept
}
