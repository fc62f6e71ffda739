// SPDX-License-Identifier: Apache-2.0
// OpenAI's chat completions, text completions and embeddings, as many servers speak them. A stream ends with `[DONE]`.
import type { EventMessage, MessagePart } from '../canonical-event.ts'
import {
  countOf,
  type DigestBase64,
  errorOf,
  isObject,
  type Json,
  known,
  listOf,
  mediaPart,
  numberOf,
  objectOf,
  stopsOf,
  textMessage,
  textOf,
  textPart,
  toolCall,
  toolResponse,
  type WireAnswer,
  type WireFields,
  type WireReader
} from './wire.ts'

/** Parts of a content that is a text or a list of typed parts. Shared with the responses interface, whose types begin with `input_` and `output_`. */
export function contentParts(content: unknown, digest: DigestBase64): MessagePart[] {
  if (typeof content === 'string') return content === '' ? [] : [textPart(content)]
  return listOf(content).map((raw): MessagePart => {
    const text = textOf(raw.text)
    switch (raw.type) {
      case 'text':
      case 'input_text':
      case 'output_text':
        return textPart(text ?? '')
      case 'refusal':
        return { type: 'refusal', content: textOf(raw.refusal) ?? '' }
      case 'image_url':
      case 'input_image': {
        const address = isObject(raw.image_url) ? textOf(raw.image_url.url) : textOf(raw.image_url)
        return address === undefined
          ? known({ type: 'file', modality: 'image', file_id: textOf(raw.file_id) })
          : mediaPart('image', address, undefined, digest)
      }
      case 'input_audio': {
        const audio = objectOf(raw.input_audio)
        return mediaPart('audio', textOf(audio.data) ?? '', `audio/${textOf(audio.format) ?? 'unknown'}`, digest)
      }
      case 'file':
      case 'input_file': {
        const file = isObject(raw.file) ? raw.file : raw
        const data = textOf(file.file_data)
        return data === undefined
          ? known({ type: 'file', file_id: textOf(file.file_id), uri: textOf(file.file_url) })
          : { ...mediaPart('file', data, undefined, digest), ...known({ name: textOf(file.filename) }) }
      }
      default:
        return text === undefined ? { type: textOf(raw.type) ?? 'unknown' } : { type: textOf(raw.type) ?? 'text', content: text }
    }
  })
}

function messageOf(raw: Json, digest: DigestBase64): EventMessage {
  const role = textOf(raw.role) ?? 'user'
  const parts: MessagePart[] = []
  const reasoning = textOf(raw.reasoning_content) ?? textOf(raw.reasoning)
  if (reasoning !== undefined) parts.push({ type: 'reasoning', content: reasoning })
  if (role === 'tool') parts.push(toolResponse(raw.tool_call_id, raw.content))
  else parts.push(...contentParts(raw.content, digest))
  const refusal = textOf(raw.refusal)
  if (refusal !== undefined) parts.push({ type: 'refusal', content: refusal })
  for (const call of listOf(raw.tool_calls)) {
    const { name, arguments: given } = objectOf(call.function)
    parts.push(toolCall(call.id, name, given))
  }
  return { role, parts }
}

/** Texts of a prompt or input: one, or a list; tokens given as numbers are not text. */
const textsOf = (value: unknown): string[] =>
  (Array.isArray(value) ? value : [value]).filter((one): one is string => typeof one === 'string' && one !== '')

/** The fields of a request to `/chat/completions`, `/completions` or `/embeddings`. */
export function openaiRequest(body: Json, digest: DigestBase64): WireFields {
  const messages = [
    ...listOf(body.messages).map((one) => messageOf(one, digest)),
    ...[...textsOf(body.prompt), ...textsOf(body.input)].map((text) => textMessage('user', text))
  ]
  const seed = numberOf(body.seed)
  return known({
    request_model: textOf(body.model),
    stream: body.stream === true,
    temperature: numberOf(body.temperature),
    top_p: numberOf(body.top_p),
    top_k: numberOf(body.top_k),
    max_tokens: countOf(body.max_completion_tokens) ?? countOf(body.max_tokens),
    seed: Number.isSafeInteger(seed) ? seed : undefined,
    stop: stopsOf(body.stop),
    user_id: textOf(body.user)?.slice(0, 4096),
    input_messages: messages.length === 0 ? undefined : messages,
    tools: Array.isArray(body.tools) && body.tools.length > 0 ? body.tools : undefined
  })
}

interface Choice {
  text: string
  reasoning: string
  refusal: string
  finish: string | undefined
  role: string
  readonly calls: Map<number, { id: string | undefined; name: string; given: string }>
}

const newChoice = (): Choice => ({ text: '', reasoning: '', refusal: '', finish: undefined, role: 'assistant', calls: new Map() })
const MOST_CHOICES = 128

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

function take(choice: Choice, raw: Json): void {
  const piece = isObject(raw.delta) ? raw.delta : isObject(raw.message) ? raw.message : {}
  choice.role = textOf(piece.role) ?? choice.role
  choice.text += textOf(piece.content) ?? textOf(raw.text) ?? ''
  choice.reasoning += textOf(piece.reasoning_content) ?? textOf(piece.reasoning) ?? ''
  choice.refusal += textOf(piece.refusal) ?? ''
  choice.finish = textOf(raw.finish_reason) ?? choice.finish
  for (const [at, call] of listOf(piece.tool_calls).entries()) {
    const index = countOf(call.index) ?? at
    const { name, arguments: given } = objectOf(call.function)
    const so = choice.calls.get(index) ?? { id: undefined, name: '', given: '' }
    so.id ??= textOf(call.id)
    so.name += textOf(name) ?? ''
    so.given += typeof given === 'string' ? given : given === undefined ? '' : JSON.stringify(given)
    if (choice.calls.size < MOST_CHOICES) choice.calls.set(index, so)
  }
}

function messageFrom({ role, text, reasoning, refusal, calls }: Choice): EventMessage {
  const parts: MessagePart[] = []
  if (reasoning !== '') parts.push({ type: 'reasoning', content: reasoning })
  if (text !== '') parts.push(textPart(text))
  if (refusal !== '') parts.push({ type: 'refusal', content: refusal })
  for (const call of calls.values()) parts.push(toolCall(call.id, call.name, call.given))
  return { role, parts }
}

/** Reads the chunks of a stream, or the one object of an answer. @param embed an answer of `/embeddings`, whose vectors are not kept */
export function openaiReader(stream: boolean, embed: boolean): WireReader {
  const choices = new Map<number, Choice>()
  let fields: WireFields = {}
  let usage: unknown
  let ended = false
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
      for (const [at, raw] of listOf(chunk.choices).entries()) {
        const index = countOf(raw.index) ?? at
        const choice = choices.get(index) ?? newChoice()
        if (choices.size < MOST_CHOICES) choices.set(index, choice)
        take(choice, raw)
      }
      if (!stream && (Array.isArray(chunk.choices) || (embed && Array.isArray(chunk.data)))) ended = true
    },
    done() {
      const all = [...choices.values()]
      const finishes = all.flatMap((choice) => choice.finish ?? [])
      const messages = all.map(messageFrom).filter((message) => message.parts.length > 0)
      return {
        fields: known({
          ...fields,
          ...usageOf(usage),
          finish_reasons: finishes.length === 0 ? undefined : finishes,
          output_messages: messages.length === 0 ? undefined : messages
        }),
        ended,
        error
      }
    }
  }
}
