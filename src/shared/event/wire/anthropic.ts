// SPDX-License-Identifier: Apache-2.0
// Anthropic's messages. Input tokens are counted without those of the cache; output tokens of a stream are cumulative: the last count is the count.
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
  textOf,
  textPart,
  toolCall,
  toolResponse,
  type WireAnswer,
  type WireFields,
  type WireReader
} from './wire.ts'

function sourcePart(modality: string, raw: Json, digest: DigestBase64): MessagePart {
  const source = objectOf(raw.source)
  const data = textOf(source.data) ?? textOf(source.url)
  if (source.type === 'text' && data !== undefined) return { type: modality, content: data }
  if (data !== undefined) return mediaPart(modality, data, textOf(source.media_type), digest)
  return known({ type: 'file', modality, file_id: textOf(source.file_id) })
}

function blockOf(raw: Json, digest: DigestBase64): MessagePart {
  switch (raw.type) {
    case 'text':
      return textPart(textOf(raw.text) ?? '')
    case 'thinking':
      return { type: 'reasoning', content: textOf(raw.thinking) ?? '' }
    case 'tool_use':
    case 'server_tool_use':
      return toolCall(raw.id, raw.name, raw.input)
    case 'tool_result': {
      const content = typeof raw.content === 'string' ? raw.content : listOf(raw.content).map((one) => blockOf(one, digest))
      return toolResponse(raw.tool_use_id, content)
    }
    case 'image':
      return sourcePart('image', raw, digest)
    case 'document':
      return sourcePart('document', raw, digest)
    default:
      return { type: textOf(raw.type) ?? 'unknown' }
  }
}

const partsOf = (content: unknown, digest: DigestBase64): MessagePart[] =>
  typeof content === 'string' ? (content === '' ? [] : [textPart(content)]) : listOf(content).map((one) => blockOf(one, digest))

/** The fields of a request to `/v1/messages`. */
export function anthropicRequest(body: Json, digest: DigestBase64): WireFields {
  const system = partsOf(body.system, digest)
  const messages: EventMessage[] = [
    ...(system.length === 0 ? [] : [{ role: 'system', parts: system }]),
    ...listOf(body.messages).map((one) => ({ role: textOf(one.role) ?? 'user', parts: partsOf(one.content, digest) }))
  ]
  return known({
    request_model: textOf(body.model),
    stream: body.stream === true,
    temperature: numberOf(body.temperature),
    top_p: numberOf(body.top_p),
    top_k: numberOf(body.top_k),
    max_tokens: countOf(body.max_tokens),
    stop: stopsOf(body.stop_sequences),
    user_id: textOf(objectOf(body.metadata).user_id)?.slice(0, 4096),
    input_messages: messages.length === 0 ? undefined : messages,
    tools: Array.isArray(body.tools) && body.tools.length > 0 ? body.tools : undefined
  })
}

interface Block {
  raw: Json
  text: string
  json: string
}

function finished({ raw, text, json }: Block, digest: DigestBase64): MessagePart {
  if (raw.type === 'text') return textPart(text)
  if (raw.type === 'thinking') return { type: 'reasoning', content: text }
  if (json !== '') return toolCall(raw.id, raw.name, json)
  return blockOf(raw, digest)
}

const MOST_BLOCKS = 4096

/** Reads the events of a stream, or the one object of an answer. */
export function anthropicReader(stream: boolean, digest: DigestBase64): WireReader {
  const blocks = new Map<number, Block>()
  let message: Json = {}
  let usage: Json = {}
  let stop: string | undefined
  let ended = false
  let error: WireAnswer['error']
  const block = (index: unknown): Block => {
    const at = countOf(index) ?? 0
    const found = blocks.get(at) ?? { raw: { type: 'text' }, text: '', json: '' }
    if (blocks.size < MOST_BLOCKS) blocks.set(at, found)
    return found
  }
  const start = (raw: Json): void => {
    message = raw
    usage = { ...usage, ...objectOf(raw.usage) }
    stop = textOf(raw.stop_reason) ?? stop
  }
  return {
    push(event, name) {
      const raw = objectOf(event)
      const type = textOf(raw.type) ?? name
      error ??= errorOf(raw)
      if (!stream) {
        start(raw)
        ended = type === 'message'
        return
      }
      switch (type) {
        case 'message_start':
          start(objectOf(raw.message))
          return
        case 'content_block_start': {
          const found = block(raw.index)
          found.raw = objectOf(raw.content_block)
          found.text = textOf(found.raw.text) ?? textOf(found.raw.thinking) ?? ''
          return
        }
        case 'content_block_delta': {
          const delta = objectOf(raw.delta)
          const found = block(raw.index)
          found.text += textOf(delta.text) ?? textOf(delta.thinking) ?? ''
          found.json += textOf(delta.partial_json) ?? ''
          return
        }
        case 'message_delta':
          stop = textOf(objectOf(raw.delta).stop_reason) ?? stop
          usage = { ...usage, ...known(objectOf(raw.usage)) }
          return
        case 'message_stop':
          ended = true
          return
        default:
      }
    },
    done() {
      const parts = stream ? [...blocks.values()].map((one) => finished(one, digest)) : partsOf(message.content, digest)
      const read = countOf(usage.cache_read_input_tokens)
      const created = countOf(usage.cache_creation_input_tokens)
      const plain = countOf(usage.input_tokens)
      const full = parts.filter((part) => part.content !== '')
      return {
        fields: known({
          response_model: textOf(message.model),
          response_id: textOf(message.id),
          input_tokens: plain === undefined ? undefined : plain + (read ?? 0) + (created ?? 0),
          output_tokens: countOf(usage.output_tokens),
          cache_read_tokens: read,
          cache_creation_tokens: created,
          usage_source: plain === undefined && !isObject(message.usage) ? ('missing' as const) : ('reported' as const),
          finish_reasons: stop === undefined ? undefined : [stop],
          output_messages: full.length === 0 ? undefined : [{ role: textOf(message.role) ?? 'assistant', parts: full }]
        }),
        ended,
        error
      }
    }
  }
}
