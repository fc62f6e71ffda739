// SPDX-License-Identifier: Apache-2.0
const number = new Intl.NumberFormat('en-US')
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const two = (n: number): string => String(n).padStart(2, '0')

/** Whether a verification did not come to its end: that is no fault of what it looked at. */
export const isUnfinished = (verified: { readonly first: { readonly code: string } | null } | null): boolean =>
  verified?.first?.code === 'not_finished'

/** The first fault of a verification in words, with the leaf it is in. */
export function faultOf(verified: {
  readonly faults: number
  readonly first: { readonly code: string; readonly seq: number | null } | null
}): string {
  const { first, faults } = verified
  if (!first) return `${count(faults)} faults`
  const what = `${first.code.replaceAll('_', ' ')}${first.seq === null ? '' : `, leaf ${count(first.seq)}`}`
  return faults === 1 ? what : `${what}, and ${count(faults - 1)} more`
}

/** 1,284,901 */
export const count = (n: number): string => number.format(n)

/** 1 record, 1,284,901 records */
export const counted = (n: number, one: string, many = `${one}s`): string => `${count(n)} ${n === 1 ? one : many}`

/** Comma for thousands and a fixed number of decimals. */
export const fixed = (n: number, decimals: number): string =>
  n.toLocaleString('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals })

/** Whether a day was typed that the calendar has, such as 2026-11-23. */
export function isDay(text: string): boolean {
  const ms = Date.parse(text)
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text)
}

/** 23 Nov 2026 */
export function day(iso: string): string {
  const t = new Date(iso)
  return `${t.getUTCDate()} ${months[t.getUTCMonth()]} ${t.getUTCFullYear()}`
}

/** 14:31:34, UTC */
export function clock(iso: string): string {
  const t = new Date(iso)
  return `${two(t.getUTCHours())}:${two(t.getUTCMinutes())}:${two(t.getUTCSeconds())}`
}

/** 23 Nov 2026, 14:31:34 UTC */
export const moment = (iso: string): string => `${day(iso)}, ${clock(iso)} UTC`

/** 23 Nov 2026, 14:31:34.458 UTC */
export const exactMoment = (iso: string): string =>
  `${day(iso)}, ${clock(iso)}.${String(new Date(iso).getUTCMilliseconds()).padStart(3, '0')} UTC`

/** 24 Jul, with the year where it is not this one. @param now for what this year is */
export function shortDay(iso: string, now = Date.now()): string {
  const t = new Date(iso)
  return t.getUTCFullYear() === new Date(now).getUTCFullYear() ? `${t.getUTCDate()} ${months[t.getUTCMonth()]}` : day(iso)
}

/** 14:31, UTC */
export const shortClock = (iso: string): string => clock(iso).slice(0, 5)

/** 24 Jul 14:31:34, or 24 Jul 2023 14:31:34 of another year: for lists, where the zone stands in the head. */
export const listTime = (iso: string, now = Date.now()): string => `${shortDay(iso, now)} ${clock(iso)}`

/** Label of a time axis beside which the whole period stands: month and year over years, the date where a bin is a day or more, else the clock. */
export function axisTime(iso: string, binMs: number, spanMs: number): string {
  const t = new Date(iso)
  if (spanMs > 300 * 86_400_000) return `${months[t.getUTCMonth()]} ${t.getUTCFullYear()}`
  const date = `${t.getUTCDate()} ${months[t.getUTCMonth()]}`
  const time = shortClock(iso)
  if (binMs >= 86_400_000 || spanMs > 4 * 86_400_000) return date
  return spanMs > 26 * 3_600_000 ? `${date} ${time}` : time
}

/** 0.61 s, 9.42 s, 4 min 12 s; small ones in ms. */
export function duration(ms: number): string {
  if (ms < 100) return `${ms < 10 ? fixed(ms, 1) : fixed(ms, 0)} ms`
  if (ms < 600_000) return `${fixed(ms / 1000, 2)} s`
  return ageOf(ms)
}

/** 4 s, 3 h 12 min, 2 d 4 h */
export function ageOf(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000))
  if (s < 60) return `${s} s`
  const min = Math.floor(s / 60)
  if (min < 60) return `${min} min`
  const h = Math.floor(min / 60)
  if (h < 48) return `${h} h ${min % 60} min`
  return `${Math.floor(h / 24)} d ${h % 24} h`
}

/** 9.4 GB */
export function bytes(n: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let value = n
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 ? value : fixed(value, value < 10 ? 1 : 0)} ${units[unit]}`
}

/** 6.12 M, 745 k, 912 */
export function compact(n: number): { readonly value: string; readonly unit: string } {
  if (n >= 1e9) return { value: fixed(n / 1e9, 2), unit: 'G' }
  if (n >= 1e6) return { value: fixed(n / 1e6, 2), unit: 'M' }
  if (n >= 1e4) return { value: fixed(n / 1e3, 1), unit: 'k' }
  return { value: count(n), unit: '' }
}

/** 39d7 7dc6: the beginning of a fingerprint, to tell keys apart at a glance; too short to compare keys by. */
export const fingerprint = (hex: string): string => `${hex.slice(0, 4)} ${hex.slice(4, 8)}`

/** A whole fingerprint in groups of four, for comparing by voice. */
export const grouped = (hex: string): string => hex.match(/.{1,4}/g)?.join(' ') ?? hex

/** abcdef…6789 */
export const middle = (text: string, head = 8, tail = 6): string =>
  text.length > head + tail + 1 ? `${text.slice(0, head)}…${text.slice(-tail)}` : text

/** Share as a percentage with one decimal where it is small. */
export const percent = (share: number): string => `${fixed(100 * share, share !== 0 && share < 0.1 ? 2 : 1)} %`

/** Mantissa and exponent of a small probability, or its plain form. */
export function probability(p: number): { readonly text: string; readonly exponent: string | null } {
  if (p >= 0.001) return { text: p.toPrecision(2), exponent: null }
  if (p <= 1e-300) return { text: '≤ 10', exponent: '−300' }
  const [mantissa = '', exponent = ''] = p.toExponential(1).split('e')
  return { text: `${mantissa} × 10`, exponent: exponent.replace('-', '−') }
}
