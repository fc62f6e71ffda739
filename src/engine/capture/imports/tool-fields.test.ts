// SPDX-License-Identifier: Apache-2.0
// What other tools keep beside question and answer: figures counted apart, parameters, errors, and what has no field of its own.
import { describe, expect, it } from 'vitest'
import { normaliseIngest } from '../../../shared/event/ingest.ts'
import { isObject, type JsonProfile } from '../../../shared/event/profiles/profile.ts'
import { profileNamed } from './profiles.ts'

function eventOf(name: string, row: object): Readonly<Record<string, unknown>> {
  const mapped = (profileNamed(name) as JsonProfile).map(row, { zone: 'UTC', source: undefined })
  if (!mapped.ok) throw new Error(mapped.message)
  const normal = normaliseIngest(mapped.raw, { receivedUs: Date.UTC(2025, 5, 1) * 1000, channel: 'file', defaultSource: 'x' })
  if (!normal.ok || !isObject(normal.event)) throw new Error('refused')
  return normal.event
}

describe('OpenAI batch output of /v1/responses', () => {
  const bodyOf = (more: object) => ({
    custom_id: 'c',
    error: null,
    response: {
      status_code: 200,
      body: {
        id: 'resp_1',
        object: 'response',
        created_at: 5,
        model: 'gpt-5',
        status: 'completed',
        error: null,
        incomplete_details: null,
        output: [
          { id: 'rs_1', type: 'reasoning', summary: [] },
          { id: 'msg_1', type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'It is prime.', annotations: [] }] },
          { id: 'fc_1', type: 'function_call', call_id: 'call_1', name: 'add', arguments: '{"a":1}' }
        ],
        usage: {
          input_tokens: 30,
          input_tokens_details: { cached_tokens: 10 },
          output_tokens: 20,
          output_tokens_details: { reasoning_tokens: 15 },
          total_tokens: 50
        },
        ...more
      }
    }
  })

  it('has its text, its calls of tools, and what was cached or reasoned', () => {
    const event = eventOf('openai-batch-output', bodyOf({}))
    expect(event).toMatchObject({
      status: 'success',
      finish_reasons: ['completed'],
      input_tokens: 30,
      output_tokens: 20,
      cache_read_tokens: 10,
      reasoning_tokens: 15,
      attributes: { created: 5 }
    })
    const said = JSON.stringify(event.output_messages)
    expect(said).toContain('"content":"It is prime."')
    expect(said).toContain('function_call')
  })

  it('is incomplete or an error where it says so', () => {
    const cut = bodyOf({ status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } })
    expect(eventOf('openai-batch-output', cut)).toMatchObject({ status: 'incomplete', finish_reasons: ['max_output_tokens'] })
    const failed = bodyOf({ status: 'failed', output: [], error: { code: 'server_error', message: 'it broke' } })
    expect(eventOf('openai-batch-output', failed)).toMatchObject({ status: 'error', error_type: 'server_error' })
    for (const odd of [{ output: 'text' }, { output: [null, 7] }, { usage: 'many' }, { status: 3 }])
      expect(eventOf('openai-batch-output', bodyOf(odd))).toMatchObject({ response_id: 'resp_1' })
  })
})

describe('Langfuse observations', () => {
  const row = (more: object) => ({ id: 'o', traceId: 't', type: 'GENERATION', startTime: '2025-01-31T12:00:00Z', model: 'gpt-4o', ...more })
  const counted = (usageDetails: object) => eventOf('langfuse-observations', row({ usageDetails }))

  it.each([
    // As its ingestion writes OpenAI's figures: 30 asked of which 10 cached, 20 said of which 15 reasoned.
    [{ input: 20, input_cached_tokens: 10, output: 5, output_reasoning_tokens: 15, total: 50 }, 30, 20],
    // As Anthropic counts, and without a total.
    [{ input: 20, cache_read_input_tokens: 8, cache_creation_input_tokens: 2, output: 20 }, 30, 20],
    // Left in by the program that sent them: the total says so.
    [{ input: 30, input_cached_tokens: 10, output: 20, output_reasoning_tokens: 15, total: 50 }, 30, 20],
    [{ input: 20, input_cached_tokens: 10, output: 20, output_reasoning_tokens: 15, total: 50 }, 30, 20],
    [{ input: 30, output: 20, total: 50 }, 30, 20],
    [{ output: 20 }, undefined, 20],
    [{ input: -1, input_cached_tokens: 'x', output: 20 }, undefined, 20]
  ])('%j are %s asked and %s said', (details, input_tokens, output_tokens) => {
    const event = counted(details)
    expect([event.input_tokens, event.output_tokens]).toEqual([input_tokens, output_tokens])
  })

  it('keep figures counted apart, parameters, metadata and tags', () => {
    const usageDetails = { input: 20, input_cached_tokens: 10, output: 5, output_reasoning_tokens: 15, total: 50 }
    const given = {
      usageDetails,
      modelParameters: '{"temperature":0.5,"max_tokens":"64","tool_choice":"auto","api_key":"sk-secret"}',
      metadata: { team: 'desk' },
      tags: ['beta'],
      environment: 'production'
    }
    const event = eventOf('langfuse-observations', row(given))
    expect(event).toMatchObject({
      cache_read_tokens: 10,
      reasoning_tokens: 15,
      temperature: 0.5,
      max_tokens: 64,
      attributes: {
        usage_details: usageDetails,
        model_parameters: { tool_choice: 'auto' },
        metadata: { team: 'desk' },
        tags: ['beta'],
        environment: 'production'
      }
    })
    expect(JSON.stringify(event)).not.toContain('sk-secret')
    const odd = eventOf('langfuse-observations', row({ modelParameters: 'none', metadata: {}, tags: [] }))
    expect(odd.attributes).toEqual({ model_parameters: 'none' })
  })

  it('around a call keep nothing of it', () => {
    expect(eventOf('langfuse-observations', row({ type: 'SPAN', metadata: { prompt: 'Q' } })).attributes).toBeUndefined()
  })
})

describe('LiteLLM spend logs', () => {
  const row = { request_id: 'r', call_type: 'acompletion', startTime: '2025-01-31T12:00:00', spend: 0, model: 'gpt-4o', status: 'failure' }

  it('keep why a call failed', () => {
    const error_information = {
      error_code: '429',
      error_class: 'RateLimitError',
      llm_provider: 'openai',
      error_message: 'slow down',
      traceback: 'at line 1'
    }
    const metadata = JSON.stringify({ user_api_key: 'hash-of-a-key', error_information })
    const event = eventOf('litellm-spend-logs', { ...row, metadata })
    expect(event).toMatchObject({
      status: 'error',
      http_status: 429,
      error_type: 'RateLimitError',
      error_message: 'slow down',
      attributes: { error_information }
    })
    expect(JSON.stringify(event)).not.toContain('hash-of-a-key')
  })

  it.each([undefined, '{', '7', { error_information: 'text' }, { error_information: { error_code: 'x', error_message: 7 } }])(
    'without a readable reason are still errors: %j',
    (metadata) => {
      const event = eventOf('litellm-spend-logs', { ...row, metadata })
      expect(event).toMatchObject({ status: 'error' })
      expect(event.http_status).toBeUndefined()
    }
  )
})
