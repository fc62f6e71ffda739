// SPDX-License-Identifier: Apache-2.0
import type { EventMessage, MessagePart } from './canonical-event.ts'
import { contradiction, depthWithin, isText, MOST_DEPTH, refuse, saysTheSame } from './ingest-checks.ts'
import { callsOf } from './wire/openai-chat.ts'
import { beside, toolCall } from './wire/wire.ts'

const A_LIST = 'a list of messages'

function part(value: unknown, name: string): MessagePart {
  if (typeof value === 'string') return { type: 'text', content: value }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return refuse(name, 'message parts')
  const raw = value as Record<string, unknown>
  if (typeof raw.type !== 'string') return refuse(name, 'parts with a type')
  if (!depthWithin(raw, MOST_DEPTH)) return refuse(name, `at most ${MOST_DEPTH} levels`, 'too_deep')
  // OpenAI's text parts say `text`, the conventions say `content`.
  if (raw.type === 'text' && raw.content === undefined && typeof raw.text === 'string') return { type: 'text', content: raw.text }
  if (raw.content !== undefined && raw.content !== null && typeof raw.content !== 'string') return refuse(name, 'content that is a text')
  return raw as unknown as MessagePart
}

/** Takes the conventions' `{role, parts}` and the common `{role, content}`, a text for one message of the given role. */
function ingestMessages(value: unknown, role: string, name: string): EventMessage[] {
  if (typeof value === 'string') return [{ role, parts: [{ type: 'text', content: value }] }]
  if (!Array.isArray(value)) return refuse(name, A_LIST)
  return value.map((item: unknown): EventMessage => {
    if (typeof item !== 'object' || item === null || Array.isArray(item)) return refuse(name, A_LIST)
    const raw = item as Record<string, unknown>
    const who = raw.role ?? role
    if (!isText(who)) return refuse(name, 'messages with a role')
    if (!depthWithin(raw, MOST_DEPTH)) return refuse(name, `at most ${MOST_DEPTH} levels`, 'too_deep')
    const content = raw.parts ?? raw.content ?? []
    if (typeof content !== 'string' && !Array.isArray(content)) return refuse(name, 'messages with parts or content')
    const parts: MessagePart[] = typeof content === 'string' ? [{ type: 'text', content }] : content.map((one: unknown) => part(one, name))
    // OpenAI's calls of tools stand beside the content; what else stands there, such as the call that a tool answers, is kept as it is.
    parts.push(...callsOf(raw).map(({ id, name: tool, given }) => toolCall(id, tool, given)))
    // Only one of the two is read.
    const other =
      raw.parts !== undefined && raw.parts !== null && typeof raw.content === 'string' ? { as_sent: { content: raw.content } } : {}
    return beside({ role: who, parts, ...other }, raw, readOfMessage)
  })
}

const readOfMessage: ReadonlySet<string> = new Set(['role', 'parts', 'content', 'tool_calls', 'function_call'])

/** Messages in whichever of their forms they come. @throws Refused: two of them that differ */
export function messagesOf(
  raw: Readonly<Record<string, unknown>>,
  role: string,
  names: readonly [string, ...string[]]
): EventMessage[] | undefined {
  let first: { readonly name: string; readonly messages: EventMessage[] } | undefined
  for (const name of names) {
    const given = raw[name]
    if (given === undefined || given === null) continue
    const messages = ingestMessages(given, role, names[0])
    if (first !== undefined && !saysTheSame(first.messages, messages)) contradiction(first.name, name)
    first ??= { name, messages }
  }
  return first?.messages
}
