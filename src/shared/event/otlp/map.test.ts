// SPDX-License-Identifier: Apache-2.0
// The dialects by their documented names: OpenTelemetry GenAI conventions 1.37+ and 1.36, OpenLLMetry, OpenInference, Langfuse.
import { describe, expect, it } from 'vitest'
import { messagesText } from '../canonical-event.ts'
import { addLogs, callLogOf, callOf, callOfLogs, eventOfCall, originOf } from './map.ts'
import type { AnyValue, KeyValue, Span } from './message.ts'

function value(one: unknown): AnyValue {
  if (typeof one === 'string') return { stringValue: one }
  if (typeof one === 'boolean') return { boolValue: one }
  if (typeof one === 'number') return Number.isInteger(one) ? { intValue: one } : { doubleValue: one }
  if (Array.isArray(one)) return { arrayValue: { values: one.map(value) } }
  return { kvlistValue: { values: pairs(one as Record<string, unknown>) } }
}
const pairs = (fields: Readonly<Record<string, unknown>>): KeyValue[] =>
  Object.entries(fields).map(([key, one]) => ({ key, value: value(one) }))
const origin = originOf({ attributes: pairs({ 'service.name': 'web', 'service.version': '2', 'host.name': 'pc-of-somebody' }) })
const spanOf = (attributes: Readonly<Record<string, unknown>>, more: Partial<Span> = {}): Span => ({
  traceId: 'a'.repeat(32),
  spanId: 'b'.repeat(16),
  parentSpanId: '0'.repeat(16),
  name: 'call',
  startTimeUnixNano: 1_700_000_000_000_000,
  endTimeUnixNano: 1_700_000_001_500_000,
  attributes: pairs(attributes),
  ...more
})
function eventOf(attributes: Readonly<Record<string, unknown>>, more: Partial<Span> = {}) {
  const call = callOf(spanOf(attributes, more), origin)
  const read = typeof call === 'object' ? eventOfCall(call, 1_800_000_000_000_000, 'unknown') : undefined
  if (!read?.ok) throw new Error(`no event: ${read?.code}`)
  return { ...read.event, key: read.sourceKey }
}
const text = (role: string, content: string) => ({ role, parts: [{ type: 'text', content }] })

