// SPDX-License-Identifier: Apache-2.0
// What a body says beside the fields of an event is kept as it was said.
import { describe, expect, it } from 'vitest'
import { wireReader, wireRequest } from './routes.ts'
import { feed } from './split.ts'
import type { WireAnswer, WireApi } from './wire.ts'

const digest = (base64: string): string => `digest of ${base64.length}`
const requestOf = (api: WireApi, body: object) => wireRequest(api, body as Readonly<Record<string, unknown>>, digest)
function answerOf(api: WireApi, ...events: object[]): WireAnswer {
  const stream = events.length > 1
  const reader = wireReader(api, stream, digest)
  const text = stream ? events.map((one) => `data: ${JSON.stringify(one)}\n\n`).join('') : JSON.stringify(events[0])
  for (const _ of feed(reader, stream ? 'sse' : 'json', text, false));
  return reader.done()
}

it('a stream of several choices gives them, and their calls, by index, whichever comes first', () => {
  const piece = (index: number, delta: object, finish_reason: string | null = null) => ({ choices: [{ index, delta, finish_reason }] })
  const call = (index: number, name: string) => ({ tool_calls: [{ index, id: name, function: { name, arguments: '{}' } }] })
  const { fields } = answerOf(
    'openai.chat',
    piece(1, { content: 'B' }),
    piece(0, { content: 'A' }),
    piece(1, call(1, 'g'), 'tool_calls'),
    piece(1, call(0, 'f')),
    piece(0, {}, 'stop')
  )
  expect(fields.finish_reasons).toEqual(['stop', 'tool_calls'])
  expect(fields.output_messages?.map(({ parts }) => parts.map((part) => part.content ?? part.name))).toEqual([['A'], ['B', 'f', 'g']])
})

