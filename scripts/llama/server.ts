// SPDX-License-Identifier: Apache-2.0
// A model server with Ollama's interface around a real llama.cpp: `node server.ts INSTALL MODEL` prints its port. One call at a time, as on a small machine.
import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { MODEL } from './gguf.ts'

/** As much of node-llama-cpp as is used: it is installed apart from the project, and so are its types. */
interface LlamaModule {
  getLlama(options: object): Promise<{ loadModel(options: { modelPath: string }): Promise<LlamaModel> }>
  readonly LlamaCompletion: new (options: { contextSequence: Sequence }) => Completion
}
interface LlamaModel {
  createContext(options: object): Promise<{ getSequence(): Sequence }>
  tokenize(text: string): readonly unknown[]
}
interface Sequence {
  clearHistory(): Promise<void>
}
interface Completion {
  generateCompletionWithMeta(
    prompt: string,
    options: {
      readonly maxTokens?: number | undefined
      readonly temperature?: number | undefined
      readonly seed?: number | undefined
      readonly signal: AbortSignal
      readonly stopOnAbortSignal: true
      readonly onTextChunk: (text: string) => void
      readonly onToken: (tokens: readonly unknown[]) => void
    }
  ): Promise<{ readonly response: string; readonly metadata: { readonly stopReason: string } }>
}

interface Asked {
  readonly model?: string
  readonly prompt?: string
  readonly messages?: readonly { readonly role: string; readonly content: string }[]
  readonly stream?: boolean
  readonly options?: { readonly num_predict?: number; readonly temperature?: number; readonly seed?: number }
}

async function bodyOf(request: IncomingMessage): Promise<Asked> {
  const pieces: Buffer[] = []
  for await (const piece of request) pieces.push(piece as Buffer)
  return JSON.parse(Buffer.concat(pieces).toString('utf8')) as Asked
}

const json = (response: ServerResponse, status: number, value: unknown): void => {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(value))
}

const nanos = (ms: number): number => Math.round(ms * 1e6)

async function start(install: string, path: string): Promise<void> {
  const entry = pathToFileURL(join(install, 'node_modules', 'node-llama-cpp', 'dist', 'index.js')).href
  const { getLlama, LlamaCompletion } = (await import(entry)) as LlamaModule
  const began = performance.now()
  // One thread: several wait for one another in a busy loop, which on a machine with other work takes minutes.
  const llama = await getLlama({ build: 'never', gpu: false, skipDownload: true, maxThreads: 1 })
  const model = await llama.loadModel({ modelPath: path })
  const sequence = (await model.createContext({ contextSize: 1024, threads: 1 })).getSequence()
  const completion = new LlamaCompletion({ contextSequence: sequence })
  let loading = performance.now() - began
  const digest = createHash('sha256').update(readFileSync(path)).digest('hex')
  const details = { format: 'gguf', family: 'llama', parameter_size: '5M', quantization_level: 'F32' }
  let last: Promise<unknown> = Promise.resolve()

  async function answer(asked: Asked, chat: boolean, response: ServerResponse): Promise<void> {
    const prompt = chat ? (asked.messages ?? []).map(({ role, content }) => `${role}: ${content}\n`).join('') : (asked.prompt ?? '')
    const gone = new AbortController()
    response.on('close', () => gone.abort())
    const stream = asked.stream !== false
    const line = (content: string, more: object): string => {
      const part = chat ? { message: { role: 'assistant', content } } : { response: content }
      return `${JSON.stringify({ model: asked.model, created_at: new Date().toISOString(), ...part, ...more })}\n`
    }
    if (stream) response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    await sequence.clearHistory()
    const at = performance.now()
    let first = at
    let tokens = 0
    const { num_predict, temperature, seed } = asked.options ?? {}
    const made = await completion.generateCompletionWithMeta(prompt, {
      maxTokens: num_predict,
      temperature,
      seed,
      signal: gone.signal,
      stopOnAbortSignal: true,
      onToken: (some) => {
        if (tokens === 0) first = performance.now()
        tokens += some.length
      },
      onTextChunk: (text) => {
        if (stream) response.write(line(text, { done: false }))
      }
    })
    const end = performance.now()
    const load = loading
    loading = 0
    const done = {
      done: true,
      done_reason: made.metadata.stopReason === 'maxTokens' ? 'length' : 'stop',
      total_duration: nanos(end - at + load),
      load_duration: nanos(load),
      prompt_eval_count: model.tokenize(prompt).length,
      prompt_eval_duration: nanos(first - at),
      eval_count: tokens,
      eval_duration: nanos(end - first)
    }
    if (stream) response.end(line('', done))
    else response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' }).end(line(made.response, done))
  }

  const server = createServer((request, response) => {
    void (async () => {
      const { pathname } = new URL(request.url ?? '/', 'http://x')
      if (request.method === 'GET' && pathname === '/api/version') return json(response, 200, { version: '0.0.0-llama.cpp' })
      if (request.method === 'GET' && pathname === '/api/tags')
        return json(response, 200, { models: [{ name: MODEL, model: MODEL, digest, size: statSync(path).size, details }] })
      const chat = pathname === '/api/chat'
      if (request.method !== 'POST' || !(chat || pathname === '/api/generate')) return json(response, 404, { error: 'not found' })
      const asked = await bodyOf(request)
      if (asked.model !== MODEL) return json(response, 404, { error: 'model not found' })
      const mine = last.then(() => answer(asked, chat, response))
      last = mine.catch(() => {})
      return mine
    })().catch((error: unknown) => {
      process.stderr.write(`${String(error)}\n`)
      if (response.headersSent) response.destroy()
      else json(response, 500, { error: 'failed' })
    })
  })
  server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`))
}

const [install, model] = process.argv.slice(2)
if (install !== undefined && model !== undefined) await start(install, model)
