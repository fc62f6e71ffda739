// SPDX-License-Identifier: Apache-2.0
// A disposal of whole tiles takes signs of life along: what is left must not read as if nothing had run.
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { afterEach, expect, it, vi } from 'vitest'
import { ingestRecords } from '../test/ingest-records.ts'
import { rawRecord, type TestEngine, testEngine } from '../test/test-engine.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 })

const DAY_MS = 86_400_000
let engine: TestEngine
afterEach(() => engine.remove())

it('says which disposal took the signs of life, in the list, the row and the bundle, and claims no gap', async () => {
  let now = Date.now() - 20 * DAY_MS
  const disposal = { now: () => Date.now(), retryMs: 600_000, afterStep: () => {} }
  engine = await testEngine({ servers: true, disposal, clock: { now: () => now, monotonic: () => now } })
  const rule = { class: 'log', name: 'a week', trigger: 'append' as const, period: { years: 0, months: 0, days: 7 } }
  await engine.call('retention.set', { rules: [rule], classes: [], reason: 'test' })
  const record = (n: number) => ingestRecords(engine, [rawRecord(n, { start_time: new Date(now).toISOString() })])
  await record(1)
  for (let n = 0; n < 600; n++) {
    now += 100_000
    await engine.call('records.open', { query: `answer ${n}` })
  }
  await record(2)
  now += 100_000
  await engine.call('records.open', { query: 'answer' })
  await engine.call('records.proof', { seq: 3 })
  const inUse = async () => (await engine.call('compliance.report', {})).requirements.find(({ id }) => id === 'I1')
  const past = () => engine.call('compliance.completeness', { days: 30 })
  const gapsBefore = (await past()).gaps.length
  const rowBefore = await inUse()
  const ann = await engine.as('administrator')
  const bob = await engine.as('data_protection')
  const asked = await ann.call('disposal.ask', { reason: 'weekly' })
  await bob.call('approvals.decide', { id: asked.id, decision: 'give' })
  expect(await engine.ended('disposal')).toMatchObject({ state: 'done', error: null })
  const by = [(await engine.call('disposal.list', {})).disposals[0]?.seq]
  const { gaps, disposed } = await past()
  expect([gaps.length, disposed]).toEqual([gapsBefore, [expect.objectContaining({ by })]])
  expect(await inUse()).toMatchObject({
    gap: rowBefore?.gap,
    evidence: { label: expect.stringContaining(`1 stretch disposed of by leaf ${by[0]}`) }
  })
  const bundled = async (name: string) => {
    const out = join(engine.root, `${name}.zip`)
    const { job_id } = await engine.call('export.start', { recipient: 'Examiner', purpose: 'all', out })
    expect(await engine.job(job_id)).toMatchObject({ state: 'done' })
    return JSON.parse(execFileSync('unzip', ['-p', out, 'data/completeness.json'], { encoding: 'utf8' }))
  }
  const before = await bundled('live')
  expect(before).toMatchObject({ gaps: [], disposed: [{ by }] })
  await engine.job((await engine.call('workspace.rebuild', {})).job_id)
  expect(await bundled('rebuilt')).toMatchObject({ gaps: [], disposed: before.disposed })
})