describe('a request', () => {
  it('to OpenAI keeps its other parameters, and those that do not fit their field', () => {
    const request = {
      response_format: { type: 'json_schema', json_schema: { name: 'x', schema: {} } },
      tool_choice: 'required',
      presence_penalty: 0.5,
      frequency_penalty: -1,
      logit_bias: { '50256': -100 },
      reasoning_effort: 'high',
      functions: [{ name: 'old' }],
      n: 2,
      seed: 1.5,
      top_p: 'much'
    }
    const messages = [{ role: 'user', content: 'Q', name: 'ann' }]
    const fields = requestOf('openai.chat', { model: 'm', messages, temperature: 0.1, stream: false, user: null, ...request })
    expect(fields.attributes).toEqual({ request })
    expect(fields).toMatchObject({ temperature: 0.1, stream: false, input_messages: [{ role: 'user', name: 'ann' }] })
    expect(requestOf('openai.completions', { model: 'm', prompt: 'a', suffix: 'b', max_tokens: 3 }).attributes).toEqual({
      request: { suffix: 'b' }
    })
  })

  it('has no attributes when every member has its field', () => {
    const messages = [{ role: 'user', content: 'Q' }]
    expect(requestOf('openai.chat', { model: 'm', messages, stream: true, stop: ['x'], tools: [] }).attributes).toBeUndefined()
    expect(requestOf('anthropic.messages', { model: 'm', messages, max_tokens: 5, system: 'S' }).attributes).toBeUndefined()
    expect(requestOf('ollama.chat', { model: 'm', messages, options: { seed: 1 } }).attributes).toBeUndefined()
    expect(requestOf('openai.responses', { model: 'm', input: 'Q', instructions: 'S' }).attributes).toBeUndefined()
  })

  it('with tokens instead of text keeps the tokens', () => {
    expect(requestOf('openai.embeddings', { model: 'm', input: [[1, 2], [3]] }).attributes).toEqual({ request: { input: [[1, 2], [3]] } })
    expect(requestOf('openai.completions', { model: 'm', prompt: [1, 2] }).attributes).toEqual({ request: { prompt: [1, 2] } })
    const mixed = requestOf('openai.completions', { model: 'm', prompt: ['a', [1]] })
    expect(mixed.attributes).toEqual({ request: { prompt: ['a', [1]] } })
  })

  it('to Ollama keeps format and options', () => {
    const request = { format: 'json', keep_alive: '5m', raw: true, suffix: 'b', context: [1, 2], options: { num_ctx: 8192, mirostat: 1 } }
    const fields = requestOf('ollama.generate', {
      model: 'm',
      prompt: 'a',
      ...request,
      options: { ...request.options, temperature: 0, seed: 7 }
    })
    expect(fields).toMatchObject({ temperature: 0, seed: 7, attributes: { request } })
    expect(requestOf('ollama.generate', { model: 'm', images: ['AAAA'] }).input_messages).toMatchObject([{ parts: [{ type: 'blob' }] }])
  })

  it('to OpenAI responses keeps what it goes on from, and items of every type', () => {
    const fields = requestOf('openai.responses', {
      model: 'm',
      previous_response_id: 'resp_1',
      input: [
        { type: 'custom_tool_call', call_id: 'c1', name: 'shell', input: 'ls' },
        { type: 'custom_tool_call_output', call_id: 'c1', output: 'a b' },
        { type: 'item_reference', id: 'it_1' },
        { type: 'mcp_call', name: 'find', arguments: '{}', output: 'found' },
        { role: 'user', content: ['plain', { type: 'input_text', text: 'typed' }, 5] }
      ]
    })
    expect(fields.attributes).toEqual({ request: { previous_response_id: 'resp_1' } })
    expect(fields.input_messages?.map(({ role, parts }) => [role, ...parts])).toEqual([
      ['assistant', { type: 'tool_call', id: 'c1', name: 'shell', arguments: 'ls' }],
      ['tool', { type: 'tool_call_response', id: 'c1', response: 'a b' }],
      ['user', { type: 'item_reference', id: 'it_1' }],
      ['user', { type: 'mcp_call', name: 'find', arguments: '{}', output: 'found' }],
      ['user', { type: 'text', content: 'plain' }, { type: 'text', content: 'typed' }, { type: 'json', content: '5' }]
    ])
  })

  it('to Anthropic keeps documents, what tools of the server found, and marks of the cache', () => {
    const found = [{ type: 'web_search_result', url: 'https://a.example', title: 'A', encrypted_content: 'zz' }]
    const fields = requestOf('anthropic.messages', {
      model: 'm',
      max_tokens: 5,
      metadata: { user_id: 'u', team: 't' },
      tool_choice: { type: 'any' },
      thinking: { type: 'enabled', budget_tokens: 1024 },
      messages: [
        {
          role: 'user',
          content: [
            {
              type: 'document',
              source: { type: 'content', content: [{ type: 'text', text: 'Page' }] },
              title: 'T',
              citations: { enabled: true }
            },
            { type: 'web_search_tool_result', tool_use_id: 's1', content: found },
            { type: 'text', text: 'Q', cache_control: { type: 'ephemeral' } },
            { type: 'text', text: 'Q', content: { not: 'a text' } }
          ]
        }
      ]
    })
    expect(fields).toMatchObject({
      user_id: 'u',
      attributes: { request: { metadata: { user_id: 'u', team: 't' }, tool_choice: { type: 'any' }, thinking: { budget_tokens: 1024 } } }
    })
    expect(fields.input_messages?.[0]?.parts).toEqual([
      { type: 'document', content: 'Page', source: [{ type: 'text', content: 'Page' }], title: 'T', citations: { enabled: true } },
      { type: 'tool_call_response', id: 's1', response: found, kind: 'web_search_tool_result' },
      { type: 'text', content: 'Q', cache_control: { type: 'ephemeral' } },
      { type: 'text', content: 'Q', as_sent: { content: { not: 'a text' } } }
    ])
  })

  it('cannot put its own members in the place of those that are read', () => {
    const [message] =
      requestOf('openai.chat', { model: 'm', messages: [{ role: 'user', content: 'Q', parts: ['other'] }] }).input_messages ?? []
    expect(message).toEqual({ role: 'user', parts: [{ type: 'text', content: 'Q' }], as_sent: { parts: ['other'] } })
  })
})

