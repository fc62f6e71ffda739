// SPDX-License-Identifier: Apache-2.0
import type { FilterExpression } from '../../../shared/filter/filter.ts'
import { formatFilter } from '../../../shared/filter/format.ts'
import { parseFilter } from '../../../shared/filter/parse.ts'

/** A range of claimed starts in milliseconds since 1970 UTC, the end not included. */
export interface TimeWindow {
  readonly from: number
  readonly to: number
}

const termsOf = (query: string): FilterExpression['terms'] | undefined => {
  const parsed = parseFilter(query)
  return parsed.ok ? parsed.filter.terms : undefined
}

/** A filter without its times; undefined when it is no filter. */
export function timeless(query: string): string | undefined {
  const terms = termsOf(query)
  return terms && formatFilter({ terms: terms.filter((term) => term.kind !== 'time') })
}

/** The times of a filter, open ends taken from `whole`; undefined when it has none. */
export function windowOf(query: string, whole: TimeWindow): TimeWindow | undefined {
  const times = (termsOf(query) ?? []).filter((term) => term.kind === 'time')
  if (times.length === 0) return undefined
  const from = Math.max(whole.from, ...times.map((term) => (term.from ?? Number.NEGATIVE_INFINITY) / 1000))
  const to = Math.min(whole.to, ...times.map((term) => (term.to ?? Number.POSITIVE_INFINITY) / 1000))
  return from < to ? { from, to } : undefined
}

/** A filter with these times instead of its own. */
export function withWindow(query: string, window: TimeWindow): string {
  const terms = (termsOf(query) ?? []).filter((term) => term.kind !== 'time')
  return formatFilter({ terms: [...terms, { kind: 'time', from: window.from * 1000, to: window.to * 1000 }] })
}

/**
 * A window after one of its ends, or all of it, was moved to `at`: whole slots, inside of `whole`, at least one slot long.
 * @param grab offset of the pointer from the window's start while all of it moves
 */
export function moved(window: TimeWindow, part: 'from' | 'to' | 'all', at: number, whole: TimeWindow, step: number, grab = 0): TimeWindow {
  const snap = (time: number): number => whole.from + Math.round((time - whole.from) / step) * step
  const clamp = (time: number, low: number, high: number): number => Math.min(high, Math.max(low, time))
  if (part === 'from') return { from: clamp(snap(at), whole.from, window.to - step), to: window.to }
  if (part === 'to') return { from: window.from, to: clamp(snap(at), window.from + step, whole.to) }
  const length = window.to - window.from
  const from = clamp(snap(at - grab), whole.from, Math.max(whole.from, whole.to - length))
  return { from, to: from + length }
}
