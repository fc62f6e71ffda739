// SPDX-License-Identifier: Apache-2.0
// Every profile with a good and a bad file, found by content.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { profileNamed } from './profiles.ts'
import { detectProfiles, type ImportLine, readImport } from './read-import.ts'

const root = mkdtempSync(join(tmpdir(), 'affidavit-profiles-'))
afterAll(() => rmSync(root, { recursive: true }))
let files = 0
function fileOf(text: string): string {
  const path = join(root, `${files++}.dat`)
  writeFileSync(path, text)
  return path
}
async function linesOf(name: string, text: string): Promise<ImportLine[]> {
  const profile = profileNamed(name)
  if (profile === undefined) throw new Error('no such profile')
  const path = fileOf(text)
  expect((await detectProfiles(path)).candidates[0]?.profile.name).toBe(name)
  const out: ImportLine[] = []
  for await (const line of readImport(path, profile, { zone: 'UTC', source: undefined })) out.push(line)
  return out
}
const rows = (...list: readonly object[]): string => list.map((row) => JSON.stringify(row)).join('\n')
const noon = Date.UTC(2025, 0, 31, 12) * 1000
const messages = [{ role: 'user', parts: [{ type: 'text', content: 'Q' }] }]
const answer = [{ role: 'assistant', parts: [{ type: 'text', content: 'A' }] }]

interface Case {
  readonly name: string
  readonly file: string
  readonly good: object
  readonly bad: { readonly line: number; readonly code: string }
}
const burst = 'Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,Log Type'
const lite = {
  request_id: 'r',
  call_type: 'acompletion',
  startTime: '2025-01-31T12:00:00',
  spend: 0.01,
  model: 'gpt-4o',
  api_key: 'hash-of-a-key'
}
const fuse = { id: 'o', traceId: 't', type: 'GENERATION', startTime: '2025-01-31T12:00:00.000Z', model: 'gpt-4o' }

const spanOf = (attribute: string) => ({
  traceId: '1'.repeat(32),
  spanId: '2'.repeat(16),
  startTimeUnixNano: `${noon}000`,
  endTimeUnixNano: `${noon + 1_000_000}000`,
  attributes: [{ key: attribute, value: { stringValue: 'gpt-4o' } }]
})

const span = {
  'context.trace_id': '1'.repeat(32),
  'context.span_id': '2'.repeat(16),
  name: 'ChatCompletion',
  span_kind: 'LLM',
  start_time: '2025-01-31T12:00:00Z',
  status_code: 'OK'
}

