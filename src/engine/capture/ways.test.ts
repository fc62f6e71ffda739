// SPDX-License-Identifier: Apache-2.0
// The lines that the window shows for each way in, carried out: on loopback, and where other machines reach the ports.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { runInNewContext } from 'node:vm'
import Anthropic from '@anthropic-ai/sdk'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { tracing } from '@opentelemetry/sdk-node'
import { Ollama } from 'ollama'
import OpenAI from 'openai'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { type Step, stepsOf, type Way, ways } from '../../shared/connect/ways.ts'
import type { RecordRow } from '../../shared/contract/record.ts'
import { type ScriptedUpstream, scriptedUpstream } from '../test/scripted-upstream.ts'
import { type TestEngine, testEngine } from '../test/test-engine.ts'

const run = promisify(execFile)
const greeting = [{ role: 'user', content: 'Say hello' }] as const
const variables = ['OLLAMA_HOST', 'OPENAI_BASE_URL', 'OPENAI_API_KEY', 'ANTHROPIC_BASE_URL', 'ANTHROPIC_API_KEY'] as const

let upstream: ScriptedUpstream
beforeAll(async () => {
  upstream = await scriptedUpstream()
})
afterAll(() => upstream.close())
afterEach(() => vi.unstubAllEnvs())

/** Sets what the lines export, as a terminal would. */
function setVariables(steps: readonly Step[]): void {
  for (const name of variables) vi.stubEnv(name, name.endsWith('_KEY') ? 'sk-of-the-model-server' : undefined)
  for (const { line } of steps) {
    const [, name, value] = /^export ([A-Z_]+)='?(.*?)'?$/.exec(line) ?? []
    if (name !== undefined) vi.stubEnv(name, value)
  }
}

/** Arguments by name in a line of Python: texts and flat dictionaries, which are JSON too. */
function argumentsOf(line: string): Record<string, string | Record<string, string>> {
  const found = line.matchAll(/\b(model|base_url|headers|default_headers)=("[^"]*"|\{[^}]*\})/g)
  return Object.fromEntries([...found].map(([, name, value]) => [name, JSON.parse(value ?? '')]))
}

const chatOllama = (client: Ollama, model: string) => client.chat({ model, messages: [...greeting] })
const chatOpenai = (client: OpenAI, model: string) => client.chat.completions.create({ model, messages: [...greeting] })
const chatAnthropic = (client: Anthropic, model: string) => client.messages.create({ model, max_tokens: 8, messages: [...greeting] })
const made = <T>(line: string): T => runInNewContext(line, { Ollama, OpenAI, Anthropic }) as T

/** The call of a line of Python, by the JavaScript library of the same maker with the same arguments. */
async function callAsPython(way: Way, line: string): Promise<void> {
  const { model, base_url: baseURL, headers, default_headers: defaultHeaders } = argumentsOf(line)
  const name = String(model)
  const given = typeof defaultHeaders === 'object' ? { defaultHeaders } : {}
  if (way.id === 'ollama')
    await chatOllama(new Ollama({ host: process.env.OLLAMA_HOST ?? '', headers: typeof headers === 'object' ? headers : {} }), name)
  else if (way.id === 'anthropic') await chatAnthropic(new Anthropic(given), name)
  else await chatOpenai(new OpenAI({ ...given, ...(typeof baseURL === 'string' ? { baseURL } : {}) }), name)
}

async function callAsJavaScript(way: Way, line: string): Promise<void> {
  if (way.id === 'ollama') await chatOllama(made<Ollama>(line), 'js')
  else if (way.id === 'anthropic') await chatAnthropic(made<Anthropic>(line), 'js')
  else await chatOpenai(made<OpenAI>(line), 'js')
}

const sent = { 'gen_ai.operation.name': 'chat', 'gen_ai.provider.name': 'openai', 'gen_ai.request.model': 'gpt-5' }
async function traceOneCall(): Promise<void> {
  const provider = new tracing.BasicTracerProvider({ spanProcessors: [new tracing.SimpleSpanProcessor(new OTLPTraceExporter())] })
  provider.getTracer('test').startSpan('chat gpt-5', { attributes: sent }).end()
  await provider.shutdown()
}

/** Carries out what can be carried out of the lines. Returns how many calls of models that were. */
async function carryOut(way: Way, steps: readonly Step[]): Promise<number> {
  let calls = 0
  for (const { line } of steps) {
    if (line.startsWith('curl ')) {
      const { stdout } = await run('sh', ['-c', `${line} -m 20 -w ' %{http_code}'`])
      expect(stdout, line).toMatch(/ 200$/)
      if (way.id === 'http') calls++
    } else if (line.startsWith('python ')) {
      await callAsPython(way, line)
      calls++
    } else if (line.startsWith('new ')) {
      await callAsJavaScript(way, line)
      calls++
    }
  }
  if (way.id === 'otel') {
    await traceOneCall()
    calls++
  }
  return calls
}

describe.each([
  ['on loopback', '127.0.0.1'],
  ['where other machines reach the port', '0.0.0.0']
])('the lines of each way in, %s', (_, host) => {
  let engine: TestEngine
  let token: string
  let bound = '127.0.0.1'
  beforeAll(async () => {
    engine = await testEngine({ servers: true, host: () => bound })
    for (const { passing } of ways)
      if (passing) await engine.call('upstreams.set', { name: passing.name, kind: passing.kind, url: upstream.url })
    token = (await engine.call('clients.add', { name: 'new-client', scopes: ['ingest'] })).token
    bound = host
    await engine.restart()
  })
  afterAll(() => engine.remove())

  const rows = async (): Promise<readonly RecordRow[]> => (await engine.call('records.query', { limit: 100 })).records

  it.each(ways.map((way) => [way.id, way] as const))('%s: every call arrives and is on record', async (_id, way) => {
    const needed = host !== '127.0.0.1'
    const { url } = engine.engine.status().endpoints.compliance
    const passed = way.passing && `${url}/proxy/${way.passing.name}`
    const steps = stepsOf(way, { shell: 'posix', server: url, passed, token: needed }).map((step) => ({
      ...step,
      line: step.line.replaceAll('TOKEN', token)
    }))
    setVariables(steps)
    const before = await rows()
    const calls = await carryOut(way, steps)
    expect(calls).toBeGreaterThan(0)
    await expect.poll(async () => (await rows()).length, { timeout: 10_000 }).toBe(before.length + calls)
    const fresh = (await rows()).filter(({ seq }) => before.every((one) => one.seq !== seq))
    // What names no application is the client's; the token itself goes no further.
    if (needed && way.passing) expect(fresh.map(({ source }) => source)).toEqual(fresh.map(() => 'new-client'))
    expect(upstream.seen.flatMap(({ headers }) => headers).join('\n')).not.toContain(token)
  })

  it('are refused without the token exactly where one is needed', async () => {
    const { url } = engine.engine.status().endpoints.compliance
    const answer = await fetch(`${url}/proxy/openai/v1/models`)
    expect(answer.status).toBe(host === '127.0.0.1' ? 200 : 401)
  })
})
