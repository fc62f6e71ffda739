// SPDX-License-Identifier: Apache-2.0
// The parameters of a request in the compact form in which the catalog holds them: numbers and switches in the clear, texts by a fingerprint.
import { type CanonicalEvent, type EventMessage, messagesText } from './canonical-event.ts'

/** Parameters with a place of their own in an event. */
const placed = ['max_tokens', 'seed', 'stop', 'stream', 'temperature', 'top_k', 'top_p'] as const

/** Parameters that stay among the attributes: what they mean to the APIs that take them, nothing that names a caller or a conversation. */
const others: ReadonlySet<string> = new Set([
  'best_of',
  'format',
  'frequency_penalty',
  'logit_bias',
  'logprobs',
  'min_p',
  'mirostat',
  'mirostat_eta',
  'mirostat_tau',
  'modalities',
  'n',
  'num_ctx',
  'parallel_tool_calls',
  'presence_penalty',
  'reasoning',
  'reasoning_effort',
  'repeat_last_n',
  'repeat_penalty',
  'repetition_penalty',
  'response_format',
  'service_tier',
  'text',
  'think',
  'thinking',
  'tool_choice',
  'top_logprobs',
  'truncation',
  'typical_p',
  'verbosity'
])

/** Of {@link others}, those whose names say nothing where they stand outside of the body of a call. */
const ambiguous: ReadonlySet<string> = new Set(['format', 'n', 'text', 'think'])

/** OpenTelemetry's names: `gen_ai.request.frequency_penalty`, `gen_ai.openai.request.service_tier`. */
const CONVENTION = /^gen_ai\.(?:openai\.)?request\./

/** Longest number that stands in the clear: a longer one may name somebody. */
const MOST_CLEAR = 8

type Bag = Readonly<Record<string, unknown>>
const bagOf = (value: unknown): Bag | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Bag) : undefined

/**
 * The parameters of one request as `name=value` in the order of their names, with a space between; null when none is on record. A value is a
 * number or a switch in the clear, or `#` and a fingerprint: of stop sequences, of objects and texts, of numbers with more than eight
 * characters, of the system prompt (`system`) and of the tools (`tools`). Equal texts mean equal parameters.
 * @param event the part `event`, or what can be read of it; values of the wrong type are left out
 * @param request the part `request`; undefined when it is withheld or gone
 * @param fingerprint letters, digits, `-` and `_`; the same for the same text, and of no use to whoever would guess the text
 */
export function parametersText(
  event: Partial<CanonicalEvent>,
  request: { readonly messages?: readonly EventMessage[]; readonly tools?: unknown } | undefined,
  fingerprint: (text: string) => string
): string | null {
  const found: string[] = []
  const take = (name: string, value: unknown): void => {
    if (value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0)) return
    const clear = typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined
    const plain = clear !== undefined && clear.length <= MOST_CLEAR
    found.push(`${name}=${plain ? clear : `#${fingerprint(typeof value === 'string' ? value : JSON.stringify(value))}`}`)
  }
  for (const name of placed) take(name, event[name])
  const attributes = bagOf(event.attributes)
  if (attributes !== undefined) {
    const body = bagOf(attributes.request)
    const options = bagOf(body?.options)
    const seen = new Set<string>()
    const takeOther = (name: string, value: unknown): void => {
      if (!others.has(name) || seen.has(name)) return
      seen.add(name)
      take(name, value)
    }
    if (options) for (const name of Object.keys(options)) takeOther(name, options[name])
    if (body) for (const name of Object.keys(body)) takeOther(name, body[name])
    for (const given of Object.keys(attributes)) {
      const name = given.replace(CONVENTION, '')
      if (name !== given || !ambiguous.has(name)) takeOther(name, attributes[given])
    }
  }
  take('tools', request?.tools)
  const system = request?.messages?.filter(({ role }) => role === 'system' || role === 'developer')
  if (system !== undefined && system.length > 0) take('system', messagesText(system))
  return found.length === 0 ? null : found.sort().join(' ')
}

/** What {@link parametersText} wrote, as pairs of name and value. */
export const parametersIn = (text: string): (readonly [name: string, value: string])[] =>
  text.split(' ').map((pair) => {
    const at = pair.indexOf('=')
    return [pair.slice(0, at), pair.slice(at + 1)]
  })