describe('dialects', () => {
  it('the GenAI conventions since 1.37', () => {
    const event = eventOf({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'anthropic',
      'gen_ai.request.model': 'claude',
      'gen_ai.response.model': 'claude-1',
      'gen_ai.response.id': 'msg_1',
      'gen_ai.response.finish_reasons': ['end_turn'],
      'gen_ai.request.temperature': 0.5,
      'gen_ai.request.max_tokens': 100,
      'gen_ai.request.seed': 7,
      'gen_ai.usage.input_tokens': 10,
      'gen_ai.usage.output_tokens': 4,
      'gen_ai.usage.cache_read.input_tokens': 3,
      'gen_ai.conversation.id': 'c1',
      'gen_ai.response.time_to_first_chunk': 0.25,
      'gen_ai.system_instructions': '[{"type":"text","content":"Be brief."}]',
      'gen_ai.input.messages': '[{"role":"user","parts":[{"type":"text","content":"Hello"}]}]',
      'gen_ai.output.messages': [
        { role: 'assistant', parts: [{ type: 'tool_call', name: 'f', arguments: { a: 1 } }], finish_reason: 'tool_call' }
      ],
      'server.address': 'api.anthropic.com',
      'server.port': 443,
      'my.tag': 'x'
    })
    expect(event).toMatchObject({
      channel: 'otlp',
      source: 'web',
      operation: 'chat',
      provider: 'anthropic',
      span_role: 'inference',
      request_model: 'claude',
      response_model: 'claude-1',
      start_us: 1_700_000_000_000_000,
      latency_us: 1_500_000,
      ttft_us: 250_000,
      temperature: 0.5,
      max_tokens: 100,
      seed: 7,
      input_tokens: 10,
      output_tokens: 4,
      cache_read_tokens: 3,
      usage_source: 'reported',
      finish_reasons: ['end_turn'],
      conversation_id: 'c1',
      server_port: 443,
      status: 'success',
      key: `otlp:${'a'.repeat(32)}:${'b'.repeat(16)}`
    })
    expect(event.input_messages).toEqual([text('system', 'Be brief.'), text('user', 'Hello')])
    expect(event.output_messages).toEqual([{ role: 'assistant', parts: [{ type: 'tool_call', name: 'f', arguments: { a: 1 } }] }])
    expect({ ...event.attributes }).toEqual({ 'resource.service.version': '2', 'span.name': 'call', 'my.tag': 'x' })
    expect(event.parent_span_id).toBeUndefined()
  })

  it('the conventions up to 1.36, with span events, and one that mixes both', () => {
    const event = eventOf(
      { 'gen_ai.system': 'openai', 'gen_ai.operation.name': 'chat', 'gen_ai.request.model': 'gpt-4', 'gen_ai.usage.prompt_tokens': 9 },
      {
        events: [
          { name: 'gen_ai.user.message', attributes: pairs({ content: 'Hi', 'gen_ai.system': 'openai' }) },
          { name: 'gen_ai.choice', attributes: pairs({ index: 0, finish_reason: 'stop', message: '{"role":"assistant","content":"Ho"}' }) },
          { name: 'retry', timeUnixNano: 5, attributes: pairs({ n: 1 }) }
        ]
      }
    )
    expect(event).toMatchObject({ provider: 'openai', input_tokens: 9, finish_reasons: ['stop'] })
    expect([event.input_messages, event.output_messages]).toEqual([[text('user', 'Hi')], [text('assistant', 'Ho')]])
    expect(event.attributes?.['span.events']).toEqual([{ name: 'retry', time_us: 5, attributes: { n: 1 } }])
    const mixed = eventOf({ 'gen_ai.system': 'az.ai.openai', 'gen_ai.provider.name': 'azure.ai.openai', 'gen_ai.request.model': 'm' })
    expect(mixed).toMatchObject({ provider: 'azure.ai.openai', provider_raw: 'az.ai.openai', usage_source: 'missing' })
    expect(mixed.input_tokens).toBeUndefined()
  })

  it('OpenLLMetry: numbered prompts and completions', () => {
    const event = eventOf({
      'gen_ai.system': 'OpenAI',
      'llm.request.type': 'chat',
      'gen_ai.request.model': 'gpt-4',
      'gen_ai.prompt.0.role': 'user',
      'gen_ai.prompt.0.content': 'One?',
      'gen_ai.completion.0.role': 'assistant',
      'gen_ai.completion.0.content': 'Two.',
      'gen_ai.completion.0.finish_reason': 'stop',
      'llm.is_streaming': true
    })
    expect(event).toMatchObject({ operation: 'chat', span_role: 'inference', stream: true, finish_reasons: ['stop'] })
    expect([event.input_messages, event.output_messages]).toEqual([[text('user', 'One?')], [text('assistant', 'Two.')]])
  })

  it.each([
    ['embedding', 'embeddings', 'inference'],
    ['completion', 'text_completion', 'inference'],
    ['constructor', 'constructor', 'wrapper']
  ])('OpenLLMetry: a request of type %s is %s', (type, operation, span_role) =>
    expect(eventOf({ 'gen_ai.system': 'OpenAI', 'llm.request.type': type, 'gen_ai.request.model': 'm' })).toMatchObject({
      operation,
      span_role
    })
  )

  it('OpenInference', () => {
    const event = eventOf({
      'openinference.span.kind': 'LLM',
      'llm.provider': 'openai',
      'llm.model_name': 'gpt-4o',
      'llm.token_count.prompt': 11,
      'llm.token_count.completion': 6,
      'llm.token_count.prompt_details.cache_read': 2,
      'llm.token_count.completion_details.reasoning': 1,
      'llm.invocation_parameters': '{"temperature":0.1,"max_tokens":50}',
      'llm.input_messages.0.message.role': 'user',
      'llm.input_messages.0.message.content': 'Q',
      'llm.input_messages.1.message.role': 'user',
      'llm.input_messages.1.message.contents.0.message_content.type': 'text',
      'llm.input_messages.1.message.contents.0.message_content.text': 'R',
      'llm.output_messages.0.message.role': 'assistant',
      'llm.output_messages.0.message.content': 'A',
      'session.id': 's',
      'user.id': 'u'
    })
    expect(event).toMatchObject({
      operation: 'chat',
      provider: 'openai',
      request_model: 'gpt-4o',
      input_tokens: 11,
      output_tokens: 6,
      cache_read_tokens: 2,
      reasoning_tokens: 1,
      temperature: 0.1,
      max_tokens: 50,
      conversation_id: 's',
      user_id: 'u'
    })
    expect([event.input_messages, event.output_messages]).toEqual([[text('user', 'Q'), text('user', 'R')], [text('assistant', 'A')]])
  })

  it.each([
    [
      'OpenInference',
      { 'openinference.span.kind': 'LLM', 'llm.model_name': 'm' },
      'llm.output_messages.0.message.',
      'tool_call.',
      'function.'
    ],
    ['OpenLLMetry', { 'gen_ai.system': 'OpenAI', 'gen_ai.request.model': 'm' }, 'gen_ai.completion.0.', '', '']
  ])('%s: calls of tools, by index, are no text of the answer', (_, base, message, call, made) => {
    const of = (index: number, id: string, name: string, given: string) => ({
      [`${message}tool_calls.${index}.${call}${made}name`]: name,
      [`${message}tool_calls.${index}.${call}${made}arguments`]: given,
      [`${message}tool_calls.${index}.${call}id`]: id
    })
    const event = eventOf({
      ...base,
      [`${message}role`]: 'assistant',
      ...of(10, 'c2', 'g', '{"n":9007199254740993}'),
      ...of(2, 'c1', 'f', '{"a":1}')
    })
    expect(event.output_messages).toEqual([
      {
        role: 'assistant',
        parts: [
          { type: 'tool_call', id: 'c1', name: 'f', arguments: { a: 1 } },
          { type: 'tool_call', id: 'c2', name: 'g', arguments: '{"n":9007199254740993}' }
        ]
      }
    ])
    expect(messagesText(event.output_messages)).toBe('')
  })

  it('Langfuse', () => {
    const event = eventOf({
      'langfuse.observation.type': 'generation',
      'langfuse.observation.model.name': 'gpt-4o',
      'langfuse.observation.model.parameters': '{"temperature":0.2}',
      'langfuse.observation.usage_details': '{"input":7,"output":3,"total":10}',
      'langfuse.observation.input': '[{"role":"user","content":"Q"}]',
      'langfuse.observation.output': 'A',
      'langfuse.observation.completion_start_time': '"2023-11-14T22:13:20.400Z"',
      'langfuse.observation.level': 'ERROR',
      'langfuse.observation.status_message': 'slow',
      'user.id': 'u'
    })
    expect(event).toMatchObject({
      operation: 'chat',
      request_model: 'gpt-4o',
      temperature: 0.2,
      input_tokens: 7,
      output_tokens: 3,
      ttft_us: 400_000,
      status: 'error',
      error_message: 'slow',
      user_id: 'u'
    })
    expect([event.input_messages, event.output_messages]).toEqual([[text('user', 'Q')], [text('assistant', 'A')]])
  })
})

