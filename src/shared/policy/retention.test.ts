// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  addPeriod,
  classOf,
  type HappenedEvent,
  type KeptRecord,
  keptText,
  keptUntil,
  latestPast,
  type Period,
  type RetentionRule,
  type ScheduleVersion
} from './retention.ts'

const us = (text: string): number => Date.parse(text) * 1000
const iso = (micros: number): string => new Date(micros / 1000).toISOString()
const period = (years: number, months = 0, days = 0): Period => ({ years, months, days })
const rule = (name: string, more: Partial<RetentionRule> = {}): RetentionRule => ({
  class: 'default',
  name,
  trigger: 'append',
  period: period(3),
  ...more
})
const version = (seq: number, rules: readonly RetentionRule[], existing = false): ScheduleVersion => ({ seq, rules, classes: [], existing })
const record = (more: Partial<KeptRecord> = {}): KeptRecord => ({
  seq: 10,
  class: 'default',
  source: 'desk',
  subjects: [],
  appended_us: us('2026-03-03T10:00:00Z'),
  start_us: us('2026-03-01T10:00:00Z'),
  ...more
})

const anyTime = fc.integer({ min: us('1999-12-31T00:00:00Z'), max: us('2060-01-01T00:00:00Z') })
const anyPeriod = fc.record({ years: fc.nat(30), months: fc.nat(40), days: fc.nat(800) })

describe('calendar periods in UTC', () => {
  it.each([
    ['2028-02-29T12:00:00.000Z', period(1), '2029-02-28T12:00:00.000Z'],
    ['2028-02-29T12:00:00.000Z', period(4), '2032-02-29T12:00:00.000Z'],
    ['2026-01-31T23:59:59.999Z', period(0, 1), '2026-02-28T23:59:59.999Z'],
    ['2028-01-31T00:00:00.000Z', period(0, 1), '2028-02-29T00:00:00.000Z'],
    ['2026-08-31T00:00:00.000Z', period(0, 6), '2027-02-28T00:00:00.000Z'],
    ['2026-12-31T00:00:00.000Z', period(0, 2), '2027-02-28T00:00:00.000Z'],
    ['2026-03-29T00:30:00.000Z', period(0, 0, 1), '2026-03-30T00:30:00.000Z'],
    ['2100-02-28T00:00:00.000Z', period(0, 0, 1), '2100-03-01T00:00:00.000Z']
  ])('%s plus %o is %s', (from, by, to) => {
    expect(iso(addPeriod(us(from), by))).toBe(to)
  })

  it('keeps microseconds and never goes back when time goes on', () => {
    expect(addPeriod(us('2026-01-31T00:00:00Z') + 123, period(0, 1)) % 1000).toBe(123)
    fc.assert(
      fc.property(anyTime, fc.nat(400 * 86_400_000), anyPeriod, (from, later, by) => {
        expect(addPeriod(from + later * 1000, by)).toBeGreaterThanOrEqual(addPeriod(from, by))
      })
    )
  })

  it('finds the latest time that is past: it is, and one microsecond later is not', () => {
    fc.assert(
      fc.property(anyTime, anyPeriod, (now, by) => {
        const latest = latestPast(now, by)
        expect(addPeriod(latest, by)).toBeLessThanOrEqual(now)
        expect(addPeriod(latest + 1, by)).toBeGreaterThan(now)
      })
    )
  })

  it('does not hang on the time zone of the machine', () => {
    const zone = process.env.TZ
    try {
      for (const tz of ['America/New_York', 'Pacific/Kiritimati', 'UTC']) {
        process.env.TZ = tz
        expect(iso(addPeriod(us('2026-10-31T23:30:00Z'), period(0, 4)))).toBe('2027-02-28T23:30:00.000Z')
      }
    } finally {
      if (zone === undefined) delete process.env.TZ
      else process.env.TZ = zone
    }
  })
})

