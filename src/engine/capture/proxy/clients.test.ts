// SPDX-License-Identifier: Apache-2.0
// Unmodified clients against a scripted model server: with the proxy in between they see the same, and each call to a model is one record.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import Anthropic from '@anthropic-ai/sdk'
import { Ollama } from 'ollama'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RecordDetail, RecordRow } from '../../../shared/contract/record.ts'
import { type ScriptedUpstream, scriptedUpstream } from '../../test/scripted-upstream.ts'
import { type TestEngine, testEngine } from '../../test/test-engine.ts'

const KEY = 'sk-secret-key-that-is-nowhere-stored'
const PICTURE = Buffer.from('a picture that is no text'.repeat(40)).toString('base64')

let engine: TestEngine
let upstream: ScriptedUpstream
let base: string

beforeAll(async () => {
  upstream = await scriptedUpstream()
  engine = await testEngine({ servers: true })
  base = `${engine.engine.status().endpoints.compliance.url}/proxy`
  for (const kind of ['ollama', 'openai', 'anthropic'] as const)
    await engine.call('upstreams.set', { name: kind, url: upstream.url, kind, source: kind === 'anthropic' ? 'desk' : null })
})
afterAll(async () => {
  await engine.remove()
  await upstream.close()
})

const rows = async (): Promise<RecordRow[]> =>
  [...(await engine.call('records.query', { limit: 1000 })).records].sort((a, b) => a.seq - b.seq)

/** The records that a call left, once they are there. */
async function recordsOf(act: () => Promise<unknown>, n = 1): Promise<RecordDetail[]> {
  const before = (await rows()).length
  await act()
  await expect.poll(async () => (await rows()).length, { timeout: 10_000, interval: 20 }).toBe(before + n)
  const fresh = (await rows()).slice(before)
  return Promise.all(fresh.map(({ seq }) => engine.call('records.get', { seq })))
}

/** The same done straight and through the proxy: what it gave, or the error it ended in. */
async function both<T>(act: (base: string) => Promise<T>, prefix: string): Promise<readonly [straight: unknown, proxied: unknown]> {
  const outcome = async (url: string): Promise<unknown> => {
    try {
      return await act(url)
    } catch (error) {
      const { name, message, status } = error as Error & { status?: number }
      return { failed: name, message, status }
    }
  }
  return [await outcome(upstream.url), await outcome(`${base}/${prefix}`)]
}

async function all<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of stream) items.push(item)
  return items
}

const textOf = (messages: RecordDetail['output_messages']): string =>
  messages.flatMap((one) => one.parts.map((part) => (part.type === 'text' ? part.content : ''))).join('')

describe('the client of Ollama', () => {
  const chat = (host: string, more: object = {}) =>
    new Ollama({ host }).chat({ model: 'tiny', messages: [{ role: 'user', content: 'What is it?' }], ...more })

  it('chats, streamed and not, with tools and pictures', async () => {
    const streamed = async (host: string) =>
      all(
        await new Ollama({ host }).chat({
          model: 'tiny',
          stream: true,
          messages: [{ role: 'user', content: 'What is it?', images: [PICTURE] }],
          tools: [{ type: 'function', function: { name: 'add' } }]
        })
      )
    const [record] = await recordsOf(async () => {
      const [straight, proxied] = await both(streamed, 'ollama')
      expect(proxied).toEqual(straight)
      expect(straight).toHaveLength(8)
    })
    expect(record?.row).toMatchObject({
      channel: 'proxy',
      operation: 'chat',
      provider: 'ollama',
      model: 'tiny',
      served_model: 'tiny',
      status: 'success',
      input_tokens: 11,
      output_tokens: 6,
      finish: 'stop',
      http_status: 200,
      source: 'unknown'
    })
    expect(record?.event).toMatchObject({
      load_us: 1000,
      prompt_eval_us: 2000,
      eval_us: 5000,
      usage_source: 'reported',
      model_digest: 'a'.repeat(64),
      stream: true
    })
    expect(record?.row.ttft_ms).toBeGreaterThan(0)
    expect(record?.row.ttft_ms).toBeLessThan(record?.row.processing_time_ms ?? 0)
    expect(textOf(record?.output_messages ?? [])).toBe('The answer is 42.')
    expect(record?.output_messages[0]?.parts[1]).toMatchObject({ type: 'tool_call', name: 'add', arguments: { a: 1 } })
    expect(record?.input_messages[0]?.parts[1]).toMatchObject({ type: 'blob', modality: 'image', bytes: 1000 })
    expect(JSON.stringify(record)).not.toContain(PICTURE.slice(0, 40))
    expect(record?.leaf.json).toContain('"links":{"request":')

    const [plain] = await recordsOf(async () => {
      const [straight, proxied] = await both((host) => chat(host), 'ollama')
      expect(proxied).toEqual(straight)
    })
    expect(plain?.row.ttft_ms).toBeNull()
    expect(textOf(plain?.output_messages ?? [])).toBe('The answer is 42.')
  })

  it('notes where the data left the machine, and errors in the middle of a stream', async () => {
    const [cloud] = await recordsOf(() => chat(`${base}/ollama`, { model: 'big-cloud' }))
    expect(cloud?.event).toMatchObject({ remote_model: 'big', remote_host: 'https://ollama.com:443' })
    const [broken] = await recordsOf(async () => {
      const [straight, proxied] = await both(
        async (host) => all(await new Ollama({ host }).generate({ model: 'breaks', prompt: 'Go', stream: true })),
        'ollama'
      )
      expect(proxied).toEqual(straight)
      expect(straight).toHaveProperty('failed')
    })
    expect(broken?.row).toMatchObject({ status: 'error', operation: 'text_completion', http_status: 200 })
    expect(broken?.error).toBe('model runner has unexpectedly stopped')
    expect(broken?.leaf.type).toBe('llm.error')
  })

  it('lists models without a record', async () => {
    const before = (await rows()).length
    const [straight, proxied] = await both((host) => new Ollama({ host }).list(), 'ollama')
    expect(proxied).toEqual(straight)
    expect((await rows()).length).toBe(before)
  })
})