describe('spans and log records', () => {
  it.each([
    { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.input.messages': '[{"role":"user","content":"secret"}]' },
    { 'traceloop.span.kind': 'workflow', 'traceloop.entity.input': 'secret' },
    { 'openinference.span.kind': 'CHAIN', 'input.value': 'secret' },
    { 'langfuse.observation.type': 'span', 'langfuse.observation.input': 'secret' }
  ])('a wrapper counts as no call and repeats nothing that was asked: %#', (attributes) => {
    const event = eventOf({ ...attributes, 'gen_ai.usage.input_tokens': 5 })
    expect(event).toMatchObject({ span_role: 'wrapper', content_state: 'withheld' })
    expect(JSON.stringify(event)).not.toContain('secret')
  })

  it('an error is one by the status of the span or its error.type; a handled exception is none', () => {
    const exception = { name: 'exception', attributes: pairs({ 'exception.type': 'TimeoutError', 'exception.message': 'too slow' }) }
    const chat = { 'gen_ai.request.model': 'm', 'gen_ai.system': 'x' }
    expect(eventOf(chat, { status: { code: 2 }, events: [exception] })).toMatchObject({
      status: 'error',
      error_type: 'TimeoutError',
      error_message: 'too slow'
    })
    expect(eventOf({ ...chat, 'error.type': '429' })).toMatchObject({ status: 'error', error_type: '429' })
    expect(eventOf(chat, { events: [exception] })).toMatchObject({ status: 'success' })
    expect(eventOf(chat, { endTimeUnixNano: 1 }).latency_us).toBeUndefined()
    for (const [code, status] of [
      [399, 'success'],
      [400, 'error'],
      [503, 'error']
    ] as const)
      expect(eventOf({ ...chat, 'http.response.status_code': code })).toMatchObject({ status, http_status: code })
    expect(eventOf({ ...chat, 'http.response.status_code': 503 }, { status: { code: 1 } })).toMatchObject({ status: 'success' })
  })

  it('no call: other spans and log records; a call without ids is said to be one', () => {
    const none = { spanId: '0'.repeat(16) }
    expect(callOf(spanOf({ 'db.system': 'sqlite' }, none), origin)).toBeUndefined()
    expect(callOf(spanOf({ 'gen_ai.system': 'x' }, none), origin)).toBe('missing_ids')
    expect(callLogOf({ eventName: 'app.started' }, origin)).toBeUndefined()
    expect(callLogOf({ eventName: 'gen_ai.choice', ...none }, origin)).toBe('missing_ids')
  })

  it('one attribute with two values is no call, with the same value twice it is', () => {
    const two = (name: string, one: unknown, other: unknown) => ({
      attributes: [...pairs({ 'gen_ai.system': 'x', [name]: one }), ...pairs({ [name]: other })]
    })
    const of = (more: Partial<Span>) => callOf(spanOf({}, more), origin)
    expect(of(two('gen_ai.request.model', 'a', 'b'))).toBe('contradiction')
    expect(of(two('my.tag', 'a', 1))).toBe('contradiction')
    expect(of(two('my.tag', { a: [1], b: 2 }, { b: 2, a: [1] }))).toBeTypeOf('object')
    expect(of({ ...two('x', 1, 1), events: [{ name: 'note', ...two('my.tag', 'a', 'b') }] })).toBe('contradiction')
    const log = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), eventName: 'gen_ai.choice' }
    const call = spanOf({ 'gen_ai.system': 'x' })
    for (const [name, found] of [
      ['service.name', 'contradiction'],
      ['service.version', 'contradiction'],
      ['host.name', 'a call']
    ] as const) {
      const from = originOf(two(name, 'a', 'b'))
      expect([callOf(call, from), callLogOf(log, from)].map((one) => (typeof one === 'object' ? 'a call' : one))).toEqual([found, found])
      expect(callOf(spanOf({ 'db.system': 'sqlite' }), from)).toBeUndefined()
      expect(callOf(call, originOf(two(name, 'a', 'a')))).toBeTypeOf('object')
    }
    expect(callLogOf({ ...log, ...two('my.tag', 'a', 'b') }, origin)).toBe('contradiction')
    expect(callLogOf({ ...log, ...two('my.tag', 'a', 'a') }, origin)).toBeTypeOf('object')
  })

  it('log records of one call, named in the record or in an attribute, fill a span without content and no other', () => {
    const ids = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) }
    const logs = [
      callLogOf(
        {
          ...ids,
          timeUnixNano: 2,
          attributes: pairs({ 'event.name': 'gen_ai.choice' }),
          body: value({ message: { content: 'A' }, finish_reason: 'stop' })
        },
        origin
      ),
      callLogOf({ ...ids, timeUnixNano: 1, eventName: 'gen_ai.user.message', body: value({ content: 'Q' }) }, origin)
    ].filter((log) => typeof log === 'object')
    expect(logs).toHaveLength(2)
    expect(callLogOf({ ...ids, eventName: 'app.started' }, origin)).toBeUndefined()
    const bare = callOf(spanOf({ 'gen_ai.system': 'x' }), origin)
    const full = callOf(spanOf({ 'gen_ai.system': 'x', 'gen_ai.input.messages': 'own' }), origin)
    if (typeof bare !== 'object' || typeof full !== 'object') throw new Error('no call')
    addLogs(bare, logs)
    addLogs(full, logs)
    expect([bare.content.input, bare.content.output, bare.content.finish]).toEqual([
      [text('user', 'Q')],
      [text('assistant', 'A')],
      ['stop']
    ])
    expect(full.content.input).toEqual([text('user', 'own')])
    const alone = eventOfCall(callOfLogs(full.key, 'first', logs, origin), 5e15, 'x')
    expect(alone.ok && alone.event).toMatchObject({ status: 'incomplete', attributes: { 'otlp.span': 'missing' } })
  })
})
