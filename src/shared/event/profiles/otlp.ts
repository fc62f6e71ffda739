// SPDX-License-Identifier: Apache-2.0
import { jsonEncoding } from '../otlp/json.ts'
import { callOf, originOf, rawOfCall } from '../otlp/map.ts'
import { OtlpError } from '../otlp/message.ts'
import { fitOf, isObject, type JsonProfile } from './profile.ts'

/** Lines of the OpenTelemetry Collector's file exporter, one export of spans each. Spans that are no calls of models are passed over. */
export const otlpLines: JsonProfile = {
  name: 'otlp-json-lines',
  title: 'OTLP JSON lines, spans',
  extensions: ['jsonl', 'ndjson', 'json'],
  format: 'jsonl',
  times: [],
  units: [{ column: 'startTimeUnixNano, endTimeUnixNano', unit: 'nanoseconds since 1970', becomes: 'start and latency in microseconds' }],
  detect: (first) => fitOf(first, (row) => Array.isArray(row.resourceSpans)),
  split: (line) => {
    if (!isObject(line) || !Array.isArray(line.resourceSpans)) return undefined
    try {
      return jsonEncoding.groups(line, 'traces').flatMap((group) => {
        const origin = originOf(group.resource)
        return group.items.flatMap((item) => {
          const call = callOf(jsonEncoding.span(item), origin)
          return call === undefined ? [] : [rawOfCall(call)]
        })
      })
    } catch (error) {
      if (error instanceof OtlpError) return undefined
      throw error
    }
  },
  map: (row, { source }) =>
    isObject(row)
      ? { ok: true, raw: source === undefined ? row : { ...row, source } }
      : { ok: false, code: 'not_an_object', message: 'expected a span' }
}