describe('the client of OpenAI', () => {
  const client = (url: string) => new OpenAI({ apiKey: KEY, baseURL: `${url}/v1`, maxRetries: 0 })
  const messages = [{ role: 'user' as const, content: 'What is it?' }]

  it('chats, streamed with and without usage, and not streamed', async () => {
    const streamed = async (url: string) =>
      all(
        await client(url).chat.completions.create({
          model: 'gpt',
          messages,
          stream: true,
          stream_options: { include_usage: true },
          tools: [{ type: 'function', function: { name: 'add' } }]
        })
      )
    const [record] = await recordsOf(async () => {
      const [straight, proxied] = await both(streamed, 'openai')
      expect(proxied).toEqual(straight)
    })
    expect(record?.row).toMatchObject({
      provider: 'openai',
      model: 'gpt',
      served_model: 'gpt-2026-01-01',
      status: 'success',
      input_tokens: 12,
      output_tokens: 6,
      finish: 'tool_calls'
    })
    expect(record?.event).toMatchObject({ cache_read_tokens: 4, reasoning_tokens: 2, response_id: 'chatcmpl-1' })
    expect(record?.output_messages[0]?.parts[1]).toMatchObject({ type: 'tool_call', id: 'call_1', arguments: { a: 1 } })
    const [silent] = await recordsOf(async () =>
      all(await client(`${base}/openai`).chat.completions.create({ model: 'gpt', messages, stream: true }))
    )
    expect(silent?.row).toMatchObject({ input_tokens: null, output_tokens: null, status: 'success' })
    expect(silent?.event.usage_source).toBe('missing')
    const [plain] = await recordsOf(async () => {
      const [straight, proxied] = await both(
        (url) => client(url).chat.completions.create({ model: 'gpt', messages, user: 'u-1' }),
        'openai'
      )
      expect(proxied).toEqual(straight)
    })
    expect(plain?.row).toMatchObject({ finish: 'stop', input_tokens: 12 })
    expect(plain?.event.user_id).toBe('⟦subject 1⟧')
  })

  it('uses responses and embeddings', async () => {
    const [record] = await recordsOf(async () => {
      const [straight, proxied] = await both(
        async (url) =>
          all(await client(url).responses.create({ model: 'gpt', input: 'What is it?', instructions: 'Be short', stream: true })),
        'openai'
      )
      expect(proxied).toEqual(straight)
    })
    expect(record?.row).toMatchObject({ operation: 'chat', input_tokens: 20, output_tokens: 6, finish: 'completed', status: 'success' })
    expect(record?.event).toMatchObject({ cache_read_tokens: 5, reasoning_tokens: 1 })
    expect(textOf(record?.output_messages ?? [])).toBe('The answer is 42.')
    expect(record?.input_messages.map((one) => one.role)).toEqual(['system', 'user'])
    const [plain] = await recordsOf(() => client(`${base}/openai`).responses.create({ model: 'gpt', input: 'What is it?' }))
    expect(textOf(plain?.output_messages ?? [])).toBe('The answer is 42.')
    const [embedded] = await recordsOf(async () => {
      const [straight, proxied] = await both(
        (url) => client(url).embeddings.create({ model: 'gpt', input: 'words', encoding_format: 'float' }),
        'openai'
      )
      expect(proxied).toEqual(straight)
    })
    expect(embedded?.row).toMatchObject({ operation: 'embeddings', input_tokens: 3, status: 'success' })
  })

  it('gets the same errors, and they are on record', async () => {
    const [missing] = await recordsOf(async () => {
      const [straight, proxied] = await both((url) => client(url).chat.completions.create({ model: 'missing', messages }), 'openai')
      expect(proxied).toEqual(straight)
      expect(straight).toMatchObject({ status: 404 })
    })
    expect(missing?.row).toMatchObject({ status: 'error', http_status: 404, error_type: 'not_found_error' })
    const [reset] = await recordsOf(async () => {
      const [straight, proxied] = await both(
        async (url) => all(await client(url).chat.completions.create({ model: 'resets', messages, stream: true })),
        'openai'
      )
      expect(proxied).toEqual(straight)
      expect(straight).toHaveProperty('failed')
    })
    expect(reset?.row).toMatchObject({ status: 'error', error_type: 'connection_lost' })
    expect(textOf(reset?.output_messages ?? [])).toBe('half')
    const [stopped] = await recordsOf(async () =>
      all(await client(`${base}/openai`).chat.completions.create({ model: 'stops', messages, stream: true }))
    )
    expect(stopped?.row.status).toBe('incomplete')
    const [zipped] = await recordsOf(async () => {
      const [straight, proxied] = await both((url) => client(url).chat.completions.create({ model: 'zipped', messages }), 'openai')
      expect(proxied).toEqual(straight)
    })
    expect(textOf(zipped?.output_messages ?? [])).toBe('The answer is 42.')
  })

  it('goes in the middle of a stream, and so does the upstream', async () => {
    const gone = upstream.gone.length
    const [record] = await recordsOf(async () => {
      const stream = await new Ollama({ host: `${base}/ollama` }).chat({ model: 'endless', stream: true, messages })
      for await (const _ of stream) break
      stream.abort()
    })
    expect(record?.row.status).toBe('aborted')
    expect(record?.leaf.type).toBe('llm.aborted')
    await expect.poll(() => upstream.gone.length).toBeGreaterThan(gone)
  })
})

