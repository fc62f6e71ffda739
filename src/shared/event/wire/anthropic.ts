// SPDX-License-Identifier: Apache-2.0
// Anthropic's messages. Input tokens are counted without those of the cache; output tokens of a stream are cumulative: the last count is the count.
import { type EventMessage, type MessagePart, messagesText } from '../canonical-event.ts'
import {
  allObjects,
  anyPart,
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
  partsOf,
  rest,
  shortTextOf,
  stopsOf,
  textOf,
  textPart,
  toolCall,
  toolResponse,
  toolsOf,
  unread,
  type WireAnswer,
  type WireFields,
  type WireReader
} from './wire.ts'

function sourcePart(modality: string, raw: Json, digest: DigestBase64): MessagePart {
  const source = objectOf(raw.source)
  const data = textOf(source.data) ?? textOf(source.url)
  if (source.type === 'text' && data !== undefined) return { type: modality, content: data }
  if (source.type === 'content')
    return {
      type: modality,
      content: messagesText([{ role: '', parts: blocksOf(source.content, digest) }]),
      source: blocksOf(source.content, digest)
    }
  if (data !== undefined) return mediaPart(modality, data, textOf(source.media_type), digest)
  return known({ type: 'file', modality, file_id: textOf(source.file_id) })
}

function blockOf(raw: Json, digest: DigestBase64): MessagePart {
  switch (raw.type) {
    case 'text':
      return beside(textPart(textOf(raw.text) ?? ''), raw, readOfText)
    case 'thinking':
      return beside({ type: 'reasoning', content: textOf(raw.thinking) ?? '' }, raw, readOfThinking)
    case 'tool_use':
    case 'server_tool_use':
    case 'mcp_tool_use':
      return beside(toolCall(raw.id, raw.name, raw.input), raw, readOfCall)
    case 'tool_result': {
      const content = typeof raw.content === 'string' ? raw.content : listOf(raw.content).map((one) => blockOf(one, digest))
      return beside(toolResponse(raw.tool_use_id, content), raw, readOfResult)
    }
    case 'image':
      return beside(sourcePart('image', raw, digest), raw, readOfSource)
    case 'document':
      return beside(sourcePart('document', raw, digest), raw, readOfSource)
    default:
      // What a tool of the server found, such as pages of the web.
      if (typeof raw.tool_use_id === 'string' && raw.content !== undefined)
        return beside({ ...toolResponse(raw.tool_use_id, raw.content), kind: raw.type }, raw, readOfResult)
      return anyPart(raw)
  }
}

const readOfText: ReadonlySet<string> = new Set(['type', 'text'])
const readOfThinking: ReadonlySet<string> = new Set(['type', 'thinking'])
const readOfCall: ReadonlySet<string> = new Set(['type', 'id', 'name', 'input'])
const readOfResult: ReadonlySet<string> = new Set(['type', 'tool_use_id', 'content'])
const readOfSource: ReadonlySet<string> = new Set(['type', 'source'])
const readOfMessage: ReadonlySet<string> = new Set(['role', 'content'])

const blocksOf = (content: unknown, digest: DigestBase64): MessagePart[] => partsOf(content, (one) => blockOf(one, digest))

/** The fields of a request to `/v1/messages`. */
export function anthropicRequest(body: Json, digest: DigestBase64): WireFields {
  const system = blocksOf(body.system, digest)
  const messages: EventMessage[] = [
    ...(system.length === 0 ? [] : [{ role: 'system', parts: system }]),
    ...listOf(body.messages).map((one) =>
      beside({ role: textOf(one.role) ?? 'user', parts: blocksOf(one.content, digest) }, one, readOfMessage)
    )
  ]
  const user = shortTextOf(objectOf(body.metadata).user_id)
  const read = {
    model: textOf(body.model),
    stream: flagOf(body.stream),
    temperature: numberOf(body.temperature),
    top_p: numberOf(body.top_p),
    top_k: numberOf(body.top_k),
    max_tokens: countOf(body.max_tokens),
    stop_sequences: stopsOf(body.stop_sequences),
    metadata: user !== undefined && Object.keys(objectOf(body.metadata)).length === 1 ? user : undefined,
    system: typeof body.system === 'string' ? body.system : allObjects(body.system),
    messages: allObjects(body.messages),
    tools: toolsOf(body.tools)
  }
  return known({
    request_model: read.model,
    stream: body.stream === true,
    temperature: read.temperature,
    top_p: read.top_p,
    top_k: read.top_k,
    max_tokens: read.max_tokens,
    stop: read.stop_sequences,
    user_id: user,
    input_messages: messages.length === 0 ? undefined : messages,
    tools: read.tools?.length === 0 ? undefined : read.tools,
    attributes: kept({ request: unread(body, read) })
  })
}

interface Block {
  raw: Json
  text: string
  json: string
  /** What other pieces say, by their names. */
  readonly more: Gathered
  readonly citations: unknown[]
}

const readOfDelta: ReadonlySet<string> = new Set(['type', 'text', 'thinking', 'partial_json', 'citation'])

function finished({ raw, text, json, more, citations }: Block, digest: DigestBase64): MessagePart {
  const own = { ...raw, ...more.value, ...(citations.length === 0 ? {} : { citations }) }
  if (raw.type === 'text') return blockOf({ ...own, text }, digest)
  if (raw.type === 'thinking') return blockOf({ ...own, thinking: text }, digest)
  return blockOf(json === '' ? own : { ...own, input: json }, digest)
}

const MOST_BLOCKS = 4096
const readOfAnswer: ReadonlySet<string> = new Set(['id', 'type', 'role', 'content', 'model', 'stop_reason', 'usage', 'error'])
const readOfLast: ReadonlySet<string> = new Set(['type', 'delta', 'usage'])
const readOfUsage: ReadonlySet<string> = new Set([
  'input_tokens',
  'output_tokens',
  'cache_read_input_tokens',
  'cache_creation_input_tokens'
])

/** Reads the events of a stream, or the one object of an answer. */
export function anthropicReader(stream: boolean, digest: DigestBase64): WireReader {
  const blocks = new Map<number, Block>()
  let message: Json = {}
  let usage: Json = {}
  let stop: string | undefined
  let ended = false
  let partial = false
  let last: Json = {}
  let error: WireAnswer['error']
  const block = (index: unknown): Block => {
    const at = countOf(index) ?? 0
    const found = blocks.get(at) ?? { raw: { type: 'text' }, text: '', json: '', more: new Gathered(), citations: [] }
    if (blocks.size < MOST_BLOCKS) blocks.set(at, found)
    else if (!blocks.has(at)) partial = true
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
          if (isObject(delta.citation)) found.citations.push(delta.citation)
          found.more.add(rest(delta, readOfDelta))
          return
        }
        case 'message_delta':
          stop = textOf(objectOf(raw.delta).stop_reason) ?? stop
          last = { ...last, ...rest(objectOf(raw.delta), readOfAnswer), ...rest(raw, readOfLast) }
          usage = { ...usage, ...known(objectOf(raw.usage)) }
          return
        case 'message_stop':
          ended = true
          return
        default:
      }
    },
    done() {
      const parts = stream ? [...blocks.values()].map((one) => finished(one, digest)) : blocksOf(message.content, digest)
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
          output_messages: full.length === 0 ? undefined : [{ role: textOf(message.role) ?? 'assistant', parts: full }],
          attributes: kept({ response: kept({ ...rest(message, readOfAnswer), ...last, usage: rest(usage, readOfUsage) }) })
        }),
        ended,
        partial,
        error
      }
    }
  }
}
