// SPDX-License-Identifier: Apache-2.0
// What every field of an ingested event is held against.

/** Why a body is not taken. */
export type IngestErrorCode =
  | 'not_an_object'
  | 'wrong_type'
  | 'missing_field'
  | 'out_of_range'
  | 'too_long'
  | 'too_deep'
  | 'time_in_future'
  | 'bad_time'
  | 'contradiction'

/** Longest scalar text of an event; prompts and answers are messages and have no limit of their own here. */
export const MOST_TEXT = 4_096
/** Levels of any member, at most. */
export const MOST_DEPTH = 32

/** Thrown while a body is read, never further. */
export class Refused {
  readonly code: IngestErrorCode
  readonly message: string
  constructor(code: IngestErrorCode, message: string) {
    this.code = code
    this.message = message
  }
}

/** @throws Refused: names the field and what it should be, never its value */
export const refuse = (name: string, expected: string, code: IngestErrorCode = 'wrong_type'): never => {
  throw new Refused(code, `${name}: expected ${expected}`)
}

/** @throws Refused: only one of the two could be recorded, and neither is more likely right */
export const contradiction = (one: string, other: string): never => {
  throw new Refused('contradiction', `${one} and ${other}: expected one of them, or the same in both`)
}

/** Whether two JSON values are the same; the order of members says nothing. */
export function saysTheSame(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const names = Object.keys(a)
  const other = b as Readonly<Record<string, unknown>>
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && saysTheSame((a as typeof other)[name], other[name]))
  )
}

/** Whether a value is a text that a field takes. */
export function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MOST_TEXT
}

/** Whether a value nests no deeper; looks no further than that. */
export function depthWithin(value: unknown, left: number): boolean {
  if (typeof value !== 'object' || value === null) return true
  if (left === 0) return false
  for (const member of Object.values(value)) if (!depthWithin(member, left - 1)) return false
  return true
}
