// SPDX-License-Identifier: Apache-2.0
import type { EventMessage, MessagePart } from '../canonical-event.ts'
import { type Attributes, countOf } from './attributes.ts'
import { addMessages, type Content, messagesOf, toolCallPart, unfold } from './content.ts'
import type { Json } from './message.ts'

type Raw = Record<string, unknown>
type Role = 'inference' | 'wrapper'

/** What is read of one span under every dialect that it speaks; a field once set stays. */
export interface Reading {
  readonly raw: Raw
  readonly content: Content
}

function set(raw: Raw, name: string, value: unknown): void {
  if (value !== undefined && raw[name] === undefined) raw[name] = value
}

const isObject = (value: unknown): value is Readonly<Record<string, Json>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const inferenceOperations = new Set(['chat', 'text_completion', 'generate_content', 'embeddings'])
/** Names that OpenLLMetry gives to operations of the conventions. */
const otherNames: ReadonlyMap<string, string> = new Map([
  ['completion', 'text_completion'],
  ['embedding', 'embeddings']
])

/**
 * OpenTelemetry's GenAI conventions: `gen_ai.provider.name` since 1.37, `gen_ai.system` before; a span may mix them. Also the attributes
 * that OpenLLMetry wrote beside them: `gen_ai.prompt.0.content`, `llm.request.type`, `traceloop.span.kind`.
 */
export function readGenAi(from: Attributes, { raw, content }: Reading): void {
  const named = from.text('gen_ai.operation.name', 'llm.request.type')
  const operation = named === undefined ? undefined : (otherNames.get(named) ?? named)
  const kind = from.text('traceloop.span.kind')
  const wraps = kind !== undefined || (operation !== undefined && !inferenceOperations.has(operation))
  set(raw, 'operation', operation ?? kind)
  set(raw, 'span_role', wraps ? ('wrapper' satisfies Role) : ('inference' satisfies Role))
  set(raw, 'provider', from.text('gen_ai.provider.name', 'gen_ai.system'))
  // Both in one span say the same thing twice.
  if (raw.provider !== undefined && from.peek('gen_ai.system') === raw.provider) from.text('gen_ai.system')
  set(raw, 'request_model', from.text('gen_ai.request.model'))
  set(raw, 'response_model', from.text('gen_ai.response.model'))
  set(raw, 'response_id', from.text('gen_ai.response.id'))
  set(raw, 'conversation_id', from.text('gen_ai.conversation.id'))
  set(raw, 'temperature', from.number('gen_ai.request.temperature'))
  set(raw, 'top_p', from.number('gen_ai.request.top_p'))
  set(raw, 'top_k', from.number('gen_ai.request.top_k'))
  set(raw, 'max_tokens', from.count('gen_ai.request.max_tokens'))
  set(raw, 'seed', from.whole('gen_ai.request.seed', 'gen_ai.openai.request.seed'))
  set(raw, 'stop', from.texts('gen_ai.request.stop_sequences'))
  set(raw, 'stream', from.flag('gen_ai.request.stream', 'llm.is_streaming', 'gen_ai.is_streaming'))
  set(raw, 'input_tokens', from.count('gen_ai.usage.input_tokens', 'gen_ai.usage.prompt_tokens'))
  set(raw, 'output_tokens', from.count('gen_ai.usage.output_tokens', 'gen_ai.usage.completion_tokens'))
  set(raw, 'cache_read_tokens', from.count('gen_ai.usage.cache_read.input_tokens', 'gen_ai.usage.cache_read_input_tokens'))
  set(
    raw,
    'cache_creation_tokens',
    from.count(
      'gen_ai.usage.cache_creation.input_tokens',
      'gen_ai.usage.cache_write.input_tokens',
      'gen_ai.usage.cache_creation_input_tokens'
    )
  )
  set(raw, 'reasoning_tokens', from.count('gen_ai.usage.reasoning.output_tokens', 'gen_ai.usage.reasoning_tokens'))
  set(raw, 'finish_reasons', from.texts('gen_ai.response.finish_reasons'))
  const first = from.number('gen_ai.response.time_to_first_chunk')
  if (first !== undefined && first >= 0 && first < 1e9) set(raw, 'ttft_us', Math.round(first * 1e6))
  addMessages(content, from.any('gen_ai.input.messages'), from.any('gen_ai.output.messages'), from.any('gen_ai.system_instructions'))
  content.tools ??= unfold(from.any('gen_ai.tool.definitions'))
  if (content.input.length === 0)
    content.input.push(...numbered(from.indexed('gen_ai.prompt'), 'user'), ...messagesOf(from.any('gen_ai.prompt'), 'user'))
  if (content.output.length > 0) return
  const completions = from.indexed('gen_ai.completion')
  content.output.push(...numbered(completions, 'assistant'), ...messagesOf(from.any('gen_ai.completion'), 'assistant'))
  for (const one of completions) if (typeof one.finish_reason === 'string') content.finish.push(one.finish_reason.slice(0, 256))
}

