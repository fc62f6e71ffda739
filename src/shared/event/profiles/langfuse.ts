// SPDX-License-Identifier: Apache-2.0
import { between, has, made, profile } from './json-profile.ts'
import { bad, isObject, type Row } from './profile.ts'
import { contentOf, costFrom, countOf, textOf, timeUs, unfold } from './values.ts'

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
      ...tokensOf({
        ...counts,
        input: counts.input ?? at('promptTokens', 'input_usage'),
        output: counts.output ?? at('completionTokens', 'output_usage')
      }),
      ...(call ? parametersOf(unfold(at('modelParameters', 'model_parameters'))) : {}),
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
      attributes: filled({
        ...(textOf(row.name) === undefined ? {} : { 'span.name': row.name }),
        ...cost,
        ...(call ? kept(row, counts) : {})
      })
    })
  },
  (row) => (isObject(row) && Array.isArray(row.observations) ? observationsOf(row, row.observations) : [row])
)

const filled = (attributes: Row): Row | undefined => (Object.keys(attributes).length === 0 ? undefined : attributes)

/** The observations of a trace that holds them; who asked, and tags, stand on the trace alone. */
function observationsOf({ id, userId, sessionId, tags }: Row, observations: readonly unknown[]): readonly unknown[] {
  return observations.map((one) => (isObject(one) ? { traceId: id, userId, sessionId, tags, ...one } : one))
}

/** Members without a field of their own, by both of their names; they are kept as they are. */
const others = [
  ['modelParameters', 'model_parameters'],
  ['metadata', 'metadata'],
  ['tags', 'tags'],
  ['environment', 'environment'],
  ['version', 'version'],
  ['promptName', 'prompt_name'],
  ['promptVersion', 'prompt_version']
] as const

function kept(row: Row, counts: Row): Row {
  const found = others.flatMap(([camel, snake]) => {
    const value = unfold(row[camel] ?? row[snake])
    const empty = value === undefined || value === null || value === '' || (typeof value === 'object' && Object.keys(value).length === 0)
    return empty ? [] : [[snake, value] as const]
  })
  const parts = Object.keys(counts).some((name) => name !== 'input' && name !== 'output' && name !== 'total' && name !== 'unit')
  return Object.fromEntries([...found, ...(parts ? [['usage_details', counts] as const] : [])])
}

function parametersOf(given: unknown): Row {
  if (!isObject(given)) return {}
  const number = (value: unknown): number | undefined => {
    const one = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
    return typeof one === 'number' && Number.isFinite(one) ? one : undefined
  }
  return {
    temperature: number(given.temperature),
    top_p: number(given.top_p),
    max_tokens: countOf(number(given.max_tokens ?? given.max_completion_tokens ?? given.maxTokens)),
    seed: countOf(number(given.seed))
  }
}

/**
 * Langfuse takes what it counts apart out of `input` and `output`: cached and audio tokens stand beside the input (`input_cached_tokens`,
 * Anthropic's `cache_read_input_tokens`), reasoning beside the output (its ingestion, `OpenAICompletionUsageSchema`). Here they are part of it.
 * Programs that send figures of their own may have left them in: `total` tells, where it is given.
 */
function tokensOf(counts: Row): Row {
  const sum = (fits: (name: string) => boolean): number =>
    Object.entries(counts).reduce((all, [name, value]) => all + (fits(name) ? (countOf(value) ?? 0) : 0), 0)
  const beside = {
    input: sum((name) => /^input_|^cache_(read|creation)_input_tokens$/.test(name)),
    output: sum((name) => name.startsWith('output_'))
  }
  const [input, output, total] = [countOf(counts.input), countOf(counts.output), countOf(counts.total)]
  const whole = (of: number | undefined, apart: number) => (of === undefined ? undefined : of + apart)
  const readings = [
    [whole(input, beside.input), whole(output, beside.output)],
    [input, whole(output, beside.output)],
    [whole(input, beside.input), output],
    [input, output]
  ] as const
  const fitting = readings.find(([asked, said]) => (asked ?? 0) + (said ?? 0) === total) ?? readings[0]
  return {
    input_tokens: fitting[0],
    output_tokens: fitting[1],
    cache_read_tokens: countOf(counts.input_cached_tokens ?? counts.cache_read_input_tokens ?? counts.input_cache_read),
    cache_creation_tokens: countOf(counts.cache_creation_input_tokens ?? counts.input_cache_creation),
    reasoning_tokens: countOf(counts.output_reasoning_tokens ?? counts.output_reasoning)
  }
}