describe('an answer', () => {
  it('of OpenAI keeps fingerprint, tier, log probabilities and citations', () => {
    const more = { system_fingerprint: 'fp_1', service_tier: 'default', created: 5 }
    const message = { role: 'assistant', content: 'A', annotations: [{ type: 'url_citation', url: 'https://a.example' }], refusal: null }
    const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3, cost: 0.1, completion_tokens_details: { audio_tokens: 4 } }
    const choices = [{ index: 0, message, finish_reason: 'stop', logprobs: { content: [{ token: 'A' }] } }]
    const { fields } = answerOf('openai.chat', { id: 'x', model: 'm', object: 'chat.completion', choices, usage, ...more })
    expect(fields.attributes).toEqual({ response: { ...more, usage: { cost: 0.1, completion_tokens_details: { audio_tokens: 4 } } } })
    expect(fields.output_messages).toEqual([
      {
        role: 'assistant',
        parts: [{ type: 'text', content: 'A' }],
        annotations: message.annotations,
        logprobs: { content: [{ token: 'A' }] }
      }
    ])
  })

  it('of OpenAI in a stream keeps them too, and calls of functions and custom tools', () => {
    const chunk = (delta: object, more: object = {}) => ({
      model: 'm',
      system_fingerprint: 'fp_1',
      choices: [{ index: 0, delta, ...more }]
    })
    const { fields } = answerOf(
      'openai.chat',
      chunk({ content: 'A' }, { logprobs: { content: [1] } }),
      chunk({ content: 'B' }, { logprobs: { content: [2] } }),
      chunk({ tool_calls: [{ index: 0, id: 'c', custom: { name: 'sh', input: 'l' } }] }),
      chunk({ tool_calls: [{ index: 0, custom: { input: 's' } }] }),
      chunk({ function_call: { name: 'old', arguments: '{"a"' } }),
      chunk({ function_call: { arguments: ':1}' } })
    )
    expect(fields.attributes).toEqual({ response: { system_fingerprint: 'fp_1' } })
    expect(fields.output_messages).toEqual([
      {
        role: 'assistant',
        parts: [
          { type: 'text', content: 'AB' },
          { type: 'tool_call', id: 'c', name: 'sh', arguments: 'ls' },
          { type: 'tool_call', name: 'old', arguments: { a: 1 } }
        ],
        logprobs: [{ content: [1] }, { content: [2] }]
      }
    ])
  })

  it('with more choices or calls than are read says so', () => {
    const choices = Array.from({ length: 200 }, (_, index) => ({ index, message: { content: 'A' } }))
    expect(answerOf('openai.chat', { model: 'm', choices }).partial).toBe(true)
    const tool_calls = Array.from({ length: 200 }, (_, index) => ({ index, function: { name: 'f' } }))
    expect(answerOf('openai.chat', { model: 'm', choices: [{ message: { tool_calls } }] }).partial).toBe(true)
    expect(answerOf('openai.chat', { model: 'm', choices: choices.slice(0, 100) }).partial).toBe(false)
  })

  it('of Anthropic in a stream keeps citations, signatures and results of tools', () => {
    const start = (index: number, content_block: object) => ({ type: 'content_block_start', index, content_block })
    const delta = (index: number, one: object) => ({ type: 'content_block_delta', index, delta: one })
    const citation = { type: 'page_location', cited_text: 'Page' }
    const { fields } = answerOf(
      'anthropic.messages',
      { type: 'message_start', message: { model: 'm', container: { id: 'c' }, usage: { input_tokens: 1, service_tier: 'standard' } } },
      start(0, { type: 'thinking', thinking: '' }),
      delta(0, { type: 'thinking_delta', thinking: 'Hm' }),
      delta(0, { type: 'signature_delta', signature: 'sig' }),
      start(1, { type: 'server_tool_use', id: 's1', name: 'web_search', input: {} }),
      delta(1, { type: 'input_json_delta', partial_json: '{"query":"a"}' }),
      start(2, { type: 'web_search_tool_result', tool_use_id: 's1', content: [{ url: 'https://a.example' }] }),
      start(3, { type: 'text', text: '', citations: [] }),
      delta(3, { type: 'text_delta', text: 'A' }),
      delta(3, { type: 'citations_delta', citation }),
      { type: 'message_delta', delta: { stop_reason: 'stop_sequence', stop_sequence: 'END' }, usage: { output_tokens: 2 } },
      { type: 'message_stop' }
    )
    expect(fields.attributes).toEqual({ response: { container: { id: 'c' }, stop_sequence: 'END', usage: { service_tier: 'standard' } } })
    expect(fields.output_messages?.[0]?.parts).toEqual([
      { type: 'reasoning', content: 'Hm', signature: 'sig' },
      { type: 'tool_call', id: 's1', name: 'web_search', arguments: { query: 'a' } },
      { type: 'tool_call_response', id: 's1', response: [{ url: 'https://a.example' }], kind: 'web_search_tool_result' },
      { type: 'text', content: 'A', citations: [citation] }
    ])
  })

  it('of OpenAI responses that breaks off keeps what had come', () => {
    const item = { type: 'custom_tool_call', call_id: 'c1', name: 'sh', input: 'ls' }
    const { fields, ended } = answerOf(
      'openai.responses',
      { type: 'response.created', response: { id: 'r', model: 'm', metadata: { a: 'b' }, output: [] } },
      { type: 'response.output_item.done', output_index: 0, item },
      { type: 'response.output_item.added', output_index: 1, item: { type: 'function_call', call_id: 'c2', name: 'f' } },
      { type: 'response.function_call_arguments.delta', output_index: 1, delta: '{"a"' },
      { type: 'response.output_item.added', output_index: 2, item: { type: 'message' } },
      { type: 'response.output_text.delta', output_index: 2, delta: 'Be' }
    )
    expect([ended, fields.attributes]).toEqual([false, { response: { metadata: { a: 'b' } } }])
    expect(fields.output_messages?.flatMap(({ parts }) => parts)).toEqual([
      { type: 'tool_call', id: 'c1', name: 'sh', arguments: 'ls' },
      { type: 'tool_call', id: 'c2', name: 'f', arguments: '{"a"' },
      { type: 'text', content: 'Be' }
    ])
  })

  it('of Ollama keeps its context', () => {
    const { fields } = answerOf('ollama.generate', {
      model: 'm',
      response: 'A',
      done: true,
      context: [1, 2],
      total_duration: 5,
      eval_count: 1
    })
    expect(fields.attributes).toEqual({ response: { context: [1, 2], total_duration: 5 } })
  })
})
