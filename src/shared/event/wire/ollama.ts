// SPDX-License-Identifier: Apache-2.0
// Ollama's own interface: NDJSON, streamed unless told otherwise, durations in nanoseconds, the end is `done: true`.
import type { EventMessage, MessagePart } from '../canonical-event.ts'
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
  mediaPart,
  numberOf,
  objectOf,
  rest,
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
  return beside({ role, parts }, raw, readOfMessage)
}

const readOfMessage: ReadonlySet<string> = new Set(['role', 'content', 'thinking', 'images', 'tool_calls'])

/** The fields of a request to `/api/chat`, `/api/generate`, `/api/embed` or `/api/embeddings`. */
export function ollamaRequest(body: Json, digest: DigestBase64, embed: boolean): WireFields {
  const options = objectOf(body.options)
  const messages: EventMessage[] = listOf(body.messages).map((one) => messageOf(one, digest))
  const system = textOf(body.system)
  if (system !== undefined) messages.push(textMessage('system', system))
  const prompt = textOf(body.prompt)
  const images = imagesOf(body.images, digest)
  if (prompt !== undefined || images.length > 0)
    messages.push({ role: 'user', parts: [...(prompt === undefined ? [] : [textPart(prompt)]), ...images] })
  const inputs: readonly unknown[] = Array.isArray(body.input) ? body.input : [body.input]
  const texts = inputs.filter((one): one is string => typeof one === 'string')
  messages.push(...texts.filter((one) => one !== '').map((one) => textMessage('user', one)))
  const readOptions = {
    temperature: numberOf(options.temperature),
    top_p: numberOf(options.top_p),
    top_k: numberOf(options.top_k),
    num_predict: countOf(options.num_predict),
    seed: wholeOf(options.seed),
    stop: stopsOf(options.stop)
  }
  const model = textOf(body.model)
  const read = {
    model,
    name: model === undefined ? textOf(body.name) : undefined,
    stream: flagOf(body.stream),
    system,
    prompt,
    images: images.length === (Array.isArray(body.images) ? body.images.length : -1) ? images : undefined,
    input: texts.length === inputs.length ? texts : undefined,
    messages: allObjects(body.messages),
    tools: toolsOf(body.tools),
    options: isObject(body.options) ? options : undefined
  }
  return known({
    request_model: model ?? read.name,
    stream: embed ? undefined : body.stream !== false,
    temperature: readOptions.temperature,
    top_p: readOptions.top_p,
    top_k: readOptions.top_k,
    max_tokens: readOptions.num_predict,
    seed: readOptions.seed,
    stop: readOptions.stop,
    input_messages: messages.length === 0 ? undefined : messages,
    tools: read.tools?.length === 0 ? undefined : read.tools,
    attributes: kept({ request: kept({ ...unread(body, read), options: read.options && unread(options, readOptions) }) })
  })
}

/** Nanoseconds as whole microseconds; 0 and absent are unknown (a server that did not load a model says 0). */
const micros = (value: unknown): number | undefined => {
  const ns = countOf(value)
  return ns === undefined || ns === 0 ? undefined : Math.round(ns / 1000)
}

const readOfLast: ReadonlySet<string> = new Set([
  ...['model', 'message', 'response', 'thinking', 'done', 'done_reason', 'error', 'remote_model', 'remote_host', 'embedding', 'embeddings'],
  ...['load_duration', 'prompt_eval_duration', 'eval_duration', 'prompt_eval_count', 'eval_count']
])

/** Reads the lines of an answer, or its one object: the whole one is a last line that holds everything. */
export function ollamaReader(embed: boolean): WireReader {
  let text = ''
  let thinking = ''
  const calls: MessagePart[] = []
  let fields: WireFields = {}
  let ended = false
  let error: WireAnswer['error']
  let last: Json = {}
  const more = new Gathered()
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
      more.add(rest(message, readOfMessage))
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
          output_messages: parts.length === 0 ? undefined : [beside({ role: 'assistant', parts }, more.value ?? {}, readOfMessage)],
          attributes: kept({ response: rest(last, readOfLast) })
        }),
        ended,
        error
      }
    }
  }
}
