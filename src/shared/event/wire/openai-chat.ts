// SPDX-License-Identifier: Apache-2.0
// OpenAI's chat completions, text completions and embeddings, as many servers speak them. A stream ends with `[DONE]`.
import type { EventMessage, MessagePart } from '../canonical-event.ts'
import { contentParts } from './openai-parts.ts'
import {
  allObjects,
  beside,
  countOf,
  type DigestBase64,
  errorOf,
  flagOf,
  Gathered,
  isObject,
  type Json,
  kept,
  known,
  listOf,
  numberOf,
  objectOf,
  rest,
  shortTextOf,
  stopsOf,
  textMessage,
  textOf,
  textPart,
  toolCall,
  toolResponse,
  toolsOf,
  unread,
  type WireAnswer,
  type WireFields,
  type WireReader,
  wholeOf
} from './wire.ts'

const MOST_CHOICES = 128
const readOfMessage: ReadonlySet<string> = new Set([
  'role',
  'content',
  'reasoning_content',
  'reasoning',
  'refusal',
  'tool_calls',
  'function_call'
])
const readOfTool: ReadonlySet<string> = new Set([...readOfMessage, 'tool_call_id'])

/** Calls of tools in a message or a piece of one: functions, custom tools, and the one function from before there were several. */
export const callsOf = (raw: Json): { readonly index: number; readonly id: unknown; readonly name: unknown; readonly given: unknown }[] => [
  ...listOf(raw.tool_calls).map((call, at) => {
    const made = isObject(call.function) ? call.function : objectOf(call.custom)
    return { index: countOf(call.index) ?? at, id: call.id, name: made.name, given: made.arguments ?? made.input }
  }),
  ...(isObject(raw.function_call)
    ? [{ index: MOST_CHOICES, id: undefined, name: raw.function_call.name, given: raw.function_call.arguments }]
    : [])
]

function messageOf(raw: Json, digest: DigestBase64): EventMessage {
  const role = textOf(raw.role) ?? 'user'
  const parts: MessagePart[] = []
  const reasoning = textOf(raw.reasoning_content) ?? textOf(raw.reasoning)
  if (reasoning !== undefined) parts.push({ type: 'reasoning', content: reasoning })
  if (role === 'tool') parts.push(toolResponse(raw.tool_call_id, raw.content))
  else parts.push(...contentParts(raw.content, digest))
  const refusal = textOf(raw.refusal)
  if (refusal !== undefined) parts.push({ type: 'refusal', content: refusal })
  for (const call of callsOf(raw)) parts.push(toolCall(call.id, call.name, call.given))
  return beside({ role, parts }, raw, role === 'tool' ? readOfTool : readOfMessage)
}

/** Texts of a prompt or input: one, or a list; undefined for anything else, such as tokens as numbers. */
function textsOf(value: unknown): readonly string[] | undefined {
  const list = Array.isArray(value) ? value : [value]
  return list.every((one): one is string => typeof one === 'string') ? list.filter((one) => one !== '') : undefined
}

/** The fields of a request to `/chat/completions`, `/completions` or `/embeddings`. */
export function openaiRequest(body: Json, digest: DigestBase64): WireFields {
  const prompt = textsOf(body.prompt)
  const input = textsOf(body.input)
  const messages = [
    ...listOf(body.messages).map((one) => messageOf(one, digest)),
    ...[...(prompt ?? []), ...(input ?? [])].map((text) => textMessage('user', text))
  ]
  const longer = countOf(body.max_completion_tokens)
  const read = {
    model: textOf(body.model),
    stream: flagOf(body.stream),
    temperature: numberOf(body.temperature),
    top_p: numberOf(body.top_p),
    top_k: numberOf(body.top_k),
    max_completion_tokens: longer,
    max_tokens: longer === undefined ? countOf(body.max_tokens) : undefined,
    seed: wholeOf(body.seed),
    stop: stopsOf(body.stop),
    user: shortTextOf(body.user),
    messages: allObjects(body.messages),
    prompt,
    input,
    tools: toolsOf(body.tools)
  }
  return known({
    request_model: read.model,
    stream: body.stream === true,
    temperature: read.temperature,
    top_p: read.top_p,
    top_k: read.top_k,
    max_tokens: longer ?? read.max_tokens,
    seed: read.seed,
    stop: read.stop,
    user_id: read.user,
    input_messages: messages.length === 0 ? undefined : messages,
    tools: read.tools?.length === 0 ? undefined : read.tools,
    attributes: kept({ request: unread(body, read) })
  })
}

interface Choice {
  readonly more: Gathered
  text: string
  reasoning: string
  refusal: string
  finish: string | undefined
  role: string
  readonly calls: Map<number, { id: string | undefined; name: string; given: string }>
}

const newChoice = (): Choice => ({
  more: new Gathered(),
  text: '',
  reasoning: '',
  refusal: '',
  finish: undefined,
  role: 'assistant',
  calls: new Map()
})

