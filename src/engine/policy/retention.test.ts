// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Approval } from '../../shared/contract/approvals.ts'
import { ingestRecords } from '../test/ingest-records.ts'
import { rawRecord, type TestEngine, testEngine } from '../test/test-engine.ts'

// Whole engines, on machines that do other work too.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 })

let engine: TestEngine
beforeEach(async () => {
  engine = await testEngine({ servers: true })
})
afterEach(() => engine.remove())

const give = async (approval: Approval) =>
  (await engine.as('data_protection')).call('approvals.decide', { id: approval.id, decision: 'give' })
const rule = (years: number, more = {}) => ({
  class: 'default',
  name: `rule of ${years}`,
  trigger: 'append' as const,
  period: { years, months: 0, days: 0 },
  ...more
})
const textOf = async (seq: number) => (await engine.call('retention.of', { seqs: [seq] })).records[0]?.text

describe('retention', () => {
  it('gives a class at ingest by source, model and attribute, also after a restart', async () => {
    const classes = [
      { class: 'advice', source: 'desk', attribute: { name: 'kind', value: 'advice' } },
      { class: 'trial', model: 'llama*' }
    ]
    await engine.call('retention.set', { rules: [], classes, reason: 'classes of the firm' })
    const seqs = await ingestRecords(engine, [rawRecord(1, { attributes: { kind: 'advice' } }), rawRecord(2, { model: 'llama3' })])
    await engine.restart()
    seqs.push(...(await ingestRecords(engine, [rawRecord(3, { model: 'llama3' }), rawRecord(4)])))
    const kept = await engine.call('retention.of', { seqs })
    expect(kept.records.map((record) => record.class)).toEqual(['advice', 'trial', 'trial', 'default'])
    const { classes_on_record } = await engine.call('retention.get', {})
    expect(classes_on_record.map(({ class: name, records }) => [name, records])).toEqual([
      ['advice', 1],
      ['default', 1],
      ['trial', 2]
    ])
  })

  it('only lengthens for records already kept; two people may decide otherwise', async () => {
    const [seq = 0] = await ingestRecords(engine, [rawRecord(1)])
    expect(await textOf(seq)).toBe('Kept without end: no rule of the schedule names its class')
    await engine.call('retention.set', { rules: [rule(6)], classes: [], reason: 'first schedule' })
    expect(await textOf(seq)).toMatch(/^Kept until \d+ \w{3} \d{4}: rule of 6, 6 years from append$/)
    await engine.call('retention.set', { rules: [rule(1)], classes: [], reason: 'shorter' })
    expect(await textOf(seq)).toMatch(/rule of 6, 6 years from append; longest of 2 rules$/)
    const [later = 0] = await ingestRecords(engine, [rawRecord(2)])
    expect(await textOf(later)).toMatch(/rule of 1, 1 year from append$/)
    const ann = await engine.as('administrator')
    const asked = await ann.call('retention.set', { rules: [rule(1)], classes: [], reason: 'counsel agreed', existing: true })
    expect(asked).toMatchObject({ seq: null, approval: { action: 'retention_shorten', state: 'asked' } })
    expect(await textOf(seq)).toMatch(/rule of 6/)
    await give(asked.approval as Approval)
    expect(await textOf(seq)).toMatch(/rule of 1, 1 year from append$/)
    const { history } = await engine.call('retention.get', {})
    expect(history.map(({ existing, reason }) => [existing, reason])).toEqual([
      [true, 'counsel agreed'],
      [false, 'shorter'],
      [false, 'first schedule']
    ])
  })

  it('runs event-based periods from the event of a source or a subject', async () => {
    const seqs = await ingestRecords(engine, [rawRecord(1, { user_id: 'client-7' }), rawRecord(2, { source: 'web' })])
    const rules = [rule(6, { trigger: 'event', event: 'account_closed' })]
    await engine.call('retention.set', { rules, classes: [], reason: '17a-4(e)' })
    expect(await textOf(seqs[0] ?? 0)).toMatch(/^Kept without end for now: .*closing of the account, which has not happened$/)
    const closed = { event: 'account_closed', at: '2026-02-28T00:00:00Z' } as const
    await engine.call('retention.event', { ...closed, scope: 'subject', value: 'client-7' })
    await engine.call('retention.event', { ...closed, scope: 'source', value: 'web', note: 'closed by letter' })
    for (const seq of seqs) expect(await textOf(seq)).toMatch(/^Kept until 28 Feb 2032: /)
    expect((await engine.call('retention.get', {})).events).toMatchObject([{ value: 'web' }, { value: 'client-7' }])
  })

  it('refuses bad input', async () => {
    const cases = [
      ['retention.set', { rules: [rule(0)], classes: [], reason: 'x' }],
      ['retention.set', { rules: [rule(1, { trigger: 'event' })], classes: [], reason: 'x' }],
      ['retention.set', { rules: [rule(1, { event: 'account_closed' })], classes: [], reason: 'x' }],
      ['retention.set', { rules: [], classes: [{ class: 'x' }], reason: 'x' }],
      ['retention.set', { rules: [], classes: [], reason: ' ' }],
      ['retention.set', { rules: [], classes: [], reason: '\ud800' }],
      ['retention.event', { event: 'other', scope: 'source', value: 'x', at: '2026-01-01T00:00:00Z' }],
      ['retention.event', { event: 'account_closed', scope: 'source', value: '\udc00', at: '2026-01-01T00:00:00Z' }],
      ['retention.of', { seqs: [] }],
      ['retention.get', { more: 1 }]
    ] as const
    for (const [op, input] of cases) expect(await engine.codeOf(op, input), JSON.stringify(input)).toBe('bad_request')
  })
})
