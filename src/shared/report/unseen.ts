// SPDX-License-Identifier: Apache-2.0

/**
 * One character that is not seen, or that turns the direction of text around it: controls, unpaired surrogates, marks of direction
 * (UAX 9), soft hyphen, zero width space and joiner of words, fillers that are drawn as nothing (Hangul, Khmer, Braille), tags and further variation selectors (plane 14), and a variation selector that follows
 * another. Joiners and single variation selectors are left out, scripts and emoji need them, but not joiners between Latin letters.
 */
export const UNSEEN =
  /\u034f|[\p{Cc}\p{Cs}\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2060-\u206f\u2800\u3164\ufeff\uffa0\ufff9-\ufffb]|[\u{e0000}-\u{e0fff}]|(?<=[\ufe00-\ufe0f])[\ufe00-\ufe0f]|(?<=\p{Script=Latin})[\u200c\u200d](?=\p{Script=Latin})/gu

/** `U+202E` */
export const codeOf = (char: string): string => `U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`
