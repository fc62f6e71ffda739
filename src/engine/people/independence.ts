// SPDX-License-Identifier: Apache-2.0
import type { Directory, SignInSet } from './directory.ts'

/** Everybody who could act as a person by what they set, directly or through others, with the last time of it. */
function hands(directory: Directory, ref: string, since: number, counts: (set: SignInSet) => boolean): Map<string, number> {
  const found = new Map<string, number>()
  const look = (person: string): void => {
    for (const set of directory.signInSetSince(person, since)) {
      if (!counts(set)) continue
      const known = found.get(set.by)
      if (known === undefined || known < set.ms) found.set(set.by, set.ms)
      if (known === undefined) look(set.by)
    }
  }
  look(ref)
  return found
}

export interface Dependence {
  /** Who set the sign-in. */
  readonly by: string
  /** Whose sign-in it was; null for both. */
  readonly of: string | null
  /** When that was, milliseconds since 1970. */
  readonly ms: number
}

/**
 * Why two people may be one since a time: one set how the other signs in, by their own hand or through somebody they set up, or a third one
 * set it anew for both. That a third one added both is none: in a young workspace everybody was added by the same person.
 */
export function dependence(directory: Directory, a: string, b: string, since: number): Dependence | null {
  const all = () => true
  for (const [by, of] of [
    [a, b],
    [b, a]
  ] as const) {
    const ms = hands(directory, of, since, all).get(by)
    if (ms !== undefined) return { by, of, ms }
  }
  const anew = (set: SignInSet) => !set.added
  const [ofA, ofB] = [hands(directory, a, since, anew), hands(directory, b, since, anew)]
  for (const [by, ms] of ofA) {
    const other = ofB.get(by)
    if (other !== undefined && directory.get(by)) return { by, of: null, ms: Math.max(ms, other) }
  }
  return null
}
