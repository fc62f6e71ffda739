// SPDX-License-Identifier: Apache-2.0
// A bundle opened as a read-only workspace: what its views show is what the bundle holds, and nothing else.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ingestRecords } from '../test/ingest-records.ts'
import { rawRecord, type TestEngine, testEngine } from '../test/test-engine.ts'
import { reviewFolder } from './handlers.ts'

const SUBJECT = 'anna.example@example.org'
let own: TestEngine
let seqs: number[]
let small: string
let large: string

async function exportTo(name: string, query: string, more: { readonly withhold?: ('request' | 'response')[] } = {}): Promise<string> {
  const out = join(own.root, name)
  const asked = { query, recipient: 'Examiner', purpose: 'case 7', out, ...more }
  const job = await own.job((await own.call('export.start', asked)).job_id)
  expect(job.error).toBeNull()
  return out
}

/** Opens a bundle from the own workspace, as the window does. */
async function start(path: string) {
  const { job_id } = await own.call('review.start', { path })
  const job = await own.job(job_id)
  return { job, ...(job.state === 'done' ? await own.call('review.result', { job_id }) : { review: null, report: null }) }
}

/** The engine on the review of a bundle. */
async function review(path: string): Promise<TestEngine> {
  const { review: id } = await start(path)
  expect(id).not.toBeNull()
  return testEngine({ root: own.root, workspace: reviewFolder(own.state, id ?? '') })
}

/** Records of the own workspace before a leaf. */
const rowsBelow = (seq: number): number => seqs.filter((one) => one < seq).length

async function rowsOf(engine: TestEngine, query: string) {
  const { handle, count } = await engine.call('records.open', { query })
  const { rows } = await engine.call('records.page', { handle, offset: 0, limit: 200 })
  return { count, rows }
}

beforeAll(async () => {
  own = await testEngine({ servers: true })
  const subject = [3, 5].map((n) => rawRecord(n, { user_id: SUBJECT, prompt: `about the ${n} of ${SUBJECT}` }))
  seqs = await ingestRecords(own, [...Array.from({ length: 12 }, (_, n) => subject.find((one) => one.id === `call-${n}`) ?? rawRecord(n))])
  const slow = (from: number, count: number, latency: number) =>
    own.call('events.append', {
      events: Array.from({ length: count }, (_, i) => rawRecord(from + i, { source: 'slow', latency_ms: latency + (i % 9) }))
    })
  await slow(1000, 200, 100)
  await own.call('drift.set_baseline', { model: 'gpt-4', source: 'slow', query: 'source:slow', name: 'the first hours' })
  await slow(2000, 100, 9000)
  expect((await own.call('drift.look', {})).opened).toHaveLength(1)
  const asker = await own.as('data_protection')
  const other = await own.as('reviewer')
  const request = await asker.call('requests.open', { kind: 'erasure', reference: 'DSR 7', received: '2026-01-31' })
  const erased = [seqs[3] ?? 0, seqs[5] ?? 0]
  const decisions = [{ seqs: erased, ground: 'consent withdrawn', override: 'the right of the subject outweighs the period' }]
  const { id } = await asker.call('erasure.ask', { request_id: request.id, decisions })
  await other.call('approvals.decide', { id, decision: 'give' })
  while ((await own.call('requests.list', {})).requests[0]?.erasures[0]?.done_seq == null)
    await new Promise((resolve) => setTimeout(resolve, 20))
  small = await exportTo('small.affidavit.zip', '', { withhold: ['response'] })
  await own.call('events.append', { events: Array.from({ length: 1000 }, (_, n) => rawRecord(5000 + n)) })
  large = await exportTo('large.affidavit.zip', 'source:desk')
})
afterAll(() => own.remove())

