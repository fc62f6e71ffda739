// SPDX-License-Identifier: Apache-2.0
// A model server with Ollama's interfaces around a real llama.cpp: `node server.ts INSTALL MODEL` prints its port. One call at a time, as on a small
// machine. `GET /sent` says what the last answer was, byte by byte: the one thing a real server does not have.
import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { MODEL } from './gguf.ts'
import { type Body, type Made, type Shape, shapes } from './shapes.ts'

const CONTEXT = 1024

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

/** The body, or null when it is no JSON object. */
async function bodyOf(request: IncomingMessage): Promise<Body | null> {
  const pieces: Buffer[] = []
  for await (const piece of request) pieces.push(piece as Buffer)
  try {
    const body: unknown = JSON.parse(Buffer.concat(pieces).toString('utf8'))
    return typeof body === 'object' && body !== null && !Array.isArray(body) ? (body as Body) : null
  } catch {
    return null
  }
}

/** What was sent last, so that a test can hold what arrived against it. */
class Sent {
  #digest = createHash('sha256')
  #writes = 0

  write(response: ServerResponse, piece: string, end = false): void {
    if (piece !== '') {
      this.#digest.update(piece)
      this.#writes++
    }
    if (end) response.end(piece)
    else if (piece !== '') response.write(piece)
  }

  get value(): { readonly sha256: string; readonly writes: number } {
    return { sha256: this.#digest.copy().digest('hex'), writes: this.#writes }
  }
}

async function start(install: string, path: string): Promise<void> {
  const entry = pathToFileURL(join(install, 'node_modules', 'node-llama-cpp', 'dist', 'index.js')).href
  const { getLlama, LlamaCompletion } = (await import(entry)) as LlamaModule
  const began = performance.now()
  // One thread: several wait for one another in a busy loop, which on a machine with other work takes minutes.
  const llama = await getLlama({ build: 'never', gpu: false, skipDownload: true, maxThreads: 1 })
  const model = await llama.loadModel({ modelPath: path })
  const sequence = (await model.createContext({ contextSize: CONTEXT, threads: 1 })).getSequence()
  const completion = new LlamaCompletion({ contextSequence: sequence })
  let loading = performance.now() - began
  const digest = createHash('sha256').update(readFileSync(path)).digest('hex')
  const details = { format: 'gguf', family: 'llama', parameter_size: '5M', quantization_level: 'F32' }
  let last: Promise<unknown> = Promise.resolve()

  let sent = new Sent()
  const json = (response: ServerResponse, status: number, value: unknown, mine = new Sent()): void => {
    response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' })
    mine.write(response, JSON.stringify(value), true)
  }

  async function answer(shape: Shape, body: Body, response: ServerResponse, mine: Sent): Promise<void> {
    const { prompt, stream, most, temperature, seed } = shape.asked(body)
    const promptTokens = model.tokenize(prompt).length
    // As llama.cpp does: what does not fit is refused, not cut.
    if (promptTokens >= CONTEXT) return json(response, 400, shape.error(400, 'the request exceeds the available context size'), mine)
    const gone = new AbortController()
    response.on('close', () => gone.abort())
    const wire = shape.answer(body)
    if (stream) {
      response.writeHead(200, { 'content-type': wire.type })
      mine.write(response, wire.first)
    }
    await sequence.clearHistory()
    const at = performance.now()
    let first = at
    let tokens = 0
    const made = await completion.generateCompletionWithMeta(prompt, {
      maxTokens: most,
      temperature,
      seed,
      signal: gone.signal,
      stopOnAbortSignal: true,
      onToken: (some) => {
        if (tokens === 0) first = performance.now()
        tokens += some.length
      },
      onTextChunk: (text) => {
        if (stream) mine.write(response, wire.part(text))
      }
    })
    const all: Made = {
      text: made.response,
      cut: made.metadata.stopReason === 'maxTokens',
      promptTokens,
      tokens,
      loadMs: loading,
      promptMs: first - at,
      evalMs: performance.now() - first
    }
    loading = 0
    if (stream) mine.write(response, wire.last(all), true)
    else json(response, 200, wire.whole(all), mine)
  }

  const server = createServer((request, response) => {
    void (async () => {
      const { pathname } = new URL(request.url ?? '/', 'http://x')
      if (request.method === 'GET' && pathname === '/api/version') return json(response, 200, { version: '0.0.0-llama.cpp' })
      if (request.method === 'GET' && pathname === '/api/tags')
        return json(response, 200, { models: [{ name: MODEL, model: MODEL, digest, size: statSync(path).size, details }] })
      if (request.method === 'GET' && pathname === '/sent') return json(response, 200, sent.value)
      const shape = request.method === 'POST' ? shapes[pathname] : undefined
      if (shape === undefined) return json(response, 404, { error: 'not found' })
      const mine = new Sent()
      sent = mine
      const body = await bodyOf(request)
      if (body === null) return json(response, 400, shape.error(400, 'the body is no JSON object'), mine)
      if (body.model !== MODEL) return json(response, 404, shape.error(404, `model '${String(body.model)}' not found`), mine)
      const turn = last.then(() => answer(shape, body, response, mine))
      last = turn.catch(() => {})
      return turn
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
