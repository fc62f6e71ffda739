// SPDX-License-Identifier: Apache-2.0
import { type CountTable, ecdf, quantile } from './count-table.ts'
import type { FeatureName, FeatureUnit } from './features.ts'
import type { Proportion } from './fisher.ts'
import { StatsError } from './stats-error.ts'

/** Where the current values went: `none` when both sides are equal at the largest gap. */
export type Direction = 'higher' | 'lower' | 'none'

/** A verdict in words. Plain text, neutral, English. */
export interface Explanation {
  /** The largest gap: "84 % of requests finished within 11.2 s, now 48 %." */
  readonly headline: string
  /** The middle and the bound: "Median 7.6 s before, 11.5 s after. At least 16 of the 36 points cannot be noise (95 %)." */
  readonly detail: string
  readonly direction: Direction
}

/** What the sides are called: a time before and a time after, or two choices of somebody's own, which may be of one time. */
export type Sides = 'times' | 'choices'

/** What the sentences about a value feature need. */
export interface ValueGap {
  /** Default: times. */
  readonly sides?: Sides
  readonly feature: Exclude<FeatureName, 'error_rate'>
  readonly reference: CountTable
  readonly current: CountTable
  /** Value at which the largest gap is attained. */
  readonly dLocation: number
  /** Observed gap and its lower bound, both in [0, 1]. */
  readonly d: number
  readonly lowerBound: number
  /** Error of the bound; default 0.05, printed as 95 %. */
  readonly alpha?: number
}

/** What the sentences about the error rate need. */
export interface RateGap {
  /** Default: times. */
  readonly sides?: Sides
  readonly reference: Proportion
  readonly current: Proportion
  readonly lowerBound: number
  readonly alpha?: number
}

const group = (digits: string): string => digits.replace(/\B(?=(\d{3})+(?!\d))/g, ',')

/** A number with `decimals` digits after the point and commas between thousands: 1,622.9. */
export function formatNumber(value: number, decimals = 0): string {
  const [whole = '0', fraction] = Math.abs(value).toFixed(decimals).split('.')
  const isZero = Number(Math.abs(value).toFixed(decimals)) === 0
  return `${value < 0 && !isZero ? '-' : ''}${group(whole)}${fraction === undefined ? '' : `.${fraction}`}`
}

/** A share in percent: whole, with one digit below 1 % and above 99 %, and never 0 % or 100 % unless it is exactly that. */
export function formatPercent(share: number): string {
  const percent = share * 100
  if (percent <= 0) return '0 %'
  if (percent >= 100) return '100 %'
  if (percent < 0.05) return 'under 0.1 %'
  if (percent >= 99.95) return 'over 99.9 %'
  return percent < 0.95 || percent >= 99.05 ? `${percent.toFixed(1)} %` : `${Math.round(percent)} %`
}

const plural = (value: number, noun: string): string => `${formatNumber(value)} ${noun}${value === 1 ? '' : 's'}`

/**
 * A value with its unit: milliseconds below one second, seconds with `decimals` digits (1 to 3) from there ("340 ms", "11.2 s"),
 * "1,024 tokens", "812 characters", "1 request".
 */
export function formatValue(value: number, unit: FeatureUnit, decimals = 1): string {
  switch (unit) {
    case 'millisecond':
      return Math.abs(value) < 1000 ? `${formatNumber(value)} ms` : `${formatNumber(value / 1000, decimals)} s`
    case 'token':
      return plural(value, 'token')
    case 'character':
      return plural(value, 'character')
    case 'request':
      return plural(value, 'request')
    default:
      return unit satisfies never
  }
}

const UNITS = { latency: 'millisecond', token_usage: 'token', response_length: 'character' } as const satisfies Record<
  ValueGap['feature'],
  FeatureUnit
>

// The fewest decimals of a second for which the printed time has the same printed shares as the time itself: the sentence
// stays true when read literally. Three decimals are the exact whole millisecond.
const decimalsFor = (gap: ValueGap): number => {
  if (gap.feature !== 'latency' || Math.abs(gap.dLocation) < 1000) return 1
  const shares = (at: number): string => formatPercent(ecdf(gap.reference, at)) + formatPercent(ecdf(gap.current, at))
  for (const decimals of [1, 2]) {
    const printed = Math.round(Number((gap.dLocation / 1000).toFixed(decimals)) * 1000)
    if (shares(printed) === shares(gap.dLocation)) return decimals
  }
  return 3
}

