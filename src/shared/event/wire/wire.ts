// SPDX-License-Identifier: Apache-2.0
// What the wire formats of model servers have in common. The formats themselves stand beside this file, one each.
import type { CanonicalEvent, EventMessage, MessagePart } from '../canonical-event.ts'

/** The interfaces that are read; everything else passes without a record. */
export type WireApi =
  | 'ollama.chat'
  | 'ollama.generate'
  | 'ollama.embed'
  | 'openai.chat'
  | 'openai.completions'
  | 'openai.responses'
  | 'openai.embeddings'
  | 'anthropic.messages'

/** What a body says of a call. Durations are microseconds; unknown is absent. */
export type WireFields = Partial<
  Omit<
    CanonicalEvent,
    'channel' | 'source' | 'received_us' | 'status' | 'span_role' | 'content_state' | 'input_messages' | 'output_messages'
  >
> & {
  readonly input_messages?: readonly EventMessage[] | undefined
  readonly output_messages?: readonly EventMessage[] | undefined
}

/** What came of an answer. */
export interface WireAnswer {
  readonly fields: WireFields
  /** Whether the answer came to its end: a stream had its terminal event. */
  readonly ended: boolean
  readonly error?: { readonly type: string; readonly message: string } | undefined
}

/** Reads an answer piece by piece: the events of a stream in order, or the one object of an answer that is none. */
export interface WireReader {
  /** @param name the name of a server-sent event; @param event its parsed data, or the text of data that is no JSON */
  push(event: unknown, name: string | undefined): void
  done(): WireAnswer
}

/** SHA-256 in lower-case hexadecimal of the bytes that a base64 text stands for. */
export type DigestBase64 = (base64: string) => string

export type Json = Readonly<Record<string, unknown>>

export const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)
/** The value as an object; an empty one when it is none. */
export const objectOf = (value: unknown): Json => (isObject(value) ? value : {})
/** The value as a list of objects. */
export const listOf = (value: unknown): readonly Json[] => (Array.isArray(value) ? value.filter(isObject) : [])
/** The value when it is a text that says something. */
export const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)
/** The value when it is a whole number from 0. */
export const countOf = (value: unknown): number | undefined =>
  Number.isSafeInteger(value) && Number(value) >= 0 ? Number(value) : undefined
export const numberOf = (value: unknown): number | undefined => (typeof value === 'number' && Number.isFinite(value) ? value : undefined)
/** Texts of a stop setting: one or a list. */
export const stopsOf = (value: unknown): string[] | undefined => {
  const all = (Array.isArray(value) ? value : [value]).filter((one): one is string => typeof one === 'string' && one !== '')
  return all.length === 0 ? undefined : all.slice(0, 64)
}

/** As Go compares the names of members: letters in any case, and two signs that are old forms of `s` and `k`. */
const folded = (name: string): string =>
  name.replace(/[A-Z\u017f\u212a]/g, (sign) => (sign === '\u017f' ? 's' : sign === '\u212a' ? 'k' : sign.toLowerCase()))
const foldMembers = (value: Json): Json => Object.fromEntries(Object.entries(value).map(([name, member]) => [folded(name), member]))

/**
 * A request body as a server in Go reads it (encoding/json): names of members in any case, the last of several counts. Without it a call could show
 * Ollama another prompt than it leaves on record.
 */
export function asGoReads(body: Json): Json {
  const plain = foldMembers(body)
  return {
    ...plain,
    ...(isObject(plain.options) ? { options: foldMembers(plain.options) } : {}),
    ...(Array.isArray(plain.messages) ? { messages: plain.messages.map((one) => (isObject(one) ? foldMembers(one) : one)) } : {})
  }
}

/** Leaves out what is undefined, so that unknown stays absent. */
export function known<T extends object>(fields: T): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T
}

const MOST_DEPTH = 64

function depthWithin(value: unknown, left: number): boolean {
  if (typeof value !== 'object' || value === null) return true
  if (left === 0) return false
  for (const member of Object.values(value)) if (!depthWithin(member, left - 1)) return false
  return true
}

/** JSON of at most 64 levels; undefined for anything else. */
export function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return depthWithin(value, MOST_DEPTH) ? value : undefined
  } catch {
    return undefined
  }
}

/** The same value with every half of a surrogate pair replaced and every number that JSON cannot hold left out: what a client sent may be neither. */
export function wellFormed(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed()
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  if (Array.isArray(value)) return value.map(wellFormed)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name.toWellFormed(), wellFormed(member)]))
}

/** A text part. */
export const textPart = (content: string): MessagePart => ({ type: 'text', content })

/** A message with one text. */
export const textMessage = (role: string, content: string): EventMessage => ({ role, parts: [textPart(content)] })

const BASE64_DATA = /^data:([\w.+-]+\/[\w.+-]+)?(?:;[\w=.+-]+)*;base64,/

/**
 * Media of a message: named by kind, size and digest instead of its bytes, so that the record stays small and searchable and the very file can
 * still be recognised. An address on the web stays as it is.
 */
export function mediaPart(modality: string, data: string, mime: string | undefined, digest: DigestBase64): MessagePart {
  const inline = BASE64_DATA.exec(data)
  if (!inline && /^[a-z][a-z0-9+.-]*:\/\//i.test(data)) return { type: 'uri', modality, uri: data.slice(0, 4096) }
  const base64 = inline ? data.slice(inline[0].length) : data
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0
  const bytes = Math.max(0, Math.floor((base64.length * 3) / 4) - padding)
  return known({ type: 'blob', modality, mime_type: inline?.[1] ?? mime, bytes, sha256: digest(base64) })
}

/** A call of a tool; arguments that are JSON as text are parsed. */
export function toolCall(id: unknown, name: unknown, given: unknown): MessagePart {
  const parsed = typeof given === 'string' ? (parseJson(given) ?? given) : given
  return known({ type: 'tool_call', id: textOf(id), name: textOf(name) ?? 'unknown', arguments: parsed })
}

/** What a tool gave back. */
export const toolResponse = (id: unknown, response: unknown): MessagePart => known({ type: 'tool_call_response', id: textOf(id), response })

/** The error that a body of any of the interfaces carries: a text, or `{type, code, message}`. */
export function errorOf(body: unknown): { readonly type: string; readonly message: string } | undefined {
  if (!isObject(body)) return undefined
  const { error } = body
  if (typeof error === 'string' && error !== '') return { type: 'error', message: error }
  if (!isObject(error)) return undefined
  const type = textOf(error.type) ?? textOf(error.code) ?? 'error'
  return { type: type.slice(0, 128), message: textOf(error.message) ?? type }
}