const OF_CALL = /^(?:message\.)?tool_calls\.(\d{1,3})\.(?:tool_call\.)?(?:function\.)?(id|name|arguments)$/

/**
 * The calls of tools in a flattened message, by index, and what else it says: OpenInference's `message.tool_calls.0.tool_call.function.name`,
 * OpenLLMetry's `tool_calls.0.name`.
 */
function callsOf(flat: Readonly<Record<string, Json>>): { readonly calls: MessagePart[]; readonly more: Readonly<Record<string, Json>> } {
  const calls: Partial<Record<string, Json>>[] = []
  const more: Record<string, Json> = {}
  for (const [name, value] of Object.entries(flat)) {
    const [, index, member] = OF_CALL.exec(name) ?? []
    if (index === undefined || member === undefined) more[name] = value
    else calls[Number(index)] = { ...calls[Number(index)], [member]: value }
  }
  return { calls: calls.flatMap((call) => toolCallPart(call.id, call.name, call.arguments)), more }
}

/** Messages flattened to `N.role` and `N.content`; whatever else stood beside them is kept as a part of its own. */
function numbered(list: readonly Readonly<Record<string, Json>>[], role: string): EventMessage[] {
  return list.map(({ role: who, content, finish_reason: _, ...others }) => {
    const { calls, more } = callsOf(others)
    const parts: MessagePart[] =
      content === undefined || content === null ? [] : messagesOf(content, role).flatMap((message) => message.parts)
    parts.push(...calls)
    if (Object.keys(more).length > 0) parts.push({ type: 'json', content: JSON.stringify(more) })
    return { role: typeof who === 'string' && who !== '' ? who.slice(0, 64) : role, parts }
  })
}

const openInferenceOperations: Readonly<Record<string, string>> = {
  LLM: 'chat',
  EMBEDDING: 'embeddings',
  AGENT: 'invoke_agent',
  TOOL: 'execute_tool'
}

/** OpenInference: `openinference.span.kind` and `llm.*`. */
export function readOpenInference(from: Attributes, { raw, content }: Reading): void {
  const kind = (from.text('openinference.span.kind') ?? 'LLM').toUpperCase()
  set(raw, 'operation', openInferenceOperations[kind] ?? kind.toLowerCase())
  set(raw, 'span_role', kind === 'LLM' || kind === 'EMBEDDING' ? 'inference' : 'wrapper')
  set(raw, 'provider', from.text('llm.provider', 'llm.system'))
  set(raw, 'request_model', from.text('llm.model_name', 'embedding.model_name'))
  set(raw, 'conversation_id', from.text('session.id'))
  set(raw, 'user_id', from.text('user.id'))
  set(raw, 'input_tokens', from.count('llm.token_count.prompt'))
  set(raw, 'output_tokens', from.count('llm.token_count.completion'))
  set(raw, 'cache_read_tokens', from.count('llm.token_count.prompt_details.cache_read'))
  set(raw, 'cache_creation_tokens', from.count('llm.token_count.prompt_details.cache_write'))
  set(raw, 'reasoning_tokens', from.count('llm.token_count.completion_details.reasoning'))
  set(raw, 'finish_reasons', from.texts('llm.finish_reason'))
  // The parameters stay among the attributes as well: few of them have a place.
  readParameters(raw, from.peek('llm.invocation_parameters'))
  const input = openInferenceMessages(from.indexed('llm.input_messages'), 'user')
  const output = openInferenceMessages(from.indexed('llm.output_messages'), 'assistant')
  if (content.input.length === 0) content.input.push(...(input.length > 0 ? input : messagesOf(from.any('input.value'), 'user')))
  if (content.output.length === 0) content.output.push(...(output.length > 0 ? output : messagesOf(from.any('output.value'), 'assistant')))
  const tools = from.indexed('llm.tools')
  if (tools.length > 0) content.tools ??= tools.map((tool) => unfold(tool['tool.json_schema']) ?? { ...tool })
}

