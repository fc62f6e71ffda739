// SPDX-License-Identifier: Apache-2.0
// Bundles of a whole range of leaves: nothing between them is missing, and what was not asked for stays closed.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { verifyBundleFile } from '../../node/verify-file.ts'
import type { OperationInput } from '../../shared/contract/contract.ts'
import type { VerifyReport } from '../../shared/contract/exports.ts'
import type { BundleCase } from '../../shared/evidence/bundle-layout.ts'
import type { Leaf } from '../../shared/evidence/leaf.ts'
import { reviewFolder } from '../review/handlers.ts'
import { ingestRecords } from '../test/ingest-records.ts'
import { type ScriptedUpstream, scriptedUpstream } from '../test/scripted-upstream.ts'
import { rawRecord, type TestEngine, testEngine } from '../test/test-engine.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let engine: TestEngine
let upstream: ScriptedUpstream
let seqs: readonly number[]
let made = 0

interface Exported {
  readonly path: string
  readonly folder: string
  readonly described: BundleCase
  readonly leaves: readonly Leaf[]
  readonly report: VerifyReport
}

async function exported(more: Partial<OperationInput<'export.start'>>): Promise<Exported> {
  const path = join(engine.root, `${++made}.affidavit.zip`)
  const { job_id } = await engine.call('export.start', { recipient: 'Examiner', purpose: 'range', out: path, ...more })
  expect((await engine.job(job_id)).error).toBeNull()
  const folder = join(engine.root, String(made))
  mkdirSync(folder)
  execFileSync('unzip', ['-q', path, '-d', folder])
  const text = (name: string) => readFileSync(join(folder, name), 'utf8')
  return {
    path,
    folder,
    described: JSON.parse(text('data/case.json')) as BundleCase,
    leaves: text('data/leaves.jsonl')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Leaf),
    report: await verifyBundleFile(path)
  }
}

const shell = (folder: string): string => spawnSync('sh', ['verify.sh'], { cwd: folder, encoding: 'utf8' }).stdout
const fifth = ({ report }: Exported) => report.steps[4]?.summary ?? ''
const failureOf = async (more: Partial<OperationInput<'export.start'>>) => {
  const { job_id } = await engine.call('export.start', { recipient: 'E', purpose: 'p', out: join(engine.root, 'none.zip'), ...more })
  return (await engine.job(job_id)).error
}

