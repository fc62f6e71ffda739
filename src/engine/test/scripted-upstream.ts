// SPDX-License-Identifier: Apache-2.0
// A model server that says what it is told to, in the wire formats of the real ones.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { brotliCompressSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib'

export interface ScriptedUpstream {
  readonly url: string
  readonly port: number
  readonly seen: { readonly method: string; readonly url: string; readonly headers: readonly string[]; readonly body: string }[]
  /** Connections whose client went away before the answer ended. */
  readonly gone: string[]
  close(): Promise<void>
}

const sse = (events: readonly (readonly [name: string | null, data: unknown])[]): string[] =>
  events.map(
    ([name, data]) => `${name === null ? '' : `event: ${name}\n`}data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`
  )

const DIGEST = 'a'.repeat(64)
const words = ['The ', 'ans', 'wer ', 'is ', '42', '.']
const ollamaEnd = {
  done: true,
  done_reason: 'stop',
  total_duration: 9_000_000,
  load_duration: 1_000_000,
  prompt_eval_count: 11,
  prompt_eval_duration: 2_000_000,
  eval_count: 6,
  eval_duration: 5_000_000
}

function ollama(body: Record<string, unknown>): { type: string; chunks: string[] } {
  const model = String(body.model)
  const base = { model, created_at: '2026-01-01T00:00:00Z' }
  const remote = model.endsWith('-cloud') ? { remote_model: 'big', remote_host: 'https://ollama.com:443' } : {}
  if (body.stream === false) {
    const message = { role: 'assistant', content: words.join('') }
    return { type: 'application/json; charset=utf-8', chunks: [JSON.stringify({ ...base, ...remote, message, ...ollamaEnd })] }
  }
  const lines: unknown[] = words.map((content) => ({ ...base, ...remote, message: { role: 'assistant', content }, done: false }))
  if (body.tools)
    lines.push({
      ...base,
      message: { role: 'assistant', content: '', tool_calls: [{ function: { name: 'add', arguments: { a: 1 } } }] },
      done: false
    })
  if (model === 'breaks') lines.splice(2, 9, { error: 'model runner has unexpectedly stopped' })
  else lines.push({ ...base, ...remote, message: { role: 'assistant', content: '' }, ...ollamaEnd })
  return { type: 'application/x-ndjson', chunks: lines.map((line) => `${JSON.stringify(line)}\n`) }
}

const openaiUsage = {
  prompt_tokens: 12,
  completion_tokens: 6,
  total_tokens: 18,
  prompt_tokens_details: { cached_tokens: 4 },
  completion_tokens_details: { reasoning_tokens: 2 }
}

function openaiChat(body: Record<string, unknown>): { type: string; chunks: string[] } {
  const base = { id: 'chatcmpl-1', created: 1, model: `${String(body.model)}-2026-01-01` }
  if (body.stream !== true) {
    const choice = {
      index: 0,
      message: { role: 'assistant', content: words.join(''), refusal: null },
      finish_reason: 'stop',
      logprobs: null
    }
    return {
      type: 'application/json',
      chunks: [JSON.stringify({ ...base, object: 'chat.completion', choices: [choice], usage: openaiUsage })]
    }
  }
  const chunk = (delta: object, finish: string | null = null) =>
    [null, { ...base, object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: finish }] }] as const
  const events: (readonly [null, unknown])[] = [chunk({ role: 'assistant', content: '' }), ...words.map((content) => chunk({ content }))]
  if (body.tools) {
    events.push(chunk({ tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: { name: 'add', arguments: '{"a":' } }] }))
    events.push(chunk({ tool_calls: [{ index: 0, function: { arguments: '1}' } }] }))
  }
  if (body.model !== 'stops') {
    events.push(chunk({}, body.tools ? 'tool_calls' : 'stop'))
    if ((body.stream_options as { include_usage?: boolean } | undefined)?.include_usage)
      events.push([null, { ...base, object: 'chat.completion.chunk', choices: [], usage: openaiUsage }])
    events.push([null, '[DONE]'])
  }
  return { type: 'text/event-stream', chunks: sse(events) }
}

function openaiResponses(body: Record<string, unknown>): { type: string; chunks: string[] } {
  const output = [
    {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      status: 'completed',
      content: [{ type: 'output_text', text: words.join(''), annotations: [] }]
    }
  ]
  const usage = {
    input_tokens: 20,
    input_tokens_details: { cached_tokens: 5 },
    output_tokens: 6,
    output_tokens_details: { reasoning_tokens: 1 },
    total_tokens: 26
  }
  const response = {
    id: 'resp_1',
    object: 'response',
    created_at: 1,
    model: `${String(body.model)}-2026-01-01`,
    status: 'completed',
    output,
    usage
  }
  if (body.stream !== true) return { type: 'application/json', chunks: [JSON.stringify(response)] }
  const deltas = words.map((delta, i) => ({
    type: 'response.output_text.delta',
    item_id: 'msg_1',
    output_index: 0,
    content_index: 0,
    delta,
    sequence_number: i + 1
  }))
  const all = [
    { type: 'response.created', response: { ...response, status: 'in_progress', output: [], usage: null }, sequence_number: 0 },
    ...deltas,
    { type: 'response.completed', response, sequence_number: 99 }
  ]
  return { type: 'text/event-stream; charset=utf-8', chunks: sse(all.map((one) => [one.type, one])) }
}

