// SPDX-License-Identifier: Apache-2.0
import { AffidavitError } from '../../shared/contract/errors.ts'

/** A busy machine, not a damaged file: tried again, these may go well. */
const PASSING = /^SQLITE_(BUSY|LOCKED|NOMEM|INTERRUPT|FULL|PROTOCOL)/

/**
 * What of the disk cannot be read, in a word, when that is why something was thrown: a page that is no page any more, or a row that holds what
 * no row of ours holds. Undefined for every other failure.
 */
export function unreadable(error: unknown): string | undefined {
  if (error instanceof AffidavitError || !(error instanceof Error)) return undefined
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  if (code.startsWith('SQLITE_')) return PASSING.test(code) ? undefined : code
  // The shape of a value was not what the schema lets in: data that was changed below the database.
  return error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError ? 'malformed' : undefined
}

/** Runs a read; tells of what cannot be read, and gives `instead` then. @throws whatever is no damage */
export function readOr<T>(instead: T, told: (word: string) => void, read: () => T): T {
  try {
    return read()
  } catch (error) {
    const word = unreadable(error)
    if (word === undefined) throw error
    told(word)
    return instead
  }
}
