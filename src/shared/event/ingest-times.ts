// SPDX-License-Identifier: Apache-2.0
// Start and durations of an ingested event, in whichever of their forms they come.
import { contradiction, refuse } from './ingest-checks.ts'
import { isIsoDay } from './iso-day.ts'

type Raw = Readonly<Record<string, unknown>>

const ISO = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})$/

/** Microseconds of an ISO 8601 time with a zone. */
function isoMicros(text: string): number | undefined {
  if (!ISO.test(text) || !isIsoDay(text)) return undefined
  const ms = Date.parse(text)
  if (Number.isNaN(ms)) return undefined
  const digits = /\.(\d{1,9})/.exec(text)?.[1]?.padEnd(6, '0').slice(3, 6)
  return ms * 1000 + (digits === undefined ? 0 : Number(digits))
}

/** A duration in milliseconds, fractions allowed, as whole microseconds. */
function millis(value: unknown, name: string): number {
  if (typeof value !== 'number' || !(value >= 0) || value > 8.64e12)
    return refuse(name, 'milliseconds from 0', typeof value === 'number' ? 'out_of_range' : 'wrong_type')
  return Math.round(value * 1000)
}

/** Microseconds of a member that is an ISO 8601 time with a zone. */
function timeOf(value: unknown, name: string): number {
  if (typeof value !== 'string') return refuse(name, 'an ISO 8601 time with a zone')
  return isoMicros(value) ?? refuse(name, 'an ISO 8601 time with a zone', 'bad_time')
}

const isGiven = (raw: Raw, name: string): boolean => raw[name] !== undefined && raw[name] !== null

/** The time of two forms of it: the one in microseconds when both are there, of which the other may be a rounding. */
function either(exact: unknown, exactName: string, other: number | undefined, otherName: string): number | undefined {
  if (typeof exact !== 'number') return other
  return other === undefined || Math.abs(exact - other) < 1_000 ? exact : contradiction(exactName, otherName)
}

/** The start and the durations; where they are not given, as this program's own answers call them. In microseconds. @throws Refused */
export function timesOf(raw: Raw): {
  readonly start: number | undefined
  readonly latency: number | undefined
  readonly ttft: number | undefined
  /** Members that are read here and no field of the event. */
  readonly read: readonly string[]
} {
  const ms = (name: string): number | undefined => (isGiven(raw, name) ? millis(raw[name], name) : undefined)
  const time = (name: string): number | undefined => (isGiven(raw, name) ? timeOf(raw[name], name) : undefined)
  const start = either(raw.start_us, 'start_us', time('start_time'), 'start_time')
  const latency = either(raw.latency_us, 'latency_us', ms('latency_ms'), 'latency_ms')
  return {
    start: start ?? time('timestamp'),
    latency: latency ?? ms('processing_time_ms'),
    ttft: either(raw.ttft_us, 'ttft_us', ms('ttft_ms'), 'ttft_ms'),
    read: [...(start === undefined ? ['timestamp'] : []), ...(latency === undefined ? ['processing_time_ms'] : [])]
  }
}
