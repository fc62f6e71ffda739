// SPDX-License-Identifier: Apache-2.0
// OpenAI's responses interface. A stream ends with `response.completed`, `response.incomplete` or `response.failed`, which hold the whole answer.
import type { EventMessage, MessagePart } from '../canonical-event.ts'
import { contentParts } from './openai-chat.ts'
import {
  countOf,
  type DigestBase64,
  errorOf,
  isObject,
  type Json,
  known,
  listOf,
  numberOf,
  objectOf,
  textMessage,
  textOf,
  textPart,
  toolCall,
  toolResponse,
  type WireAnswer,
  type WireFields,
  type WireReader
} from './wire.ts'

const summaryOf = (raw: Json): string =>
  [...listOf(raw.summary), ...listOf(raw.content)]
    .map((one) => textOf(one.text) ?? '')
    .filter((text) => text !== '')
    .join('\n')

/** One item of an input or output list as a message. */
function itemOf(raw: Json, role: string, digest: DigestBase64): EventMessage {
  switch (raw.type) {
    case 'function_call':
      return { role: 'assistant', parts: [toolCall(raw.call_id ?? raw.id, raw.name, raw.arguments)] }
    case 'function_call_output':
      return { role: 'tool', parts: [toolResponse(raw.call_id, raw.output)] }
    case 'reasoning': {
      const content = summaryOf(raw)
      return { role: 'assistant', parts: content === '' ? [] : [{ type: 'reasoning', content }] }
    }
    case undefined:
    case 'message':
      return { role: textOf(raw.role) ?? role, parts: contentParts(raw.content, digest) }
    default:
      return { role: textOf(raw.role) ?? role, parts: [{ type: textOf(raw.type) ?? 'unknown' }] }
  }
}

/** The fields of a request to `/responses`. */
export function responsesRequest(body: Json, digest: DigestBase64): WireFields {
  const instructions = textOf(body.instructions)
  const messages: EventMessage[] = instructions === undefined ? [] : [textMessage('system', instructions)]
  if (typeof body.input === 'string') messages.push(textMessage('user', body.input))
  else messages.push(...listOf(body.input).map((one) => itemOf(one, 'user', digest)))
  const conversation = isObject(body.conversation) ? textOf(body.conversation.id) : textOf(body.conversation)
  return known({
    request_model: textOf(body.model),
    stream: body.stream === true,
    temperature: numberOf(body.temperature),
    top_p: numberOf(body.top_p),
    max_tokens: countOf(body.max_output_tokens),
    user_id: (textOf(body.user) ?? textOf(body.safety_identifier))?.slice(0, 4096),
    conversation_id: conversation?.slice(0, 4096),
    input_messages: messages.length === 0 ? undefined : messages,
    tools: Array.isArray(body.tools) && body.tools.length > 0 ? body.tools : undefined
  })
}

const terminal = new Set(['response.completed', 'response.incomplete', 'response.failed'])

/** Reads the events of a stream, or the one object of an answer. */
export function responsesReader(stream: boolean, digest: DigestBase64): WireReader {
  let response: Json = {}
  let text = ''
  let ended = false
  let error: WireAnswer['error']
  return {
    push(event, name) {
      const raw = objectOf(event)
      if (!stream) {
        response = raw
        error = errorOf(raw)
        ended = typeof raw.status === 'string' && raw.status !== 'in_progress' && raw.status !== 'queued'
        return
      }
      const type = textOf(raw.type) ?? name
      if (isObject(raw.response)) response = { ...response, ...raw.response }
      if (type === 'response.output_text.delta') text += textOf(raw.delta) ?? ''
      if (type === 'error') error ??= errorOf({ error: isObject(raw.error) ? raw.error : { ...raw, type: textOf(raw.code) } })
      else error ??= errorOf(raw)
      if (type !== undefined && terminal.has(type)) ended = true
    },
    done() {
      error ??= errorOf(response)
      const messages = listOf(response.output)
        .map((one) => itemOf(one, 'assistant', digest))
        .filter((message) => message.parts.length > 0)
      // A stream that broke off has its text in the deltas only.
      if (messages.length === 0 && text !== '') messages.push({ role: 'assistant', parts: [textPart(text)] as MessagePart[] })
      const usage = response.usage
      const reason = textOf(objectOf(response.incomplete_details).reason) ?? (ended ? textOf(response.status) : undefined)
      return {
        fields: known({
          response_model: textOf(response.model),
          response_id: textOf(response.id),
          ...(isObject(usage)
            ? {
                input_tokens: countOf(usage.input_tokens),
                output_tokens: countOf(usage.output_tokens),
                cache_read_tokens: countOf(objectOf(usage.input_tokens_details).cached_tokens),
                reasoning_tokens: countOf(objectOf(usage.output_tokens_details).reasoning_tokens),
                usage_source: 'reported' as const
              }
            : { usage_source: 'missing' as const }),
          finish_reasons: reason === undefined ? undefined : [reason],
          output_messages: messages.length === 0 ? undefined : messages
        }),
        ended,
        error
      }
    }
  }
}