function usageOf(usage: unknown): WireFields {
  if (!isObject(usage)) return { usage_source: 'missing' }
  const prompt = objectOf(usage.prompt_tokens_details)
  const completion = objectOf(usage.completion_tokens_details)
  return known({
    input_tokens: countOf(usage.prompt_tokens),
    output_tokens: countOf(usage.completion_tokens),
    cache_read_tokens: countOf(prompt.cached_tokens),
    reasoning_tokens: countOf(completion.reasoning_tokens),
    usage_source: 'reported' as const
  })
}

/** What the usage says beside the counts that have a place. */
const usageRest = (usage: Json): Json | undefined =>
  rest(
    {
      ...usage,
      prompt_tokens_details: rest(objectOf(usage.prompt_tokens_details), readOfDetails),
      completion_tokens_details: rest(objectOf(usage.completion_tokens_details), readOfDetails)
    },
    readOfUsage
  )

const readOfUsage: ReadonlySet<string> = new Set(['prompt_tokens', 'completion_tokens', 'total_tokens'])
const readOfDetails: ReadonlySet<string> = new Set(['cached_tokens', 'reasoning_tokens'])

const readOfChoice: ReadonlySet<string> = new Set(['index', 'delta', 'message', 'text', 'finish_reason'])

/** False when there are more calls than are read. */
function take(choice: Choice, raw: Json): boolean {
  const piece = isObject(raw.delta) ? raw.delta : isObject(raw.message) ? raw.message : {}
  choice.role = textOf(piece.role) ?? choice.role
  choice.text += textOf(piece.content) ?? textOf(raw.text) ?? ''
  choice.reasoning += textOf(piece.reasoning_content) ?? textOf(piece.reasoning) ?? ''
  choice.refusal += textOf(piece.refusal) ?? ''
  choice.finish = textOf(raw.finish_reason) ?? choice.finish
  choice.more.add(rest(raw, readOfChoice))
  choice.more.add(rest(piece, readOfMessage))
  let whole = true
  for (const { index, id, name, given } of callsOf(piece)) {
    const so = choice.calls.get(index) ?? { id: undefined, name: '', given: '' }
    so.id ??= textOf(id)
    so.name += textOf(name) ?? ''
    so.given += typeof given === 'string' ? given : given === undefined ? '' : JSON.stringify(given)
    if (choice.calls.size <= MOST_CHOICES) choice.calls.set(index, so)
    else if (!choice.calls.has(index)) whole = false
  }
  return whole
}

/** What came under each index, by index: pieces of several may come in any order. */
const inOrder = <T>(of: ReadonlyMap<number, T>): T[] => [...of].sort(([a], [b]) => a - b).map(([, one]) => one)

function messageFrom({ role, text, reasoning, refusal, calls, more }: Choice): EventMessage {
  const parts: MessagePart[] = []
  if (reasoning !== '') parts.push({ type: 'reasoning', content: reasoning })
  if (text !== '') parts.push(textPart(text))
  if (refusal !== '') parts.push({ type: 'refusal', content: refusal })
  for (const call of inOrder(calls)) parts.push(toolCall(call.id, call.name, call.given))
  return beside({ role, parts }, more.value ?? {}, readOfMessage)
}

const readOfAnswer: ReadonlySet<string> = new Set(['id', 'model', 'object', 'choices', 'usage', 'error'])
const readOfVectors: ReadonlySet<string> = new Set([...readOfAnswer, 'data'])

/** Reads the chunks of a stream, or the one object of an answer. @param embed an answer of `/embeddings`, whose vectors are not kept */
export function openaiReader(stream: boolean, embed: boolean): WireReader {
  const choices = new Map<number, Choice>()
  let fields: WireFields = {}
  let usage: unknown
  let ended = false
  let partial = false
  let more: Json = {}
  let error: WireAnswer['error']
  return {
    push(event) {
      if (event === '[DONE]') {
        ended = true
        return
      }
      const chunk = objectOf(event)
      error ??= errorOf(chunk)
      fields = known({
        ...fields,
        response_model: textOf(chunk.model) ?? fields.response_model,
        response_id: textOf(chunk.id) ?? fields.response_id
      })
      if (isObject(chunk.usage)) usage = chunk.usage
      more = { ...more, ...rest(chunk, embed ? readOfVectors : readOfAnswer) }
      for (const [at, raw] of listOf(chunk.choices).entries()) {
        const index = countOf(raw.index) ?? at
        const choice = choices.get(index) ?? newChoice()
        if (choices.size < MOST_CHOICES) choices.set(index, choice)
        else if (!choices.has(index)) partial = true
        if (!take(choice, raw)) partial = true
      }
      if (!stream && (Array.isArray(chunk.choices) || (embed && Array.isArray(chunk.data)))) ended = true
    },
    done() {
      const all = inOrder(choices)
      const finishes = all.flatMap((choice) => choice.finish ?? [])
      const messages = all.map(messageFrom).filter((message) => message.parts.length > 0 || Object.keys(message).length > 2)
      return {
        fields: known({
          ...fields,
          ...usageOf(usage),
          finish_reasons: finishes.length === 0 ? undefined : finishes,
          output_messages: messages.length === 0 ? undefined : messages,
          attributes: kept({ response: kept({ ...more, usage: usageRest(objectOf(usage)) }) })
        }),
        ended,
        partial,
        error
      }
    }
  }
}
