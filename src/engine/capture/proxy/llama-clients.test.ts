// SPDX-License-Identifier: Apache-2.0
// A real llama.cpp with the unmodified clients of Ollama, OpenAI and Anthropic, straight and through the proxy: the same bytes, events and errors.
// Runs with AFFIDAVIT_LLAMA=1, like llama.test.ts.
import { createHash } from 'node:crypto'
import Anthropic from '@anthropic-ai/sdk'
import { Ollama } from 'ollama'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type LlamaServer, startLlama } from '../../../../scripts/llama/llama.ts'
import type { RecordDetail, RecordRow } from '../../../shared/contract/record.ts'
import { type TestEngine, testEngine } from '../../test/test-engine.ts'

const KEY = 'sk-key-of-a-test'
const KINDS = ['ollama', 'openai', 'anthropic'] as const
/** What differs from run to run: names, moments and durations. */
const FLEETING = new Set([
  'id',
  'item_id',
  'created',
  'created_at',
  'total_duration',
  'load_duration',
  'prompt_eval_duration',
  'eval_duration'
])

/** Ollama reads it from a body of this interface; the types of the client do not name it. */
const GREEDY = { temperature: 0 }

/** What arrived on the wire, below the client. */
interface Tape {
  status: number
  type: string | null
  sha256: string
  reads: number
}
interface Outcome {
  readonly items: readonly unknown[]
  readonly failed?: { readonly name: string; readonly message: string; readonly status: number | undefined }
  readonly tape: Tape
}
type Act = (base: string, fetch: typeof globalThis.fetch) => Promise<unknown>

async function outcomeOf(act: Act, base: string): Promise<Outcome> {
  const digest = createHash('sha256')
  const tape: Tape = { status: 0, type: null, sha256: '', reads: 0 }
  const items: unknown[] = []
  let failed: Outcome['failed']
  try {
    const made = await act(base, async (input, init) => {
      const response = await fetch(input, init)
      tape.status = response.status
      tape.type = response.headers.get('content-type')
      const seen = new TransformStream<Uint8Array, Uint8Array>({
        transform(piece, out) {
          digest.update(piece)
          tape.reads++
          out.enqueue(piece)
        }
      })
      return new Response(response.body?.pipeThrough(seen) ?? null, response)
    })
    if (typeof made === 'object' && made !== null && Symbol.asyncIterator in made)
      for await (const item of made as AsyncIterable<unknown>) items.push(item)
    else items.push(made)
  } catch (error) {
    const { name, message, status } = error as Error & { status?: number; status_code?: number }
    failed = { name, message, status }
  }
  tape.sha256 = digest.digest('hex')
  return {
    items: JSON.parse(JSON.stringify(items, (key, value) => (FLEETING.has(key) ? undefined : value))),
    tape,
    ...(failed && { failed })
  }
}