describe('the review of a bundle', () => {
  it('shows the records, what is withheld and erased, the proofs and the drift verdicts of the bundle, and is removed as a folder', async () => {
    const engine = await review(small)
    try {
      const status = await engine.call('workspace.status', {})
      expect(status).toMatchObject({ state: 'open', problem: null, origin: (await own.call('workspace.status', {})).origin })
      expect(status.review).toMatchObject({
        file: 'small.affidavit.zip',
        kind: 'consistent',
        recipient: 'Examiner',
        purpose: 'case 7',
        confirmed: false
      })
      const { count } = await rowsOf(engine, '')
      expect(count).toBe(312)
      const [one = 0, two = 0] = [seqs[4], seqs[8]]
      expect((await rowsOf(engine, `seq:${one},${two}`)).rows.map((row) => row.seq).sort((a, b) => a - b)).toEqual([one, two])
      expect((await rowsOf(engine, `-seq:${one},${two}..${two + 100_000}`)).count).toBe(rowsBelow(two) - 1)
      const kept = await engine.call('records.get', { seq: seqs[4] ?? 0 })
      expect(kept).toMatchObject({ payload: 'present', withheld: ['response'], view_seq: null, output_messages: [] })
      expect(JSON.stringify(kept.input_messages)).toContain('question 4')
      expect((await engine.call('records.get', { seq: seqs[3] ?? 0 })).payload).toBe('erased')
      // Its life is what the bundle holds of it, every leaf with its proof.
      const life = await engine.call('records.life', { seq: seqs[3] ?? 0 })
      expect(life.events.map((one) => one.type)).toEqual(['llm.recorded', 'erasure.intent', 'erasure.done'])
      for (const { seq } of life.events) expect(await engine.call('records.proof', { seq })).toMatchObject({ verdict: 'verified' })
      // Masked as everywhere; read in the clear without a leaf, as nothing is written here.
      expect(await engine.call('records.unmask', { seq: seqs[4] ?? 0, reason: 'the case' })).toMatchObject({ view_seq: null })
      // Full text is made from what the bundle holds: answers are withheld, and nothing of the erased is found.
      expect((await rowsOf(engine, '"question 4"')).count).toBe(1)
      expect((await rowsOf(engine, '"question 4 is"')).count).toBe(0)
      expect((await rowsOf(engine, '"anna"')).count).toBe(0)
      const proof = await engine.call('records.proof', { seq: seqs[4] ?? 0 })
      expect(proof).toMatchObject({
        verdict: 'verified',
        ciphertext: { state: 'not_available' },
        checkpoint: { root_state: 'pass', signature_state: 'pass' }
      })
      expect(proof.parts.map((part) => [part.name, part.state])).toEqual([
        ['event', 'pass'],
        ['request', 'pass'],
        ['response', 'not_available']
      ])
      const { alerts } = await engine.call('drift.alerts', {})
      expect(alerts.map((alert) => alert.source)).toContain('slow')
      // A printed report names the manifest of the bundle that it was drawn from, not the checkpoint of a workspace.
      const { footer } = await engine.call('report.drift', { alert_id: alerts[0]?.id ?? '' })
      const tags = execFileSync('unzip', ['-p', small, 'tagmanifest-sha256.txt'])
      const { origin } = engine.engine.status()
      expect(footer).toBe(`${origin}\ntagmanifest-sha256.txt: sha256 ${createHash('sha256').update(tags).digest('hex')}`)
      const verdict = await engine.call('drift.verdict', { alert_id: alerts[0]?.id ?? '', feature: 'latency' })
      expect(verdict).toMatchObject({ model: 'gpt-4', source: 'slow' })
      const { receipts, withheld, requested_by, confirmed } = await engine.call('review.report', {})
      expect(receipts.map((one) => one.reproduced)).toEqual([true])
      expect(withheld).toContainEqual({ part: 'response', reason: 'withheld by choice of the exporter', count: 310 })
      expect(requested_by).toBe('engine')
      expect(confirmed).toBeNull()
    } finally {
      await engine.engine.stop('quit')
    }
    const opened = (await own.call('activity.list', { kind: 'view' })).entries.filter((one) => one.type === 'bundle.opened')
    expect(opened).toHaveLength(1)
  })

  it('reads proofs from tiles, and can be opened again', async () => {
    const engine = await review(large)
    try {
      expect((await rowsOf(engine, '')).count).toBe(1012)
      const last = await rowsOf(engine, '"question 5999"')
      expect(last.count).toBe(1)
      for (const seq of [seqs[0] ?? 0, last.rows[0]?.seq ?? 0])
        expect(await engine.call('records.proof', { seq })).toMatchObject({ verdict: 'verified' })
      await engine.restart()
      expect((await rowsOf(engine, '')).count).toBe(1012)
    } finally {
      await engine.engine.stop('quit')
    }
  })

  it('can be changed in nothing', async () => {
    const engine = await review(small)
    try {
      const before = readdirSync(engine.state).sort()
      for (const [op, input] of [
        ['events.append', { events: [rawRecord(1)] }],
        ['drift.look', {}],
        ['settings.set', { look_every_minutes: 5 }],
        ['export.start', { query: '', recipient: 'r', purpose: 'p', out: join(own.root, 'x.zip') }],
        ['keys.rotate', { use: 'log' }],
        ['people.add', { name: 'n', role: 'administrator', os_account: 'n' }],
        ['verify.workspace', {}]
      ] as const)
        expect([op, await engine.codeOf(op, input)]).toEqual([op, 'read_only'])
      expect(await engine.codeOf('review.start', { path: small })).toBe('conflict')
      expect(readdirSync(engine.state).sort()).toEqual(before)
    } finally {
      await engine.engine.stop('quit')
    }
  })

  it('takes keys as confirmed once their fingerprints were compared, holds later bundles against them, and forgets them', async () => {
    const engine = await review(small)
    try {
      const { report } = await engine.call('review.report', {})
      const { log_key, export_key } = report.bundle
      const said = { log_key: log_key ?? '', export_key: export_key ?? '', how: 'read out on the telephone' }
      expect(await engine.codeOf('review.confirm_keys', { ...said, log_key: 'a'.repeat(64) })).toBe('conflict')
      expect(await engine.codeOf('review.confirm_keys', { ...said, how: ' ' })).toBe('bad_request')
      expect(await engine.call('review.confirm_keys', said)).toMatchObject({ kind: 'valid' })
      expect((await engine.call('workspace.status', {})).review).toMatchObject({ kind: 'valid', confirmed: true })
      expect((await engine.call('review.report', {})).confirmed).toMatchObject({ how: 'read out on the telephone' })
      expect((await start(small)).report).toMatchObject({ kind: 'valid' })
      expect(await engine.call('review.forget_keys', {})).toMatchObject({ kind: 'consistent' })
      expect((await start(small)).report).toMatchObject({ kind: 'consistent' })
    } finally {
      await engine.engine.stop('quit')
    }
  })

  it('is not made of an invalid bundle, of no bundle, or when it was cancelled; nothing is left', async () => {
    const folders = () => readdirSync(join(own.state, 'reviews')).length
    const before = folders()
    const bytes = readFileSync(small)
    // Somewhere in the middle of the contents: the archive still opens, the bundle does not verify.
    const at = bytes.indexOf('data/records.csv') + 200
    bytes[at] = (bytes[at] ?? 0) ^ 1
    const broken = join(own.root, 'broken.zip')
    writeFileSync(broken, bytes)
    const found = await start(broken)
    expect(found).toMatchObject({ review: null, report: { kind: 'invalid' } })
    const text = join(own.root, 'text.zip')
    writeFileSync(text, 'no zip')
    expect((await start(text)).job).toMatchObject({ state: 'failed', error: { code: 'not_this_format' } })
    expect((await start(join(own.root, 'none.zip'))).job).toMatchObject({ state: 'failed', error: { code: 'file_unreadable' } })
    const { job_id } = await own.call('review.start', { path: large })
    await own.call('jobs.cancel', { id: job_id })
    expect(await own.job(job_id)).toMatchObject({ state: 'cancelled' })
    expect(folders()).toBe(before)
    expect(await own.codeOf('review.result', { job_id })).toBeDefined()
    for (const op of ['review.report', 'review.forget_keys'] as const) expect(await own.codeOf(op, {})).toBe('not_found')
    expect(existsSync(join(own.root, 'x.zip'))).toBe(false)
  })
})
