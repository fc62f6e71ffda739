// SPDX-License-Identifier: Apache-2.0
// Published traces of load: numbers without content.
import { bad, type CsvProfile, numberOf } from './profile.ts'
import { timeUs } from './values.ts'

const wholeFrom0 = (value: number | null | undefined): value is number => typeof value === 'number' && Number.isInteger(value) && value >= 0

/** Azure LLM inference trace of 2023 and 2024: time of arrival and two counts of tokens; names no model. */
export const azureTrace: CsvProfile = {
  name: 'azure-llm-trace-csv',
  title: 'Azure LLM inference trace CSV',
  extensions: ['csv'],
  format: 'csv',
  times: ['TIMESTAMP'],
  required: ['TIMESTAMP', 'ContextTokens', 'GeneratedTokens'],
  units: [
    { column: 'TIMESTAMP', unit: 'time, without a zone in the trace of 2023', becomes: 'start, in UTC' },
    { column: 'ContextTokens', unit: 'tokens', becomes: 'input tokens' },
    { column: 'GeneratedTokens', unit: 'tokens', becomes: 'output tokens' }
  ],
  map: (row, { zone, source }) => {
    const start = timeUs(row.TIMESTAMP, zone)
    if (start === undefined) return bad('TIMESTAMP', 'a time such as 2023-11-16 18:17:03.9799600')
    const input = numberOf(row.ContextTokens)
    if (!wholeFrom0(input)) return bad('ContextTokens', 'a whole number from 0')
    const output = numberOf(row.GeneratedTokens)
    if (!wholeFrom0(output)) return bad('GeneratedTokens', 'a whole number from 0')
    return {
      ok: true,
      raw: {
        source: source ?? 'azure-llm-trace',
        provider: 'azure.ai.openai',
        request_model: 'unknown',
        start_us: start,
        input_tokens: input,
        output_tokens: output,
        usage_source: 'reported',
        content_state: 'withheld'
      }
    }
  }
}

/** BurstGPT: seconds since the trace began, so that no row has a time; an answer of no tokens is its mark of a failure. */
export const burstGpt: CsvProfile = {
  name: 'burstgpt-csv',
  title: 'BurstGPT CSV',
  extensions: ['csv'],
  format: 'csv',
  times: [],
  required: ['Timestamp', 'Model', 'Request tokens', 'Response tokens', 'Total tokens', 'Log Type'],
  units: [
    { column: 'Timestamp', unit: 'seconds since the trace began', becomes: 'attribute trace_seconds; no start' },
    { column: 'Request tokens', unit: 'tokens', becomes: 'input tokens' },
    { column: 'Response tokens', unit: 'tokens; 0 for a failure', becomes: 'output tokens' },
    { column: 'Elapsed time', unit: 'seconds', becomes: 'latency in microseconds' }
  ],
  map: (row, { source }) => {
    const seconds = numberOf(row.Timestamp)
    if (typeof seconds !== 'number' || seconds < 0) return bad('Timestamp', 'seconds from 0')
    const input = numberOf(row['Request tokens'])
    if (!wholeFrom0(input)) return bad('Request tokens', 'a whole number from 0')
    const output = numberOf(row['Response tokens'])
    if (!wholeFrom0(output)) return bad('Response tokens', 'a whole number from 0')
    const elapsed = numberOf(row['Elapsed time'])
    if (elapsed === null || (elapsed !== undefined && elapsed < 0)) return bad('Elapsed time', 'seconds from 0')
    const model = (row.Model ?? '').trim()
    if (model === '') return bad('Model', 'a model name')
    const session = (row['Session ID'] ?? '').trim()
    return {
      ok: true,
      raw: {
        source: source ?? 'burstgpt',
        provider: 'azure.ai.openai',
        request_model: model,
        input_tokens: input,
        output_tokens: output,
        usage_source: 'reported',
        status: output === 0 ? 'error' : 'success',
        content_state: 'withheld',
        ...(elapsed === undefined ? {} : { latency_us: Math.round(elapsed * 1e6) }),
        ...(session === '' ? {} : { conversation_id: session }),
        attributes: { trace_seconds: seconds, log_type: row['Log Type'] ?? '' }
      }
    }
  }
}
