// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { wireReader, wireRequest } from './routes.ts'
import { type Framing, feed } from './split.ts'
import { isObject, parseJson, type WireAnswer, type WireApi, wellFormed } from './wire.ts'

const apis: readonly WireApi[] = [
  'ollama.chat',
  'ollama.generate',
  'ollama.embed',
  'openai.chat',
  'openai.completions',
  'openai.responses',
  'openai.embeddings',
  'anthropic.messages'
]
const digest = (base64: string): string => `digest of ${base64.length}`
const runs = 150

function read(api: WireApi, framing: Framing, text: string, cut = false): WireAnswer {
  const reader = wireReader(api, framing === 'sse', digest)
  for (const _ of feed(reader, framing, text, cut));
  return reader.done()
}

/** Names that the formats give a meaning, with values of every kind. */
const names = [
  ...['model', 'messages', 'message', 'role', 'content', 'parts', 'choices', 'delta', 'index', 'usage', 'error', 'type', 'code', 'text'],
  ...['tool_calls', 'function', 'name', 'arguments', 'id', 'input', 'output', 'response', 'status', 'done', 'stream', 'options', 'images'],
  ...['prompt', 'system', 'tools', 'metadata', 'user_id', 'content_block', 'partial_json', 'image_url', 'url', 'source', 'data', 'file'],
  ...['input_tokens', 'output_tokens', 'eval_count', 'prompt_eval_count', 'load_duration', 'stop', 'seed', '__proto__', 'constructor']
]
const leaf = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.double(),
  fc.boolean(),
  fc.constantFrom(null, -1, 1e300, '', 'text', 'message_start', 'content_block_delta', 'response.completed', 'tool_use', 'data:;base64,AA')
)
const { value: hostile } = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 6, withCrossShrink: true }, leaf, fc.array(tie('value'), { maxLength: 4 }), tie('object')),
  object: fc.dictionary(fc.constantFrom(...names), tie('value'), { maxKeys: 8 })
}))

describe('hostile bodies', () => {
  it('never make a reader throw, and what is read can be sealed', () => {
    fc.assert(
      fc.property(fc.constantFrom(...apis), fc.array(hostile, { maxLength: 5 }), fc.string({ maxLength: 10 }), (api, events, name) => {
        for (const event of events) {
          const body = parseJson(JSON.stringify(event))
          if (isObject(body)) expect(JSON.stringify(wellFormed(wireRequest(api, body, digest)))).not.toBe('')
        }
        const all = events.map((event) => JSON.stringify(event))
        const sse = all.map((text) => `event: ${name}\ndata: ${text}\n\n`).join('')
        for (const [framing, text] of [
          ['sse', sse],
          ['ndjson', all.join('\n')],
          ['json', all[0] ?? '']
        ] as const) {
          const answer = read(api, framing, text)
          expect(typeof answer.ended).toBe('boolean')
          expect(JSON.stringify(wellFormed(answer.fields))).toMatch(/^\{/)
        }
      }),
      { numRuns: runs }
    )
  })

  it('that are no JSON at all, or too deep, are nothing', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...apis),
        fc.constantFrom('sse', 'ndjson', 'json'),
        fc.string({ unit: 'binary' }),
        (api, framing, text) => {
          expect(() => read(api, framing, text)).not.toThrow()
        }
      ),
      { numRuns: runs }
    )
    expect(parseJson('['.repeat(100_000))).toBeUndefined()
    expect(parseJson(`${'['.repeat(65)}${']'.repeat(65)}`)).toBeUndefined()
    expect(parseJson(`${'['.repeat(60)}${']'.repeat(60)}`)).toBeDefined()
  })
})

const lines = (values: readonly object[]): string => values.map((one) => `${JSON.stringify(one)}\n`).join('')
const events = (values: readonly object[]): string => `${values.map((one) => `data: ${JSON.stringify(one)}\n\n`).join('')}`

/** The same answer in pieces as a model may cut it. */
const streams: readonly (readonly [api: WireApi, framing: Framing, of: (pieces: readonly string[]) => string])[] = [
  [
    'ollama.chat',
    'ndjson',
    (pieces) =>
      lines([
        ...pieces.map((content) => ({ model: 'm', message: { content } })),
        { model: 'm', done: true, done_reason: 'stop', eval_count: 3 }
      ])
  ],
  [
    'openai.chat',
    'sse',
    (pieces) =>
      `${events([
        ...pieces.map((content) => ({ model: 'm', choices: [{ index: 0, delta: { content } }] })),
        { model: 'm', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }
      ])}data: [DONE]\n\n`
  ],
  [
    'anthropic.messages',
    'sse',
    (pieces) =>
      events([
        { type: 'message_start', message: { model: 'm', usage: { input_tokens: 1 } } },
        ...pieces.map((text) => ({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } })),
        { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 3 } },
        { type: 'message_stop' }
      ])
  ],
  [
    'openai.responses',
    'sse',
    (pieces) =>
      events([
        ...pieces.map((delta) => ({ type: 'response.output_text.delta', delta })),
        { type: 'response.completed', response: { model: 'm', status: 'completed', usage: { input_tokens: 1, output_tokens: 3 } } }
      ])
  ]
]

describe.each(streams)('a stream of %s', (api, framing, of) => {
  const pieces = fc.array(fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }), { minLength: 1, maxLength: 8 })

  it('is the same event however the model cuts its answer', () => {
    fc.assert(
      fc.property(pieces, (some) => {
        const answer = read(api, framing, of(some))
        expect(answer).toEqual(read(api, framing, of([some.join('')])))
        expect(answer).toMatchObject({ ended: true, error: undefined })
        expect(answer.fields.output_messages?.[0]?.parts[0]?.content).toBe(some.join(''))
      }),
      { numRuns: runs }
    )
  })

  it('that is cut off anywhere has not ended, and begins as the whole one does', () => {
    fc.assert(
      fc.property(pieces, fc.double({ min: 0, max: 0.9, noNaN: true }), (some, share) => {
        const whole = of(some)
        const answer = read(api, framing, whole.slice(0, Math.floor(whole.length * share)), true)
        expect(answer.ended).toBe(false)
        expect(some.join('').startsWith(String(answer.fields.output_messages?.[0]?.parts[0]?.content ?? ''))).toBe(true)
      }),
      { numRuns: runs }
    )
  })

  it('may end its lines with CRLF and, as events, have comments between', () => {
    const text = of(['one ', 'two'])
    expect(read(api, framing, text.replaceAll('\n', '\r\n'))).toEqual(read(api, framing, text))
    if (framing === 'sse') expect(read(api, framing, text.replaceAll('\n\n', '\n\n: ping\n\n'))).toEqual(read(api, framing, text))
  })
})
