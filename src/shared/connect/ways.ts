// SPDX-License-Identifier: Apache-2.0
// The ways in, and the exact lines for each of them.
import type { upstreamKinds } from '../contract/proxy.ts'

/** Shells that lines are written for. */
export const shells = ['posix', 'powershell', 'cmd'] as const
export type Shell = (typeof shells)[number]
/** What a person calls them. */
export const shellNames: Readonly<Record<Shell, string>> = { posix: 'bash, zsh', powershell: 'PowerShell', cmd: 'cmd' }

type UpstreamKind = (typeof upstreamKinds)[number]

/** A model server that calls are passed on to. */
interface Passing {
  readonly kind: UpstreamKind
  /** What the upstream is called when it is added from here. */
  readonly name: string
  /** Where such a server usually listens. */
  readonly url: string
}

/** Where calls come from. */
export interface Way {
  readonly id: string
  readonly group: 'Pass calls through' | 'Send a copy'
  readonly label: string
  readonly hint: string
  readonly passing: Passing | null
}

/** All ways in, those that pass calls through first. */
export const ways: readonly Way[] = [
  {
    id: 'ollama',
    group: 'Pass calls through',
    label: 'Ollama',
    hint: 'CLI, Python, JS',
    passing: { kind: 'ollama', name: 'ollama', url: 'http://127.0.0.1:11434' }
  },
  {
    id: 'openai',
    group: 'Pass calls through',
    label: 'OpenAI SDK',
    hint: 'Python, JS',
    passing: { kind: 'openai', name: 'openai', url: 'https://api.openai.com' }
  },
  {
    id: 'anthropic',
    group: 'Pass calls through',
    label: 'Anthropic SDK',
    hint: 'Python, JS',
    passing: { kind: 'anthropic', name: 'anthropic', url: 'https://api.anthropic.com' }
  },
  {
    id: 'langchain',
    group: 'Pass calls through',
    label: 'LangChain',
    hint: 'Python',
    passing: { kind: 'openai', name: 'openai', url: 'https://api.openai.com' }
  },
  {
    id: 'lmstudio',
    group: 'Pass calls through',
    label: 'LM Studio',
    hint: '1234',
    passing: { kind: 'openai', name: 'lm-studio', url: 'http://127.0.0.1:1234' }
  },
  {
    id: 'vllm',
    group: 'Pass calls through',
    label: 'vLLM, llama.cpp',
    hint: '8000, 8080',
    passing: { kind: 'openai', name: 'vllm', url: 'http://127.0.0.1:8000' }
  },
  { id: 'otel', group: 'Send a copy', label: 'OpenTelemetry', hint: 'OTLP/HTTP', passing: null },
  { id: 'http', group: 'Send a copy', label: 'HTTP and curl', hint: 'JSON, NDJSON', passing: null }
]

/** One thing to do: a line to copy, and what a person should know about it. */
export interface Step {
  readonly title: string
  readonly line: string
  readonly note?: string
}

/** What the lines depend on. */
export interface Where {
  readonly shell: Shell
  /** Base address of the compliance server. */
  readonly server: string
  /** Base address of the upstream behind the recorder; null while there is none. */
  readonly passed: string | null
  /** A client token is needed, as the server is open to other machines. */
  readonly token: boolean
}

/** A line that sets a variable for the programs started from this terminal. */
export function variable(shell: Shell, name: string, value: string): string {
  switch (shell) {
    case 'posix':
      return `export ${name}=${/[^A-Za-z0-9_./:@%+-]/.test(value) ? `'${value}'` : value}`
    case 'powershell':
      return `$env:${name} = '${value}'`
    case 'cmd':
      return `set ${name}=${value}`
  }
}

/** Text in quotes, as the shell takes it. cmd knows double quotes only. */
const quoted = (shell: Shell, text: string): string =>
  shell === 'cmd' ? `"${text.replaceAll('"', '\\"')}"` : shell === 'powershell' ? `'${text.replaceAll('"', '\\"')}'` : `'${text}'`

const RECORD = '{"model":"gpt-4","source":"first-test","prompt":"Is 17077 prime?","response":"Yes","latency_ms":812}'
const POINT = 'Point the client at the recorder'
const CALL = 'Make one call'
const JS = 'The same in JavaScript'
/** Where calls are passed through, `Authorization` belongs to the model server: the token of a client has a header of its own. */
const TOKEN_HEADER = 'x-affidavit-token'

const python = (shell: Shell, code: string): string => `python -c ${shell === 'posix' ? `'${code}'` : `"${code.replaceAll('"', "'")}"`}`

/** What to do, in order; empty while there is no upstream to pass calls on to. */
export function stepsOf(way: Way, where: Where): readonly Step[] {
  if (way.passing === null) return way.id === 'otel' ? otelSteps(where) : httpSteps(where)
  const { passed } = where
  if (passed === null) return []
  switch (way.id) {
    case 'ollama':
      return ollamaSteps(where, passed)
    case 'anthropic':
      return anthropicSteps(where, passed)
    case 'langchain':
      return langchainSteps(where, passed)
    case 'openai':
      return openaiSteps(where, passed)
    default:
      return compatibleSteps(where, passed)
  }
}

/** Python's argument that sends the token, first or after others; empty where none is needed. */
const headers = ({ token }: Where, name: 'headers' | 'default_headers', before = ''): string =>
  token ? `${before}${name}={"${TOKEN_HEADER}": "TOKEN"}` : ''

const jsHeaders = (name: 'headers' | 'defaultHeaders'): string => `${name}: { '${TOKEN_HEADER}': 'TOKEN' }`