beforeAll(async () => {
  upstream = await scriptedUpstream()
  engine = await testEngine({ servers: true })
  await engine.call('upstreams.set', { name: 'cloud', url: upstream.url, kind: 'openai' })
  seqs = await ingestRecords(
    engine,
    Array.from({ length: 12 }, (_, n) => rawRecord(n, { model: n % 4 === 0 ? 'asked' : 'other' }))
  )
  await fetch(`${engine.engine.status().endpoints.compliance.url}/proxy/cloud/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'proxied', messages: [{ role: 'user', content: 'What is it?' }] })
  })
  const proxied = async () => (await engine.call('records.query', { model: 'proxied' })).records.filter((one) => one.status !== 'in_flight')
  while ((await proxied()).length === 0) await new Promise((resolve) => setTimeout(resolve, 20))
  await engine.call('records.review', { seq: seqs[0] ?? 0, decision: 'accepted', note: 'as it should be' })
})
afterAll(async () => {
  await engine.remove()
  await upstream.close()
})

describe('a bundle of a range', () => {
  it('holds every leaf of it, with the contents that were asked for, and says so in every verifier', async () => {
    const last = seqs.at(-1) ?? 0
    const range = { first: 0, last }
    const preview = await engine.call('export.preview', { query: 'model:asked', range })
    const found = await exported({ query: 'model:asked', range })
    expect(found.report.verdict).toBe('consistent, signer not confirmed')
    expect(found.leaves.filter(({ seq }) => seq <= last).map(({ seq }) => seq)).toEqual(Array.from({ length: last + 1 }, (_, n) => n))
    // The review of a record comes after the range, and goes out with it.
    expect(found.leaves.filter(({ seq }) => seq > last).map(({ type }) => type)).toEqual(['review.decided'])
    expect(found.described).toMatchObject({ range, query: `model:asked seq:0..${last}`, records: 12, records_in_scope: 12 })
    expect(preview).toMatchObject({ range, records: 3, leaves: found.leaves.length, withheld_parts: found.report.bundle.withheld })
    const words = `leaves 0 to ${last}, no gap, and 1 more`
    expect(fifth(found)).toContain(`; ${words}`)
    expect(found.report.bundle).toMatchObject({ range, left_out: 0 })
    const said = shell(found.folder)
    expect(said).toContain(`5  Every leaf in the tree: ok, ${words}\n`)
    expect(said.trim().split('\n').at(-1)).toBe('consistent, signer not confirmed')
    // Contents of three records, each with three parts, and of the review.
    const opened = execFileSync('ls', [join(found.folder, 'data', 'payload')], { encoding: 'utf8' }).split('\n')
    expect(opened.filter((name) => name.endsWith('.opening'))).toHaveLength(10)
    expect(opened.filter((name) => /^(\d+)\.request$/.test(name)).map((name) => Number.parseInt(name, 10))).toEqual(
      [seqs[0], seqs[4], seqs[8]].sort((a, b) => String(a).localeCompare(String(b)))
    )
    expect(found.described.withheld.every(({ reason }) => reason.startsWith('not asked for'))).toBe(true)
  })

  it('is told from one that only has some of the leaves between', async () => {
    const found = await exported({ query: 'model:asked' })
    expect(found.described.range).toBeUndefined()
    const [first, last] = [found.leaves[0]?.seq ?? 0, found.leaves.at(-1)?.seq ?? 0]
    const words = `leaves ${first} to ${last}, ${last - first + 1 - found.leaves.length} leaves between are not here`
    expect(fifth(found)).toContain(`; ${words}`)
    expect(shell(found.folder)).toContain(`5  Every leaf in the tree: ok, ${words}\n`)
  })

  it('takes both leaves of a proxied call, and counts it once', async () => {
    const size = (await engine.call('workspace.status', {})).ledger.size
    const found = await exported({ query: 'model:proxied', range: { first: 0, last: size - 1 } })
    const call = found.leaves.filter(({ type }) => type === 'llm.request' || type === 'llm.response')
    expect(call).toHaveLength(2)
    expect(found.described).toMatchObject({ records: 13 })
    for (const { seq } of call)
      expect(found.described.withheld.some((one) => one.seq <= seq && seq <= (one.last ?? one.seq) && one.part === 'event')).toBe(false)
    expect(found.report.kind).toBe('consistent')
    expect(shell(found.folder).trim().split('\n').at(-1)).toBe('consistent, signer not confirmed')
  })

  it('keeps restricted records as leaves without content, and says which', async () => {
    await engine.call('restrict.set', { seqs: [seqs[4] ?? 0], on: true, reason: 'accuracy contested' })
    try {
      const range = { first: 0, last: seqs.at(-1) ?? 0 }
      const found = await exported({ query: 'model:asked', range })
      expect(found.report.kind).toBe('consistent')
      expect(found.described.withheld.filter(({ reason }) => reason.startsWith('restricted')).map(({ seq }) => seq)).toEqual([
        seqs[4],
        seqs[4],
        seqs[4]
      ])
      const some = await exported({ query: 'model:asked' })
      expect(fifth(some)).toMatch(/; 1 restricted records in scope left out$/)
      expect(some.report.bundle.left_out).toBe(1)
      expect(shell(some.folder)).toMatch(/^5 {2}.*; 1 restricted records in scope left out$/m)
    } finally {
      await engine.call('restrict.set', { seqs: [seqs[4] ?? 0], on: false, reason: 'settled' })
    }
  })

  it('may hold no record at all', async () => {
    const found = await exported({ query: 'model:none', range: { first: 0, last: 1 } })
    expect(found.report.kind).toBe('consistent')
    expect(shell(found.folder)).toContain('leaves 0 to 1, no gap\n')
  })

  it('is refused where it cannot be whole', async () => {
    const { size } = (await engine.call('workspace.status', {})).ledger
    const beyond = { first: 0, last: size + 10_000 }
    expect(await engine.codeOf('export.preview', { range: beyond })).toBe('bad_request')
    expect((await failureOf({ range: beyond }))?.message).toMatch(/^the range ends beyond the tree of \d+ leaves/)
    for (const range of [{ first: 3, last: 2 }, { first: -1, last: 2 }, { first: 0 }, { first: 0, last: 1.5 }])
      expect(await engine.codeOf('export.preview', { range })).toBe('bad_request')
  })

  it('opens as a review that shows what was asked for, and nothing of the rest', async () => {
    const size = (await engine.call('workspace.status', {})).ledger.size
    const { path } = await exported({ query: 'model:asked', range: { first: 0, last: size - 1 } })
    const { job_id } = await engine.call('review.start', { path })
    expect((await engine.job(job_id)).error).toBeNull()
    const { review } = await engine.call('review.result', { job_id })
    const opened = await testEngine({ root: engine.root, workspace: reviewFolder(engine.state, review ?? '') })
    try {
      const status = await opened.call('workspace.status', {})
      expect(status).toMatchObject({ state: 'open', problem: null })
      const { handle, count } = await opened.call('records.open', { query: '' })
      expect(count).toBe(13)
      const { rows } = await opened.call('records.page', { handle, offset: 0, limit: 200 })
      const detail = async (seq: number) => opened.call('records.get', { seq })
      expect((await detail(seqs[0] ?? 0)).input_messages).toHaveLength(1)
      const closed = await detail(seqs[1] ?? 0)
      expect([closed.input_messages, closed.withheld]).toEqual([[], ['event', 'request', 'response']])
      expect(rows).toHaveLength(13)
    } finally {
      await opened.engine.stop('quit')
    }
  })
})

describe('what is withheld', () => {
  it('is named in runs, whatever stands in its reason', async () => {
    const all = await exported({ query: 'source:desk', withhold: ['request'], withhold_reason: 'said "no", \\ and {"part":"x"}' })
    expect(all.described.withheld).toHaveLength(1)
    expect(all.report.kind).toBe('consistent')
    expect(all.report.bundle.withheld).toBe(12)
    expect(all.report.steps[5]?.summary).toContain('12 withheld and named')
    expect(shell(all.folder).trim().split('\n').at(-1)).toBe('consistent, signer not confirmed')
  })
})

describe('beyond a thousand leaves', () => {
  it('shows the same with tiles, and names what it withholds in few words', async () => {
    for (const from of [5000, 5600])
      await engine.call('events.append', { events: Array.from({ length: 600 }, (_, n) => rawRecord(from + n)) })
    const { size } = (await engine.call('workspace.status', {})).ledger
    const found = await exported({ query: 'model:asked', range: { first: 0, last: size - 1 } })
    expect(found.report.kind).toBe('consistent')
    expect(found.leaves).toHaveLength(size)
    expect(found.described.withheld.length).toBeLessThan(60)
    expect(fifth(found)).toContain(`; leaves 0 to ${size - 1}, no gap`)
    expect(shell(found.folder)).toMatch(new RegExp(`^5 .*; leaves 0 to ${size - 1}, no gap; use the app`, 'm'))
    expect(shell(found.folder).trim().split('\n').at(-1)).toBe('no fault found, 2 steps not checked')
  })
})

describe('a proxied call that was erased later', () => {
  it('is proven against an earlier tree with both of its leaves, and each part that went is named', async () => {
    const size = (await exported({ query: 'model:proxied' })).described.tree_size
    const { records } = await engine.call('records.query', { model: 'proxied' })
    const seq = records[0]?.seq ?? 0
    const [asker, other] = [await engine.as('data_protection'), await engine.as('reviewer')]
    const request = await asker.call('requests.open', { kind: 'erasure', reference: 'DSR 1', received: '2026-01-31' })
    const decisions = [{ seqs: [seq], ground: 'consent withdrawn', override: 'the right outweighs the period' }]
    const unfinished = join(engine.workspace, 'exports', 'left.partial')
    mkdirSync(join(engine.workspace, 'exports'), { recursive: true })
    writeFileSync(unfinished, 'what an interrupted export left')
    const { id } = await asker.call('erasure.ask', { request_id: request.id, decisions })
    await other.call('approvals.decide', { id, decision: 'give' })
    while ((await engine.call('requests.list', {})).requests[0]?.erasures[0]?.done_seq == null)
      await new Promise((resolve) => setTimeout(resolve, 20))
    // An unfinished export in the workspace may hold what was to go.
    expect(existsSync(unfinished)).toBe(false)

    const found = await exported({ query: 'model:proxied', at: size })
    expect(found.report.kind).toBe('consistent')
    expect(found.leaves.map(({ type }) => type)).toEqual(['llm.request', 'llm.response'])
    expect(new Set(found.described.withheld.map((one) => one.seq)).size).toBe(2)
    expect(found.described.withheld.every(({ reason }) => reason.startsWith('erased or disposed of, which'))).toBe(true)
    expect(shell(found.folder).trim().split('\n').at(-1)).toBe('consistent, signer not confirmed')
    const now = await exported({ query: 'model:proxied' })
    expect(now.report.kind).toBe('consistent')
  })
})