function anthropic(body: Record<string, unknown>): { type: string; chunks: string[] } {
  const base = { id: 'msg_1', type: 'message', role: 'assistant', model: `${String(body.model)}-20260101`, stop_sequence: null }
  const usage = { input_tokens: 10, cache_read_input_tokens: 100, cache_creation_input_tokens: 1000, output_tokens: 1 }
  if (body.stream !== true) {
    const whole = {
      ...base,
      content: [{ type: 'text', text: words.join('') }],
      stop_reason: 'end_turn',
      usage: { ...usage, output_tokens: 6 }
    }
    return { type: 'application/json', chunks: [JSON.stringify(whole)] }
  }
  const all = [
    { type: 'message_start', message: { ...base, content: [], stop_reason: null, usage } },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    { type: 'ping' },
    ...words.map((text) => ({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } })),
    { type: 'content_block_stop', index: 0 },
    { type: 'content_block_start', index: 1, content_block: { type: 'tool_use', id: 'toolu_1', name: 'add', input: {} } },
    { type: 'content_block_delta', index: 1, delta: { type: 'input_json_delta', partial_json: '{"a"' } },
    { type: 'content_block_delta', index: 1, delta: { type: 'input_json_delta', partial_json: ':1}' } },
    { type: 'content_block_stop', index: 1 },
    { type: 'message_delta', delta: { stop_reason: 'tool_use', stop_sequence: null }, usage: { output_tokens: 4 } },
    { type: 'message_delta', delta: { stop_reason: 'tool_use', stop_sequence: null }, usage: { output_tokens: 6 } },
    { type: 'message_stop' }
  ]
  return { type: 'text/event-stream', chunks: sse(all.map((one) => [one.type, one])) }
}

const embeddings = (body: Record<string, unknown>) => ({
  type: 'application/json',
  chunks: [
    JSON.stringify({
      object: 'list',
      model: body.model,
      data: [{ object: 'embedding', index: 0, embedding: [0.5, 0.25] }],
      usage: { prompt_tokens: 3, total_tokens: 3 }
    })
  ]
})

async function answer(request: IncomingMessage, response: ServerResponse, text: string, gone: string[]): Promise<void> {
  const path = (request.url ?? '').split('?')[0] ?? ''
  response.on('close', () => {
    if (!response.writableFinished) gone.push(path)
  })
  const json = (status: number, value: unknown, headers: Record<string, string> = {}) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(JSON.stringify(value))
  }
  if (path === '/api/tags') return json(200, { models: [{ name: 'tiny:latest', model: 'tiny:latest', digest: DIGEST }] })
  if (path === '/v1/models') return json(200, { object: 'list', data: [{ id: 'gpt', object: 'model', created: 1, owned_by: 'x' }] })
  if (path === '/moved') return json(307, {}, { location: 'http://127.0.0.1:1/elsewhere' })
  const body = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>)
  if (body.model === 'missing')
    return json(404, { error: { type: 'not_found_error', code: 'model_not_found', message: 'no such model', param: null } })
  if (body.model === 'resets') {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('data: {"id":"x","choices":[{"index":0,"delta":{"content":"half"}}]}\n\n')
    await sleep(20)
    return void response.destroy()
  }
  if (body.model === 'endless') {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    const line = `${JSON.stringify({ model: 'endless', message: { role: 'assistant', content: 'x'.repeat(60_000) }, done: false })}\n`
    const stopped = once(response, 'close')
    while (!response.destroyed) if (!response.write(line)) await Promise.race([once(response, 'drain'), stopped])
    return
  }
  const made =
    path === '/api/chat' || path === '/api/generate'
      ? ollama(body)
      : path === '/v1/chat/completions'
        ? openaiChat(body)
        : path === '/v1/responses'
          ? openaiResponses(body)
          : path === '/v1/embeddings'
            ? embeddings(body)
            : path === '/v1/messages'
              ? anthropic(body)
              : null
  if (!made) return json(404, { error: 'not found' })
  const coding = body.model === 'zipped' ? 'gzip' : body.model === 'brotli' ? 'br' : body.model === 'zstandard' ? 'zstd' : null
  if (coding !== null && String(request.headers['accept-encoding']).includes(coding)) {
    response.writeHead(200, { 'content-type': made.type, 'content-encoding': coding })
    return void response.end((coding === 'br' ? brotliCompressSync : coding === 'zstd' ? zstdCompressSync : gzipSync)(made.chunks.join('')))
  }
  response.writeHead(200, 'Fine', { 'content-type': made.type, 'x-request-id': 'req-1', 'Set-Cookie': ['a=cookie-of-the-answer', 'b=2'] })
  for (const chunk of made.chunks) {
    response.write(chunk)
    // Each in a packet of its own, so that a client can count them.
    if (made.chunks.length > 1 && body.model !== 'fast') await sleep(3)
  }
  response.end()
}

/** Starts one on a free port. */
export async function scriptedUpstream(): Promise<ScriptedUpstream> {
  const seen: ScriptedUpstream['seen'] = []
  const gone: string[] = []
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const sent = Buffer.concat(chunks)
      const body = (request.headers['content-encoding'] === 'zstd' ? zstdDecompressSync(sent) : sent).toString('utf8')
      seen.push({ method: request.method ?? '', url: request.url ?? '', headers: [...request.rawHeaders], body })
      answer(request, response, body, gone).catch(() => response.destroy())
    })
    request.on('error', () => {})
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    seen,
    gone,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  }
}