function openInferenceMessages(list: readonly Readonly<Record<string, Json>>[], role: string): EventMessage[] {
  return list.map((flat) => {
    const parts: MessagePart[] = []
    const { calls, more: others } = callsOf(flat)
    const more: Record<string, Json> = {}
    for (const [name, value] of Object.entries(others)) {
      if (name === 'message.role') continue
      if ((name === 'message.content' || /^message\.contents\.\d+\.message_content\.text$/.test(name)) && typeof value === 'string')
        parts.push({ type: 'text', content: value })
      else if (!/^message\.contents\.\d+\.message_content\.type$/.test(name)) more[name] = value
    }
    parts.push(...calls)
    if (Object.keys(more).length > 0) parts.push({ type: 'json', content: JSON.stringify(more) })
    const who = flat['message.role']
    return { role: typeof who === 'string' && who !== '' ? who.slice(0, 64) : role, parts }
  })
}

/** Request parameters by the names that most APIs share. */
function readParameters(raw: Raw, value: Json | undefined): void {
  const given = unfold(value)
  if (!isObject(given)) return
  for (const name of ['temperature', 'top_p', 'top_k'] as const) if (typeof given[name] === 'number') set(raw, name, given[name])
  set(raw, 'max_tokens', countOf(given.max_tokens ?? given.max_completion_tokens))
  if (Number.isSafeInteger(given.seed)) set(raw, 'seed', given.seed)
  if (typeof given.stream === 'boolean') set(raw, 'stream', given.stream)
}

/** Langfuse: `langfuse.observation.*`, with objects as JSON texts. @param startUs start of the span */
export function readLangfuse(from: Attributes, { raw, content }: Reading, startUs: number | undefined): void {
  const type = (from.text('langfuse.observation.type') ?? 'span').toLowerCase()
  set(raw, 'operation', type === 'generation' ? 'chat' : type === 'embedding' ? 'embeddings' : type === 'agent' ? 'invoke_agent' : type)
  set(raw, 'span_role', type === 'generation' || type === 'embedding' ? 'inference' : 'wrapper')
  set(raw, 'request_model', from.text('langfuse.observation.model.name'))
  set(raw, 'conversation_id', from.text('session.id', 'langfuse.session.id'))
  set(raw, 'user_id', from.text('user.id', 'langfuse.user.id'))
  readParameters(raw, from.peek('langfuse.observation.model.parameters'))
  const usage = unfold(from.peek('langfuse.observation.usage_details'))
  if (isObject(usage)) {
    set(raw, 'input_tokens', countOf(usage.input ?? usage.prompt_tokens ?? usage.input_tokens))
    set(raw, 'output_tokens', countOf(usage.output ?? usage.completion_tokens ?? usage.output_tokens))
    set(raw, 'cache_read_tokens', countOf(usage.cache_read_input_tokens ?? usage.input_cached_tokens))
    set(raw, 'cache_creation_tokens', countOf(usage.cache_creation_input_tokens ?? usage.input_cache_creation))
    set(raw, 'reasoning_tokens', countOf(usage.output_reasoning_tokens))
  }
  if (from.text('langfuse.observation.level')?.toUpperCase() === 'ERROR') set(raw, 'status', 'error')
  set(raw, 'error_message', raw.status === 'error' ? from.text('langfuse.observation.status_message') : undefined)
  // A time as a JSON text: in quotation marks.
  const first = from.peek('langfuse.observation.completion_start_time')
  const at = typeof first === 'string' ? Date.parse(first.replaceAll('"', '')) * 1000 : Number.NaN
  if (startUs !== undefined && at >= startUs) set(raw, 'ttft_us', Math.round(at - startUs))
  addMessages(content, from.any('langfuse.observation.input'), from.any('langfuse.observation.output'), undefined)
}
