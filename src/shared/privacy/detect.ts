// SPDX-License-Identifier: Apache-2.0
import { findIbans } from './iban.ts'
import { type BuiltInPack, builtInPacks, type Finding, type Pack } from './kinds.ts'
import type { LinearPattern } from './linear-pattern.ts'
import { findNumbers } from './numbers.ts'
import { findEmails, findLetteredIds, findSecrets, SHORTEST_SECRET } from './words.ts'

/** A pattern of the workspace's own; `name` is the kind that its masks show. */
export interface OwnPattern {
  readonly name: string
  readonly pattern: LinearPattern
}

export interface Detectors {
  readonly packs: ReadonlySet<Pack>
  readonly own: readonly OwnPattern[]
}

/** All built-in packs, no own patterns. */
export const builtInDetectors: Detectors = { packs: new Set(builtInPacks), own: [] }

/** Which kind names a place that two rules claim. */
const rank: readonly Pack[] = ['secret', 'iban', 'card', 'national_id', 'email', 'own', 'phone', 'subject']

const numeric = (packs: ReadonlySet<Pack>): ReadonlySet<BuiltInPack> =>
  new Set((['card', 'national_id', 'phone'] as const).filter((pack) => packs.has(pack)))

/**
 * Personal data and secrets in a text, in order and without overlap: what two rules claim is one place that reaches as far as either.
 * Pure, and linear in the length of the text. It finds forms, not meaning: a name, an address or a number without its usual form is not found.
 */
export function detect(text: string, { packs, own }: Detectors): Finding[] {
  const all: Finding[] = []
  if (packs.has('secret') && text.length >= SHORTEST_SECRET) all.push(...findSecrets(text))
  if (packs.has('email') && text.includes('@')) all.push(...findEmails(text))
  if (/\d\D{0,2}\d/.test(text)) {
    // Cheap looks before dear ones: most texts hold no letters right before digits.
    const lettered = /[A-Za-z]{2} ?\d\d/.test(text)
    if (lettered && packs.has('iban')) all.push(...findIbans(text))
    if (packs.has('national_id')) all.push(...findLetteredIds(text, lettered))
    const wanted = numeric(packs)
    if (wanted.size > 0) all.push(...findNumbers(text, wanted))
  }
  if (packs.has('own')) {
    for (const { name, pattern } of own)
      for (const [start, end] of pattern.findAll(text))
        all.push({ pack: 'own', kind: name, start, end, value: text.slice(start, end).normalize('NFC').toLowerCase() })
  }
  if (all.length < 2) return all
  all.sort((a, b) => a.start - b.start || b.end - a.end)
  const merged: Finding[] = []
  for (const next of all) {
    const last = merged.at(-1)
    if (!last || next.start >= last.end) merged.push(next)
    else {
      const named = rank.indexOf(next.pack) < rank.indexOf(last.pack) ? next : last
      merged[merged.length - 1] = { ...named, start: last.start, end: Math.max(last.end, next.end) }
    }
  }
  return merged
}
