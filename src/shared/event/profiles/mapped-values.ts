// SPDX-License-Identifier: Apache-2.0
// Values of columns that a person mapped: texts and numbers alike, since a CSV file knows only texts.
import type { DurationUnit, TimeUnit } from '../../contract/import-mapping.ts'
import { zonedToUtc } from './zones.ts'

const YEAR_FIRST = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)?\s?(Z|UTC|[+-]\d{2}(?::?\d{2})?)?$/
const YEAR_LAST = /^(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})(?:,?\s+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?\s?([AaPp][Mm])?)?$/
/** What programs write for a value that is not there. */
const NONE = new Set(['', 'null', 'none', 'nan', 'n/a', 'undefined', '-'])

export const isNone = (value: unknown): boolean =>
  value === null || value === undefined || (typeof value === 'string' && NONE.has(value.trim().toLowerCase()))

/** A number, or a text that is one and nothing else. */
export function numberIn(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined
  if (typeof value === 'bigint') return Number(value)
  if (typeof value !== 'string' || !/^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?\s*$/.test(value)) return undefined
  const number = Number(value)
  return Number.isFinite(number) ? number : undefined
}

const PER_UNIT: Readonly<Record<DurationUnit, number>> = { s: 1e6, ms: 1e3, us: 1, ns: 1e-3 }

/** Whole microseconds from 0; undefined for anything else. */
export function durationIn(value: unknown, unit: DurationUnit): number | undefined {
  const number = numberIn(value)
  if (number === undefined || number < 0) return undefined
  const us = Math.round(number * PER_UNIT[unit])
  return Number.isSafeInteger(us) ? us : undefined
}

function wallUs(
  parts: { year: number; month: number; day: number; hour: number; minute: number; second: number },
  fraction: string,
  zone: string
): number | undefined {
  const { year, month, day, hour, minute, second } = parts
  const wall = Date.UTC(year, month - 1, day, hour, minute, second)
  const check = new Date(wall)
  if (check.getUTCMonth() !== month - 1 || check.getUTCDate() !== day || hour > 23 || minute > 59 || second > 59) return undefined
  return zonedToUtc(wall, zone) * 1000 + Number(fraction.padEnd(6, '0').slice(0, 6))
}

function textTime(text: string, unit: 'text' | 'text_mdy' | 'text_dmy', zone: string): number | undefined {
  if (unit === 'text') {
    const match = YEAR_FIRST.exec(text)
    if (match === null) return undefined
    const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', named] = match
    const given = named === undefined ? zone : named === 'Z' ? 'UTC' : named
    return wallUs(
      { year: +(year ?? 0), month: +(month ?? 0), day: +(day ?? 0), hour: +hour, minute: +minute, second: +second },
      fraction,
      given
    )
  }
  const match = YEAR_LAST.exec(text)
  if (match === null) return undefined
  const [, one, two, year, hour = '0', minute = '0', second = '0', fraction = '', half] = match
  const [month, day] = unit === 'text_mdy' ? [one, two] : [two, one]
  if (half !== undefined && (+hour < 1 || +hour > 12)) return undefined
  const at = half === undefined ? +hour : (+hour % 12) + (half.toLowerCase() === 'pm' ? 12 : 0)
  return wallUs({ year: +(year ?? 0), month: +(month ?? 0), day: +(day ?? 0), hour: at, minute: +minute, second: +second }, fraction, zone)
}

/** No model answered before this day: a number of another unit lands before it, or far ahead. */
const EARLIEST_US = Date.UTC(2000, 0, 1) * 1000
const LATEST_US = Date.UTC(2200, 0, 1) * 1000

/** Microseconds since 1970; undefined for anything else, and for a number that is a time in another unit. */
export function timeIn(value: unknown, unit: TimeUnit, zone: string): number | undefined {
  if (unit === 'text' || unit === 'text_mdy' || unit === 'text_dmy')
    return typeof value === 'string' && value.length <= 64 ? textTime(value.trim(), unit, zone) : undefined
  // Nanoseconds are beyond what a double holds exactly.
  const us =
    unit === 'ns' && typeof value === 'string' && /^\s*\d{16,20}\s*$/.test(value)
      ? Number(value.trim().slice(0, -3))
      : Math.round((numberIn(value) ?? Number.NaN) * PER_UNIT[unit])
  return us >= EARLIEST_US && us < LATEST_US ? us : undefined
}

/** Whether a text time names its zone itself. */
export const namesZone = (value: unknown): boolean => typeof value === 'string' && YEAR_FIRST.exec(value.trim())?.[8] !== undefined

const OUTCOMES: Readonly<Record<'success' | 'error' | 'aborted' | 'incomplete', readonly string[]>> = {
  success: ['success', 'succeeded', 'successful', 'ok', 'true', 'yes', 'done', 'complete', 'completed', 'passed', 'pass', 'finished'],
  error: ['error', 'errored', 'failed', 'failure', 'fail', 'false', 'no', 'exception', 'timeout', 'timed_out'],
  aborted: ['aborted', 'cancelled', 'canceled', 'stopped', 'interrupted'],
  incomplete: ['incomplete', 'partial', 'truncated', 'running', 'pending', 'in_progress']
}
const outcomeOf = new Map(Object.entries(OUTCOMES).flatMap(([status, words]) => words.map((word) => [word, status] as const)))

/** A status of a call, with the HTTP status when that is what stands there; undefined for an unknown word. */
export function statusIn(value: unknown): { readonly status: string; readonly http_status?: number } | undefined {
  const code = numberIn(value)
  if (code !== undefined)
    return Number.isInteger(code) && code >= 100 && code <= 599
      ? { status: code < 400 ? 'success' : 'error', http_status: code }
      : undefined
  const status = outcomeOf.get(String(value).trim().toLowerCase())
  return status === undefined ? undefined : { status }
}
