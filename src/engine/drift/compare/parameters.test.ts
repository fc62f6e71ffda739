// SPDX-License-Identifier: Apache-2.0
// Request parameters beside a verdict: from ingest over the catalog to the comparison, and gone with the content they came from.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ingestRecords } from '../../test/ingest-records.ts'
import { rawRecord, type TestEngine, testEngine } from '../../test/test-engine.ts'
import { comparedParameters, MOST_FORMS, ParameterTally } from './parameters.ts'

const tallied = (...texts: readonly (string | null)[]) => {
  const tally = new ParameterTally()
  for (const [i, text] of texts.entries()) tally.add(text, i)
  return tally.done()
}
const times = (text: string | null, n: number): (string | null)[] => Array.from({ length: n }, () => text)
const changes = (a: readonly (string | null)[], b: readonly (string | null)[]) =>
  Object.fromEntries(comparedParameters(tallied(...a), tallied(...b)).found.map((one) => [one.name, one.change]))

describe('a parameter', () => {
  it('changed when its one value is another, from whatever number of requests on', () => {
    expect(changes(['t=0 s=1'], ['t=1 s=1'])).toEqual({ t: 'changed', s: 'same' })
    expect(changes(['t=0 s=1'], ['s=1'])).toEqual({ t: 'changed', s: 'same' })
  })

  it('did not change when its shares differ no more than chance has it', () => {
    expect(changes([...times('t=0', 60), ...times('t=1', 40)], [...times('t=0', 22), ...times('t=1', 18)])).toEqual({ t: 'same' })
    expect(changes([...times('t=0', 60), ...times('t=1', 40)], [...times('t=0', 2), ...times('t=1', 38)])).toEqual({ t: 'changed' })
  })

  it('is tested against all that are tested: .004 is no change among ten', () => {
    const names = Array.from({ length: 10 }, (_, i) => `p${i}`)
    const text = (value: number) => names.map((name) => `${name}=${value}`).join(' ')
    const a = [...times(text(0), 30), ...times(text(1), 10)]
    const b = [...times(text(0), 17), ...times(text(1), 23)]
    const { found } = comparedParameters(tallied(...a), tallied(...b))
    expect(found[0]?.p).toBeGreaterThan(0.002)
    expect(found[0]?.p).toBeLessThan(0.01)
    expect(found.map((one) => one.change)).toEqual(names.map(() => 'same'))
    expect(changes([...times('t=0', 30), ...times('t=1', 10)], [...times('t=0', 17), ...times('t=1', 23)])).toEqual({ t: 'changed' })
  })

  it('with more values than are told apart varies; on one side alone that is a change', () => {
    const many = Array.from({ length: MOST_FORMS + 1 }, (_, i) => `seed=${i}`)
    expect(changes(many, many)).toEqual({ seed: 'varies' })
    expect(changes(times('seed=1', 20), many)).toEqual({ seed: 'changed' })
    expect(comparedParameters(tallied(...many), tallied(...many)).found[0]).toMatchObject({ before: null, after: null, p: null })
  })

  it('is unknown where a side has no parameter at all; thousands of different sets are counted like few', () => {
    expect(changes([null, null], ['t=0'])).toEqual({ t: 'unknown' })
    const sets = Array.from({ length: 9_000 }, (_, i) => `seed=${i} t=${i % 2}`)
    const { recorded, values } = tallied(...sets, null)
    expect(recorded).toBe(9_000)
    expect(values.get('seed')).toBeNull()
    expect([...(values.get('t') ?? [])]).toEqual([
      ['0', { records: 4_500, first: 0 }],
      ['1', { records: 4_500, first: 1 }]
    ])
  })
})

