// SPDX-License-Identifier: Apache-2.0
// Ollama's own interface: NDJSON, streamed unless told otherwise, durations in nanoseconds, the end is `done: true`.
import type { EventMessage, MessagePart } from '../canonical-event.ts'
import {
  countOf,
  type DigestBase64,
  errorOf,
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

const imagesOf = (value: unknown, digest: DigestBase64): MessagePart[] =>
  (Array.isArray(value) ? value : [])
    .filter((one): one is string => typeof one === 'string')
    .map((one) => mediaPart('image', one, undefined, digest))

function messageOf(raw: Json, digest: DigestBase64): EventMessage {
  const role = textOf(raw.role) ?? 'user'
  const parts: MessagePart[] = []
  const thinking = textOf(raw.thinking)
  if (thinking !== undefined) parts.push({ type: 'reasoning', content: thinking })
  const content = textOf(raw.content)
  if (content !== undefined) parts.push(role === 'tool' ? toolResponse(raw.tool_call_id ?? raw.tool_name, content) : textPart(content))
  parts.push(...imagesOf(raw.images, digest))
  for (const call of listOf(raw.tool_calls)) {
    const { name, arguments: given } = objectOf(call.function)
    parts.push(toolCall(call.id, name, given))
  }
  return { role, parts }
}

/** The fields of a request to `/api/chat`, `/api/generate`, `/api/embed` or `/api/embeddings`. */
export function ollamaRequest(body: Json, digest: DigestBase64, embed: boolean): WireFields {
  const options = objectOf(body.options)
  const messages: EventMessage[] = listOf(body.messages).map((one) => messageOf(one, digest))
  const system = textOf(body.system)
  if (system !== undefined) messages.push(textMessage('system', system))
  const prompt = textOf(body.prompt)
  if (prompt !== undefined) messages.push({ role: 'user', parts: [textPart(prompt), ...imagesOf(body.images, digest)] })
  for (const input of Array.isArray(body.input) ? body.input : [body.input])
    if (textOf(input) !== undefined) messages.push(textMessage('user', String(input)))
  const seed = numberOf(options.seed)
  return known({
    request_model: textOf(body.model) ?? textOf(body.name),
    stream: embed ? undefined : body.stream !== false,
    temperature: numberOf(options.temperature),
    top_p: numberOf(options.top_p),
    top_k: numberOf(options.top_k),
    max_tokens: countOf(options.num_predict),
    seed: Number.isSafeInteger(seed) ? seed : undefined,
    stop: stopsOf(options.stop),
    input_messages: messages.length === 0 ? undefined : messages,
    tools: Array.isArray(body.tools) && body.tools.length > 0 ? body.tools : undefined
  })
}

/** Nanoseconds as whole microseconds; 0 and absent are unknown (a server that did not load a model says 0). */
const micros = (value: unknown): number | undefined => {
  const ns = countOf(value)
  return ns === undefined || ns === 0 ? undefined : Math.round(ns / 1000)
}

/** Reads the lines of an answer, or its one object: the whole one is a last line that holds everything. */
export function ollamaReader(embed: boolean): WireReader {
  let text = ''
  let thinking = ''
  const calls: MessagePart[] = []
  let fields: WireFields = {}
  let ended = false
  let error: WireAnswer['error']
  let last: Json = {}
  return {
    push(event) {
      const line = objectOf(event)
      error ??= errorOf(line)
      const message = objectOf(line.message)
      text += textOf(message.content) ?? textOf(line.response) ?? ''
      thinking += textOf(message.thinking) ?? textOf(line.thinking) ?? ''
      for (const call of listOf(message.tool_calls)) {
        const { name, arguments: given } = objectOf(call.function)
        calls.push(toolCall(call.id, name, given))
      }
      fields = known({
        ...fields,
        response_model: textOf(line.model) ?? fields.response_model,
        remote_model: textOf(line.remote_model) ?? fields.remote_model,
        remote_host: textOf(line.remote_host) ?? fields.remote_host
      })
      if (line.done === true || (embed && (Array.isArray(line.embeddings) || Array.isArray(line.embedding)))) {
        ended = true
        last = line
      }
    },
    done() {
      const parts: MessagePart[] = []
      if (thinking !== '') parts.push({ type: 'reasoning', content: thinking })
      if (text !== '') parts.push(textPart(text))
      parts.push(...calls)
      // 0 tokens of a prompt stand for one that was taken from the cache whole, or for a server that does not say.
      const input = countOf(last.prompt_eval_count) || undefined
      const output = countOf(last.eval_count) || undefined
      const reason = textOf(last.done_reason)
      return {
        fields: known({
          ...fields,
          load_us: micros(last.load_duration),
          prompt_eval_us: micros(last.prompt_eval_duration),
          eval_us: micros(last.eval_duration),
          input_tokens: input,
          output_tokens: embed ? undefined : output,
          usage_source: input === undefined && output === undefined ? ('missing' as const) : ('reported' as const),
          finish_reasons: reason === undefined ? undefined : [reason],
          output_messages: parts.length === 0 ? undefined : [{ role: 'assistant', parts }]
        }),
        ended,
        error
      }
    }
  }
}