describe('the client of Anthropic', () => {
  const client = (url: string) => new Anthropic({ apiKey: KEY, baseURL: url, maxRetries: 0 })
  const ask = { model: 'claude', max_tokens: 50, system: 'Be short', messages: [{ role: 'user' as const, content: 'What is it?' }] }

  it('sends messages, streamed and not', async () => {
    const [record] = await recordsOf(async () => {
      const [straight, proxied] = await both(async (url) => all(await client(url).messages.create({ ...ask, stream: true })), 'anthropic')
      expect(proxied).toEqual(straight)
    })
    expect(record?.row).toMatchObject({
      provider: 'anthropic',
      model: 'claude',
      served_model: 'claude-20260101',
      input_tokens: 1110,
      output_tokens: 6,
      finish: 'tool_use',
      status: 'success',
      source: 'desk'
    })
    expect(record?.event).toMatchObject({ cache_read_tokens: 100, cache_creation_tokens: 1000, max_tokens: 50 })
    expect(record?.output_messages[0]?.parts).toMatchObject([
      { content: 'The answer is 42.' },
      { type: 'tool_call', name: 'add', arguments: { a: 1 } }
    ])
    const [plain] = await recordsOf(async () => {
      const [straight, proxied] = await both((url) => client(url).messages.create(ask), 'anthropic')
      expect(proxied).toEqual(straight)
    })
    expect(plain?.row).toMatchObject({ input_tokens: 1110, output_tokens: 6, finish: 'end_turn' })
  })
})

describe('afterwards', () => {
  it('no key of a client is in any file, and a rebuild gives the same catalog', async () => {
    expect(upstream.seen.some((one) => one.headers.includes(`Bearer ${KEY}`))).toBe(true)
    expect(upstream.seen.some((one) => one.url === '/v1/messages' && one.headers.join().includes(KEY))).toBe(true)
    const files = (folder: string): string[] =>
      readdirSync(folder).flatMap((name) => (statSync(join(folder, name)).isDirectory() ? files(join(folder, name)) : [join(folder, name)]))
    for (const file of files(engine.root)) expect(readFileSync(file).includes(KEY), file).toBe(false)
    const details = JSON.stringify(
      await Promise.all((await rows()).map(async ({ seq }) => (await engine.call('records.get', { seq })).event))
    )
    expect(details).not.toContain('secret')
    const before = [await rows(), await engine.call('records.facets', {})]
    await engine.job((await engine.call('workspace.rebuild', {})).job_id)
    expect([await rows(), await engine.call('records.facets', {})]).toEqual(before)
    expect(await engine.call('records.statistics', {})).toMatchObject({ in_flight: 0, count: (before[0] as RecordRow[]).length })
  })
})
