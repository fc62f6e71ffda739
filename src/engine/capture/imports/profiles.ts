// SPDX-License-Identifier: Apache-2.0
import { isEventField } from '../../../shared/event/ingest.ts'
import { langfuse } from '../../../shared/event/profiles/langfuse.ts'
import { otlpLines } from '../../../shared/event/profiles/otlp.ts'
import { phoenix } from '../../../shared/event/profiles/phoenix.ts'
import { bad, type CsvProfile, type ImportProfile, isObject, type JsonProfile, numberOf } from '../../../shared/event/profiles/profile.ts'
import { helicone, litellm, openaiBatch, promptfoo } from '../../../shared/event/profiles/tools.ts'
import { azureTrace, burstGpt } from '../../../shared/event/profiles/traces.ts'
import { zonedToUtc } from '../../../shared/event/profiles/zones.ts'

const US_TIME = /^(\d{2})\/(\d{2})\/(\d{4}), (\d{2}):(\d{2}):(\d{2})$/

/** `07/24/2023, 21:00:50` in a zone, as ISO 8601 UTC. */
function usTime(text: string, zone: string): string | undefined {
  const match = US_TIME.exec(text.trim())
  if (!match) return undefined
  const [month, day, year, hour, minute, second] = match.slice(1).map(Number) as [number, number, number, number, number, number]
  const wall = Date.UTC(year, month - 1, day, hour, minute, second)
  const check = new Date(wall)
  if (check.getUTCMonth() !== month - 1 || check.getUTCDate() !== day || hour > 23 || minute > 59 || second > 59) return undefined
  return new Date(zonedToUtc(wall, zone)).toISOString()
}

/** The evaluation files of the LLMDrift study: one call a row, latency in seconds, times without a zone. */
const llmdrift: CsvProfile = {
  name: 'llmdrift-csv',
  title: 'LLMDrift evaluation CSV',
  extensions: ['csv'],
  format: 'csv',
  times: ['timestamp'],
  required: ['model', 'query', 'answer', 'latency', 'timestamp', 'answer_token'],
  units: [
    { column: 'latency', unit: 'seconds', becomes: 'latency in microseconds' },
    { column: 'answer_token', unit: 'tokens', becomes: 'output tokens' },
    { column: 'timestamp', unit: 'local time without a zone', becomes: 'start, in UTC' },
    { column: 'cost', unit: 'US dollars', becomes: 'attribute cost_usd' }
  ],
  map: (row, context) => {
    const slash = (row.model ?? '').lastIndexOf('/')
    const prefix = (row.model ?? '').slice(0, Math.max(0, slash))
    const model = (row.model ?? '').slice(slash + 1)
    if (model === '') return bad('model', 'a model name')
    const latency = numberOf(row.latency)
    if (latency === null || (latency !== undefined && latency < 0)) return bad('latency', 'seconds from 0')
    const tokens = numberOf(row.answer_token)
    if (tokens === null || (tokens !== undefined && (!Number.isInteger(tokens) || tokens < 0)))
      return bad('answer_token', 'a whole number from 0')
    const start = usTime(row.timestamp ?? '', context.zone)
    if (start === undefined) return bad('timestamp', 'a time such as 07/24/2023, 21:00:50')
    const temperature = numberOf(row.temperature)
    const maxTokens = numberOf(row.max_tokens)
    const cost = numberOf(row.cost)
    const attributes: Record<string, string | number> = {}
    for (const name of ['dataset', 'id', 'trail', 'ref_answer', 'date'] as const) {
      const value = row[name]
      if (value !== undefined && value !== '') attributes[name === 'id' ? 'item_id' : name] = value
    }
    if (typeof cost === 'number') attributes.cost_usd = cost
    return {
      ok: true,
      raw: {
        source: context.source ?? 'llmdrift',
        provider: prefix === 'openaichat' ? 'openai' : prefix === '' ? 'unknown' : prefix,
        ...(prefix === '' ? {} : { provider_raw: prefix }),
        request_model: model,
        start_time: start,
        ...(latency === undefined ? {} : { latency_us: Math.round(latency * 1e6) }),
        ...(tokens === undefined ? {} : { output_tokens: tokens }),
        ...(typeof temperature === 'number' ? { temperature } : {}),
        ...(typeof maxTokens === 'number' && Number.isInteger(maxTokens) && maxTokens >= 0 ? { max_tokens: maxTokens } : {}),
        prompt: row.query ?? '',
        response: row.answer ?? '',
        attributes
      }
    }
  }
}

const known = [
  'request_model',
  'model',
  'input_messages',
  'output_messages',
  'messages',
  'prompt',
  'start_time',
  'start_us',
  'latency_us',
  'latency_ms'
]

/** Canonical events one a line: what the HTTP ingest takes. */
const affidavit: JsonProfile = {
  name: 'affidavit-jsonl',
  title: 'Affidavit JSONL, canonical events',
  extensions: ['jsonl', 'ndjson', 'json'],
  format: 'jsonl',
  times: [],
  units: [
    { column: 'latency_us, ttft_us', unit: 'microseconds', becomes: 'the same' },
    { column: 'latency_ms, ttft_ms', unit: 'milliseconds', becomes: 'microseconds' },
    { column: 'start_time', unit: 'ISO 8601 with a zone', becomes: 'start, in UTC' }
  ],
  detect: (first) => {
    const objects = first.filter(isObject)
    if (objects.length === 0) return 0
    // A log of another program may well have a model and a prompt: then most of what it has has no place here.
    const good = objects.filter((row) => {
      const names = Object.keys(row)
      return known.filter((name) => name in row).length >= 2 && names.filter(isEventField).length > names.length / 2
    }).length
    return (0.9 * good) / first.length
  },
  map: (row, context) =>
    isObject(row)
      ? { ok: true, raw: context.source === undefined ? row : { ...row, source: context.source } }
      : { ok: false, code: 'not_an_object', message: 'expected a JSON object' }
}

export const importProfiles: readonly ImportProfile[] = [
  llmdrift,
  affidavit,
  otlpLines,
  phoenix,
  langfuse,
  litellm,
  helicone,
  openaiBatch,
  promptfoo,
  burstGpt,
  azureTrace
]

/** Said of a name that no profile has. */
export const noSuchProfile = `there is no such import profile; there are ${importProfiles.map((profile) => profile.name).join(', ')}`

export const profileNamed = (name: string): ImportProfile | undefined => importProfiles.find((profile) => profile.name === name)