function ollamaSteps(where: Where, base: string): readonly Step[] {
  const { shell, token } = where
  const host = variable(shell, 'OLLAMA_HOST', base)
  const code = `import ollama; print(ollama.Client(${headers(where, 'headers')}).generate(model="llama3.2", prompt="Say hello")["response"])`
  return [
    token
      ? { title: POINT, line: host, note: 'The ollama command reads it too, but has no way to send a token: calls of it are refused here.' }
      : { title: POINT, line: host, note: 'The ollama command and the Python library read it.' },
    { title: CALL, line: token ? python(shell, code) : 'ollama run llama3.2 "Say hello"' },
    {
      title: JS,
      line: `new Ollama({ host: '${base}'${token ? `, ${jsHeaders('headers')}` : ''} })`,
      note: 'The JavaScript library does not read the variable.'
    }
  ]
}

function anthropicSteps(where: Where, base: string): readonly Step[] {
  const { shell, token } = where
  const client = `anthropic.Anthropic(${headers(where, 'default_headers')})`
  const ask = 'messages.create(model="claude-haiku-5-5", max_tokens=64, messages=[{"role": "user", "content": "Say hello"}])'
  return [
    {
      title: POINT,
      line: variable(shell, 'ANTHROPIC_BASE_URL', base),
      note: 'The key stays in ANTHROPIC_API_KEY. It is passed on and never stored.'
    },
    { title: CALL, line: python(shell, `import anthropic; print(${client}.${ask}.content[0].text)`) },
    ...(token ? [{ title: JS, line: `new Anthropic({ ${jsHeaders('defaultHeaders')} })` }] : [])
  ]
}

function langchainSteps(where: Where, base: string): readonly Step[] {
  const model = `ChatOpenAI(model="gpt-4o-mini", base_url="${base}/v1"${headers(where, 'default_headers', ', ')})`
  return [
    {
      title: 'Point the model at the recorder',
      line: model,
      note: where.token
        ? 'ChatAnthropic takes base_url without /v1 and the same default_headers; ChatOllama base_url without /v1 and client_kwargs={"headers": …}.'
        : 'ChatOllama takes base_url the same way, without /v1; ChatAnthropic too.'
    },
    { title: CALL, line: python(where.shell, `from langchain_openai import ChatOpenAI; print(${model}.invoke("Say hello").content)`) }
  ]
}

const openaiBase = ({ shell }: Where, base: string): string => variable(shell, 'OPENAI_BASE_URL', `${base}/v1`)

function openaiCall(where: Where, model: string): string {
  const client = `OpenAI(${headers(where, 'default_headers')})`
  const ask = `chat.completions.create(model="${model}", messages=[{"role": "user", "content": "Say hello"}])`
  return python(where.shell, `from openai import OpenAI; print(${client}.${ask}.choices[0].message.content)`)
}

const openaiJs = ({ token }: Where): readonly Step[] =>
  token ? [{ title: JS, line: `new OpenAI({ ${jsHeaders('defaultHeaders')} })` }] : []

function openaiSteps(where: Where, base: string): readonly Step[] {
  return [
    { title: POINT, line: openaiBase(where, base), note: 'The key stays in OPENAI_API_KEY. It is passed on and never stored.' },
    { title: CALL, line: openaiCall(where, 'gpt-4o-mini') },
    ...openaiJs(where)
  ]
}

/** Servers with models of their own, which speak as OpenAI does. */
function compatibleSteps(where: Where, base: string): readonly Step[] {
  const { shell, token } = where
  const header = token ? ` -H ${quoted(shell, `${TOKEN_HEADER}: TOKEN`)}` : ''
  return [
    { title: POINT, line: openaiBase(where, base) },
    {
      title: 'Give it a key',
      line: variable(shell, 'OPENAI_API_KEY', 'none'),
      note: 'The library asks for one. Any text will do, unless the server was started with a key.'
    },
    { title: 'See which models the server has', line: `${curlIn(shell)} -s ${base}/v1/models${header}` },
    { title: CALL, line: openaiCall(where, 'MODEL'), note: 'MODEL stands for the id of one of these models.' },
    ...openaiJs(where)
  ]
}

const curlIn = (shell: Shell): string => (shell === 'posix' ? 'curl' : 'curl.exe')

function otelSteps({ shell, server, token }: Where): readonly Step[] {
  return [
    { title: 'Send traces and logs here', line: variable(shell, 'OTEL_EXPORTER_OTLP_ENDPOINT', server) },
    { title: 'Over HTTP', line: variable(shell, 'OTEL_EXPORTER_OTLP_PROTOCOL', 'http/protobuf') },
    ...(token ? [{ title: 'Say who sends', line: variable(shell, 'OTEL_EXPORTER_OTLP_HEADERS', 'authorization=Bearer%20TOKEN') }] : []),
    {
      title: 'Keep prompts and answers',
      line: variable(shell, 'OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT', 'true'),
      note: 'Without it most instrumentations send figures only.'
    }
  ]
}

function httpSteps({ shell, server, token }: Where): readonly Step[] {
  const bearer = token ? ` -H ${quoted(shell, 'authorization: Bearer TOKEN')}` : ''
  return [
    {
      title: 'Send one record',
      line: `${curlIn(shell)} -s ${server}/api/compliance/events -H ${quoted(shell, 'content-type: application/json')}${bearer} -d ${quoted(shell, RECORD)}`,
      note: 'The answer comes when the record is on disk.'
    }
  ]
}
