// SPDX-License-Identifier: Apache-2.0
// A real llama.cpp behind the proxy, with Ollama's own client in front. Runs with AFFIDAVIT_LLAMA=1: the first time it installs 85 MB.
import { Ollama } from 'ollama'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type LlamaServer, startLlama } from '../../../../scripts/llama/llama.ts'
import type { RecordDetail, RecordRow } from '../../../shared/contract/record.ts'
import { type TestEngine, testEngine } from '../../test/test-engine.ts'

describe.skipIf(!process.env.AFFIDAVIT_LLAMA)('a real llama.cpp behind the proxy (AFFIDAVIT_LLAMA=1)', () => {
  let llama: LlamaServer
  let engine: TestEngine
  let client: Ollama
  let straight: Ollama

  beforeAll(async () => {
    llama = await startLlama()
    engine = await testEngine({ servers: true })
    await engine.call('upstreams.set', { name: 'llama', url: llama.url, kind: 'ollama', mode: 'fail-closed', source: 'desk' })
    client = new Ollama({ host: `${engine.engine.status().endpoints.compliance.url}/proxy/llama` })
    straight = new Ollama({ host: llama.url })
  }, 300_000)
  afterAll(async () => {
    await engine?.remove()
    llama?.stop()
  })

  const rows = async (): Promise<RecordRow[]> => [...(await engine.call('records.query', {})).records].sort((a, b) => a.seq - b.seq)
  /** The one record that a call leaves. */
  async function recordOf(act: () => Promise<unknown>): Promise<RecordDetail> {
    const before = (await rows()).length
    await act()
    await expect.poll(async () => (await rows()).length, { timeout: 20_000, interval: 50 }).toBe(before + 1)
    return engine.call('records.get', { seq: (await rows()).at(-1)?.seq ?? -1 })
  }
  const textOf = (detail: RecordDetail): string =>
    detail.output_messages.flatMap(({ parts }) => parts.map((part) => part.content ?? '')).join('')
  const options = { temperature: 0.8, seed: 7, num_predict: 60 }

  it('streams a chat whose record says what the client saw, with the counts and times of the run', async () => {
    const messages = [{ role: 'user', content: 'This License' }]
    let seen = ''
    let last: { eval_count?: number; prompt_eval_count?: number; done_reason?: string } = {}
    let chunks = 0
    const detail = await recordOf(async () => {
      for await (const chunk of await client.chat({ model: llama.model, messages, stream: true, options })) {
        seen += chunk.message.content
        chunks++
        last = chunk
      }
    })
    expect(chunks).toBeGreaterThan(10)
    expect(seen.length).toBeGreaterThan(50)
    expect(textOf(detail)).toBe(seen)
    expect(detail.row).toMatchObject({
      provider: 'ollama',
      model: llama.model,
      source: 'desk',
      status: 'success',
      finish: last.done_reason,
      input_tokens: last.prompt_eval_count,
      output_tokens: last.eval_count
    })
    const { event } = detail as { event: Record<string, number> }
    expect(event.load_us).toBeGreaterThan(0)
    expect(event.prompt_eval_us).toBeGreaterThan(0)
    expect(event.eval_us).toBeGreaterThan(0)
    expect(detail.row.ttft_ms).toBeLessThan(detail.row.processing_time_ms ?? 0)
    expect(detail.cost).toEqual({ origin: 'local', usd: '0' })
    const again = await straight.chat({ model: llama.model, messages, options })
    expect(again.message.content).toBe(seen)
  })

  it('says why an answer ended: by length, or by itself', async () => {
    const ends = new Set<string | null>()
    for (let seed = 1; seed <= 12 && ends.size < 2; seed++) {
      const request = {
        model: llama.model,
        prompt: 'The licensor',
        stream: false as const,
        options: { seed, temperature: 0.8, num_predict: seed === 1 ? 5 : 400 }
      }
      const detail = await recordOf(() => client.generate(request))
      if (seed === 1) expect(detail.row).toMatchObject({ finish: 'length', output_tokens: 5 })
      ends.add(detail.row.finish)
    }
    expect([...ends].sort()).toEqual(['length', 'stop'])
  })

  it('knows which model served by its digest', async () => {
    const request = { model: llama.model, prompt: 'You', stream: false as const, options }
    await recordOf(() => client.generate(request))
    const { event } = await recordOf(() => client.generate(request))
    expect(String(event.model_digest)).toContain(llama.digest)
  })

  it('ends the run when the client goes, and records what came as aborted', async () => {
    const detail = await recordOf(async () => {
      const stream = await client.generate({
        model: llama.model,
        prompt: 'You may',
        stream: true,
        options: { num_predict: 900, temperature: 1.5, seed: 3 }
      })
      await expect(async () => {
        let n = 0
        for await (const _ of stream) if (++n === 3) stream.abort()
      }).rejects.toThrow(/abort/i)
    })
    expect(detail.row.status).toBe('aborted')
    expect(textOf(detail).length).toBeGreaterThan(0)
    // The server is free again: nobody waits for the rest.
    const began = performance.now()
    await straight.generate({ model: llama.model, prompt: 'You', options: { num_predict: 1 }, stream: false })
    expect(performance.now() - began).toBeLessThan(5_000)
  })

  it('records a refusal of the server as an error', async () => {
    const detail = await recordOf(() => client.generate({ model: 'no-such', prompt: 'x', stream: false }).catch(() => {}))
    expect(detail.row).toMatchObject({ status: 'error', http_status: 404, model: 'no-such' })
  })
})
