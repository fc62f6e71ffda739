// SPDX-License-Identifier: Apache-2.0
// What a log knows and does after it was restored in its own place.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { BackupInfo } from '../../shared/contract/backup.ts'
import { engineEnvironment } from '../config.ts'
import { startEngine } from '../engine.ts'
import { ingestRecords } from '../test/ingest-records.ts'
import { rawRecord, type TestEngine, testEngine } from '../test/test-engine.ts'
import { keksOfWorkspace } from './finish-restore.ts'
import { readManifest } from './manifest.ts'
import { restoreBackup } from './restore.ts'

// Whole engines, on machines that do other work too.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 })

let engine: TestEngine
let target: string
beforeEach(async () => {
  engine = await testEngine({ servers: true })
  target = mkdtempSync(join(tmpdir(), 'affidavit-restored-'))
})
afterEach(async () => {
  await engine.remove()
  rmSync(target, { recursive: true, force: true })
})

const many = (from: number, n: number, more: Record<string, unknown> = {}) => Array.from({ length: n }, (_, i) => rawRecord(from + i, more))

async function backup(folder = target): Promise<BackupInfo> {
  const { job_id } = await engine.call('backup.start', { folder })
  expect(await engine.job(job_id)).toMatchObject({ state: 'done', error: null })
  return engine.call('backup.result', { job_id })
}

async function drill(path: string) {
  const { job_id } = await engine.call('backup.drill', { path })
  const job = await engine.job(job_id)
  return job.state === 'done' ? engine.call('backup.report', { job_id }) : job.error
}

async function rotate(use: 'key-encryption' | 'log' | 'export'): Promise<void> {
  const { job_id } = await engine.call('keys.rotate', { use })
  expect(await engine.job(job_id)).toMatchObject({ state: 'done', error: null })
}

/** The folder of the workspace is lost and restored in its place by the command; the machine remembers what it saw. */
async function restoreInPlace(from: string, acceptLoss: boolean, between: () => void = () => {}): Promise<void> {
  await engine.engine.stop('quit')
  between()
  rmSync(engine.workspace, { recursive: true, force: true })
  const config = {
    workspace: engine.workspace,
    state: engine.state,
    compliance: null,
    drift: null,
    appVersion: '0.1.0',
    keyProtection: 'file',
    restore: { from, acceptLoss }
  } as const
  const restored = await startEngine(config, engineEnvironment({}), { store: null, log: pino({ level: 'silent' }) })
  await restored.stop('quit')
  engine = await testEngine({ servers: true, root: engine.root })
}

it('knows the backup that it came from and those beside it: keys are copied there before a key is destroyed', async () => {
  await ingestRecords(engine, many(0, 5))
  const first = await backup()
  const second = await backup()
  await ingestRecords(engine, many(100, 5))
  const third = await backup()
  await restoreInPlace(second.path, true)
  const { backups } = await engine.call('backup.overview', {})
  // The leaf of the first is in the second.
  expect(backups.map(({ path, trigger, contents }) => [path, trigger, contents])).toEqual([
    [second.path, 'restore', 'opens'],
    [third.path, 'restore', 'opens'],
    [first.path, 'person', 'opens']
  ])
  // The third holds leaves that were given up: no keys of this log open it once theirs are destroyed.
  expect(await engine.call('backup.key_change', {})).toEqual({
    folders: [{ path: dirname(second.path), planned: false, problem: null }],
    closes: [{ path: third.path, time: third.made, size: third.size }],
    not_connected: 0
  })
  await rotate('key-encryption')
  for (const one of [first, second]) expect(await drill(one.path)).toMatchObject({ verdict: 'matches' })
  // What is removed is known no longer.
  await engine.call('backup.set_plan', { folder: target, every_hours: 0, keep: 1, key_days: 30 })
  await backup()
  expect((await engine.call('backup.overview', {})).backups.map(({ path }) => path)).not.toContain(second.path)
})

