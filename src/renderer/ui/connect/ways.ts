// SPDX-License-Identifier: Apache-2.0
// The ways in, and the exact lines for each of them.
import type { upstreamKinds } from '../../../shared/contract/proxy.ts'

export const shells = ['posix', 'powershell', 'cmd'] as const
export type Shell = (typeof shells)[number]
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

export interface Way {
  readonly id: string
  readonly group: 'Pass calls through' | 'Send a copy'
  readonly label: string
  readonly hint: string
  readonly passing: Passing | null
}

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

export interface Step {
  readonly title: string
  readonly line: string
  readonly note?: string
}

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

const python = (shell: Shell, code: string): string => `python -c ${shell === 'posix' ? `'${code}'` : `"${code.replaceAll('"', "'")}"`}`

/** What to do, in order; empty while there is no upstream to pass calls on to. */
export function stepsOf(way: Way, { shell, server, passed, token }: Where): readonly Step[] {
  const base = passed ?? ''
  if (way.passing !== null && passed === null) return []
  const curl = shell === 'posix' ? 'curl' : 'curl.exe'
  const bearer = token ? ` -H ${quoted(shell, 'authorization: Bearer TOKEN')}` : ''
  switch (way.id) {
    case 'ollama':
      return [
        {
          title: POINT,
          line: variable(shell, 'OLLAMA_HOST', base),
          note: 'Code that uses the Ollama library needs no change: it reads the same variable.'
        },
        { title: 'Make one call', line: 'ollama run llama3.2 "Say hello"' }
      ]
    case 'anthropic':
      return [
        {
          title: POINT,
          line: variable(shell, 'ANTHROPIC_BASE_URL', base),
          note: 'The key stays in ANTHROPIC_API_KEY. It is passed on and never stored.'
        },
        {
          title: 'Make one call',
          line: python(
            shell,
            'import anthropic; print(anthropic.Anthropic().messages.create(model="claude-sonnet-4-5", max_tokens=64, messages=[{"role": "user", "content": "Say hello"}]).content[0].text)'
          )
        }
      ]
    case 'langchain':
      return [
        {
          title: 'Point the model at the recorder',
          line: `ChatOpenAI(model="gpt-4o-mini", base_url="${base}/v1")`,
          note: 'ChatOllama takes base_url the same way, without /v1; ChatAnthropic too.'
        },
        {
          title: 'Make one call',
          line: python(
            shell,
            `from langchain_openai import ChatOpenAI; print(ChatOpenAI(model="gpt-4o-mini", base_url="${base}/v1").invoke("Say hello").content)`
          )
        }
      ]
    case 'otel':
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
    case 'http':
      return [
        {
          title: 'Send one record',
          line: `${curl} -s ${server}/api/compliance/events -H ${quoted(shell, 'content-type: application/json')}${bearer} -d ${quoted(shell, RECORD)}`,
          note: 'The answer comes when the record is on disk.'
        }
      ]
    default:
      return [
        {
          title: POINT,
          line: variable(shell, 'OPENAI_BASE_URL', `${base}/v1`),
          note: 'The key stays in OPENAI_API_KEY. It is passed on and never stored.'
        },
        {
          title: 'Make one call',
          line: python(
            shell,
            'from openai import OpenAI; print(OpenAI().chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "Say hello"}]).choices[0].message.content)'
          )
        }
      ]
  }
}
