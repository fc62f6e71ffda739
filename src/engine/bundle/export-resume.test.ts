// SPDX-License-Identifier: Apache-2.0
// Exports that the end of the program comes into: kills at random moments, and every way to go on from there.
import { createHash, randomBytes } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { verifyBundleFile } from '../../node/verify-file.ts'
import type { OperationInput } from '../../shared/contract/contract.ts'
import type { InterruptedExport } from '../../shared/contract/exports.ts'
import { formatNumber } from '../../shared/stats/explain.ts'
import { engineProcess } from '../test/engine-process.ts'
import { rawRecord, type TestEngine, testEngine } from '../test/test-engine.ts'
import { note } from './export-journal.ts'
import { dropUnfinished } from './write-bundle.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const KILLS = Number(process.env.AFFIDAVIT_CRASHES ?? 3)
/** Two lists of contents: the first ends at leaf 3,333. */
const RECORDS = 6_000
const FIRST_LIST = 3_333
const sha = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex')
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

let engine: TestEngine
let straight: string
let size: number
const at = (name: string) => join(engine.root, name)
const start = { query: 'source:desk', recipient: 'Examiner', purpose: 'p' }

async function finished(job_id: string) {
  const job = await engine.job(job_id)
  expect(job.error).toBeNull()
  return engine.call('export.result', { job_id })
}

/** Begins an export and stops the engine when a list of contents is finished. */
async function interruptedExport(out: string, more: Partial<OperationInput<'export.start'>> = {}): Promise<InterruptedExport> {
  for (;;) {
    const { job_id } = await engine.call('export.start', { ...start, at: size, out, ...more })
    for (;;) {
      const job = await engine.call('jobs.get', { id: job_id })
      if (job.state !== 'running' || (job.total && job.done > job.total / 2 + FIRST_LIST)) break
      await pause(1)
    }
    await engine.restart()
    const [found] = (await engine.call('export.interrupted', {})).exports
    if (found) return found
    // It was faster than the end.
    rmSync(out)
  }
}

const leavesAfter = async (seq: number) => {
  const { entries } = await engine.call('activity.list', { kind: 'export' })
  return entries.filter((entry) => entry.seq > seq).map((entry) => entry.what)
}

beforeAll(async () => {
  engine = await testEngine()
  for (let from = 0; from < RECORDS; from += 1000)
    await engine.call('events.append', {
      events: Array.from({ length: 1000 }, (_, n) => rawRecord(from + n, { response: randomBytes(600).toString('base64') }))
    })
  straight = at('straight.zip')
  const result = await finished((await engine.call('export.start', { ...start, out: straight })).job_id)
  size = result.size
})
afterAll(() => engine.remove())

