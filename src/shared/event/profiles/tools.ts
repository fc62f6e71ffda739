// SPDX-License-Identifier: Apache-2.0
// What other tools keep of calls, as JSON lines or as one JSON text with a list of rows.
import { bad, fitOf, isObject, type JsonProfile, type MapContext, type Mapped, type Row } from './profile.ts'
import { contentOf, costFrom, countOf, textOf, timeUs, unfold } from './values.ts'

const notAnObject: Mapped = { ok: false, code: 'not_an_object', message: 'expected a JSON object' }

function profile(
  base: Pick<JsonProfile, 'name' | 'title' | 'times' | 'units'>,
  fits: (row: Row) => boolean,
  map: (row: Row, context: MapContext) => Mapped,
  split?: JsonProfile['split']
): JsonProfile {
  return {
    ...base,
    extensions: ['jsonl', 'ndjson', 'json'],
    format: 'jsonl',
    detect: (first) => fitOf(first, fits),
    ...(split === undefined ? {} : { split }),
    map: (row, context) => (isObject(row) ? map(row, context) : notAnObject)
  }
}

const has = (row: Row, ...names: readonly string[]): boolean => names.every((name) => name in row)

/** Without the members that are undefined. */
const made = (raw: Row): Mapped => ({ ok: true, raw: Object.fromEntries(Object.entries(raw).filter(([, value]) => value !== undefined)) })

const between = (from: number | undefined, to: number | undefined): number | undefined =>
  from === undefined || to === undefined || to < from ? undefined : to - from

/** Rows of LiteLLM's table of spend logs. The hash of the caller's key is not taken over. */
export const litellm = profile(
  {
    name: 'litellm-spend-logs',
    title: 'LiteLLM spend logs',
    times: ['startTime', 'endTime', 'completionStartTime'],
    units: [
      { column: 'startTime, endTime', unit: 'time, in the chosen zone when it names none', becomes: 'start and latency' },
      { column: 'completionStartTime', unit: 'time', becomes: 'time to first token' },
      { column: 'spend', unit: 'US dollars', becomes: 'attribute cost_usd' }
    ]
  },
  (row) => has(row, 'request_id', 'call_type', 'startTime', 'spend'),
  (row, { zone, source }) => {
    const start = timeUs(row.startTime, zone)
    if (start === undefined) return bad('startTime', 'a time')
    const model = textOf(row.model) ?? textOf(row.model_group)
    if (model === undefined) return bad('model', 'a model name')
    const failed = row.status === 'failure'
    const type = textOf(row.call_type) ?? ''
    return made({
      source: source ?? 'litellm',
      provider: textOf(row.custom_llm_provider),
      operation: type.includes('embedding') ? 'embeddings' : type.includes('text_completion') ? 'text_completion' : 'chat',
      request_model: textOf(row.model_group) ?? model,
      response_model: model,
      response_id: textOf(row.request_id),
      conversation_id: textOf(row.session_id),
      user_id: textOf(row.end_user) ?? textOf(row.user),
      start_us: start,
      latency_us: between(start, timeUs(row.endTime, zone)),
      // LiteLLM writes the end here when an answer did not stream.
      ttft_us: row.completionStartTime === row.endTime ? undefined : between(start, timeUs(row.completionStartTime, zone)),
      input_tokens: failed ? undefined : countOf(row.prompt_tokens),
      output_tokens: failed ? undefined : countOf(row.completion_tokens),
      status: failed ? 'error' : 'success',
      input_messages: emptyIsNone(contentOf(row.messages)),
      output_messages: emptyIsNone(contentOf(row.response)),
      attributes: {
        call_type: type,
        ...(typeof row.spend === 'number' ? { cost_usd: row.spend } : {}),
        ...(textOf(row.cache_hit) === undefined ? {} : { cache_hit: row.cache_hit }),
        ...(textOf(row.team_id) === undefined ? {} : { team_id: row.team_id })
      }
    })
  }
)

/** LiteLLM keeps `{}` where it was not asked to keep content. */
const emptyIsNone = (value: unknown): unknown => (value === '{}' || (Array.isArray(value) && value.length === 0) ? undefined : value)