const SUBJECT = 'zephyrine.quux@example.org'
const ground = 'consent withdrawn'
let cases = 0
async function erase(seqs: readonly number[]): Promise<void> {
  const asker = await engine.as('data_protection')
  const other = await engine.as('reviewer')
  const request = await asker.call('requests.open', { kind: 'erasure', reference: `DSR ${++cases}`, received: '2026-01-31' })
  const asked = await asker.call('erasure.ask', { request_id: request.id, decisions: [{ seqs: [...seqs], ground, override: ground }] })
  await other.call('approvals.decide', { id: asked.id, decision: 'give' })
  expect(await engine.ended('erasure')).toMatchObject({ state: 'done', error: null })
}
const payloadOf = async (seq: number) => (await engine.call('records.get', { seq })).payload
const register = () => join(engine.state, 'erasures.jsonl')
/** The register as versions wrote it that did not mark the leaves. */
const withoutMarks = () => {
  const entries = readFileSync(register(), 'utf8').trim().split('\n')
  const old = entries.map((line) => JSON.stringify({ ...(JSON.parse(line) as object), marks: undefined }))
  writeFileSync(register(), `${old.join('\n')}\n`)
}

it.each([
  ['that names leaves by their marks', () => {}],
  ['of an earlier version', withoutMarks]
])('carries out no erasure on leaves that have the numbers of erased ones that were given up, by a register %s', async (_, before) => {
  const [early = 0] = await ingestRecords(engine, many(0, 5, { user_id: SUBJECT }))
  const first = await backup()
  const lost = await ingestRecords(engine, many(100, 20, { user_id: SUBJECT }))
  await ingestRecords(engine, many(200, 200))
  await erase([early, ...lost])
  before()
  await restoreInPlace(first.path, true)
  expect(await payloadOf(early)).toBe('erased')
  const later = await ingestRecords(engine, many(500, 60))
  const same = later.filter((seq) => lost.includes(seq))
  expect(same.length).toBeGreaterThan(0)
  const second = await backup()
  // An erasure of this history is still carried out on its copies.
  const erased = later.filter((seq) => !lost.includes(seq)).slice(-2)
  await erase(erased)
  expect(await drill(second.path)).toMatchObject({ verdict: 'matches' })
  await restoreInPlace(second.path, true)
  for (const seq of same) expect(await payloadOf(seq)).toBe('present')
  for (const seq of [early, ...erased]) expect(await payloadOf(seq)).toBe('erased')
})

it('carries an erasure out on a backup of leaves that were given up, whatever leaf has the number of the intent there', async () => {
  const [early = 0] = await ingestRecords(engine, many(0, 5, { user_id: SUBJECT }))
  const first = await backup()
  await ingestRecords(engine, many(100, 150))
  const apart = join(target, 'apart')
  mkdirSync(apart)
  const second = await backup(apart)
  await restoreInPlace(first.path, true)
  const { workspace_id } = readManifest(second.path)
  // Somebody kept the keyring of before.
  const keks = await keksOfWorkspace(engine.state, workspace_id, null, { passphraseFile: undefined, passphrase: undefined })
  await erase([early])
  await ingestRecords(engine, many(300, 200))
  await engine.restart()
  const [entry] = readFileSync(register(), 'utf8').split('\n')
  expect((JSON.parse(entry ?? '') as { intent: number }).intent).toBeLessThan(second.size)
  const to = join(engine.root, 'elsewhere')
  const input = { kind: 'drill', path: second.path, to, state: engine.state, keks, live: null, acceptLoss: true } as const
  const report = await restoreBackup(
    { ...input, by: { account: 'nobody' } },
    { cancelled: () => false, progress: () => {}, rest: () => {} }
  )
  expect(report).toMatchObject({ verdict: 'matches', reapplied: 1 })
})

async function exported(name: string): Promise<string> {
  const out = join(engine.root, `${name}.affidavit.zip`)
  const { job_id } = await engine.call('export.start', { recipient: 'Examiner', purpose: 'Test', out })
  expect(await engine.job(job_id)).toMatchObject({ state: 'done', error: null })
  return out
}
async function verified(path: string, trust?: string) {
  const { job_id } = await engine.call('verify.file', { path, ...(trust === undefined ? {} : { trust }) })
  await engine.job(job_id)
  return engine.call('verify.report', { job_id })
}
const keysOf = async (use: string) => (await engine.call('keys.report', {})).keys.filter((one) => one.use === use)

