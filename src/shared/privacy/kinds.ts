// SPDX-License-Identifier: Apache-2.0

/** Rule packs that come with the product; each finds one or a few kinds. */
export const builtInPacks = ['email', 'phone', 'card', 'iban', 'national_id', 'secret'] as const
export type BuiltInPack = (typeof builtInPacks)[number]

/** Every pack that has a setting: the built-in ones, the fields that name a subject, and own patterns. */
export const packs = [...builtInPacks, 'subject', 'own'] as const
export type Pack = (typeof packs)[number]

/** What a pack does: nothing; masked where a person reads; or replaced before the record is sealed, so that the value is never kept. */
export const packModes = ['off', 'mask', 'redact'] as const
export type PackMode = (typeof packModes)[number]

/** One place in a text. `kind` is the word that a mask shows, `value` the normalised value: the same value, however it is written, compares equal. */
export interface Finding {
  readonly pack: Pack
  readonly kind: string
  readonly start: number
  readonly end: number
  readonly value: string
}

const SEPARATED_DIGITS = /^\+?[\d ()./-]+$/

/** The form in which identifiers are compared: lower case, without white space at the ends; numbers and account numbers without separators. */
export function normaliseIdentifier(text: string): string {
  const plain = text.normalize('NFC').trim().toLowerCase()
  if (SEPARATED_DIGITS.test(plain)) return plain.replace(/[ ()./-]/g, '')
  const compact = plain.replace(/[ -]/g, '')
  return /^[a-z]{2}\d{2}[a-z0-9]{11,30}$/.test(compact) ? compact : plain
}
