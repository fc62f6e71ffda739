// SPDX-License-Identifier: Apache-2.0
import type { DriftSeries } from '../../../shared/contract/drift.ts'
import { count, moment } from '../../ui/format.ts'
import type { Meaning } from '../../ui/parts.tsx'

/** Beyond it a claimed time is no difference between two clocks any more. */
const AHEAD_MS = 3_600_000
/** Most series that are listed: those with the most records. */
const MOST = 1000

export const seriesMeanings: Record<DriftSeries['state'], Meaning> = {
  no_baseline: 'none',
  not_looked: 'pending',
  collecting: 'pending',
  quiet: 'holds',
  waiting: 'attention',
  alarmed: 'attention'
}

export const stateWords: Record<DriftSeries['state'], string> = {
  no_baseline: 'no reference',
  not_looked: 'waits for a look',
  collecting: 'collecting',
  quiet: 'no shift found',
  waiting: 'waits for a second look',
  alarmed: 'alarmed'
}

/** The smallest shift that as many requests as now would show, while a series collects. */
function leastWords({ numbers }: DriftSeries): string {
  const found = numbers.flatMap((one) => (one.minimum_effect === null ? [] : [one.minimum_effect]))
  return found.length === 0 ? '' : ` With these a shift of ${Math.min(...found).toFixed(2)} or more could be found.`
}

function verdictWords(row: DriftSeries, lastLook: string | null): string {
  if (row.state === 'no_baseline') return 'Nothing to compare with yet.'
  if (row.numbers.length === 0) return 'Not looked at yet.'
  const strongest = row.numbers.reduce((best, one) => ((one.l ?? 0) > (best.l ?? 0) ? one : best))
  const tested = row.numbers.some((one) => one.state === 'tested')
  if (!tested && row.numbers.every((one) => one.m === 0)) return `No request since its reference; the last one ${moment(row.last)}.`
  const words = row.state === 'collecting' ? `${strongest.sentence}${leastWords(row)}` : strongest.sentence
  // A reference that moves: what got nothing new is left out of a look.
  const since = row.looked_at !== null && lastLook !== null && Date.parse(row.looked_at) < Date.parse(lastLook)
  return since && row.reference !== 'baseline' ? `${words} As of ${moment(row.looked_at ?? '')}: nothing new since.` : words
}

/** What is known of a series, or why nothing is; also that its clock is ahead of this one. */
export function seriesWords(row: DriftSeries, lastLook: string | null, now: number): string {
  const words = verdictWords(row, lastLook)
  return Date.parse(row.last) - now > AHEAD_MS ? `Its newest record claims a time that is still to come. ${words}` : words
}

/** How many series are in which state, alarmed ones first. */
export function seriesSummary(rows: readonly DriftSeries[]): string {
  const counted = (['alarmed', 'waiting', 'quiet', 'collecting', 'not_looked', 'no_baseline'] as const).flatMap((state) => {
    const n = rows.filter((row) => row.state === state).length
    return n === 0 ? [] : [`${count(n)} ${stateWords[state]}`]
  })
  return `${rows.length >= MOST ? `the ${count(MOST)} with the most records: ` : ''}${counted.join(', ')}`
}

/** What jumps of this machine's clock mean for the windows; null without one. */
export const clockWords = (jumps: number): string | null =>
  jumps === 0
    ? null
    : `The clock of this machine jumped ${jumps === 1 ? 'once' : `${count(jumps)} times`} in the last day. Which window a request belongs to goes by the order in which it was recorded; times are shown as they were claimed.`
