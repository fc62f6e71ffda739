// SPDX-License-Identifier: Apache-2.0
import type { EventMessage, MessagePart } from '../canonical-event.ts'
import { parseExact } from '../exact-json.ts'
import { type Json, MOST_DEPTH } from './message.ts'

/** What was asked and answered, collected from attributes, span events and log records. */
export interface Content {
  readonly input: EventMessage[]
  readonly output: EventMessage[]
  readonly finish: string[]
  system?: EventMessage | undefined
  tools?: Json | undefined
}

export const emptyContent = (): Content => ({ input: [], output: [], finish: [] })

export const hasContent = (content: Content): boolean => content.input.length + content.output.length > 0 || content.system !== undefined

const isObject = (value: unknown): value is Readonly<Record<string, Json>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function within(value: unknown, left: number): boolean {
  if (typeof value !== 'object' || value === null) return true
  return left > 0 && Object.values(value).every((member) => within(member, left - 1))
}

/** A text that is a JSON object or list as that; any other text, and one nested too deep, as it is. */
export function unfold(value: Json | undefined): Json | undefined {
  if (typeof value !== 'string' || !/^\s*[[{]/.test(value)) return value
  try {
    const parsed = parseExact(value) as Json
    // A few levels are left for the message around it.
    return within(parsed, MOST_DEPTH - 8) ? parsed : value
  } catch {
    return value
  }
}

const asText = (value: Json): string => (typeof value === 'string' ? value : JSON.stringify(value))

function partOf(value: Json): MessagePart {
  if (!isObject(value)) return { type: 'text', content: asText(value) }
  const { type, content, text } = value
  if (typeof type !== 'string') return { type: 'json', content: asText(value) }
  if (type === 'text' && content === undefined && typeof text === 'string') return { type, content: text }
  if (content === undefined || content === null || typeof content === 'string') return value as unknown as MessagePart
  return { ...value, type, content: asText(content) }
}

/** Arguments of a call as what they say; as their text where a number in it may have more digits than a number here. */
const argumentsOf = (given: Json | undefined): Json => (typeof given === 'string' && /\d{16}/.test(given) ? given : (unfold(given) ?? null))

/** A call of a tool as a part of the conventions. */
export const toolCallPart = (id: Json | undefined, name: Json | undefined, given: Json | undefined): MessagePart => ({
  type: 'tool_call',
  id: id ?? null,
  name: name ?? null,
  arguments: argumentsOf(given)
})

/** OpenAI's `tool_calls` as parts of the conventions. */
function toolCalls(value: Json | undefined): MessagePart[] {
  if (!Array.isArray(value)) return []
  return value.filter(isObject).map((call) => {
    const made = isObject(call.function) ? call.function : call
    return toolCallPart(call.id, made.name, made.arguments)
  })
}

function messageOf(value: Json, role: string): EventMessage {
  if (!isObject(value)) return { role, parts: [{ type: 'text', content: asText(value) }] }
  const who = typeof value.role === 'string' && value.role !== '' ? value.role.slice(0, 64) : role
  const body = value.parts ?? value.content
  const parts = body === undefined || body === null ? [] : Array.isArray(body) ? (body as readonly Json[]).map(partOf) : [partOf(body)]
  parts.push(...toolCalls(value.tool_calls))
  if (parts.length === 0 && value.role === undefined) return { role, parts: [{ type: 'json', content: asText(value) }] }
  return { role: who, parts }
}

/** Messages in whatever form: the conventions', OpenAI's, `{messages: […]}`, one text, any JSON. */
export function messagesOf(value: Json | undefined, role: string): EventMessage[] {
  const given = unfold(value)
  if (given === undefined || given === null || given === '') return []
  if (Array.isArray(given)) return (given as readonly Json[]).map((one) => messageOf(one, role))
  if (isObject(given) && Array.isArray(given.messages)) return messagesOf(given.messages, role)
  return [messageOf(given, role)]
}

/** Parts of system instructions, or a text. */
export function systemOf(value: Json | undefined): EventMessage | undefined {
  const given = unfold(value)
  if (given === undefined || given === null || given === '') return undefined
  return { role: 'system', parts: Array.isArray(given) ? (given as readonly Json[]).map(partOf) : [partOf(given)] }
}

/** Finish reasons of output messages that say theirs. */
function finishReasons(value: Json | undefined): string[] {
  const given = unfold(value)
  if (!Array.isArray(given)) return []
  return (given as readonly Json[]).flatMap((one) =>
    isObject(one) && typeof one.finish_reason === 'string' ? [one.finish_reason.slice(0, 256)] : []
  )
}

/** Adds what the newest conventions keep in attributes of a span or of the event `gen_ai.client.inference.operation.details`. */
export function addMessages(to: Content, input: Json | undefined, output: Json | undefined, system: Json | undefined): void {
  to.system ??= systemOf(system)
  if (to.input.length === 0) to.input.push(...messagesOf(input, 'user'))
  if (to.output.length > 0) return
  to.output.push(...messagesOf(output, 'assistant'))
  to.finish.push(...finishReasons(output))
}

const DETAILS = 'gen_ai.client.inference.operation.details'
const roles: Readonly<Record<string, string>> = {
  'gen_ai.system.message': 'system',
  'gen_ai.user.message': 'user',
  'gen_ai.assistant.message': 'assistant',
  'gen_ai.tool.message': 'tool'
}
const contentEvents = new Set([...Object.keys(roles), 'gen_ai.choice', 'gen_ai.content.prompt', 'gen_ai.content.completion', DETAILS])

/** Whether a span event or log record of this name holds content of a call. */
export const isContentEvent = (name: string): boolean => contentEvents.has(name)

/**
 * Adds one span event or log record. Events of version 1.27 to 1.36 hold one message each, those before prompt and completion, the
 * newest all messages at once. @param fields attributes and body by name
 */
export function addEvent(to: Content, name: string, fields: Readonly<Record<string, Json>>): void {
  const inner = unfold(fields['gen_ai.event.content'])
  const body = isObject(inner) ? inner : fields
  if (name === DETAILS) {
    addMessages(to, fields['gen_ai.input.messages'], fields['gen_ai.output.messages'], fields['gen_ai.system_instructions'])
    to.tools ??= unfold(fields['gen_ai.tool.definitions'])
    return
  }
  if (name === 'gen_ai.content.prompt') {
    to.input.push(...messagesOf(fields['gen_ai.prompt'], 'user'))
    return
  }
  if (name === 'gen_ai.content.completion') {
    to.output.push(...messagesOf(fields['gen_ai.completion'], 'assistant'))
    return
  }
  if (name === 'gen_ai.choice') {
    const message = unfold(body.message)
    to.output.push(messageOf(message ?? pick(body), 'assistant'))
    if (typeof body.finish_reason === 'string') to.finish.push(body.finish_reason.slice(0, 256))
    return
  }
  const role = roles[name]
  if (role !== undefined) to.input.push(messageOf(pick(body), role))
}

/** The members of a message only: attributes such as `gen_ai.system` stand beside them. */
function pick(body: Readonly<Record<string, Json>>): Json {
  const out: Record<string, Json> = { role: body.role ?? null }
  for (const name of ['content', 'parts', 'tool_calls', 'id'] as const) {
    const value = unfold(body[name])
    if (value !== undefined) out[name] = value
  }
  return out
}