describe('until when a record is kept', () => {
  it('is the longest of the rules of its class, in words', () => {
    const kept = keptUntil(record(), [version(0, [rule('17a-4(b)(4)'), rule('AI Act 19', { period: period(0, 6) })])], [])
    expect(keptText(kept)).toBe('Kept until 3 Mar 2029: 17a-4(b)(4), 3 years from append; longest of 2 rules')
    const claimed = keptUntil(record(), [version(0, [rule('own', { trigger: 'start', period: period(1) })])], [])
    expect(keptText(claimed)).toBe('Kept until 1 Mar 2027: own, 1 year from claimed start')
  })

  it('has a floor of 183 days from append, whatever a client claims', () => {
    const old = record({ start_us: us('2001-01-01T00:00:00Z') })
    const kept = keptUntil(old, [version(0, [rule('short', { trigger: 'start', period: period(0, 0, 1) })])], [])
    expect(keptText(kept)).toBe('Kept until 2 Sep 2026: floor of 183 days from append; the rules alone would end earlier')
    fc.assert(
      fc.property(anyTime, anyPeriod, fc.constantFrom('append' as const, 'start' as const), (start, by, trigger) => {
        const { until_us } = keptUntil(record({ start_us: start }), [version(0, [rule('any', { trigger, period: by })])], [])
        expect(until_us).toBeGreaterThanOrEqual(record().appended_us + 183 * 86_400_000_000)
      })
    )
  })

  it('waits for an event, then counts from its last one, per source or subject', () => {
    const versions = [version(0, [rule('17a-4(e)', { trigger: 'event', event: 'account_closed', period: period(6) })])]
    const waiting = keptUntil(record(), versions, [])
    expect(waiting.until_us).toBeNull()
    expect(keptText(waiting)).toBe('Kept without end for now: 17a-4(e), 6 years from the closing of the account, which has not happened')
    const closed = (value: string, at: string, scope: HappenedEvent['scope'] = 'source'): HappenedEvent => ({
      event: 'account_closed',
      scope,
      value,
      at_us: us(at)
    })
    expect(keptUntil(record(), versions, [closed('other', '2027-01-01T00:00:00Z')]).until_us).toBeNull()
    const twice = keptUntil(record(), versions, [closed('desk', '2028-01-01T00:00:00Z'), closed('desk', '2027-01-01T00:00:00Z')])
    expect(iso(twice.until_us ?? 0)).toBe('2034-01-01T00:00:00.000Z')
    const person = keptUntil(record({ subjects: ['c-1'] }), versions, [closed('c-1', '2027-01-01T00:00:00Z', 'subject')])
    expect(iso(person.until_us ?? 0)).toBe('2033-01-01T00:00:00.000Z')
  })

  it('only lengthens for records already kept, unless two people set it for them too', () => {
    const long = version(5, [rule('long', { period: period(6) })])
    const short = version(20, [rule('short', { period: period(1) })])
    expect(keptUntil(record({ seq: 10 }), [long, short], []).rule?.name).toBe('long')
    expect(keptUntil(record({ seq: 30 }), [long, short], []).rule?.name).toBe('short')
    expect(keptUntil(record({ seq: 10 }), [long, { ...short, existing: true }], []).rule?.name).toBe('short')
    expect(keptUntil(record({ seq: 1 }), [long], []).rule?.name).toBe('long')
    expect(keptText(keptUntil(record({ class: 'none' }), [long], []))).toBe('Kept without end: no rule of the schedule names its class')
    expect(keptUntil(record(), [], []).until_us).toBeNull()
  })

  it('never ends earlier because of one more schedule without two people', () => {
    const anyRules = fc.array(
      anyPeriod.map((by) => rule('any', { period: by })),
      { minLength: 1, maxLength: 3 }
    )
    fc.assert(
      fc.property(fc.array(anyRules, { minLength: 1, maxLength: 4 }), anyRules, fc.nat(60), (before, after, seq) => {
        const versions = before.map((rules, i) => version(i * 10, rules))
        const first = keptUntil(record({ seq }), versions, [])
        const then = keptUntil(record({ seq }), [...versions, version(100, after)], [])
        expect(then.until_us).toBeGreaterThanOrEqual(first.until_us ?? 0)
      })
    )
  })
})

describe('the class at ingest', () => {
  it('is that of the first rule whose conditions all hold', () => {
    const rules = [
      { class: 'advice', source: 'desk', attribute: { name: 'kind', value: 'advice' } },
      { class: 'trial', model: 'gpt-*' }
    ]
    expect(classOf(rules, { source: 'desk', model: 'llama3', attributes: { kind: 'advice' } })).toBe('advice')
    expect(classOf(rules, { source: 'desk', model: 'gpt-4', attributes: {} })).toBe('trial')
    expect(classOf(rules, { source: 'desk', model: 'llama3' })).toBe('default')
  })
})