describe('an export that the app ended in', () => {
  it('is listed with what is finished, and resumed to the same bytes', async () => {
    const out = at('a.zip')
    const found = await interruptedExport(out)
    expect(found).toMatchObject({ ...start, path: out, size, records: RECORDS, encrypt: 'none', withhold_reason: null })
    expect(found.finished.done).toBeGreaterThan(RECORDS)
    expect(found.finished.total).toBe(found.leaves * 2)
    expect(found.partial).toMatch(/\.partial$/)
    expect(existsSync(found.partial)).toBe(true)
    expect(existsSync(out)).toBe(false)
    // The record said so before the first byte, and nothing says that there is a bundle.
    expect(await leavesAfter(found.seq - 1)).toEqual([`asked for a bundle of ${formatNumber(RECORDS)} records`])
    const result = await finished((await engine.call('export.resume', { id: found.id })).job_id)
    expect(sha(out)).toBe(sha(straight))
    expect(result).toMatchObject({ bundle_sha256: sha(straight), duration_ms: null, path: out })
    expect((await engine.call('export.interrupted', {})).exports).toEqual([])
    expect((await engine.call('export.list', {})).exports[0]).toMatchObject({ file: 'a.zip', bundle_sha256: sha(straight) })
    expect(existsSync(found.partial)).toBe(false)
    expect(readdirSync(join(engine.workspace, 'exports'))).toEqual([])
    expect(await engine.codeOf('export.resume', { id: found.id })).toBe('not_found')
  })

  it('signs nothing that was changed in its unfinished file', async () => {
    const out = at('b.zip')
    const found = await interruptedExport(out)
    const bytes = readFileSync(found.partial)
    bytes.fill(0x41, 200_000, 200_100)
    writeFileSync(found.partial, bytes)
    await finished((await engine.call('export.resume', { id: found.id })).job_id)
    expect(sha(out)).toBe(sha(straight))
  })

  it('is discarded with its unfinished file, on record', async () => {
    const found = await interruptedExport(at('c.zip'))
    expect(await engine.codeOf('export.start', { ...start, out: at('c.zip'), id: found.id })).toBe('bad_request')
    expect(await engine.call('export.discard', { id: found.id })).toEqual({ left: null })
    expect(readdirSync(engine.root).filter((name) => name.startsWith('c.zip'))).toEqual([])
    expect(readdirSync(join(engine.workspace, 'exports'))).toEqual([])
    expect((await engine.call('export.interrupted', {})).exports).toEqual([])
    expect(await leavesAfter(found.seq)).toEqual(['discarded an interrupted export'])
    expect(await engine.codeOf('export.discard', { id: found.id })).toBe('not_found')
    expect(await engine.codeOf('export.discard', { id: 'no id' })).toBe('bad_request')
    expect(await engine.codeOf('export.interrupted', { more: 1 })).toBe('bad_request')
  })

  it('says what it could not remove', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'affidavit-stick-'))
    const found = await interruptedExport(join(folder, 'd.zip'))
    rmSync(folder, { recursive: true })
    const { job_id } = await engine.call('export.resume', { id: found.id })
    expect((await engine.job(job_id)).error?.code).toBe('file_unreadable')
    // Kept: the folder may come back.
    expect((await engine.call('export.interrupted', {})).exports.map((one) => one.id)).toEqual([found.id])
    expect(await engine.call('export.discard', { id: found.id })).toEqual({ left: found.partial })
  })

  it('needs its passphrase again, and then is the same bundle', async () => {
    const out = at('e.zip.age')
    const found = await interruptedExport(out, { encrypt: { passphrase: 'a long passphrase' } })
    expect(found.encrypt).toBe('passphrase')
    // What is not encrypted yet lies in the workspace, and nowhere else.
    expect(dirname(found.partial)).toBe(join(engine.workspace, 'exports'))
    expect(existsSync(found.partial)).toBe(true)
    expect(readdirSync(engine.root).filter((name) => name.startsWith('e.zip'))).toEqual([])
    expect(JSON.stringify(found)).not.toContain('a long')
    expect(await engine.codeOf('export.resume', { id: found.id })).toBe('bad_request')
    const { job_id } = await engine.call('export.resume', { id: found.id, passphrase: 'a long passphrase' })
    const result = await finished(job_id)
    expect([result.bundle_sha256, result.encrypted_sha256]).toEqual([sha(straight), sha(out)])
    expect(readdirSync(engine.root).filter((name) => name.includes('partial'))).toEqual([])
    expect(readdirSync(join(engine.workspace, 'exports'))).toEqual([])
  })

  it('leaves nothing in clear beside its target when the encryption cannot be written, and goes on once it can', async () => {
    const out = at('g.zip.age')
    const found = await interruptedExport(out, { encrypt: { passphrase: 'a long passphrase' } })
    // Where the ciphertext is to stand is a folder.
    const beside = `${out}.${found.id.slice(0, 8)}.partial`
    mkdirSync(beside)
    const { job_id } = await engine.call('export.resume', { id: found.id, passphrase: 'a long passphrase' })
    expect((await engine.job(job_id)).error?.code).toBe('file_unreadable')
    expect(readdirSync(engine.root).filter((name) => name.startsWith('g.zip'))).toEqual([basename(beside)])
    rmSync(beside, { recursive: true })
    dropUnfinished(join(engine.workspace, 'exports'))
    expect(existsSync(found.partial)).toBe(false)
    const again = await engine.call('export.resume', { id: found.id, passphrase: 'a long passphrase' })
    expect((await finished(again.job_id)).bundle_sha256).toBe(sha(straight))
  })

  it('that had its name already when the end came is only put on record', async () => {
    const out = at('f.zip')
    const found = await interruptedExport(out)
    const { exports } = await engine.call('export.list', {})
    const [before] = exports
    if (!before) throw new Error('nothing was exported')
    copyFileSync(straight, out)
    rmSync(found.partial)
    const { bytes, records, leaves, withheld } = before
    const digests = { sha256: before.bundle_sha256, tagManifestSha256: before.tag_manifest_sha256, encryptedSha256: null }
    note(join(engine.workspace, 'exports', `${found.id}.jsonl`), { written: { bytes, records, leaves, withheld, ...digests } })
    expect(await finished((await engine.call('export.resume', { id: found.id })).job_id)).toMatchObject({ bundle_sha256: sha(straight) })
    expect((await engine.call('export.list', {})).exports).toHaveLength(exports.length + 1)
  })

  it('does not write over a file that came there meanwhile', async () => {
    const out = at('g.zip')
    const found = await interruptedExport(out)
    writeFileSync(out, 'of somebody else')
    const { job_id } = await engine.call('export.resume', { id: found.id })
    expect((await engine.job(job_id)).error?.code).toBe('file_exists')
    expect(readFileSync(out, 'utf8')).toBe('of somebody else')
    rmSync(out)
    await finished((await engine.call('export.resume', { id: found.id })).job_id)
    expect(sha(out)).toBe(sha(straight))
  })
})

