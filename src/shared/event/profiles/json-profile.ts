// SPDX-License-Identifier: Apache-2.0
// What profiles of JSON lines have in common.
import { fitOf, isObject, type JsonProfile, type MapContext, type Mapped, type Row } from './profile.ts'

const notAnObject: Mapped = { ok: false, code: 'not_an_object', message: 'expected a JSON object' }

/** A profile of JSON lines that maps objects alone. */
export function profile(
  base: Pick<JsonProfile, 'name' | 'title' | 'times' | 'units'>,
  fits: (row: Row) => boolean,
  map: (row: Row, context: MapContext) => Mapped,
  split?: JsonProfile['split']
): JsonProfile {
  return {
    ...base,
    extensions: ['jsonl', 'ndjson', 'json'],
    format: 'jsonl',
    detect: (first) => fitOf(first, fits),
    ...(split === undefined ? {} : { split }),
    map: (row, context) => (isObject(row) ? map(row, context) : notAnObject)
  }
}

/** Whether a row has all of these members. */
export const has = (row: Row, ...names: readonly string[]): boolean => names.every((name) => name in row)

/** Without the members that are undefined. */
export const made = (raw: Row): Mapped => ({
  ok: true,
  raw: Object.fromEntries(Object.entries(raw).filter(([, value]) => value !== undefined))
})

/** From one time to a later one; undefined where one is missing or they are the other way round. */
export const between = (from: number | undefined, to: number | undefined): number | undefined =>
  from === undefined || to === undefined || to < from ? undefined : to - from