const predicate = (feature: ValueGap['feature'], value: string): string => {
  switch (feature) {
    case 'latency':
      return `of requests finished within ${value}`
    case 'token_usage':
      return `of requests used at most ${value}`
    case 'response_length':
      return `of answers were at most ${value} long`
    default:
      return feature satisfies never
  }
}

const boundSentence = (d: number, lowerBound: number, alpha: number): string => {
  const confidence = `${formatNumber((1 - alpha) * 100, Number.isInteger(Math.round((1 - alpha) * 1e6) / 1e4) ? 0 : 1)} %`
  // Small gaps get a decimal; the bound is cut, not rounded, so that "at least" holds.
  const decimals = d < 0.1 ? 1 : 0
  const scale = 10 ** decimals
  const sure = Math.floor(lowerBound * 100 * scale + 1e-9) / scale
  if (!(sure > 0)) return `No part of the gap is beyond noise for certain (${confidence}).`
  return `At least ${formatNumber(sure, decimals)} of the ${formatNumber(d * 100, decimals)} points cannot be noise (${confidence}).`
}

const sideWords: Readonly<Record<Sides, { readonly first: string; readonly second: string; readonly both: string }>> = {
  times: { first: 'before', second: 'after', both: 'before and after' },
  choices: { first: 'in A', second: 'in B', both: 'in A and in B' }
}

/** "84 % of requests finished within 11.2 s, now 48 %." and "In A 84 % of requests finished within 11.2 s, in B 48 %." */
const against = (sides: Sides, first: string, rest: string, second: string): string =>
  sides === 'times' ? `${first} ${rest}, now ${second}.` : `In A ${first} ${rest}, in B ${second}.`

/** The sentences of a value feature, computed from the place of the largest gap. Throws `stats.empty` on an empty table. */
export function explainValues(gap: ValueGap): Explanation {
  const unit = UNITS[gap.feature]
  const before = ecdf(gap.reference, gap.dLocation)
  const after = ecdf(gap.current, gap.dLocation)
  const decimals = decimalsFor(gap)
  const middleBefore = formatValue(quantile(gap.reference, 0.5), unit)
  const middleAfter = formatValue(quantile(gap.current, 0.5), unit)
  const sides = gap.sides ?? 'times'
  const { first, second, both } = sideWords[sides]
  const medians =
    middleBefore === middleAfter ? `Median ${middleBefore} ${both}.` : `Median ${middleBefore} ${first}, ${middleAfter} ${second}.`
  return {
    headline: against(
      sides,
      formatPercent(before),
      predicate(gap.feature, formatValue(gap.dLocation, unit, decimals)),
      formatPercent(after)
    ),
    detail: `${medians} ${boundSentence(gap.d, gap.lowerBound, gap.alpha ?? 0.05)}`,
    direction: before > after ? 'higher' : before < after ? 'lower' : 'none'
  }
}

/** The sentences of the error rate. Throws `stats.empty` when a side has no requests. */
export function explainRate(gap: RateGap): Explanation {
  const { reference, current } = gap
  if (reference.total === 0 || current.total === 0) throw new StatsError('stats.empty', 'both sides of an error rate need requests')
  const before = reference.errors / reference.total
  const after = current.errors / current.total
  const count = (side: Proportion): string => `${formatNumber(side.errors)} of ${plural(side.total, 'request')}`
  const sides = gap.sides ?? 'times'
  const { first, second } = sideWords[sides]
  return {
    headline: against(sides, formatPercent(before), 'of requests failed', formatPercent(after)),
    detail: `${count(reference)} ${first}, ${count(current)} ${second}. ${boundSentence(Math.abs(after - before), gap.lowerBound, gap.alpha ?? 0.05)}`,
    direction: after > before ? 'higher' : after < before ? 'lower' : 'none'
  }
}
