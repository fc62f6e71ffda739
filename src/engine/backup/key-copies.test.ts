// SPDX-License-Identifier: Apache-2.0
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { engineEnvironment } from '../config.ts'
import { startEngine } from '../engine.ts'
import { openReadable } from '../sqlite/open.ts'
import { ingestRecords } from '../test/ingest-records.ts'
import { rawRecord, type TestEngine, testEngine } from '../test/test-engine.ts'
import { keyCopiesIn } from './key-copy.ts'

// Whole engines, on machines that do other work too.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 })

const SUBJECT = 'zephyrine.quux@example.org'
const ground = 'consent withdrawn'
const YEAR_MS = 366 * 86_400_000
let engine: TestEngine
/** The disposal judges as if it were later; nothing else does. */
let later = 0
let target: string
/** The keyring as it was before anything: what somebody kept apart. */
let oldKeyring: { readonly path: string; readonly bytes: Buffer }
let first: string
let erased: number[]
let kept: number[]

const copies = () => keyCopiesIn(target, engine.engine.status().origin)
const overview = () => engine.call('backup.overview', {})
const contents = async () => (await overview()).backups.map((one) => one.contents)
const jobsOf = async (kind: string) => (await engine.call('jobs.list', {})).jobs.filter((one) => one.kind === kind)
const until = async (holds: () => Promise<boolean>) => {
  for (let i = 0; i < 1_000; i++) {
    if (await holds()) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error('it does not come to that')
}
async function backup(): Promise<string> {
  const { job_id } = await engine.call('backup.start', { folder: target })
  expect(await engine.job(job_id)).toMatchObject({ state: 'done' })
  return (await engine.call('backup.result', { job_id })).path
}
async function drill(path: string) {
  const { job_id } = await engine.call('backup.drill', { path })
  const job = await engine.job(job_id)
  return job.state === 'done' ? engine.call('backup.report', { job_id }) : job.error
}
async function erase(seqs: number[]): Promise<string> {
  const asker = await engine.as('data_protection')
  const other = await engine.as('reviewer')
  const request = await asker.call('requests.open', { kind: 'erasure', reference: 'DSR 1', received: '2026-01-31' })
  const asked = await asker.call('erasure.ask', { request_id: request.id, decisions: [{ seqs, ground, override: ground }] })
  await other.call('approvals.decide', { id: asked.id, decision: 'give' })
  return asked.id
}
const keksInRing = () => {
  const { ring } = JSON.parse(readFileSync(oldKeyring.path, 'utf8')) as { ring: string }
  return (JSON.parse(Buffer.from(ring, 'base64').toString('utf8')) as { keks: unknown[] }).keks.length
}

beforeAll(async () => {
  engine = await testEngine({ servers: true, disposal: { now: () => Date.now() + later } })
  target = mkdtempSync(join(tmpdir(), 'affidavit-key-copies-'))
  const all = await ingestRecords(
    engine,
    Array.from({ length: 12 }, (_, n) => rawRecord(n, n > 9 ? { user_id: SUBJECT, prompt: `kumquat ${n} of ${SUBJECT}` } : {}))
  )
  erased = all.slice(10)
  kept = all.slice(0, 10)
  const name = readdirSync(engine.state).find((one) => one.startsWith('keyring-')) ?? ''
  oldKeyring = { path: join(engine.state, name), bytes: readFileSync(join(engine.state, name)) }
  first = await backup()
})
afterAll(async () => {
  await engine.remove()
  rmSync(target, { recursive: true, force: true })
})

// One engine, step by step: each step goes on where the one before ended.
describe('a change of the key-encryption key', () => {
  it('says beforehand what it means for the backups, whether their folder is there or not', async () => {
    expect(await engine.call('backup.key_change', {})).toEqual({
      folders: [{ path: target, planned: false, problem: null }],
      closes: [],
      not_connected: 0
    })
    expect(await engine.codeOf('backup.key_change', { more: 1 })).toBe('bad_request')
    expect(await contents()).toEqual(['opens'])
    renameSync(target, `${target}-away`)
    expect(await engine.call('backup.key_change', {})).toMatchObject({
      folders: [{ problem: expect.stringContaining('not there') }],
      closes: [],
      not_connected: 1
    })
    expect(await contents()).toEqual(['not_connected'])
    renameSync(`${target}-away`, target)
  })

  it('copies the keys beside the backups before the old one is destroyed: earlier backups open, without what was erased', async () => {
    await erase(erased)
    await until(async () => (await jobsOf('erasure'))[0]?.state === 'done')
    const [copy, ...others] = copies()
    expect(others).toEqual([])
    expect(await contents()).toEqual(['newer_keys'])
    expect(await overview()).toMatchObject({ key_copies: [{ path: copy?.path }], waiting: null })
    expect((await engine.call('backup.inspect', { path: target })).backups).toHaveLength(1)
    expect(await drill(first)).toMatchObject({ verdict: 'matches', reapplied: 1 })
    // The leaf is there before the old key is said to be retired.
    const ledger = openReadable(join(engine.workspace, 'ledger.db'))
    const types = ledger
      .prepare<[], Buffer>('SELECT bytes FROM leaf ORDER BY seq')
      .pluck()
      .all()
      .map((bytes) => (JSON.parse(bytes.toString('utf8')) as { type: string }).type)
    ledger.close()
    const order = types.filter((type) => ['key.added', 'backup.keys', 'key.retired'].includes(type))
    expect(order).toEqual(['key.added', 'backup.keys', 'key.retired'])
  })

  it('brings nothing back: not with an older keyring, nor on a machine that never saw the erasure', async () => {
    const elsewhere = async (state: string) => {
      const folder = join(engine.root, `restored-${Math.random().toString(36).slice(2)}`)
      const config = {
        workspace: folder,
        state,
        compliance: null,
        drift: null,
        appVersion: '0.1.0',
        keyProtection: 'file',
        restore: { from: first, acceptLoss: true }
      } as const
      return startEngine(config, engineEnvironment({}), { store: null, log: pino({ level: 'silent' }) })
    }
    const bare = (bytes: Buffer): string => {
      const state = mkdtempSync(join(engine.root, 'state-'))
      writeFileSync(join(state, oldKeyring.path.split('/').at(-1) ?? ''), bytes)
      return state
    }
    await expect(elsewhere(bare(oldKeyring.bytes))).rejects.toMatchObject({
      code: 'keys_unavailable',
      message: expect.stringContaining('older than the last change')
    })
    // A list that names more than was erased is not believed: the keys say what is gone.
    const list = join(copies()[0]?.path ?? '', 'erasures.jsonl')
    const entry = JSON.parse(readFileSync(list, 'utf8')) as { ranges: unknown }
    writeFileSync(list, `${JSON.stringify({ ...entry, ranges: [[kept[3], erased[1]]], marks: undefined })}\n`)
    const back = await elsewhere(bare(readFileSync(oldKeyring.path)))
    const caller = { actor: { ref: 'engine', kind: 'system' }, via: 'ipc' } as const
    const payload = async (seq: number | undefined) => {
      const reply = await back.router.call('records.get', { seq: seq ?? 0 }, caller)
      return reply.ok ? (reply.value as { payload: string }).payload : reply.error.code
    }
    expect([await payload(kept[3]), await payload(kept[9]), await payload(erased[0]), await payload(erased[1])]).toEqual([
      'present',
      'present',
      'erased',
      'erased'
    ])
    await back.stop('quit')
    writeFileSync(list, `${JSON.stringify(entry)}\n`)
  })

  it('stops before the old key is destroyed while the folder of the plan takes no copy, and goes on by itself', async () => {
    await engine.call('backup.set_plan', { folder: target, every_hours: 0, keep: 0, key_days: 30 })
    renameSync(target, `${target}-away`)
    expect(await engine.call('backup.key_change', {})).toMatchObject({
      folders: [{ path: target, planned: true, problem: expect.stringContaining('not there') }]
    })
    const { job_id } = await engine.call('keys.rotate', { use: 'key-encryption' })
    expect(await engine.job(job_id)).toMatchObject({ state: 'failed', error: { code: 'file_unreadable' } })
    expect((await overview()).waiting).toContain('old key was not destroyed')
    expect(keksInRing()).toBe(2)
    // An erasure that comes meanwhile waits as well; a restart changes nothing about that.
    await erase(kept.slice(0, 1))
    await until(async () => (await jobsOf('erasure'))[0]?.state === 'failed')
    await engine.restart()
    await until(async () => (await jobsOf('erasure'))[0]?.state === 'failed')
    expect(keksInRing()).toBeGreaterThan(1)
    renameSync(`${target}-away`, target)
    await engine.engine.backups.keyCopies.tryAgain()
    await until(async () => (await jobsOf('erasure')).some((one) => one.state === 'done'))
    await until(async () => keksInRing() === 1)
    expect((await overview()).waiting).toBeNull()
    expect(copies()).toHaveLength(1)
    expect(await drill(first)).toMatchObject({ verdict: 'matches', reapplied: 2 })
    expect(readdirSync(target).filter((one) => one.endsWith('.part'))).toEqual([])
  })

  it('is carried out again on an earlier backup when a disposal made it', async () => {
    const rule = { class: 'default', name: 'one year', trigger: 'append', period: { years: 1, months: 0, days: 0 } } as const
    await engine.call('retention.set', { rules: [rule], classes: [], reason: 'test' })
    later = YEAR_MS
    const ann = await engine.as('administrator')
    const bob = await engine.as('data_protection')
    const asked = await ann.call('disposal.ask', { reason: 'yearly' })
    await bob.call('approvals.decide', { id: asked.id, decision: 'give' })
    await until(async () => (await engine.call('disposal.list', {})).disposals[0]?.done_seq != null)
    expect(await contents()).toEqual(['newer_keys'])
    expect(await drill(first)).toMatchObject({ verdict: 'matches', reapplied: 3 })
  })

  it('goes on without a copy when the plan names no folder and the backups are not there, and says which open no more', async () => {
    await engine.call('backup.set_plan', { folder: null, every_hours: 0, keep: 0, key_days: 30 })
    const away = `${target}-away`
    cpSync(target, away, { recursive: true })
    rmSync(target, { recursive: true })
    const { job_id } = await engine.call('keys.rotate', { use: 'key-encryption' })
    expect(await engine.job(job_id)).toMatchObject({ state: 'done' })
    renameSync(away, target)
    expect(await contents()).toEqual(['closed'])
    expect(await drill(first)).toMatchObject({ code: 'keys_unavailable' })
    // What was made before any key was destroyed is no help either, and a folder that only looks like a copy is none.
    mkdirSync(join(target, `affidavit-keys-${engine.engine.status().origin.slice(-8)}-x`))
    expect(copies()).toHaveLength(1)
  })
})

describe('a restore with keys of a newer copy', () => {
  it('cuts a block that reaches beyond the backup: every record opens, also after new ones and another change of the key', async () => {
    const log = await testEngine({ servers: true })
    const folder = mkdtempSync(join(tmpdir(), 'affidavit-straddling-'))
    const some = (from: number, n: number) => Array.from({ length: n }, (_, i) => rawRecord(from + i))
    const restored = join(log.root, 'restored')
    try {
      const before = await ingestRecords(log, some(0, 5))
      await log.call('backup.set_plan', { folder, every_hours: 0, keep: 0, key_days: 30 })
      const made = await log.call('backup.start', { folder })
      expect(await log.job(made.job_id)).toMatchObject({ state: 'done' })
      const { path, size } = await log.call('backup.result', { job_id: made.job_id })
      // Rewriting merges: the blocks around the end of the backup become one.
      await ingestRecords(log, some(100, 20))
      expect(await log.job((await log.call('keys.rotate', { use: 'key-encryption' })).job_id)).toMatchObject({ state: 'done' })
      const copied = openReadable(join(keyCopiesIn(folder, log.engine.status().origin)[0]?.path ?? '', 'keys.db'))
      const straddling = copied
        .prepare<[number, number]>('SELECT 1 FROM key_block WHERE first_seq < ? AND first_seq + count > ?')
        .get(size, size)
      copied.close()
      expect(straddling).toBeDefined()
      await log.engine.stop('quit')

      const config = {
        workspace: restored,
        state: log.state,
        compliance: null,
        drift: null,
        appVersion: '0.1.0',
        keyProtection: 'file'
      } as const
      const back = await startEngine({ ...config, restore: { from: path, acceptLoss: true } }, engineEnvironment({}), {
        store: null,
        log: pino({ level: 'silent' })
      })
      const caller = { actor: { ref: 'engine', kind: 'system' }, via: 'ipc' } as const
      const call = async (op: string, input: unknown) => {
        const reply = await back.router.call(op, input, caller)
        if (!reply.ok) throw new Error(`${op}: ${reply.error.message}`)
        return reply.value as Record<string, unknown>
      }
      const job = async (id: unknown) => {
        for (;;) {
          const found = await call('jobs.get', { id })
          if (found.state !== 'running') return found
          await new Promise((resolve) => setTimeout(resolve, 20))
        }
      }
      const overlaps = () => {
        const keys = openReadable(join(restored, 'keys.db'))
        const n = keys
          .prepare<[], number>(
            'SELECT count(*) FROM key_block AS a JOIN key_block AS b ON a.first_seq < b.first_seq AND a.first_seq + a.count > b.first_seq'
          )
          .pluck()
          .get()
        keys.close()
        return n
      }
      await call('events.append', { events: some(500, 90) })
      expect(overlaps()).toBe(0)
      expect(await job((await call('keys.rotate', { use: 'key-encryption' })).job_id)).toMatchObject({ state: 'done' })
      expect(overlaps()).toBe(0)
      const { job_id } = await call('verify.workspace', {})
      await job(job_id)
      expect(await call('verify.workspace_report', { job_id })).toMatchObject({ verdict: 'intact', faults: [] })
      const { records } = (await call('records.query', { limit: 200 })) as { records: { seq: number }[] }
      expect(records).toHaveLength(95)
      expect(records.map((one) => one.seq)).toEqual(expect.arrayContaining(before))
      for (const { seq } of records) expect(await call('records.get', { seq })).toMatchObject({ payload: 'present' })
      await back.stop('quit')
    } finally {
      rmSync(log.root, { recursive: true, force: true })
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