describe('in a workspace', { timeout: 60_000 }, () => {
  const PROMPT = 'You are the quokka of the desk.'
  const asked = (n: number, temperature: number, more: object = {}) =>
    rawRecord(n, {
      temperature,
      max_tokens: 256,
      stream: false,
      prompt: undefined,
      user_id: n < 20 ? 'zenobia@example.org' : undefined,
      input_messages: [
        { role: 'system', content: PROMPT },
        { role: 'user', content: `Question ${n}` }
      ],
      ...more
    })
  let engine: TestEngine
  let seqs: number[]
  beforeAll(async () => {
    engine = await testEngine({ servers: true })
    seqs = await ingestRecords(engine, [
      ...Array.from({ length: 60 }, (_, n) => asked(n, 0.2)),
      ...Array.from({ length: 60 }, (_, n) => asked(1000 + n, n < 3 ? 0.2 : 0.9, { presence_penalty: 0.5 })),
      ...Array.from({ length: 5 }, (_, n) => rawRecord(3000 + n))
    ])
  })
  afterAll(() => engine.remove())

  const between = (a: number, b: number) => `seq:${seqs[a]}..${seqs[b]}`
  const compared = async () =>
    (await engine.call('drift.compare', { a: between(0, 59), b: between(60, 119), feature: 'latency' })).parameters
  const column = () => {
    const db = new Database(join(engine.workspace, 'catalog.db'), { readonly: true })
    const rows = db.prepare('SELECT seq, params FROM record ORDER BY seq').all() as { seq: number; params: string | null }[]
    db.close()
    return rows
  }

  it('the comparison says which changed, with values, requests and since when, and which did not', async () => {
    const { recorded, found } = await compared()
    expect(recorded).toEqual({ before: 60, after: 60 })
    expect(found.map((one) => [one.name, one.change])).toEqual([
      ['max_tokens', 'same'],
      ['presence_penalty', 'changed'],
      ['stream', 'same'],
      ['system', 'same'],
      ['temperature', 'changed']
    ])
    expect(found.find((one) => one.name === 'temperature')).toMatchObject({
      before: [{ value: '0.2', records: 60 }],
      after: [
        { value: '0.9', records: 57 },
        { value: '0.2', records: 3 }
      ],
      since: '2026-01-01T16:43:00.000Z'
    })
    expect(found.find((one) => one.name === 'presence_penalty')).toMatchObject({ before: [{ value: null, records: 60 }] })
    const none = await engine.call('drift.compare', { a: between(120, 124), b: between(60, 119), feature: 'latency' })
    expect(none.parameters.recorded).toEqual({ before: 0, after: 60 })
    expect(none.parameters.found.every((one) => one.change === 'unknown')).toBe(true)
  })

  it('the catalog holds them in one column, without the text, and a rebuild gives the same', async () => {
    const live = column()
    expect(live[0]?.params).toMatch(/^max_tokens=256 stream=false system=#[\w-]{16} temperature=0\.2$/)
    expect(live.at(-1)?.params).toBeNull()
    await engine.job((await engine.call('workspace.rebuild', {})).job_id)
    expect(column()).toEqual(live)
    expect(readFileSync(join(engine.workspace, 'catalog.db')).includes(PROMPT)).toBe(false)
  })

  it('those of a restricted record are counted nowhere, and an erasure takes them out, also over a rebuild', async () => {
    const officer = await engine.as('data_protection')
    const other = await engine.as('reviewer')
    const [hidden = 0] = seqs.slice(30)
    await officer.call('restrict.set', { seqs: [hidden], on: true, reason: 'accuracy contested' })
    expect((await compared()).recorded.before).toBe(59)
    const request = await officer.call('requests.open', { kind: 'erasure', reference: 'DSR 1', received: '2026-01-31' })
    const { seqs: theirs } = await officer.call('subjects.find', { identifiers: ['zenobia@example.org'] })
    expect(theirs).toEqual(seqs.slice(0, 20))
    const decisions = [{ seqs: theirs, ground: 'consent withdrawn', override: 'the right of the subject outweighs the period' }]
    const { id } = await officer.call('erasure.ask', { request_id: request.id, decisions })
    await other.call('approvals.decide', { id, decision: 'give' })
    await expect.poll(async () => (await engine.call('jobs.list', {})).jobs.find((job) => job.kind === 'erasure')?.state).toBe('done')
    expect((await compared()).recorded).toEqual({ before: 39, after: 60 })
    const gone = () =>
      column()
        .filter(({ params }) => params === null)
        .map(({ seq }) => seq)
    expect(gone()).toEqual([...seqs.slice(0, 20), ...seqs.slice(120)])
    const live = column()
    await engine.job((await engine.call('workspace.rebuild', {})).job_id)
    expect(column()).toEqual(live)
  })
})
