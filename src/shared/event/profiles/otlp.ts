// SPDX-License-Identifier: Apache-2.0
import { hasContent } from '../otlp/content.ts'
import { jsonEncoding } from '../otlp/json.ts'
import {
  addLogs,
  type CallLog,
  type CallSpan,
  callLogOf,
  callOf,
  callOfLogs,
  type NotTaken,
  notTaken,
  type Origin,
  originOf,
  rawOfCall
} from '../otlp/map.ts'
import { OtlpError } from '../otlp/message.ts'
import { type Collected, type Collector, fitOf, isObject, type JsonProfile, type Row } from './profile.ts'

/** Log records that wait for others of their call, at most, all and of one call, and characters of them: the bounds of the receiver (ADR 23). */
const MOST_LOGS = 50_000
const MOST_OF_CALL = 1_000
const MOST_CHARACTERS = 64 * 1024 * 1024

/** What is known of a call whose record is not made yet; it has the place of what came first. */
interface Waiting {
  readonly line: number
  readonly part: number
  readonly from: Origin
  readonly logs: CallLog[]
  /** What the log records say: one that comes twice is no second message. */
  readonly texts: Set<string>
  span: CallSpan | null
  characters: number
}

const isLine = (line: unknown): line is Row => isObject(line) && (Array.isArray(line.resourceSpans) || Array.isArray(line.resourceLogs))

const refused = (code: NotTaken, line: number, part: number): Collected => ({
  line,
  part,
  refused: { ok: false, code, message: notTaken[code] }
})

/**
 * Joins what belongs to one call, as the receiver does: log records with each other and with their span. A span that says itself what was asked and
 * answered needs none of them; one without waits only in a file that has such log records. What has waited longest is made a record when there is
 * too much, in the same place each time the file is read.
 */
class OtlpCollector implements Collector {
  readonly #waiting = new Map<string, Waiting>()
  #logs = 0
  #characters = 0
  #hasLogs = false

  take(value: unknown, line: number): readonly Collected[] | undefined {
    if (!isLine(value)) return undefined
    const out: Collected[] = []
    let part = 0
    try {
      const spans = Array.isArray(value.resourceSpans) ? jsonEncoding.groups({ resourceSpans: value.resourceSpans }, 'traces') : []
      const calls = spans.flatMap(({ resource, items }) => {
        const from = originOf(resource)
        return items.flatMap((item) => {
          const span = callOf(jsonEncoding.span(item), from)
          return span === undefined ? [] : [{ span, from }]
        })
      })
      const groups = Array.isArray(value.resourceLogs) ? jsonEncoding.groups({ resourceLogs: value.resourceLogs }, 'logs') : []
      const logs = groups.flatMap(({ resource, items }) => {
        const from = originOf(resource)
        return items.flatMap((item) => {
          const log = callLogOf(jsonEncoding.log(item), from)
          return log === undefined ? [] : [{ log, from }]
        })
      })
      // Taken when all of the line is read: one that is broken leaves nothing.
      for (const { span, from } of calls)
        out.push(...(typeof span === 'object' ? this.#span(span, from, line, part++) : [refused(span, line, part++)]))
      for (const { log, from } of logs) {
        if (typeof log !== 'object') out.push(refused(log, line, part++))
        else if (this.#log(log, from, line, part)) part++
      }
    } catch (error) {
      if (error instanceof OtlpError) return undefined
      throw error
    }
    for (const key of this.#waiting.keys()) {
      if (this.#logs <= MOST_LOGS && this.#characters <= MOST_CHARACTERS && this.#waiting.size <= MOST_LOGS) break
      out.push(...this.#end(key))
    }
    return out
  }

  rest(): readonly Collected[] {
    return [...this.#waiting.keys()].flatMap((key) => this.#end(key))
  }

  #span(span: CallSpan, from: Origin, line: number, part: number): readonly Collected[] {
    const waiting = this.#waiting.get(span.key)
    const joins = span.raw.span_role === 'inference' && !hasContent(span.content)
    if (waiting !== undefined && waiting.span === null && span.raw.span_role === 'inference') {
      waiting.span = span
      return joins ? [] : this.#end(span.key)
    }
    if (waiting !== undefined || !joins || !this.#hasLogs) return [{ line, part, row: rawOfCall(span) }]
    this.#waiting.set(span.key, { line, part, from, logs: [], texts: new Set(), span, characters: 0 })
    return []
  }

  /** Whether the log record begins a call, and so takes a place in its line. */
  #log(log: CallLog, from: Origin, line: number, part: number): boolean {
    this.#hasLogs = true
    const known = this.#waiting.get(log.key)
    const waiting = known ?? { line, part, from, logs: [], texts: new Set(), span: null, characters: 0 }
    const text = JSON.stringify([log.timeUs ?? null, log.name, log.fields])
    if (waiting.texts.has(text) || waiting.logs.length >= MOST_OF_CALL) return false
    waiting.texts.add(text)
    waiting.logs.push(log)
    waiting.characters += text.length
    this.#logs++
    this.#characters += text.length
    if (known === undefined) this.#waiting.set(log.key, waiting)
    return known === undefined
  }

  #end(key: string): readonly Collected[] {
    const waiting = this.#waiting.get(key)
    if (waiting === undefined) return []
    const { line, part, from, logs, span, characters } = waiting
    this.#waiting.delete(key)
    this.#logs -= logs.length
    this.#characters -= characters
    if (span !== null) addLogs(span, logs)
    return [{ line, part, row: rawOfCall(span ?? callOfLogs(key, 'file', logs, from)) }]
  }
}

/** Lines of the OpenTelemetry Collector's file exporter, one export each. Spans and log records that are of no call of a model are passed over. */
export const otlpLines: JsonProfile = {
  name: 'otlp-json-lines',
  title: 'OTLP JSON lines, spans and log records',
  extensions: ['jsonl', 'ndjson', 'json'],
  format: 'jsonl',
  times: [],
  units: [{ column: 'startTimeUnixNano, endTimeUnixNano', unit: 'nanoseconds since 1970', becomes: 'start and latency in microseconds' }],
  detect: (first) => fitOf(first, isLine),
  collect: () => new OtlpCollector(),
  map: (row, { source }) =>
    isObject(row)
      ? { ok: true, raw: source === undefined ? row : { ...row, source } }
      : { ok: false, code: 'not_an_object', message: 'expected a span' }
}
