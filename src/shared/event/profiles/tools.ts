// SPDX-License-Identifier: Apache-2.0
// What other tools keep of calls, as JSON lines or as one JSON text with a list of rows.
import { between, has, made, profile } from './json-profile.ts'
import { bad, isObject, type Row } from './profile.ts'
import { contentOf, costFrom, countOf, textOf, timeUs, unfold } from './values.ts'

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
    const metadata = unfold(row.metadata)
    const fault = failed && isObject(metadata) && isObject(metadata.error_information) ? metadata.error_information : undefined
    const code = Number(fault?.error_code)
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
      http_status: Number.isInteger(code) && code >= 100 && code <= 999 ? code : undefined,
      error_type: textOf(fault?.error_class),
      error_message: textOf(fault?.error_message),
      input_messages: emptyIsNone(contentOf(row.messages)),
      output_messages: emptyIsNone(contentOf(row.response)),
      attributes: {
        call_type: type,
        ...(typeof row.spend === 'number' ? { cost_usd: row.spend } : {}),
        ...(textOf(row.cache_hit) === undefined ? {} : { cache_hit: row.cache_hit }),
        ...(textOf(row.team_id) === undefined ? {} : { team_id: row.team_id }),
        ...(fault === undefined ? {} : { error_information: fault })
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
    const detail = (names: readonly string[], what: string): number | undefined =>
      names.map((name) => usage[name]).flatMap((one) => (isObject(one) ? [countOf(one[what])] : []))[0]
    // An answer of /v1/responses says how it ended in one place, for all that it holds.
    const answered = body?.object === 'response'
    const reason = answered && isObject(body.incomplete_details) ? textOf(body.incomplete_details.reason) : undefined
    const choices = body && Array.isArray(body.choices) ? body.choices.filter(isObject) : []
    const finish = answered
      ? [reason ?? textOf(body.status)].filter((one) => one !== undefined)
      : choices.map((choice) => choice.finish_reason).filter((one) => typeof one === 'string')
    return made({
      source: source ?? 'openai-batch',
      provider: 'openai',
      operation: body !== undefined && Array.isArray(body.data) ? 'embeddings' : 'chat',
      request_model: textOf(body?.model) ?? 'unknown',
      response_id: textOf(body?.id),
      input_tokens: countOf(usage.prompt_tokens ?? usage.input_tokens),
      output_tokens: countOf(usage.completion_tokens ?? usage.output_tokens),
      cache_read_tokens: detail(['prompt_tokens_details', 'input_tokens_details'], 'cached_tokens'),
      reasoning_tokens: detail(['completion_tokens_details', 'output_tokens_details'], 'reasoning_tokens'),
      http_status: countOf(response?.status_code),
      status: error !== undefined ? 'error' : answered && body.status === 'incomplete' ? 'incomplete' : 'success',
      error_type: textOf(error?.code) ?? textOf(error?.type),
      error_message: textOf(error?.message),
      finish_reasons: finish.length === 0 ? undefined : finish,
      output_messages: answered || choices.length > 0 ? contentOf(body) : undefined,
      attributes: {
        custom_id: row.custom_id ?? null,
        time_precision: 'none',
        ...(body?.created === undefined ? {} : { created: body.created }),
        ...(body?.created_at === undefined ? {} : { created: body.created_at })
      }
    })
  }
)

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