describe.skipIf(!process.env.AFFIDAVIT_LLAMA)('every client before a real llama.cpp (AFFIDAVIT_LLAMA=1)', () => {
  let llama: LlamaServer
  let engine: TestEngine

  const route = async (to: LlamaServer, name: string, kind: (typeof KINDS)[number]): Promise<string> => {
    await engine.call('upstreams.set', { name, url: to.url, kind })
    return `${engine.engine.status().endpoints.compliance.url}/proxy/${name}`
  }
  beforeAll(async () => {
    llama = await startLlama()
    engine = await testEngine({ servers: true })
    for (const kind of KINDS) await route(llama, kind, kind)
  }, 300_000)
  afterAll(async () => {
    await engine?.remove()
    llama?.stop()
  })

  const rows = async (): Promise<RecordRow[]> => [...(await engine.call('records.query', {})).records].sort((a, b) => a.seq - b.seq)
  async function recordOf(act: () => Promise<void>): Promise<RecordDetail> {
    const before = (await rows()).length
    await act()
    await expect.poll(async () => (await rows()).filter((row) => row.status !== 'in_flight').length, { timeout: 20_000 }).toBe(before + 1)
    return engine.call('records.get', { seq: (await rows()).at(-1)?.seq ?? -1 })
  }
  /** The call straight, then through the proxy; each arrives as the server wrote it, and the client sees the same. */
  async function twice(act: Act, kind: (typeof KINDS)[number]): Promise<{ readonly seen: Outcome; readonly record: RecordDetail }> {
    const straight = await outcomeOf(act, llama.url)
    expect(straight.tape.sha256).toBe((await llama.sent()).sha256)
    let proxied: Outcome = straight
    const record = await recordOf(async () => {
      proxied = await outcomeOf(act, `${engine.engine.status().endpoints.compliance.url}/proxy/${kind}`)
      const sent = await llama.sent()
      expect(proxied.tape.sha256).toBe(sent.sha256)
      // Both sockets may join what comes at once, but nothing waits for the end.
      if (sent.writes > 10) expect(proxied.tape.reads).toBeGreaterThan(3)
    })
    expect(proxied.items).toEqual(straight.items)
    expect(proxied.failed).toEqual(straight.failed)
    expect([proxied.tape.status, proxied.tape.type]).toEqual([straight.tape.status, straight.tape.type])
    return { seen: proxied, record }
  }
  const textOf = (record: RecordDetail): string =>
    record.output_messages.flatMap(({ parts }) => parts.map((part) => part.content ?? '')).join('')

  const ollama = (host: string, fetch: typeof globalThis.fetch) => new Ollama({ host, fetch })
  const openai = (base: string, fetch: typeof globalThis.fetch) => new OpenAI({ baseURL: `${base}/v1`, fetch, apiKey: KEY, maxRetries: 0 })
  const anthropic = (baseURL: string, fetch: typeof globalThis.fetch) => new Anthropic({ baseURL, fetch, apiKey: KEY, maxRetries: 0 })
  const messages = [{ role: 'user' as const, content: 'This License' }]
  const most = 40

  /** One call per interface, of any model, streamed or not. */
  const calls: Readonly<Record<string, readonly [(typeof KINDS)[number], (model: string, stream: boolean, n?: number) => Act]>> = {
    'Ollama chat': [
      'ollama',
      (model, stream, n = most) =>
        (base, fetch) =>
          // The types tell a stream from none by a literal.
          ollama(base, fetch).chat({ model, messages, stream: stream as true, options: { seed: 7, temperature: 0.8, num_predict: n } })
    ],
    'OpenAI chat': [
      'openai',
      (model, stream, n = most) =>
        (base, fetch) =>
          openai(base, fetch).chat.completions.create({
            model,
            messages,
            stream,
            seed: 7,
            temperature: 0.8,
            max_completion_tokens: n,
            ...(stream ? { stream_options: { include_usage: true } } : {})
          })
    ],
    'OpenAI responses': [
      'openai',
      (model, stream, n = most) =>
        (base, fetch) =>
          openai(base, fetch).responses.create({ model, input: 'This License', stream, temperature: 0, max_output_tokens: n })
    ],
    'Anthropic messages': [
      'anthropic',
      (model, stream, n = most) =>
        (base, fetch) =>
          anthropic(base, fetch).messages.create({ model, messages, stream, max_tokens: n, ...GREEDY })
    ]
  }
  const finishes: Readonly<Record<string, string>> = {
    'Ollama chat': 'length',
    'OpenAI chat': 'length',
    'OpenAI responses': 'max_output_tokens',
    'Anthropic messages': 'max_tokens'
  }

  describe.each(Object.keys(calls))('%s', (name) => {
    const [kind, call] = calls[name] ?? ['ollama', () => async () => {}]

    it('streams the same bytes as the same events, and the record says what the client saw', async () => {
      const { seen, record } = await twice(call(llama.model, true), kind)
      expect(seen.failed).toBeUndefined()
      expect(seen.items.length).toBeGreaterThan(20)
      const text = textOf(record)
      expect(text.length).toBeGreaterThan(40)
      const whole = await twice(call(llama.model, false), kind)
      expect(whole.seen.items).toHaveLength(1)
      expect(JSON.stringify(whole.seen.items)).toContain(JSON.stringify(text).slice(1, -1))
      expect(textOf(whole.record)).toBe(text)
      for (const { row, event } of [record, whole.record]) {
        expect(row).toMatchObject({
          model: llama.model,
          served_model: llama.model,
          status: 'success',
          http_status: 200,
          finish: finishes[name]
        })
        expect(row.output_tokens).toBe(most)
        expect(event.usage_source).toBe('reported')
        expect(row.input_tokens).toBeGreaterThan(1)
      }
      expect(record.row.ttft_ms).toBeLessThan(record.row.processing_time_ms ?? 0)
      expect(whole.record.row.ttft_ms).toBeNull()
    })

    it('gives the same refusals, which are on record', async () => {
      const missing = await twice(call('no-such', true), kind)
      expect(missing.seen.failed?.message).toContain('no-such')
      expect(missing.record.row).toMatchObject({ status: 'error', http_status: 404, model: 'no-such' })
    })

    it('ends the same when the server dies in the middle, and keeps what came', async () => {
      const ends: Outcome[] = []
      let record: RecordDetail | undefined
      for (const proxied of [false, true]) {
        const mortal = await startLlama()
        const at = proxied ? await route(mortal, 'mortal', kind) : mortal.url
        const run = async (): Promise<void> => {
          const begun = outcomeOf(
            (base, fetch) =>
              call(
                mortal.model,
                true,
                900
              )(base, async (input, init) => {
                const response = await fetch(input, init)
                setTimeout(() => mortal.stop(), 200)
                return response
              }),
            at
          )
          ends.push(await begun)
        }
        if (proxied) record = await recordOf(run)
        else await run()
      }
      const [straight, through] = ends
      expect(straight?.failed).toBeDefined()
      expect(through?.failed).toEqual(straight?.failed)
      expect(record?.row).toMatchObject({ status: 'error', error_type: 'connection_lost' })
      expect(textOf(record as RecordDetail).length).toBeGreaterThan(0)
    }, 60_000)

    it('ends the run when the client goes', async () => {
      const record = await recordOf(async () => {
        const control = new AbortController()
        await outcomeOf(
          (base, fetch) =>
            call(
              llama.model,
              true,
              900
            )(base, async (input, init) => {
              setTimeout(() => control.abort(), 200)
              return fetch(input, { ...init, signal: control.signal })
            }),
          `${engine.engine.status().endpoints.compliance.url}/proxy/${kind}`
        )
      })
      expect(record.row.status).toBe('aborted')
      expect(textOf(record).length).toBeGreaterThan(0)
      const began = performance.now()
      await outcomeOf(call(llama.model, false, 1), llama.url)
      expect(performance.now() - began).toBeLessThan(5_000)
    })
  })
})