describe('an export that a person cancels', () => {
  it('leaves nothing but the record of it', async () => {
    const out = at('h.zip')
    const { job_id } = await engine.call('export.start', { ...start, out })
    while (!(await engine.call('jobs.get', { id: job_id })).total) await pause(2)
    expect((await engine.call('export.interrupted', {})).exports).toEqual([])
    await engine.call('jobs.cancel', { id: job_id })
    expect((await engine.job(job_id)).state).toBe('cancelled')
    expect(readdirSync(engine.root).filter((name) => name.startsWith('h.zip'))).toEqual([])
    expect((await leavesAfter(size))[0]).toBe('cancelled an export')
    expect((await engine.call('export.interrupted', {})).exports).toEqual([])
  })
})

describe('the same selection and tree size', () => {
  it('give the same bytes after an alert was acknowledged and let rest', async () => {
    const judged = await testEngine()
    try {
      const some = (from: number, count: number, more = {}) => Array.from({ length: count }, (_, i) => rawRecord(from + i, more))
      await judged.call('events.append', { events: some(0, 300) })
      await judged.call('drift.set_baseline', { name: 'before', query: '', model: 'gpt-4', source: 'desk' })
      await judged.call('events.append', { events: some(1000, 120, { latency_ms: 9000 }) })
      const { opened } = await judged.call('drift.look', {})
      const id = opened[0] ?? ''
      const until = new Date(Date.now() + 86_400_000).toISOString()
      await judged.call('drift.snooze', { id, until, reason: 'known' })
      const write = async (name: string, more = {}) => {
        const out = join(judged.root, name)
        const { job_id } = await judged.call('export.start', { query: '', recipient: 'r', purpose: 'p', out, ...more })
        expect((await judged.job(job_id)).error).toBeNull()
        return { out, size: (await judged.call('export.result', { job_id })).size }
      }
      const before = await write('before.zip')
      await judged.call('drift.acknowledge', { id, note: 'rolled out' })
      const after = await write('after.zip', { at: before.size })
      expect(sha(after.out)).toBe(sha(before.out))
      expect(sha((await write('now.zip')).out)).not.toBe(sha(before.out))
    } finally {
      await judged.remove()
    }
  })
})

