// SPDX-License-Identifier: Apache-2.0
// Credentials are never stored. Instrumentations copy headers and settings of clients into what they report: by their names these are left out.

import { parseExact } from './exact-json.ts'

/** Words of a name: `userId`, `user-id` and `USER_ID` are the same. */
export const wordsOf = (name: string): string =>
  name
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .replace(/[^a-z\d]+/g, ' ')
    .trim()

const SECRET = /\b(authorization|cookies?|passwords?|secret|api ?keys?|access token|auth token|bearer|credentials?)\b/
/** What every text has that holds one of these names. */
const HINT = /authorization|cookie|password|secret|api.?key|access.?token|auth.?token|bearer|credential/i
const MOST_NAMES = 20_000
const judged = new Map<string, boolean>()

/** Whether a column, member or attribute of this name holds a credential. */
export function isSecret(name: string): boolean {
  const known = judged.get(name)
  if (known !== undefined) return known
  const found = SECRET.test(wordsOf(name.slice(0, 256)))
  if (judged.size < MOST_NAMES && name.length <= 256) judged.set(name, found)
  return found
}

type Json = unknown
const MOST_TEXT = 64 * 1024
const MOST_LEFT = 32
/** Levels that are looked through; what lies deeper, in JSON within a text, is left out unseen. */
const MOST_DEPTH = 64

/** An object as JSON text, or headers as any text: `llm.headers` is written as Python shows a dictionary. */
function textWithout(name: string, text: string, leave: (name: string) => void, depth: number): string | undefined {
  const json = /^\s*[[{]/.test(text)
  const headers = /headers?$/i.test(name)
  if (!(json || headers) || text.length > MOST_TEXT || !HINT.test(text)) return text
  if (json) {
    try {
      const value: Json = parseExact(text)
      const kept = valueWithout(name, value, leave, depth - 1)
      return kept === value ? text : JSON.stringify(kept)
    } catch {
      // No JSON.
    }
  }
  if (!headers || !SECRET.test(wordsOf(text))) return text
  leave(name)
  return undefined
}

/** The very value when nothing in it is left out. */
function valueWithout(name: string, value: Json, leave: (name: string) => void, depth = MOST_DEPTH): Json {
  if (typeof value !== 'string' && (typeof value !== 'object' || value === null)) return value
  if (depth === 0) {
    leave(name)
    return undefined
  }
  if (typeof value === 'string') return textWithout(name, value, leave, depth)
  if (Array.isArray(value)) {
    const kept = value.map((one) => valueWithout(name, one, leave, depth - 1))
    return kept.every((one, i) => one === value[i]) ? value : kept.filter((one) => one !== undefined)
  }
  let changed = false
  const kept: [string, Json][] = []
  for (const member of Object.keys(value)) {
    const given = (value as Readonly<Record<string, Json>>)[member]
    if (isSecret(member)) {
      leave(`${name}.${member}`)
      changed = true
      continue
    }
    const own = valueWithout(`${name}.${member}`, given, leave, depth - 1)
    if (own !== given) changed = true
    if (own !== undefined) kept.push([member, own])
  }
  return changed ? Object.fromEntries(kept) : value
}

/** The names of what was left out stand in the attributes under this one. */
export const LEFT_OUT = 'affidavit.left_out'

/** Attributes without what is named like a credential, at any depth; the very object when there is none. */
export function withoutCredentials(attributes: Readonly<Record<string, Json>>): Readonly<Record<string, Json>> {
  const left: string[] = []
  const leave = (name: string): void => {
    if (left.length < MOST_LEFT) left.push(name.slice(0, 256))
  }
  let kept: Record<string, Json> | undefined
  for (const name of Object.keys(attributes)) {
    const given = attributes[name]
    const own = isSecret(name) ? undefined : valueWithout(name, given, leave)
    if (own === given) continue
    if (isSecret(name)) leave(name)
    kept ??= Object.assign(Object.create(null) as Record<string, Json>, attributes)
    if (own === undefined) delete kept[name]
    else kept[name] = own
  }
  if (kept === undefined) return attributes
  kept[LEFT_OUT] = left
  return kept
}