/** Lines of an output file of OpenAI's batches. They say nothing of when a call ran. */
export const openaiBatch = profile(
  {
    name: 'openai-batch-output',
    title: 'OpenAI batch output',
    times: [],
    units: [
      { column: 'response.body.created', unit: 'seconds since 1970, of the answer', becomes: 'attribute created; no start, no latency' }
    ]
  },
  (row) => has(row, 'custom_id', 'response') && 'error' in row,
  (row, { source }) => {
    const response = isObject(row.response) ? row.response : undefined
    const body = response && isObject(response.body) ? response.body : undefined
    const error = isObject(row.error) ? row.error : body && isObject(body.error) ? body.error : undefined
    if (body === undefined && error === undefined) return bad('response', 'an answer, or an error beside it')
    const usage = body && isObject(body.usage) ? body.usage : {}
    const choices = body && Array.isArray(body.choices) ? body.choices.filter(isObject) : []
    const finish = choices.map((choice) => choice.finish_reason).filter((one) => typeof one === 'string')
    return made({
      source: source ?? 'openai-batch',
      provider: 'openai',
      operation: body !== undefined && Array.isArray(body.data) ? 'embeddings' : 'chat',
      request_model: textOf(body?.model) ?? 'unknown',
      response_id: textOf(body?.id),
      input_tokens: countOf(usage.prompt_tokens ?? usage.input_tokens),
      output_tokens: countOf(usage.completion_tokens ?? usage.output_tokens),
      http_status: countOf(response?.status_code),
      status: error === undefined ? 'success' : 'error',
      error_type: textOf(error?.code) ?? textOf(error?.type),
      error_message: textOf(error?.message),
      finish_reasons: finish.length === 0 ? undefined : finish,
      output_messages: choices.length === 0 ? undefined : contentOf(body),
      attributes: {
        custom_id: row.custom_id ?? null,
        time_precision: 'none',
        ...(body?.created === undefined ? {} : { created: body.created })
      }
    })
  }
)

/** Time to first token was milliseconds before this day, seconds from it on. */
const SECONDS_SINCE_US = Date.UTC(2026, 3, 1) * 1000

/** Observations of a Langfuse export: generations are calls, everything else is around them and keeps no content. */
export const langfuse = profile(
  {
    name: 'langfuse-observations',
    title: 'Langfuse observations',
    times: ['startTime', 'start_time', 'endTime', 'end_time', 'completionStartTime', 'completion_start_time'],
    units: [
      { column: 'startTime, endTime', unit: 'time', becomes: 'start and latency' },
      {
        column: 'timeToFirstToken',
        unit: 'seconds; milliseconds in rows before 2026-04-01',
        becomes: 'time to first token in microseconds'
      },
      {
        column: 'costDetails.total, totalCost, calculatedTotalCost or cost',
        unit: 'US dollars',
        becomes: 'attribute cost_usd, of calls alone'
      }
    ]
  },
  (row) =>
    has(row, 'traceId', 'type', 'startTime') ||
    has(row, 'trace_id', 'type', 'start_time') ||
    (has(row, 'id', 'timestamp') && Array.isArray(row.observations)),
  (row, { zone, source }) => {
    const at = (camel: string, snake: string): unknown => row[camel] ?? row[snake]
    const start = timeUs(at('startTime', 'start_time'), zone)
    if (start === undefined) return bad('startTime', 'a time')
    const type = (textOf(row.type) ?? '').toUpperCase()
    const call = type === 'GENERATION' || type === 'EMBEDDING'
    const usage = unfold(at('usageDetails', 'usage_details') ?? row.usage)
    const counts: Row = isObject(usage) ? usage : {}
    const first = between(start, timeUs(at('completionStartTime', 'completion_start_time'), zone))
    const given = at('timeToFirstToken', 'time_to_first_token')
    const failed = row.level === 'ERROR'
    const details = unfold(at('costDetails', 'cost_details'))
    // What is around calls may repeat their cost.
    const cost = call
      ? costFrom(
          isObject(details) ? details.total : undefined,
          at('totalCost', 'total_cost'),
          at('calculatedTotalCost', 'calculated_total_cost'),
          row.cost
        )
      : {}
    return made({
      source: source ?? 'langfuse',
      operation: type === 'GENERATION' ? 'chat' : type === 'EMBEDDING' ? 'embeddings' : type.toLowerCase() || 'span',
      span_role: call ? 'inference' : 'wrapper',
      request_model: textOf(row.model) ?? textOf(at('providedModelName', 'provided_model_name')) ?? 'unknown',
      start_us: start,
      latency_us: between(start, timeUs(at('endTime', 'end_time'), zone)),
      ttft_us: first ?? (typeof given === 'number' && given >= 0 ? Math.round(given * (start < SECONDS_SINCE_US ? 1e3 : 1e6)) : undefined),
      input_tokens: countOf(counts.input ?? at('promptTokens', 'input_usage')),
      output_tokens: countOf(counts.output ?? at('completionTokens', 'output_usage')),
      status: failed ? 'error' : 'success',
      error_message: failed ? textOf(at('statusMessage', 'status_message')) : undefined,
      trace_id: textOf(at('traceId', 'trace_id')),
      span_id: textOf(row.id),
      parent_span_id: textOf(at('parentObservationId', 'parent_observation_id')),
      user_id: textOf(at('userId', 'user_id')),
      conversation_id: textOf(at('sessionId', 'session_id')),
      content_state: call ? 'kept' : 'withheld',
      input_messages: call ? contentOf(row.input) : undefined,
      output_messages: call ? contentOf(row.output) : undefined,
      attributes: filled({ ...(textOf(row.name) === undefined ? {} : { 'span.name': row.name }), ...cost })
    })
  },
  (row) => (isObject(row) && Array.isArray(row.observations) ? observationsOf(row, row.observations) : [row])
)