describe('an export that is interrupted before an erasure', () => {
  it('holds nothing of what was erased', async () => {
    const word = randomBytes(24).toString('hex')
    await engine.call('events.append', { events: [rawRecord(90_001, { response: word, user_id: 'zephyrine' })] })
    const before = await finished((await engine.call('export.start', { ...start, out: at('i-before.zip') })).job_id)
    const found = await interruptedExport(at('i.zip'), { at: before.size })
    const asker = await engine.as('data_protection')
    const other = await engine.as('reviewer')
    const request = await asker.call('requests.open', { kind: 'erasure', reference: 'DSR 1', received: '2026-01-31' })
    const { seqs } = await asker.call('subjects.find', { identifiers: ['zephyrine'] })
    const decisions = [{ seqs, ground: 'consent withdrawn', override: 'the right outweighs the period' }]
    const { id } = await asker.call('erasure.ask', { request_id: request.id, decisions })
    await other.call('approvals.decide', { id, decision: 'give' })
    for (;;) {
      const job = (await engine.call('jobs.list', {})).jobs.find((one) => one.kind === 'erasure')
      if (job && job.state !== 'running') break
      await pause(20)
    }
    const auditor = await engine.as('auditor')
    const { job_id } = await auditor.call('export.resume', { id: found.id })
    expect((await engine.job(job_id)).error).toBeNull()
    const report = await verifyBundleFile(at('i.zip'))
    expect([report.kind, report.bundle.withheld]).toEqual(['consistent', 3])
    expect(sha(at('i.zip'))).not.toBe(sha(at('i-before.zip')))
    expect((await engine.call('export.list', {})).exports[0]).toMatchObject({ actor: auditor.ref, file: 'i.zip' })
  })
})

it(
  `is carried on with after kills at ${KILLS} random moments`,
  async () => {
    const root = mkdtempSync(join(tmpdir(), 'affidavit-killed-'))
    const out = join(root, 'out', 'all.affidavit.zip')
    const first = join(root, 'out', 'first.affidavit.zip')
    try {
      let process = await engineProcess(root)
      mkdirSync(dirname(out))
      for (let from = 0; from < RECORDS; from += 1000)
        await process.call('events.append', {
          events: Array.from({ length: 1000 }, (_, n) => rawRecord(from + n, { response: randomBytes(600).toString('base64') }))
        })
      const ended = async (job_id: string) => {
        for (;;) {
          const job = await process.call('jobs.get', { id: job_id })
          if (job.state !== 'running') return job
          await pause(5)
        }
      }
      const asked = performance.now()
      const { job_id } = await process.call('export.start', { ...start, query: '', out: first })
      expect((await ended(job_id)).state).toBe('done')
      const { size: tree } = await process.call('export.result', { job_id })
      const took = performance.now() - asked
      for (let kill = 0; kill < KILLS; kill++) {
        const { exports } = await process.call('export.interrupted', {})
        const [open] = exports
        const moment = Math.random() * took
        if (open) await process.call('export.resume', { id: open.id })
        else await process.call('export.start', { ...start, query: '', at: tree, out, replace: true })
        await pause(moment)
        process.kill()
        await process.exited
        const names = readdirSync(dirname(out)).filter((name) => name !== basename(first))
        for (const name of names.filter((one) => !one.endsWith('.partial'))) {
          expect(name).toBe(basename(out))
          expect(sha(out), `killed after ${moment} ms`).toBe(sha(first))
        }
        process = await engineProcess(root)
        const after = await process.call('export.interrupted', {})
        const { exports: done } = await process.call('export.list', {})
        // On record as open, or as a bundle: never neither. A kill before the intent leaves nothing at all.
        expect(after.exports.length).toBeLessThanOrEqual(1)
        if (names.length > 0) expect(after.exports.length + done.length, `killed after ${moment} ms`).toBeGreaterThan(1)
      }
      const { exports } = await process.call('export.interrupted', {})
      for (const { id } of exports) {
        const again = await process.call('export.resume', { id })
        expect((await ended(again.job_id)).error).toBeNull()
        expect(sha(out)).toBe(sha(first))
      }
      expect(readdirSync(dirname(out)).filter((name) => name.endsWith('.partial'))).toEqual([])
      process.kill()
      await process.exited
    } finally {
      rmSync(root, { recursive: true, force: true })
    }
  },
  60_000 + KILLS * 20_000
)