describe('a restore of a backup from before a change of the signing keys', () => {
  /** What whoever got this bundle trusts. */
  const trusted = (bundle: string): string => {
    const folder = join(engine.root, 'first')
    execFileSync('unzip', ['-q', bundle, '-d', folder])
    return join(folder, 'trust')
  }
  /** The ring as versions kept it that kept no statements. */
  const forgetStatements = () => {
    const path = join(engine.state, readdirSync(engine.state).find((name) => name.startsWith('keyring-')) ?? '')
    const file = JSON.parse(readFileSync(path, 'utf8')) as { ring: string }
    const ring = JSON.parse(Buffer.from(file.ring, 'base64').toString('utf8')) as { past: { next?: unknown; revoked?: unknown }[] }
    for (const key of ring.past) {
      delete key.next
      delete key.revoked
    }
    writeFileSync(path, JSON.stringify({ ...file, ring: Buffer.from(JSON.stringify(ring), 'utf8').toString('base64') }))
  }

  it('puts changes and revocations on record again: who trusts the first key follows to the present one', async () => {
    await ingestRecords(engine, many(0, 5))
    const trust = trusted(await exported('first'))
    const made = await backup()
    const [first] = await keysOf('export')
    await rotate('log')
    await rotate('log')
    await ingestRecords(engine, many(100, 60))
    await engine.call('keys.revoke', { key_id: first?.id ?? '', reason: 'the laptop was stolen' })
    await restoreInPlace(made.path, true)
    await ingestRecords(engine, many(200, 5))
    const report = await engine.call('keys.report', {})
    expect(report.unlinked).toBeNull()
    expect(report.keys.map(({ use, state }) => `${use} ${state}`).sort()).toEqual([
      'export in_use',
      'export revoked',
      'key-encryption in_use',
      'log in_use',
      'log retired',
      'log retired'
    ])
    expect(report.keys.find(({ state }) => state === 'revoked')?.revoked?.reason).toBe('the laptop was stolen')
    expect((await verified(await exported('second'), trust)).verdict).not.toBe('invalid')
    const leaves = report.history.length
    // Once: not at the next start either.
    await engine.restart()
    await rotate('log')
    expect((await engine.call('keys.report', {})).history).toHaveLength(leaves + 2)
    expect((await verified(await exported('third'), trust)).verdict).not.toBe('invalid')
  })

  it('says so where the keyring of an earlier version kept no statement; one that sees the leaves learns it', async () => {
    await ingestRecords(engine, many(0, 5))
    const made = await backup()
    await rotate('log')
    await engine.restart(forgetStatements)
    // It is learned from the leaves.
    await expect.poll(() => lastPast()?.next).toBeDefined()
    await restoreInPlace(made.path, true, forgetStatements)
    const [present] = await keysOf('log')
    expect((await engine.call('keys.report', {})).unlinked).toContain(`log key ${present?.id}`)
  })

  const lastPast = () => {
    const path = join(engine.state, readdirSync(engine.state).find((name) => name.startsWith('keyring-')) ?? '')
    const { ring } = JSON.parse(readFileSync(path, 'utf8')) as { ring: string }
    return (JSON.parse(Buffer.from(ring, 'base64').toString('utf8')) as { past: { next?: unknown }[] }).past.at(-1)
  }
})

it('shows what a restore erased again as erased, and a bundle says why it is not in it', async () => {
  const [mine = 0, other = 0] = await ingestRecords(engine, [rawRecord(0, { user_id: SUBJECT }), rawRecord(1)])
  const made = await backup()
  await erase([mine])
  await restoreInPlace(made.path, true)
  for (const [seq, erased] of [
    [mine, true],
    [other, false]
  ] as const)
    expect((await engine.call('records.get', { seq })).row.erased).toBe(erased)
  const { events } = await engine.call('records.life', { seq: mine })
  const restore = events.find(({ type }) => type === 'restore.done')
  expect(restore?.what).toContain('again by a restore')
  expect((await engine.call('records.get', { seq: mine })).erased_by).toEqual({ intent: restore?.seq, done: restore?.seq })
  const asker = await engine.as('data_protection')
  const request = await asker.call('requests.open', { kind: 'erasure', reference: 'DSR again', received: '2026-02-01' })
  const decisions = [{ seqs: [mine], ground, override: ground }]
  expect(await asker.codeOf('erasure.ask', { request_id: request.id, decisions })).toBe('not_found')
  const bundle = await exported('after')
  expect((await verified(bundle)).verdict).not.toBe('invalid')
  const listed = execFileSync('unzip', ['-p', bundle, 'data/*.json'], { encoding: 'utf8' })
  expect(listed).toContain(`again by the restore in leaf ${restore?.seq}`)
  expect(listed).not.toContain('not done yet')
})
