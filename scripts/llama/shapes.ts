// SPDX-License-Identifier: Apache-2.0
// How one answer of the model is written on each interface that Ollama has: its own, the two of OpenAI, and Anthropic's.
import { randomBytes } from 'node:crypto'

/** What a body asks for, whatever the interface calls it. */
export interface Asked {
  readonly model: unknown
  readonly prompt: string
  readonly stream: boolean
  readonly most?: number | undefined
  readonly temperature?: number | undefined
  readonly seed?: number | undefined
}

export interface Made {
  readonly text: string
  readonly cut: boolean
  readonly promptTokens: number
  readonly tokens: number
  readonly loadMs: number
  readonly promptMs: number
  readonly evalMs: number
}

/** The wire form of one answer. */
export interface Answer {
  /** Content type of a stream. */
  readonly type: string
  readonly first: string
  readonly part: (text: string) => string
  readonly last: (made: Made) => string
  /** The same when it was not to be streamed. */
  readonly whole: (made: Made) => unknown
}

export interface Shape {
  readonly asked: (body: Body) => Asked
  readonly answer: (body: Body) => Answer
  readonly error: (status: number, message: string) => unknown
}

export type Body = Readonly<Record<string, unknown>>

const numberOf = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined)
const isBody = (value: unknown): value is Body => typeof value === 'object' && value !== null && !Array.isArray(value)
const idOf = (prefix: string): string => `${prefix}${randomBytes(12).toString('hex')}`
const seconds = (): number => Math.floor(Date.now() / 1000)

/** Text of a message: a string, or parts with `text`. */
const textOf = (content: unknown): string =>
  typeof content === 'string'
    ? content
    : Array.isArray(content)
      ? content.map((part) => (isBody(part) ? String(part.text ?? '') : '')).join('')
      : ''
const promptOf = (messages: unknown): string =>
  Array.isArray(messages) ? messages.map((one) => (isBody(one) ? `${String(one.role)}: ${textOf(one.content)}\n` : '')).join('') : ''

