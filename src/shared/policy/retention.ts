// SPDX-License-Identifier: Apache-2.0
// How long a record is kept: pure date rules in UTC (EVIDENCE, Erasure, retention, holds). Times are microseconds since 1970 UTC.

/** A calendar period. Years and months are added first, clamped to the last day of the month; then days of 24 hours. */
export interface Period {
  readonly years: number
  readonly months: number
  readonly days: number
}

/** From when a period runs: the append time, the start the client claimed, or something that happens later. */
export const retentionTriggers = ['append', 'start', 'event'] as const
export type RetentionTrigger = (typeof retentionTriggers)[number]

/** What can happen later: 17a-4 counts from the closing of an account, the EU AI Act from the end of life of the system. */
export const triggerEvents = ['account_closed', 'system_ended'] as const
export type TriggerEvent = (typeof triggerEvents)[number]

export interface RetentionRule {
  readonly class: string
  /** The source of the rule, such as `17a-4(b)(4)`. */
  readonly name: string
  readonly trigger: RetentionTrigger
  /** For the trigger `event` only. */
  readonly event?: TriggerEvent | undefined
  readonly period: Period
}

/** Gives a class at ingest; every condition that is there must hold. A `*` at the end of a pattern stands for anything. */
export interface ClassRule {
  readonly class: string
  readonly source?: string | undefined
  readonly model?: string | undefined
  readonly attribute?: { readonly name: string; readonly value: string } | undefined
}

export interface RetentionSchedule {
  readonly rules: readonly RetentionRule[]
  readonly classes: readonly ClassRule[]
}

/** A schedule as set by the leaf `seq`. `existing`: two people decided that it alone counts, for records already kept as well. */
export interface ScheduleVersion extends RetentionSchedule {
  readonly seq: number
  readonly existing: boolean
}

/** Something that happened to a source or a subject. */
export interface HappenedEvent {
  readonly event: TriggerEvent
  readonly scope: 'source' | 'subject'
  readonly value: string
  readonly at_us: number
}

/** What retention asks of a record. `subjects`: those it concerns, for events of a subject. */
export interface KeptRecord {
  readonly seq: number
  readonly class: string
  readonly source: string
  readonly subjects: readonly string[]
  readonly appended_us: number
  readonly start_us: number
}

/** Until when a record is kept. `until_us` null: without end, as far as is known now. */
export interface Kept {
  readonly until_us: number | null
  /** The rule that decides; null when no rule does. */
  readonly rule: RetentionRule | null
  /** Rules that apply, the floor not counted. */
  readonly of: number
  /** The event that a rule waits for. */
  readonly waits: TriggerEvent | null
  readonly floor: boolean
}

/** The class of a record that no class rule names. */
export const DEFAULT_CLASS = 'default'
/** The class of leaves that are no calls: a rule for it lets whole tiles of the ledger go once nothing in them is to be kept. */
export const LOG_CLASS = 'log'
/** Days that records of AI systems are kept at least (EU AI Act 19, 26(6): six months). No setting lowers it. */
export const FLOOR_DAYS = 183

const DAY_MS = 86_400_000
const FLOOR: Period = { years: 0, months: 0, days: FLOOR_DAYS }

/** A time plus a period. 29 February plus a year is 28 February; 31 January plus a month is the last day of February. */
export function addPeriod(us: number, period: Period): number {
  const ms = Math.floor(us / 1000)
  const date = new Date(ms)
  const months = date.getUTCMonth() + period.months + 12 * period.years
  const year = date.getUTCFullYear() + Math.floor(months / 12)
  const month = months - 12 * Math.floor(months / 12)
  const last = new Date(Date.UTC(year, month + 1, 0)).getUTCDate()
  const moved =
    Date.UTC(year, month, Math.min(date.getUTCDate(), last)) + (ms - Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()))
  return (moved + period.days * DAY_MS) * 1000 + (us - ms * 1000)
}

/** The latest time whose period is over at `now`: at it and before it, a record is past; addPeriod never goes back when time goes on. */
export function latestPast(now: number, period: Period): number {
  let low = addPeriod(now, { years: -period.years - 1, months: -period.months - 1, days: -period.days - 1 })
  let high = now
  while (low < high) {
    const middle = low + Math.ceil((high - low) / 2)
    if (addPeriod(middle, period) <= now) low = middle
    else high = middle - 1
  }
  return low
}

const matches = (pattern: string | undefined, value: string): boolean =>
  pattern === undefined || (pattern.endsWith('*') ? value.startsWith(pattern.slice(0, -1)) : pattern === value)

/** The class of a record at ingest: of the first rule that matches, else `default`. */
export function classOf(
  rules: readonly ClassRule[],
  record: { readonly source: string; readonly model: string; readonly attributes?: Readonly<Record<string, unknown>> | undefined }
): string {
  for (const rule of rules) {
    if (!matches(rule.source, record.source) || !matches(rule.model, record.model)) continue
    if (rule.attribute !== undefined && !matches(rule.attribute.value, String(record.attributes?.[rule.attribute.name] ?? ''))) continue
    return rule.class
  }
  return DEFAULT_CLASS
}

/** Records appended in [from, to) and the schedules that apply to them, oldest first; the last one is the present one. */
export interface ScheduleWindow {
  readonly from: number
  readonly to: number
  readonly versions: readonly ScheduleVersion[]
}