const cases: readonly Case[] = [
  {
    name: 'azure-llm-trace-csv',
    file: '\ufeffTIMESTAMP,ContextTokens,GeneratedTokens\r\n2025-01-31 12:00:00.1234567,4808,10\r\n"2025-01-31\n12:00",1,1\r\n',
    good: { start_us: noon + 123_456, input_tokens: 4808, output_tokens: 10, request_model: 'unknown', content_state: 'withheld' },
    bad: { line: 3, code: 'wrong_type' }
  },
  {
    name: 'burstgpt-csv',
    file: `${burst}\n5,7,1.5,GPT-4,472,18,490,Conversation log\n6,7,1.5,GPT-4,-1,18,17,API log\n`,
    good: { request_model: 'GPT-4', conversation_id: '7', latency_us: 1_500_000, input_tokens: 472, attributes: { trace_seconds: 5 } },
    bad: { line: 3, code: 'wrong_type' }
  },
  {
    name: 'litellm-spend-logs',
    file: rows(
      {
        ...lite,
        endTime: '2025-01-31T12:00:02',
        completionStartTime: '2025-01-31T12:00:00.500',
        prompt_tokens: 3,
        completion_tokens: 4,
        messages: [{ role: 'user', content: 'Q' }],
        response: { choices: [{ message: { role: 'assistant', content: 'A' } }] }
      },
      { ...lite, startTime: 'yesterday' }
    ),
    good: {
      start_us: noon,
      latency_us: 2_000_000,
      ttft_us: 500_000,
      input_tokens: 3,
      input_messages: messages,
      output_messages: answer,
      attributes: { cost_usd: 0.01 }
    },
    bad: { line: 2, code: 'wrong_type' }
  },
  {
    name: 'otlp-json-lines',
    file: rows(
      { resourceSpans: [{ scopeSpans: [{ spans: [spanOf('db.system'), spanOf('gen_ai.request.model')] }] }] },
      { resourceSpans: [{ scopeSpans: 1 }] }
    ),
    good: { channel: 'file', request_model: 'gpt-4o', start_us: noon, latency_us: 1_000_000 },
    bad: { line: 2, code: 'wrong_type' }
  },
  {
    name: 'openai-batch-output',
    file: rows(
      {
        id: 'b',
        custom_id: 'c',
        error: null,
        response: {
          status_code: 200,
          body: {
            id: 'x',
            model: 'gpt-4o',
            created: 5,
            choices: [{ finish_reason: 'stop', message: { role: 'assistant', content: 'A' } }],
            usage: { prompt_tokens: 3, completion_tokens: 4 }
          }
        }
      },
      { id: 'b', custom_id: 'd', error: null, response: null }
    ),
    good: {
      request_model: 'gpt-4o',
      input_tokens: 3,
      output_tokens: 4,
      finish_reasons: ['stop'],
      output_messages: answer,
      attributes: { custom_id: 'c', time_precision: 'none' }
    },
    bad: { line: 2, code: 'wrong_type' }
  },
  {
    name: 'langfuse-observations',
    file: rows(
      {
        ...fuse,
        timeToFirstToken: 250,
        usageDetails: { input: 3, output: 4 },
        totalCost: '0.000125',
        input: [{ role: 'user', content: 'Q' }],
        output: 'A'
      },
      { ...fuse, startTime: 5 }
    ),
    good: {
      start_us: noon,
      ttft_us: 250_000,
      input_tokens: 3,
      output_tokens: 4,
      input_messages: messages,
      output_messages: answer,
      span_role: 'inference',
      attributes: { cost_usd: 0.000125 }
    },
    bad: { line: 2, code: 'wrong_type' }
  },
  {
    name: 'helicone-export',
    file: rows(
      {
        request_id: 'r',
        request_created_at: '2025-01-31T12:00:00Z',
        delay_ms: 1500,
        request_model: 'gpt-4o',
        response_status: 429,
        prompt_tokens: 3,
        request_body: { messages: [{ role: 'user', content: 'Q' }] }
      },
      { request_id: 'r', request_created_at: null }
    ),
    good: { start_us: noon, latency_us: 1_500_000, status: 'error', http_status: 429, input_tokens: 3, input_messages: messages },
    bad: { line: 2, code: 'wrong_type' }
  },
  {
    name: 'phoenix-spans',
    file: rows(
      {
        ...span,
        start_time: noon / 1000,
        end_time: noon / 1000 + 1500,
        'attributes.llm.model_name': 'gpt-4o',
        'attributes.llm.token_count.prompt': 3,
        'attributes.llm.input_messages': [{ 'message.role': 'user', 'message.content': 'Q' }],
        'attributes.llm.output_messages': [{ message: { role: 'assistant', content: 'A' } }],
        'attributes.session.id': null
      },
      { ...span, 'context.trace_id': 'yesterday' }
    ),
    good: {
      request_model: 'gpt-4o',
      source: 'phoenix',
      start_us: noon,
      latency_us: 1_500_000,
      input_tokens: 3,
      input_messages: messages,
      output_messages: answer,
      span_role: 'inference'
    },
    bad: { line: 2, code: 'wrong_type' }
  },
  {
    name: 'promptfoo-results',
    file: rows(
      {
        prompt: { raw: 'Q' },
        provider: { id: 'openai:chat:gpt-4o' },
        vars: {},
        latencyMs: 12,
        success: false,
        response: { output: 'A', tokenUsage: { prompt: 3, completion: 4 } }
      },
      { prompt: { raw: 'Q' }, provider: {}, vars: {}, response: {} }
    ),
    good: {
      provider: 'openai',
      request_model: 'gpt-4o',
      latency_us: 12_000,
      status: 'success',
      input_messages: messages,
      output_messages: answer
    },
    bad: { line: 2, code: 'wrong_type' }
  }
]

