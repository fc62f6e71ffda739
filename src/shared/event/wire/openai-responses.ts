// SPDX-License-Identifier: Apache-2.0
// OpenAI's responses interface. A stream ends with `response.completed`, `response.incomplete` or `response.failed`, which hold the whole answer.
import type { EventMessage } from '../canonical-event.ts'
import { contentParts } from './openai-parts.ts'
import {
  allObjects,
  anyPart,
  beside,
  countOf,
  type DigestBase64,
  errorOf,
  flagOf,
  isObject,
  type Json,
  kept,
  known,
  listOf,
  mediaPart,
  numberOf,
  objectOf,
  rest,
  shortTextOf,
  textMessage,
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

const summaryOf = (raw: Json): string =>
  [...listOf(raw.summary), ...listOf(raw.content)]
    .map((one) => textOf(one.text) ?? '')
    .filter((text) => text !== '')
    .join('\n')

const readOfCall: ReadonlySet<string> = new Set(['type', 'call_id', 'id', 'name', 'arguments', 'input', 'status'])
const readOfOutput: ReadonlySet<string> = new Set(['type', 'call_id', 'id', 'output', 'status'])
const readOfReasoning: ReadonlySet<string> = new Set(['type', 'id', 'summary', 'content', 'status'])
const readOfPicture: ReadonlySet<string> = new Set(['type', 'result'])
const readOfItem: ReadonlySet<string> = new Set(['type', 'id', 'role', 'content', 'status'])

/** One item of an input or output list as a message. */
function itemOf(raw: Json, role: string, digest: DigestBase64): EventMessage {
  switch (raw.type) {
    case 'function_call':
    case 'custom_tool_call':
      return { role: 'assistant', parts: [beside(toolCall(raw.call_id ?? raw.id, raw.name, raw.arguments ?? raw.input), raw, readOfCall)] }
    case 'function_call_output':
    case 'custom_tool_call_output':
      return { role: 'tool', parts: [beside(toolResponse(raw.call_id, raw.output), raw, readOfOutput)] }
    case 'reasoning': {
      const content = summaryOf(raw)
      const part = beside({ type: 'reasoning', content }, raw, readOfReasoning)
      return { role: 'assistant', parts: content === '' && Object.keys(part).length === 2 ? [] : [part] }
    }
    case 'image_generation_call': {
      const image = mediaPart('image', textOf(raw.result) ?? '', textOf(raw.output_format), digest)
      return { role: 'assistant', parts: [beside(image, raw, readOfPicture)] }
    }
    case undefined:
    case 'message':
      return beside({ role: textOf(raw.role) ?? role, parts: contentParts(raw.content, digest) }, raw, readOfItem)
    default:
      return { role: textOf(raw.role) ?? role, parts: [anyPart(raw)] }
  }
}

/** The fields of a request to `/responses`. */
export function responsesRequest(body: Json, digest: DigestBase64): WireFields {
  const instructions = textOf(body.instructions)
  const messages: EventMessage[] = instructions === undefined ? [] : [textMessage('system', instructions)]
  if (typeof body.input === 'string') messages.push(textMessage('user', body.input))
  else messages.push(...listOf(body.input).map((one) => itemOf(one, 'user', digest)))
  const user = shortTextOf(body.user)
  const read = {
    model: textOf(body.model),
    stream: flagOf(body.stream),
    temperature: numberOf(body.temperature),
    top_p: numberOf(body.top_p),
    max_output_tokens: countOf(body.max_output_tokens),
    user,
    safety_identifier: user === undefined ? shortTextOf(body.safety_identifier) : undefined,
    conversation: shortTextOf(isObject(body.conversation) ? body.conversation.id : body.conversation),
    instructions,
    input: typeof body.input === 'string' ? body.input : allObjects(body.input),
    tools: toolsOf(body.tools)
  }
  return known({
    request_model: read.model,
    stream: body.stream === true,
    temperature: read.temperature,
    top_p: read.top_p,
    max_tokens: read.max_output_tokens,
    user_id: user ?? read.safety_identifier,
    conversation_id: read.conversation,
    input_messages: messages.length === 0 ? undefined : messages,
    tools: read.tools?.length === 0 ? undefined : read.tools,
    attributes: kept({ request: unread(body, read) })
  })
}

const terminal = new Set(['response.completed', 'response.incomplete', 'response.failed'])

interface Coming {
  raw: Json
  text: string
  given: string
  whole: boolean
}

const MOST_ITEMS = 4096
const readOfResponse: ReadonlySet<string> = new Set(['id', 'object', 'model', 'output', 'usage', 'status', 'error'])
const readOfUsage: ReadonlySet<string> = new Set(['input_tokens', 'output_tokens', 'total_tokens'])
const readOfDetails: ReadonlySet<string> = new Set(['cached_tokens', 'reasoning_tokens'])

const usageRest = (usage: Json): Json | undefined =>
  rest(
    {
      ...usage,
      input_tokens_details: rest(objectOf(usage.input_tokens_details), readOfDetails),
      output_tokens_details: rest(objectOf(usage.output_tokens_details), readOfDetails)
    },
    readOfUsage
  )

/** Reads the events of a stream, or the one object of an answer. */
export function responsesReader(stream: boolean, digest: DigestBase64): WireReader {
  let response: Json = {}
  /** Items of a stream by their place, as far as they have come: what a stream that breaks off leaves. */
  const items = new Map<number, Coming>()
  let partial = false
  let ended = false
  let error: WireAnswer['error']
  const itemAt = (place: unknown): Coming => {
    const at = countOf(place) ?? 0
    const found = items.get(at) ?? { raw: {}, text: '', given: '', whole: false }
    if (items.size < MOST_ITEMS) items.set(at, found)
    else if (!items.has(at)) partial = true
    return found
  }
  const comingOf = ({ raw, text, given, whole }: Coming): EventMessage => {
    if (whole) return itemOf(raw, 'assistant', digest)
    if (given !== '') return { role: 'assistant', parts: [toolCall(raw.call_id ?? raw.id, raw.name, given)] }
    return {
      role: 'assistant',
      parts: text === '' ? [] : [raw.type === 'reasoning' ? { type: 'reasoning', content: text } : textPart(text)]
    }
  }
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
      const delta = textOf(raw.delta) ?? ''
      switch (type) {
        case 'response.output_item.added':
          itemAt(raw.output_index).raw = objectOf(raw.item)
          break
        case 'response.output_item.done':
          Object.assign(itemAt(raw.output_index), { raw: objectOf(raw.item), whole: true })
          break
        case 'response.output_text.delta':
        case 'response.refusal.delta':
        case 'response.reasoning_summary_text.delta':
        case 'response.reasoning_text.delta':
          itemAt(raw.output_index).text += delta
          break
        case 'response.function_call_arguments.delta':
        case 'response.custom_tool_call_input.delta':
          itemAt(raw.output_index).given += delta
          break
        default:
      }
      if (type === 'error') error ??= errorOf({ error: isObject(raw.error) ? raw.error : { ...raw, type: textOf(raw.code) } })
      else error ??= errorOf(raw)
      if (type !== undefined && terminal.has(type)) ended = true
    },
    done() {
      error ??= errorOf(response)
      const output = listOf(response.output)
      // A stream that broke off has what it says in its events only.
      const messages = (
        output.length > 0 ? output.map((one) => itemOf(one, 'assistant', digest)) : [...items.values()].map(comingOf)
      ).filter((message) => message.parts.length > 0)
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
          output_messages: messages.length === 0 ? undefined : messages,
          attributes: kept({ response: kept({ ...rest(response, readOfResponse), usage: usageRest(objectOf(usage)) }) })
        }),
        ended,
        partial,
        error
      }
    }
  }
}