/**
 * Which schedules apply to which records. A record keeps every schedule that was in force since it was appended, so that a new one only
 * lengthens; a schedule that two people set for existing records ends those before it. The first schedule counts for all records: before it,
 * nothing was promised.
 */
export function scheduleWindows(versions: readonly ScheduleVersion[]): ScheduleWindow[] {
  const sorted = [...versions].sort((a, b) => a.seq - b.seq)
  const base = Math.max(
    0,
    sorted.findLastIndex((version) => version.existing)
  )
  const windows: ScheduleWindow[] = []
  for (let i = base; i < sorted.length; i++) {
    const from = i === base ? 0 : (sorted[i]?.seq ?? 0)
    windows.push({ from, to: sorted[i + 1]?.seq ?? Number.MAX_SAFE_INTEGER, versions: sorted.slice(i) })
  }
  return windows
}

const sameRule = (a: RetentionRule, b: RetentionRule): boolean =>
  a.trigger === b.trigger &&
  a.event === b.event &&
  a.period.years === b.period.years &&
  a.period.months === b.period.months &&
  a.period.days === b.period.days

/** Rules of a class in a window; empty when the present schedule has none for it, which keeps its records without end. */
export function rulesOf(window: ScheduleWindow, name: string): readonly RetentionRule[] {
  const present = window.versions.at(-1)?.rules.filter((rule) => rule.class === name) ?? []
  if (present.length === 0) return []
  const rules: RetentionRule[] = [...present]
  for (const version of window.versions)
    for (const rule of version.rules) if (rule.class === name && !rules.some((one) => sameRule(one, rule))) rules.push(rule)
  return rules
}

function happenedTo(record: KeptRecord, event: TriggerEvent, events: readonly HappenedEvent[]): number | null {
  let at: number | null = null
  for (const one of events) {
    if (one.event !== event) continue
    const concerns = one.scope === 'source' ? one.value === record.source : record.subjects.includes(one.value)
    // An account that was opened again counts from its last closing.
    if (concerns && (at === null || one.at_us > at)) at = one.at_us
  }
  return at
}

/** Until when a record is kept: the longest of its rules, and never less than the floor from its append. */
export function keptUntil(record: KeptRecord, versions: readonly ScheduleVersion[], events: readonly HappenedEvent[]): Kept {
  const window = scheduleWindows(versions).find((one) => record.seq >= one.from && record.seq < one.to)
  const rules = window ? rulesOf(window, record.class) : []
  let until: number | null = null
  let decides: RetentionRule | null = null
  for (const rule of rules) {
    const from =
      rule.trigger === 'append'
        ? record.appended_us
        : rule.trigger === 'start'
          ? record.start_us
          : happenedTo(record, rule.event ?? 'account_closed', events)
    if (from === null) return { until_us: null, rule, of: rules.length, waits: rule.event ?? 'account_closed', floor: false }
    const end = addPeriod(from, rule.period)
    if (until === null || end > until) {
      until = end
      decides = rule
    }
  }
  if (until === null) return { until_us: null, rule: null, of: 0, waits: null, floor: false }
  const floor = addPeriod(record.appended_us, FLOOR)
  if (floor > until) return { until_us: floor, rule: decides, of: rules.length, waits: null, floor: true }
  return { until_us: until, rule: decides, of: rules.length, waits: null, floor: false }
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** 3 Mar 2029, in UTC. */
export function dayOf(us: number): string {
  const date = new Date(Math.floor(us / 1000))
  return `${date.getUTCDate()} ${months[date.getUTCMonth()]} ${date.getUTCFullYear()}`
}

const plural = (n: number, one: string): string => `${n} ${one}${n === 1 ? '' : 's'}`

/** 3 years, 2 months 10 days. */
export function periodText({ years, months: m, days }: Period): string {
  const parts = [...(years ? [plural(years, 'year')] : []), ...(m ? [plural(m, 'month')] : []), ...(days ? [plural(days, 'day')] : [])]
  return parts.length === 0 ? '0 days' : parts.join(' ')
}

/** The words of a trigger event. */
export const eventText: Readonly<Record<TriggerEvent, string>> = {
  account_closed: 'closing of the account',
  system_ended: 'end of life of the system'
}

const fromText = (rule: RetentionRule): string =>
  rule.trigger === 'append' ? 'append' : rule.trigger === 'start' ? 'claimed start' : `the ${eventText[rule.event ?? 'account_closed']}`

/** Kept until 3 Mar 2029: 17a-4(b)(4), 3 years from append; longest of 2 rules. */
export function keptText(kept: Kept): string {
  const { rule, until_us: until } = kept
  if (!rule) return 'Kept without end: no rule of the schedule names its class'
  const among = kept.of > 1 ? `; longest of ${kept.of} rules` : ''
  const basis = `${rule.name}, ${periodText(rule.period)} from ${fromText(rule)}`
  if (kept.waits !== null || until === null)
    return `Kept without end for now: ${basis}, which has not happened${kept.of > 1 ? `; one of ${kept.of} rules` : ''}`
  if (kept.floor) return `Kept until ${dayOf(until)}: floor of ${FLOOR_DAYS} days from append; the rules alone would end earlier`
  return `Kept until ${dayOf(until)}: ${basis}${among}`
}
