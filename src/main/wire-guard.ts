// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod'
import type { Failure } from '../shared/contract/errors.ts'
import type { ToEngine } from '../shared/contract/wire.ts'

/** Largest message the page may send, measured as UTF-16 text plus binary content. */
export const MAX_BYTES = 8 * 1024 * 1024
const MAX_DEPTH = 64
const MAX_NODES = 500_000

const id = z.string().min(1).max(64)
const name = z
  .string()
  .max(64)
  .regex(/^[A-Za-z]+(_[A-Za-z]+)*(\.[A-Za-z]+(_[A-Za-z]+)*)*$/)

const schema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('call'), id, op: name, input: z.unknown() }),
  z.strictObject({ kind: z.literal('cancel'), id }),
  z.strictObject({ kind: z.literal('subscribe'), id, topic: name, input: z.unknown() }),
  z.strictObject({ kind: z.literal('unsubscribe'), id })
])

export type Guarded =
  | { readonly ok: true; readonly message: ToEngine }
  | { readonly ok: false; readonly id: string | null; readonly error: Failure }

/** True when a value is larger or deeper than the page has reason to send. Stops as soon as that is known. */
function exceeds(value: unknown, limit: number): boolean {
  let bytes = 0
  let nodes = 0
  const stack: { readonly value: unknown; readonly depth: number }[] = [{ value, depth: 0 }]
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    nodes += 1
    if (nodes > MAX_NODES || next.depth > MAX_DEPTH) return true
    const item = next.value
    if (typeof item === 'string') bytes += 2 * item.length
    else if (ArrayBuffer.isView(item) || item instanceof ArrayBuffer) bytes += item.byteLength
    else if (typeof item === 'object' && item !== null) {
      const entries = item instanceof Map ? [...item].flat() : item instanceof Set ? [...item] : Object.values(item)
      for (const child of entries) stack.push({ value: child, depth: next.depth + 1 })
      if (!Array.isArray(item)) for (const key of Object.keys(item)) bytes += 2 * key.length
    } else bytes += 8
    if (bytes > limit) return true
  }
  return false
}

function idOf(value: unknown): string | null {
  const parsed = z.object({ id }).safeParse(value)
  return parsed.success ? parsed.data.id : null
}

/** Checks shape and size of a message of the page. What the operation wants of its input is checked by whoever answers it. */
export function guardMessage(value: unknown): Guarded {
  if (exceeds(value, MAX_BYTES)) {
    return {
      ok: false,
      id: idOf(value),
      error: { code: 'too_large', message: 'the message is larger than 8 MiB or nested too deeply', details: { limit_bytes: MAX_BYTES } }
    }
  }
  const parsed = schema.safeParse(value)
  if (!parsed.success) return { ok: false, id: idOf(value), error: { code: 'bad_request', message: 'the message has no known form' } }
  return { ok: true, message: parsed.data }
}
