// SPDX-License-Identifier: Apache-2.0
// Human review of records (FINRA RN 24-09): who decided what and why, beside the record, over a rebuild, and in every bundle with it.
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { ingestRecords } from '../test/ingest-records.ts'
import { rawRecord, type TestEngine, testEngine } from '../test/test-engine.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let engine: TestEngine
let seqs: number[]
beforeEach(async () => {
  engine = await testEngine({ servers: true })
  seqs = await ingestRecords(engine, [rawRecord(1), rawRecord(2, { source: 'other' })])
})
afterEach(() => engine.remove())

it('stands beside the record it is about, with who decided and why, and backs its requirement', async () => {
  const [first = 0, second = 0] = seqs
  const reviewer = await engine.as('reviewer')
  for (const [bad, code] of [
    [{ seq: first, decision: 'perhaps', note: 'fair answer' }, 'bad_request'],
    [{ seq: first, decision: 'accepted', note: '' }, 'bad_request'],
    [{ seq: first, decision: 'accepted', note: 'half a pair \ud800' }, 'bad_request'],
    [{ seq: 9_999, decision: 'accepted', note: 'fair answer' }, 'not_found']
  ] as const)
    expect(await reviewer.codeOf('records.review', bad)).toBe(code)
  for (const role of ['operator', 'auditor', 'data_protection'] as const)
    expect(await (await engine.as(role)).codeOf('records.review', { seq: first, decision: 'accepted', note: 'fair' })).toBe('forbidden')
  const { seq } = await reviewer.call('records.review', { seq: first, decision: 'escalated', note: 'names a price' })
  await reviewer.call('records.review', { seq: first, decision: 'accepted', note: 'the price was public' })
  const reviews = async (record: number) =>
    (await reviewer.call('records.get', { seq: record })).reviews.map((one) => [one.seq, one.by, one.decision, one.note])
  const both = [
    [seq, reviewer.ref, 'escalated', 'names a price'],
    [seq + 1, reviewer.ref, 'accepted', 'the price was public']
  ]
  expect(await reviews(first)).toEqual(both)
  expect(await reviews(second)).toEqual([])
  // Found by the last decision, for a list and for an export.
  const found = async (query: string) => {
    const { handle } = await reviewer.call('records.open', { query })
    return (await reviewer.call('records.page', { handle, offset: 0, limit: 10 })).rows.map((row) => row.seq)
  }
  expect(await found('review:accepted')).toEqual([first])
  expect(await found('review:yes source:other')).toEqual([])
  for (const none of ['review:escalated', 'review:rejected', '-review:yes -review:no']) expect(await found(none), none).toEqual([])
  for (const other of ['review:no', '-review:yes', '-review:accepted']) expect(await found(other), other).toEqual([second])
  expect(await reviewer.codeOf('records.open', { query: 'review:perhaps' })).toBe('invalid_filter')
  await engine.job((await engine.call('workspace.rebuild', {})).job_id)
  expect(await reviews(first)).toEqual(both)
  const { requirements } = await engine.call('compliance.report', {})
  expect(requirements.find((one) => one.id === 'S13')?.gap ?? '').not.toContain('No human review')

  const auditor = await engine.as('auditor')
  const bundle = async (query: string) => {
    const out = join(engine.root, `${query.replace(':', '-')}.affidavit.zip`)
    const { job_id } = await auditor.call('export.start', { query, recipient: 'Examiner', purpose: 'Test', out })
    expect((await engine.job(job_id)).error).toBeNull()
    const verified = await auditor.call('verify.file', { path: out })
    await engine.job(verified.job_id)
    expect((await auditor.call('verify.report', { job_id: verified.job_id })).kind).not.toBe('invalid')
    return execFileSync('unzip', ['-p', out, 'data/audit-trail.csv'], { encoding: 'utf8' })
      .split('\n')
      .filter((line) => line.includes(',review.decided,'))
  }
  expect(await bundle('')).toHaveLength(2)
  expect(await bundle('review:accepted')).toHaveLength(2)
  expect(await bundle('source:other')).toEqual([])
})