const filled = (attributes: Row): Row | undefined => (Object.keys(attributes).length === 0 ? undefined : attributes)

/** The observations of a trace that holds them; who asked stands on the trace alone. */
function observationsOf({ id, userId, sessionId }: Row, observations: readonly unknown[]): readonly unknown[] {
  return observations.map((one) => (isObject(one) ? { traceId: id, userId, sessionId, ...one } : one))
}

/** Rows of Helicone's export tool, with or without bodies. */
export const helicone = profile(
  {
    name: 'helicone-export',
    title: 'Helicone export',
    times: ['request_created_at'],
    units: [
      { column: 'request_created_at', unit: 'time', becomes: 'start' },
      { column: 'delay_ms', unit: 'milliseconds', becomes: 'latency in microseconds' },
      { column: 'time_to_first_token', unit: 'milliseconds', becomes: 'time to first token in microseconds' },
      { column: 'costUSD or cost', unit: 'US dollars', becomes: 'attribute cost_usd' }
    ]
  },
  (row) => has(row, 'request_id', 'request_created_at'),
  (row, { zone, source }) => {
    const start = timeUs(row.request_created_at, zone)
    if (start === undefined) return bad('request_created_at', 'a time')
    const model = textOf(row.request_model) ?? textOf(row.model) ?? textOf(row.response_model)
    const status = countOf(row.response_status)
    const delay = row.delay_ms ?? row.latency
    const first = row.time_to_first_token
    return made({
      source: source ?? 'helicone',
      provider: textOf(row.provider)?.toLowerCase(),
      request_model: model ?? 'unknown',
      response_model: textOf(row.response_model),
      response_id: textOf(row.response_id),
      user_id: textOf(row.request_user_id),
      start_us: start,
      latency_us: typeof delay === 'number' && delay >= 0 ? Math.round(delay * 1000) : undefined,
      ttft_us: typeof first === 'number' && first > 0 ? Math.round(first * 1000) : undefined,
      input_tokens: countOf(row.prompt_tokens),
      output_tokens: countOf(row.completion_tokens),
      http_status: status !== undefined && status <= 999 ? status : undefined,
      status: status === undefined || status < 400 ? 'success' : 'error',
      input_messages: contentOf(row.request_body),
      output_messages: contentOf(row.response_body),
      attributes: {
        helicone_request_id: row.request_id ?? null,
        ...costFrom(row.costUSD, row.cost_usd, row.cost),
        ...(isObject(row.request_properties) ? { properties: row.request_properties } : {})
      }
    })
  }
)

/** Rows of promptfoo's results as JSON lines. They say nothing of when a call ran. */
export const promptfoo = profile(
  {
    name: 'promptfoo-results',
    title: 'promptfoo results',
    times: [],
    units: [
      { column: 'latencyMs', unit: 'milliseconds', becomes: 'latency in microseconds' },
      { column: 'cost', unit: 'US dollars', becomes: 'attribute cost_usd' }
    ]
  },
  (row) => has(row, 'prompt', 'provider', 'response') && ('latencyMs' in row || 'vars' in row),
  (row, { source }) => {
    const id = isObject(row.provider) ? textOf(row.provider.id) : textOf(row.provider)
    if (id === undefined) return bad('provider', 'a provider with its id')
    const response: Row = isObject(row.response) ? row.response : {}
    const usage: Row = isObject(response.tokenUsage) ? response.tokenUsage : {}
    const error = textOf(row.error) ?? textOf(response.error)
    const colon = id.indexOf(':')
    const latency = row.latencyMs
    return made({
      source: source ?? 'promptfoo',
      provider: colon > 0 ? id.slice(0, colon) : undefined,
      provider_raw: id,
      request_model: id.slice(id.lastIndexOf(':') + 1) || id,
      latency_us: typeof latency === 'number' && latency >= 0 ? Math.round(latency * 1000) : undefined,
      input_tokens: countOf(usage.prompt),
      output_tokens: countOf(usage.completion),
      // A failed assertion is a verdict on an answer, not a failed call: then there is no output.
      status: response.output === undefined || response.output === null ? 'error' : 'success',
      error_message: response.output === undefined || response.output === null ? error : undefined,
      input_messages: contentOf(isObject(row.prompt) ? row.prompt.raw : row.prompt),
      output_messages: contentOf(response.output),
      attributes: {
        time_precision: 'none',
        ...costFrom(row.cost, response.cost),
        ...(typeof row.success === 'boolean' ? { assertions_passed: row.success } : {})
      }
    })
  }
)