const EVENTS = 'text/event-stream'
const line = (value: unknown): string => `${JSON.stringify(value)}\n`
const data = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`
const named = (value: Body): string => `event: ${String(value.type)}\n${data(value)}`

const nanos = (ms: number): number => Math.round(ms * 1e6)

function ollama(chat: boolean): Shape {
  const stamp = (body: Body, text: string) => ({
    model: body.model,
    created_at: new Date().toISOString(),
    ...(chat ? { message: { role: 'assistant', content: text } } : { response: text })
  })
  const end = ({ cut, loadMs, promptMs, evalMs, promptTokens, tokens }: Made) => ({
    done: true,
    done_reason: cut ? 'length' : 'stop',
    total_duration: nanos(loadMs + promptMs + evalMs),
    load_duration: nanos(loadMs),
    prompt_eval_count: promptTokens,
    prompt_eval_duration: nanos(promptMs),
    eval_count: tokens,
    eval_duration: nanos(evalMs)
  })
  return {
    asked: (body) => {
      const options = isBody(body.options) ? body.options : {}
      return {
        model: body.model,
        prompt: chat ? promptOf(body.messages) : textOf(body.prompt),
        stream: body.stream !== false,
        most: numberOf(options.num_predict),
        temperature: numberOf(options.temperature),
        seed: numberOf(options.seed)
      }
    },
    answer: (body) => ({
      type: 'application/x-ndjson',
      first: '',
      part: (text) => line({ ...stamp(body, text), done: false }),
      last: (made) => line({ ...stamp(body, ''), ...end(made) }),
      whole: (made) => ({ ...stamp(body, made.text), ...end(made) })
    }),
    error: (_, message) => ({ error: message })
  }
}

const openaiError = (status: number, message: string) => ({
  error: {
    message,
    type: status === 404 ? 'not_found_error' : status < 500 ? 'invalid_request_error' : 'api_error',
    param: null,
    code: null
  }
})

const chatCompletions: Shape = {
  asked: (body) => ({
    model: body.model,
    prompt: promptOf(body.messages),
    stream: body.stream === true,
    most: numberOf(body.max_completion_tokens) ?? numberOf(body.max_tokens),
    temperature: numberOf(body.temperature),
    seed: numberOf(body.seed)
  }),
  answer: (body) => {
    const base = { id: idOf('chatcmpl-'), created: seconds(), model: body.model, system_fingerprint: 'fp_llama' }
    const chunk = (delta: object, finish: string | null) =>
      data({ ...base, object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: finish }] })
    const reason = ({ cut }: Made): string => (cut ? 'length' : 'stop')
    const usage = ({ promptTokens, tokens }: Made) => ({
      prompt_tokens: promptTokens,
      completion_tokens: tokens,
      total_tokens: promptTokens + tokens
    })
    const counted = isBody(body.stream_options) && body.stream_options.include_usage === true
    return {
      type: EVENTS,
      first: chunk({ role: 'assistant', content: '' }, null),
      part: (content) => chunk({ content }, null),
      last: (made) =>
        [
          chunk({}, reason(made)),
          counted ? data({ ...base, object: 'chat.completion.chunk', choices: [], usage: usage(made) }) : '',
          'data: [DONE]\n\n'
        ].join(''),
      whole: (made) => ({
        ...base,
        object: 'chat.completion',
        choices: [{ index: 0, message: { role: 'assistant', content: made.text }, finish_reason: reason(made) }],
        usage: usage(made)
      })
    }
  },
  error: openaiError
}

const responses: Shape = {
  asked: (body) => ({
    model: body.model,
    prompt: `${textOf(body.instructions)}\n${typeof body.input === 'string' ? body.input : promptOf(body.input)}`,
    stream: body.stream === true,
    most: numberOf(body.max_output_tokens),
    temperature: numberOf(body.temperature)
  }),
  answer: (body) => {
    const item = { id: idOf('msg_'), type: 'message', role: 'assistant' }
    const at = { item_id: item.id, output_index: 0, content_index: 0 }
    const base = { id: idOf('resp_'), object: 'response', created_at: seconds(), model: body.model, error: null }
    const partOf = (text: string) => ({ type: 'output_text', text, annotations: [] })
    const itemOf = (made: Made) => ({ ...item, status: made.cut ? 'incomplete' : 'completed', content: [partOf(made.text)] })
    const response = (made: Made) => ({
      ...base,
      status: made.cut ? 'incomplete' : 'completed',
      incomplete_details: made.cut ? { reason: 'max_output_tokens' } : null,
      output: [itemOf(made)],
      usage: {
        input_tokens: made.promptTokens,
        input_tokens_details: { cached_tokens: 0 },
        output_tokens: made.tokens,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: made.promptTokens + made.tokens
      }
    })
    const begun = { ...base, status: 'in_progress', incomplete_details: null, output: [], usage: null }
    let n = 0
    const event = (type: string, more: object) => named({ type, sequence_number: n++, ...more })
    return {
      type: EVENTS,
      first: [
        event('response.created', { response: begun }),
        event('response.in_progress', { response: begun }),
        event('response.output_item.added', { output_index: 0, item: { ...item, status: 'in_progress', content: [] } }),
        event('response.content_part.added', { ...at, part: partOf('') })
      ].join(''),
      part: (delta) => event('response.output_text.delta', { ...at, delta, logprobs: [] }),
      last: (made) =>
        [
          event('response.output_text.done', { ...at, text: made.text, logprobs: [] }),
          event('response.content_part.done', { ...at, part: partOf(made.text) }),
          event('response.output_item.done', { output_index: 0, item: itemOf(made) }),
          event(made.cut ? 'response.incomplete' : 'response.completed', { response: response(made) })
        ].join(''),
      whole: response
    }
  },
  error: openaiError
}

const messages: Shape = {
  asked: (body) => ({
    model: body.model,
    prompt: `${textOf(body.system)}\n${promptOf(body.messages)}`,
    stream: body.stream === true,
    most: numberOf(body.max_tokens),
    temperature: numberOf(body.temperature)
  }),
  answer: (body) => {
    const base = { id: idOf('msg_'), type: 'message', role: 'assistant', model: body.model }
    const end = ({ cut }: Made) => ({ stop_reason: cut ? 'max_tokens' : 'end_turn', stop_sequence: null })
    return {
      type: EVENTS,
      first: [
        named({
          type: 'message_start',
          message: { ...base, content: [], stop_reason: null, stop_sequence: null, usage: { input_tokens: 0, output_tokens: 0 } }
        }),
        named({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } })
      ].join(''),
      part: (text) => named({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } }),
      last: (made) =>
        [
          named({ type: 'content_block_stop', index: 0 }),
          named({
            type: 'message_delta',
            delta: end(made),
            usage: { input_tokens: made.promptTokens, output_tokens: made.tokens }
          }),
          named({ type: 'message_stop' })
        ].join(''),
      whole: (made) => ({
        ...base,
        content: [{ type: 'text', text: made.text }],
        ...end(made),
        usage: { input_tokens: made.promptTokens, output_tokens: made.tokens }
      })
    }
  },
  error: (status, message) => ({
    type: 'error',
    error: { type: status === 404 ? 'not_found_error' : status < 500 ? 'invalid_request_error' : 'api_error', message }
  })
}

/** By path of a POST. */
export const shapes: Readonly<Record<string, Shape>> = {
  '/api/chat': ollama(true),
  '/api/generate': ollama(false),
  '/v1/chat/completions': chatCompletions,
  '/v1/responses': responses,
  '/v1/messages': messages
}
