// SPDX-License-Identifier: Apache-2.0
import { parseExact } from '../exact-json.ts'
import { zonedToUtc } from './zones.ts'

const TIME = /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:?\d{2})?$/

/** Microseconds of `2024-01-31 12:00:00.1234567`, with `T` or a blank, with a zone or in the given one; undefined for anything else. */
export function timeUs(value: unknown, zone: string): number | undefined {
  const match = typeof value === 'string' ? TIME.exec(value.trim()) : null
  if (match === null) return undefined
  const [, year, month, day, hour, minute, second, fraction = '', named] = match
  const wall = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second))
  if (new Date(wall).getUTCDate() !== Number(day) || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined
  const ms = zonedToUtc(wall, named === undefined ? zone : named === 'Z' ? 'UTC' : named)
  return ms * 1000 + Number(fraction.padEnd(6, '0').slice(0, 6))
}

/** A whole number from 0; undefined for anything else. */
export const countOf = (value: unknown): number | undefined =>
  Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined

export const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)

/**
 * The attribute of a cost in US dollars, from the first of these that is one, as a number or as a decimal text. Tools write 0 where they know no price,
 * so that 0 is no cost.
 */
export function costFrom(...values: readonly unknown[]): { readonly cost_usd?: number } {
  for (const value of values) {
    const usd = typeof value === 'string' && value.length <= 40 && value.trim() !== '' ? Number(value) : value
    if (typeof usd === 'number' && usd > 0 && usd < 1e9) return { cost_usd: usd }
  }
  return {}
}

/** The value of a text that is JSON, since many exports hold objects as texts; any other value as it is. */
export function unfold(value: unknown): unknown {
  if (typeof value !== 'string' || !/^\s*[[{]/.test(value)) return value
  try {
    return parseExact(value)
  } catch {
    return value
  }
}

/** A prompt or an answer of any form as what the ingest takes: a text, or messages. */
export function contentOf(value: unknown): unknown {
  const given = unfold(value)
  if (given === null || given === undefined || given === '') return undefined
  if (typeof given === 'string') return given
  if (Array.isArray(given))
    return given.every((one) => typeof one === 'object' && one !== null && 'role' in one) ? given.map(messageOf) : JSON.stringify(given)
  const { messages, choices, content, role, object, output } = given as Readonly<Record<string, unknown>>
  if (Array.isArray(messages)) return contentOf(messages)
  if (Array.isArray(choices)) return choices.map((one: { message?: unknown; text?: unknown }) => messageOf(one?.message ?? one?.text ?? ''))
  if (object === 'response' && Array.isArray(output)) return output.map(itemOf)
  if (typeof role === 'string' && content !== undefined) return [messageOf(given)]
  return JSON.stringify(given)
}

/** An item of an answer of OpenAI's responses: messages as messages, anything else (reasoning, calls of tools) as JSON under its type. */
function itemOf(value: unknown): unknown {
  const { type, role } = (typeof value === 'object' && value !== null ? value : {}) as { type?: unknown; role?: unknown }
  if (typeof role === 'string') return messageOf(value)
  return { role: 'assistant', parts: [{ type: textOf(type) ?? 'json', content: JSON.stringify(value) }] }
}

/** A message whose parts are texts; calls of tools, pictures and the like are kept as JSON. */
function messageOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return { role: 'assistant', content: String(value) }
  const { role, content, tool_calls: calls } = value as { role?: unknown; content?: unknown; tool_calls?: unknown }
  const parts: unknown[] = []
  for (const part of Array.isArray(content) ? content : content === null || content === undefined ? [] : [content])
    parts.push(
      typeof part === 'string'
        ? part
        : isTextPart(part)
          ? { type: 'text', content: part.text }
          : { type: 'json', content: JSON.stringify(part) }
    )
  if (calls !== undefined && calls !== null) parts.push({ type: 'tool_calls', content: JSON.stringify(calls) })
  return { role: typeof role === 'string' ? role : 'assistant', parts }
}

const isTextPart = (part: unknown): part is { text: string } =>
  typeof part === 'object' && part !== null && 'text' in part && typeof part.text === 'string'