describe('import profiles', () => {
  it.each(cases)('$name: is found by content, maps a good row and names a bad one', async ({ name, file, good, bad }) => {
    const lines = await linesOf(name, file)
    expect(lines).toHaveLength(2)
    const [first, second] = lines
    expect(first?.ok && first.event).toMatchObject(good)
    expect(second).toMatchObject({ ok: false, ...bad })
    // Neither a key nor a value that did not fit is repeated.
    expect(JSON.stringify(lines)).not.toMatch(/hash-of-a-key|yesterday/)
  })

  it.each(cases)('$name: a picture is no such file', async ({ name }) => {
    const profile = profileNamed(name)
    if (profile === undefined) throw new Error('no such profile')
    const path = fileOf(Array.from({ length: 200 }, (_, i) => `\u0000PNG ${i}`).join('\n'))
    const read = async () => {
      for await (const _ of readImport(path, profile, { zone: 'UTC', source: undefined }));
    }
    await expect(read()).rejects.toMatchObject({ code: 'not_this_format' })
  })

  it('several spans of one line are several rows with a number each', async () => {
    const two = {
      resourceSpans: [
        { scopeSpans: [{ spans: [spanOf('gen_ai.request.model'), { ...spanOf('gen_ai.request.model'), spanId: '3'.repeat(16) }] }] }
      ]
    }
    const lines = await linesOf('otlp-json-lines', rows(two))
    expect(lines.map((line) => line.ok && [line.line, line.part])).toEqual([
      [1, 0],
      [1, 1]
    ])
  })

  it('of Langfuse, time to first token is seconds since April 2026, and what is around calls keeps no content', async () => {
    const lines = await linesOf(
      'langfuse-observations',
      rows({ ...fuse, startTime: '2026-04-02T00:00:00Z', timeToFirstToken: 0.25 }, { ...fuse, type: 'SPAN', input: 'Q' })
    )
    expect(lines[0]?.ok && lines[0].event.ttft_us).toBe(250_000)
    const around = lines[1]?.ok ? lines[1].event : undefined
    expect(around).toMatchObject({ span_role: 'wrapper', content_state: 'withheld' })
    expect(around?.input_messages).toBeUndefined()
  })

  it('of Langfuse, what a call cost is taken over, by whatever name, and 0 is no cost', async () => {
    const costs: readonly (readonly [object, number | undefined])[] = [
      [{ costDetails: '{"input":0.25,"total":0.5}', totalCost: 9 }, 0.5],
      [{ cost_details: { total: '0.125' } }, 0.125],
      [{ costDetails: {}, calculatedTotalCost: 2 }, 2],
      [{ total_cost: 3 }, 3],
      [{ cost: '1e-7' }, 1e-7],
      [{ totalCost: 0 }, undefined],
      [{ totalCost: -1, cost: null }, undefined],
      [{ costDetails: '{"total":', totalCost: '=1+1', cost: { total: 1 } }, undefined],
      [{ totalCost: '9'.repeat(400) }, undefined],
      // The span around calls repeats what they cost.
      [{ type: 'SPAN', totalCost: 5 }, undefined]
    ]
    const lines = await linesOf('langfuse-observations', rows(...costs.map(([more]) => ({ ...fuse, ...more }))))
    expect(lines.map((line) => line.ok && line.event.attributes?.cost_usd)).toEqual(costs.map(([, usd]) => usd))
    const [helicone] = await linesOf('helicone-export', rows({ request_id: 'r', request_created_at: '2025-01-31T12:00:00Z', cost: 0.5 }))
    expect(helicone?.ok && helicone.event.attributes?.cost_usd).toBe(0.5)
    const [foo] = await linesOf('promptfoo-results', rows({ prompt: 'Q', provider: 'p', vars: {}, response: { output: 'A' }, cost: 0.5 }))
    expect(foo?.ok && foo.event.attributes?.cost_usd).toBe(0.5)
  })

  it('of Phoenix, CSV by pandas and the objects of the API say the same', async () => {
    const csv = `,context.trace_id,context.span_id,name,span_kind,start_time,end_time,status_code,status_message,attributes.llm.model_name,attributes.llm.token_count.prompt,attributes.llm.input_messages,attributes.input.value
0,${'1'.repeat(32)},${'2'.repeat(16)},c,LLM,2025-01-31 12:00:00.5+00:00,2025-01-31 12:00:01+00:00,ERROR,slow,gpt-4o,12.0,"[{'message.role': 'user'}]",Q\n`
    const api = {
      context: { trace_id: '1'.repeat(32), span_id: '2'.repeat(16) },
      name: 'c',
      span_kind: 'LLM',
      start_time: '2025-01-31T12:00:00.5Z',
      end_time: '2025-01-31T12:00:01Z',
      status_code: 'ERROR',
      status_message: 'slow',
      attributes: { llm: { model_name: 'gpt-4o', token_count: { prompt: 12 } }, 'input.value': 'Q' }
    }
    const events = [...(await linesOf('phoenix-spans', csv)), ...(await linesOf('phoenix-spans', JSON.stringify({ data: [api] })))]
    for (const line of events)
      expect(line.ok && line.event).toMatchObject({
        request_model: 'gpt-4o',
        start_us: noon + 500_000,
        latency_us: 500_000,
        input_tokens: 12,
        status: 'error',
        error_message: 'slow',
        input_messages: messages
      })
    expect(JSON.stringify(events)).not.toContain("'message.role'")
  })

  it('of Langfuse, a trace with its observations is as many rows, asked by whom the trace says', async () => {
    const lines = await linesOf(
      'langfuse-observations',
      JSON.stringify({
        data: [{ id: 't', timestamp: 'x', userId: 'u', observations: [{ ...fuse, traceId: undefined }, { ...fuse, type: 'SPAN' }, 5] }]
      })
    )
    expect(lines[0]?.ok && lines[0].event).toMatchObject({ trace_id: 't', user_id: 'u', span_role: 'inference' })
    expect(lines.map((line) => line.ok && line.part)).toEqual([0, 1, false])
  })
})
