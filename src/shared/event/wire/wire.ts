// SPDX-License-Identifier: Apache-2.0
// What the wire formats of model servers have in common. The formats themselves stand beside this file, one each.
import type { CanonicalEvent, EventMessage, MessagePart } from '../canonical-event.ts'
import { parseExact } from '../exact-json.ts'

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
  /** There was more of the answer than is read of one. */
  readonly partial?: boolean | undefined
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
export const wholeOf = (value: unknown): number | undefined => (Number.isSafeInteger(value) ? Number(value) : undefined)
export const flagOf = (value: unknown): boolean | undefined => (typeof value === 'boolean' ? value : undefined)
/** The value when it is a text that a label of a record can hold. */
export const shortTextOf = (value: unknown): string | undefined => {
  const text = textOf(value)
  return text !== undefined && text.length <= 4096 ? text : undefined
}
/** Texts of a stop setting: one or a list, of at most 64. */
export const stopsOf = (value: unknown): string[] | undefined => {
  const all: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (all.length === 0 || all.length > 64) return undefined
  return all.every((one): one is string => typeof one === 'string') ? [...all] : undefined
}
/** The list when it is one of objects alone, and so is read whole by {@link listOf}. */
export const allObjects = (value: unknown): readonly Json[] | undefined =>
  Array.isArray(value) && value.every(isObject) ? value : undefined
/** The tools of a request. */
export const toolsOf = (value: unknown): readonly unknown[] | undefined => (Array.isArray(value) ? value : undefined)

/** As Go compares the names of members: letters in any case, and two signs that are old forms of `s` and `k`. */
const folded = (name: string): string =>
  name.replace(/[A-Z\u017f\u212a]/g, (sign) => (sign === '\u017f' ? 's' : sign === '\u212a' ? 'k' : sign.toLowerCase()))

/**
 * A request body as a server in Go reads it (encoding/json): names of members in any case. Without it a call could show Ollama another prompt than
 * it leaves on record. `twice`: two members are one to it, and which of them counts, or whether they are put together, only the server knows.
 */
export function asGoReads(body: Json): { readonly body: Json; readonly twice: boolean } {
  let twice = false
  const fold = (value: unknown): unknown => {
    if (!isObject(value)) return value
    const members = Object.entries(value).map(([name, member]) => [folded(name), member] as const)
    const out = Object.fromEntries(members)
    if (Object.keys(out).length < members.length) twice = true
    return out
  }
  const all = (value: unknown, inner: (one: Record<string, unknown>) => void): unknown => {
    if (!Array.isArray(value)) return value
    return value.map((one: unknown) => {
      const out = fold(one)
      if (isObject(out)) inner(out as Record<string, unknown>)
      return out
    })
  }
  const out = fold(body) as Record<string, unknown>
  if (out.options !== undefined) out.options = fold(out.options)
  if (out.messages !== undefined)
    out.messages = all(out.messages, (message) => {
      if (message.tool_calls === undefined) return
      message.tool_calls = all(message.tool_calls, (call) => {
        if (call.function !== undefined) call.function = fold(call.function)
      })
    })
  return { body: out, twice }
}

function membersOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  let count = Array.isArray(value) ? 0 : Object.keys(value).length
  for (const member of Object.values(value)) count += membersOf(member)
  return count
}

/** Whether a JSON text names a member twice in one object: parsers keep one of the two, and not all the same. @param value the text, parsed */
export function namesTwice(text: string, value: unknown): boolean {
  let colons = 0
  for (let i = 0; i < text.length; i++) {
    const sign = text.charCodeAt(i)
    if (sign === 0x3a) colons++
    else if (sign === 0x22) {
      // To the quotation mark that ends the text: one with an even number of backslashes before it.
      for (let escaped = true; escaped; ) {
        i = text.indexOf('"', i + 1)
        if (i < 0) return false
        let before = i
        while (text.charCodeAt(before - 1) === 0x5c) before--
        escaped = (i - before) % 2 === 1
      }
    }
  }
  return colons !== membersOf(value)
}

/** Members of an object beside those that are read, unless they are null or an empty list; undefined when there are none. */
export function rest(of: Json, read: ReadonlySet<string>): Json | undefined {
  let left: [string, unknown][] | undefined
  for (const name of Object.keys(of)) {
    const value = of[name]
    if (value === null || value === undefined || read.has(name) || (Array.isArray(value) && value.length === 0)) continue
    left ??= []
    left.push([name, value])
  }
  return left && Object.fromEntries(left)
}

/** Members of a body that have no place of their own. @param read what was read of it; undefined: there was nothing that fits */
export const unread = (body: Json, read: Readonly<Record<string, unknown>>): Json | undefined =>
  rest(body, new Set(Object.keys(read).filter((name) => read[name] !== undefined)))

const none: ReadonlySet<string> = new Set()

/** Attributes out of what has no place of its own; undefined when there is nothing. */
export const kept = (attributes: Json): Json | undefined => rest(attributes, none)

/** A part or message with the members of what it was read from that have no place in it. */
export function beside<T extends object>(own: T, of: Json, read: ReadonlySet<string>): T {
  const more = rest(of, read)
  if (more === undefined) return own
  // A name that means something else here; the content of a part is a text.
  const clash = Object.keys(more).filter((name) => Object.hasOwn(own, name) || (name === 'content' && typeof more.content !== 'string'))
  if (clash.length === 0) return { ...more, ...own }
  return { ...rest(more, new Set(clash)), ...own, as_sent: Object.fromEntries(clash.map((name) => [name, more[name]])) }
}

const noText: ReadonlySet<string> = new Set(['text'])

/** The parts of a content: a text, a list of texts and typed parts, or anything else as JSON. */
export function partsOf(content: unknown, part: (raw: Json) => MessagePart): MessagePart[] {
  if (content === undefined || content === null || content === '') return []
  if (Array.isArray(content)) return content.map((one: unknown) => (isObject(one) ? part(one) : plainPart(one)))
  return [isObject(content) ? anyPart({ type: 'json', content }) : plainPart(content)]
}

const plainPart = (value: unknown): MessagePart =>
  typeof value === 'string' ? textPart(value) : { type: 'json', content: JSON.stringify(value) }

/** A part as it came: with its text, or all of it as JSON, where texts are looked for. */
export function anyPart(raw: Json): MessagePart {
  const { content } = raw
  const text =
    textOf(raw.text) ??
    (content === undefined || content === null || typeof content === 'string' ? textOf(content) : JSON.stringify(content))
  const type = textOf(raw.type) ?? (text === undefined ? 'unknown' : 'text')
  return known({ ...rest(raw, noText), type, content: text })
}

/** Values that pieces of a stream give for one name: one of them, or all in order. */
export class Gathered {
  readonly #all = new Map<string, unknown[]>()

  add(more: Json | undefined): void {
    if (more === undefined) return
    for (const [name, value] of Object.entries(more)) {
      const all = this.#all.get(name)
      if (all === undefined) this.#all.set(name, [value])
      else if (typeof value === 'object' || value !== all.at(-1)) all.push(value)
    }
  }

  get value(): Json | undefined {
    if (this.#all.size === 0) return undefined
    return Object.fromEntries([...this.#all].map(([name, all]) => [name, all.length === 1 ? all[0] : all]))
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
    const value = parseExact(text)
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
