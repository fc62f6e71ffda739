// SPDX-License-Identifier: Apache-2.0
import { spawn, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { testProgram } from '../../node/test-program.ts'
import type { BackupInfo } from '../../shared/contract/backup.ts'
import { engineEnvironment } from '../config.ts'
import { type Engine, startEngine } from '../engine.ts'
import { openReadable } from '../sqlite/open.ts'
import { ingestRecords } from '../test/ingest-records.ts'
import { rawRecord, type TestEngine, testEngine } from '../test/test-engine.ts'
import { openWorkspace } from '../workspace/workspace.ts'
import { registerErasure } from './erasure-register.ts'
import { keksOfWorkspace } from './finish-restore.ts'
import { backupsIn, fileSha256, readManifest } from './manifest.ts'
import { restoreBackup } from './restore.ts'

const crashes = Number(process.env.AFFIDAVIT_CRASHES ?? 2)
// Whole engines, on machines that do other work too.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 })

let engine: TestEngine
let target: string
let stopped = false
const stopIt = async () => {
  stopped = true
  await engine.engine.stop('quit')
}
beforeEach(async () => {
  stopped = false
  engine = await testEngine({ servers: true })
  target = mkdtempSync(join(tmpdir(), 'affidavit-backups-'))
})
afterEach(async () => {
  if (stopped) rmSync(engine.root, { recursive: true, force: true })
  else await engine.remove()
  rmSync(target, { recursive: true, force: true })
})

const many = (from: number, n: number, more: object = {}) => Array.from({ length: n }, (_, i) => rawRecord(from + i, { ...more }))

async function backup(): Promise<BackupInfo> {
  const { job_id } = await engine.call('backup.start', { folder: target })
  expect(await engine.job(job_id)).toMatchObject({ state: 'done', error: null })
  return engine.call('backup.result', { job_id })
}
async function drill(path: string) {
  const { job_id } = await engine.call('backup.drill', { path })
  const job = await engine.job(job_id)
  return job.state === 'done' ? engine.call('backup.report', { job_id }) : job.error
}
async function jobError(op: 'backup.start', folder: string) {
  const { job_id } = await engine.call(op, { folder })
  return (await engine.job(job_id)).error?.code
}

/** Restores to a new folder with an engine of its own, as the command line does. */
async function restored(from: string, acceptLoss = false): Promise<{ readonly engine: Engine; readonly folder: string }> {
  const folder = newFolder()
  return { engine: await opened(folder, { from, acceptLoss }), folder }
}
const newFolder = (): string => join(engine.root, `restored-${Math.random().toString(36).slice(2)}`)
const opened = (folder: string, restore?: { readonly from: string; readonly acceptLoss: boolean }): Promise<Engine> => {
  const config = {
    workspace: folder,
    state: engine.state,
    compliance: null,
    drift: null,
    appVersion: '0.1.0',
    keyProtection: 'file'
  } as const
  const deps = { store: null, log: pino({ level: 'silent' }) }
  return startEngine(restore ? { ...config, restore } : config, engineEnvironment({}), deps)
}
const caller = { actor: { ref: 'local', kind: 'human' }, via: 'ipc' } as const
async function leavesFrom(of: Engine, folder: string, from: number) {
  await of.router.call('backup.overview', {}, caller)
  const ledger = openReadable(join(folder, 'ledger.db'))
  const leaves = ledger
    .prepare<[number], Buffer>('SELECT bytes FROM leaf WHERE seq >= ? ORDER BY seq')
    .pluck()
    .all(from)
    .map((bytes) => JSON.parse(bytes.toString('utf8')) as { type: string; actor: { ref: string; kind: string } })
  ledger.close()
  return leaves
}
const verdictOf = async (of: Engine) => {
  const started = await of.router.call('verify.workspace', {}, caller)
  const id = started.ok ? (started.value as { job_id: string }).job_id : ''
  for (;;) {
    const reply = await of.router.call('verify.workspace_report', { job_id: id }, caller)
    if (reply.ok) return (reply.value as { verdict: string }).verdict
    if (reply.error.code !== 'busy') return reply.error.code
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

describe('backup', () => {
  it('is made while records arrive, holds what was signed, and its test restore backs the requirement', async () => {
    await ingestRecords(engine, many(0, 600))
    const [info] = await Promise.all([backup(), ingestRecords(engine, many(1_000, 600))])
    const manifest = readManifest(info.path)
    for (const file of manifest.files) expect(await fileSha256(join(info.path, file.name))).toBe(file.sha256)
    expect(manifest.files.map((file) => file.name)).toEqual(
      expect.arrayContaining(['ledger.db', 'keys.db', 'head', 'workspace.json', 'anchors/checkpoint'])
    )
    expect(existsSync(join(info.path, 'catalog.db'))).toBe(false)
    const report = await drill(info.path)
    expect(report).toMatchObject({ verdict: 'matches', reapplied: 0, backup: { size: info.size } })
    const overview = await engine.call('backup.overview', {})
    expect(overview).toMatchObject({
      backups: [{ size: info.size, path: info.path, trigger: 'person' }],
      restores: [{ kind: 'drill', verdict: 'matches' }],
      next: null
    })
    expect(await engine.call('backup.inspect', { path: target })).toMatchObject({ backups: [{ id: info.id, keys: true }] })
    const { requirements } = await engine.call('compliance.report', {})
    expect(requirements.find((one) => one.id === 'S7')).toMatchObject({ state: 'backed', gap: null })
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith('affidavit-drill-'))).toEqual([])
  })

  it('refuses a folder in the workspace, beside the keys, or that is none', async () => {
    for (const folder of [engine.workspace, join(engine.workspace, 'x'), engine.state])
      expect(await engine.codeOf('backup.start', { folder })).toBe('bad_request')
    expect(await engine.codeOf('backup.start', { folder: join(target, 'none') })).toBe('file_unreadable')
    expect(await engine.codeOf('backup.start', { folder: '' })).toBe('bad_request')
    expect(await engine.codeOf('backup.set_plan', { folder: engine.workspace, every_hours: 1, keep: 1, key_days: 1 })).toBe('bad_request')
    expect(await engine.codeOf('backup.set_plan', { folder: target, every_hours: 1, keep: 1, key_days: 0 })).toBe('bad_request')
    expect(await engine.codeOf('backup.inspect', { path: join(target, 'none') })).toBe('file_unreadable')
    expect(await engine.codeOf('backup.drill', { path: target })).toBe('not_found')
    expect(await engine.codeOf('backup.restore', { path: target, to: '' })).toBe('bad_request')
    expect(await engine.codeOf('backup.overview', { more: 1 })).toBe('bad_request')
    for (const op of ['backup.result', 'backup.report'] as const) expect(await engine.codeOf(op, { job_id: 'none' })).toBe('not_found')
  })

  it('says that the disk is full, or cannot be written, and leaves nothing behind', async () => {
    await ingestRecords(engine, many(0, 500))
    const mount = (options: string) => spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', target]).status === 0
    if (!mount('size=256k')) return
    try {
      expect(await jobError('backup.start', target)).toBe('disk_full')
      expect(readdirSync(target)).toEqual([])
    } finally {
      spawnSync('umount', [target])
    }
    expect(mount('size=100m,ro')).toBe(true)
    try {
      expect(await jobError('backup.start', target)).toBe('file_unreadable')
    } finally {
      spawnSync('umount', [target])
    }
    expect((await engine.call('backup.overview', {})).backups).toEqual([])
  })

  it('follows its plan, also after a restart: due ones are made, old ones and old keys removed', async () => {
    await ingestRecords(engine, many(0, 3))
    const plan = { folder: target, every_hours: 24, keep: 2, key_days: 1 }
    expect(await engine.call('backup.set_plan', plan)).toEqual(plan)
    await engine.restart()
    expect(await engine.call('backup.overview', {})).toMatchObject({ plan, next: expect.any(String) })
    const job = engine.engine.backups.tick()
    expect(await engine.job(job?.id ?? '')).toMatchObject({ state: 'done' })
    expect(engine.engine.backups.tick()).toBeNull()
    expect((await engine.call('backup.overview', {})).backups).toMatchObject([{ trigger: 'schedule', actor: 'engine' }])
    const [first] = backupsIn(target)
    const manifest = readManifest(first?.path ?? '')
    writeFileSync(join(first?.path ?? '', 'manifest.json'), JSON.stringify({ ...manifest, made: '2020-01-01T00:00:00.000Z' }))
    await backup()
    expect(backupsIn(target).map((one) => one.keys)).toEqual([true, false])
    await backup()
    expect(backupsIn(target).length).toBe(2)
    const { entries } = await engine.call('activity.list', { kind: 'policy' })
    const removed = entries.filter((one) => one.type === 'backup.removed')
    expect(removed.map((one) => [one.actor, one.data.what, one.data.backup_id === first?.id])).toEqual([
      ['engine', 'backup', true],
      ['engine', 'keys', true]
    ])
    expect(removed[0]?.what).toBe('removed an old backup')
    await engine.call('backup.set_plan', { ...plan, keep: 0 })
    await engine.call('backup.set_plan', { folder: null, every_hours: 0, keep: 0, key_days: 30 })
    const changes = (await engine.call('activity.list', { kind: 'setting' })).entries.filter((one) => one.data.name === 'backup.plan')
    expect(changes.map((one) => [one.data.from, one.data.to])).toEqual([
      ['"every 24 h, all kept, keys 1 days"', '"off"'],
      ['"every 24 h, 2 kept, keys 1 days"', '"every 24 h, all kept, keys 1 days"'],
      ['null', '"every 24 h, 2 kept, keys 1 days"']
    ])
  })

  it('refuses to restore what was damaged, and records that a test found it', async () => {
    await ingestRecords(engine, many(0, 50))
    const { path } = await backup()
    const flip = (name: string, at: (bytes: Buffer) => number, rehash: boolean) => async () => {
      const copy = join(target, `bad-${name}-${rehash}`)
      cpSync(path, copy, { recursive: true })
      const bytes = readFileSync(join(copy, name))
      const where = at(bytes)
      bytes[where] = (bytes[where] ?? 0) ^ 1
      writeFileSync(join(copy, name), bytes)
      const manifest = readManifest(copy)
      if (rehash) {
        const sha256 = await fileSha256(join(copy, name))
        const files = manifest.files.map((file) => (file.name === name ? { ...file, sha256 } : file))
        writeFileSync(join(copy, 'manifest.json'), JSON.stringify({ ...manifest, files }))
      }
      return copy
    }
    const inLeaf = (bytes: Buffer) => bytes.indexOf('llm.recorded') + 4
    const cases = [flip('ledger.db', inLeaf, false), flip('ledger.db', inLeaf, true), flip('head', () => 40, false)]
    for (const make of cases) expect(await drill(await make())).toMatchObject({ code: 'workspace_damaged' })
    rmSync(join(path, 'anchors', 'checkpoint'))
    expect(await drill(path)).toMatchObject({ code: 'workspace_damaged', message: expect.stringContaining('incomplete') })
    expect((await engine.call('backup.overview', {})).restores.map((one) => one.verdict)).toEqual(Array(4).fill('damaged'))
    await expect(restored(path)).rejects.toMatchObject({ code: 'workspace_damaged' })
    writeFileSync(join(path, 'manifest.json'), '{"v":1,"files":[{"name":"../../escape"}]}')
    expect(await engine.codeOf('backup.inspect', { path })).toBe('not_this_format')
  })
})

describe('restore', () => {
  it('to a new folder goes on with the log, and says so in its next leaf', async () => {
    await ingestRecords(engine, many(0, 50))
    await engine.restart()
    const info = await backup()
    await stopIt()
    // The original was lost with what came after the backup, and so was the memory of it.
    const heads = JSON.parse(readFileSync(join(engine.state, 'heads.json'), 'utf8')) as Record<string, unknown>
    expect(heads[info.origin]).toBeDefined()
    await expect(restored(info.path)).rejects.toMatchObject({ code: 'conflict', message: expect.stringContaining('would be gone') })
    const folder = newFolder()
    // A folder beside it that looks like an unfinished download is somebody else's.
    mkdirSync(`${folder}.part`)
    writeFileSync(join(`${folder}.part`, 'notes.txt'), 'kept')
    const back = await opened(folder, { from: info.path, acceptLoss: true })
    expect(readFileSync(join(`${folder}.part`, 'notes.txt'), 'utf8')).toBe('kept')
    expect(back.status().problem).toBeNull()
    expect((await leavesFrom(back, folder, info.size)).slice(0, 3)).toMatchObject([
      { type: 'rollback.detected', actor: { ref: 'local', kind: 'human' } },
      { type: 'restore.done', actor: { ref: 'local', kind: 'human' } },
      { type: 'engine.started', actor: { kind: 'system' } }
    ])
    expect(existsSync(join(folder, 'restored.json'))).toBe(false)
    expect(await verdictOf(back)).toBe('intact')
    const found = await back.router.call('records.open', {}, caller)
    expect(found).toMatchObject({ ok: true, value: { count: 50 } })
    await back.stop('quit')
    await expect(restored(info.path)).rejects.toMatchObject({ code: 'conflict' })
  })

  it('by a command is by the person of the account it runs under, as the restored log knows them', async () => {
    await ingestRecords(engine, many(0, 5))
    const { ref } = await engine.call('people.add', { name: 'Ann', role: 'administrator', os_account: userInfo().username })
    const info = await backup()
    await stopIt()
    const { engine: back, folder } = await restored(info.path, true)
    const ann = { actor: { ref, kind: 'human' }, via: 'cli' } as const
    await back.router.call('backup.overview', {}, ann)
    const ledger = openReadable(join(folder, 'ledger.db'))
    const leaves = ledger.prepare<[number], Buffer>('SELECT bytes FROM leaf WHERE seq >= ? ORDER BY seq LIMIT 2').pluck().all(info.size)
    ledger.close()
    expect(leaves.map((bytes) => JSON.parse(bytes.toString()))).toMatchObject([
      { type: 'rollback.detected', actor: { ref, kind: 'human' } },
      { type: 'restore.done', actor: { ref, kind: 'human' } }
    ])
    await back.stop('quit')
  })

  it('carries out again what was erased since, and refuses when it cannot know', async () => {
    const seqs = await ingestRecords(engine, many(0, 20))
    const info = await backup()
    const erased = seqs[4] ?? 0
    const entry = { v: 1, origin: info.origin, case: 'case-1', intent: info.size + 5, ranges: [[erased, erased]] } as const
    await registerErasure(engine.state, { ...entry, ranges: [[erased, erased]] })
    await registerErasure(engine.state, { ...entry, origin: 'affidavit.invalid/another', ranges: [[1, 1]] })
    await registerErasure(engine.state, { ...entry, intent: 1, ranges: [[2, 2]] })
    expect(await drill(info.path)).toMatchObject({ verdict: 'matches', reapplied: 1 })
    await stopIt()
    const { engine: back, folder } = await restored(info.path, true)
    const detail = await back.router.call('records.get', { seq: erased }, caller)
    expect(detail).toMatchObject({ ok: true, value: { payload: 'erased', input_messages: [] } })
    expect(await verdictOf(back)).toBe('intact')
    await back.stop('quit')
    expect(readFileSync(join(folder, 'ledger.db')).includes('question 4')).toBe(false)
    writeFileSync(join(engine.state, 'erasures.jsonl'), 'nonsense\n')
    await expect(restored(info.path, true)).rejects.toMatchObject({
      code: 'workspace_damaged',
      message: expect.stringContaining('register of erasures')
    })
  })

  it('lets nobody set the remembered head back from inside a folder that was rolled back', async () => {
    await ingestRecords(engine, many(0, 20))
    const info = await backup()
    await ingestRecords(engine, many(100, 20))
    await stopIt()
    const remembered = () =>
      (JSON.parse(readFileSync(join(engine.state, 'heads.json'), 'utf8')) as Record<string, { size: number }>)[info.origin]
    const before = remembered()
    const rolledBack = newFolder()
    cpSync(info.path, rolledBack, { recursive: true })
    const codeOf = async (folder: string): Promise<string | undefined> => {
      const back = await opened(folder)
      const { problem } = back.status()
      await back.stop('quit')
      return problem?.code
    }
    const planted = { v: 1, backup_id: info.id, made: info.made, size: info.size, root: info.root, seen_size: before?.size, reapplied: [] }
    for (const note of [planted, { v: 1, restore: '0190c0de-0000-7000-8000-000000000000' }, { v: 1, restore: '../heads' }, 'nonsense']) {
      writeFileSync(join(rolledBack, 'restored.json'), JSON.stringify(note))
      expect(await codeOf(rolledBack)).toBe('rollback_detected')
      expect(remembered()).toEqual(before)
    }

    // A restore that this machine knows of, but the log went on since: what came after was not given up.
    const by = { actor: { ref: 'u-1', kind: 'human' }, origin: 'affidavit.invalid/where-they-are-known' } as const
    const input = { kind: 'restore', path: info.path, state: engine.state, live: null, acceptLoss: true, by } as const
    const control = { cancelled: () => false, progress: () => {}, rest: () => {} }
    const keks = await keksOfWorkspace(engine.state, readManifest(info.path).workspace_id, null, { passphraseFile: undefined })
    const late = newFolder()
    await restoreBackup({ ...input, keks, to: late }, control)
    const original = await opened(engine.workspace)
    await original.stop('quit')
    expect(remembered()?.size).toBeGreaterThan(before?.size ?? 0)
    expect(await codeOf(late)).toBe('rollback_detected')

    // A real one opens, also after a crash between the memory and the leaf; its note is good for once.
    const real = newFolder()
    await restoreBackup({ ...input, keks, to: real }, control)
    const note = readFileSync(join(real, 'restored.json'))
    const open = await openWorkspace(
      { workspace: real, state: engine.state, compliance: null, drift: null, appVersion: '0.1.0', keyProtection: 'file' },
      engineEnvironment({}),
      null
    )
    expect(open.start.problem).toBeUndefined()
    expect(remembered()?.size).toBe(info.size)
    open.close()
    const copy = newFolder()
    cpSync(real, copy, { recursive: true })
    const back = await opened(real)
    expect((await leavesFrom(back, real, info.size)).slice(0, 3)).toMatchObject([
      { type: 'rollback.detected', actor: by.actor },
      { type: 'restore.done', actor: by.actor },
      { type: 'engine.started' }
    ])
    await back.stop('quit')
    expect(readFileSync(join(copy, 'restored.json'))).toEqual(note)
    expect(await codeOf(copy)).toBe('rollback_detected')
  })

  it('of the workspace that is open is refused: it would be a fork', async () => {
    await ingestRecords(engine, many(0, 3))
    const { path } = await backup()
    expect(await engine.codeOf('backup.restore', { path, to: join(engine.root, 'other') })).toBe('conflict')
  })
})

describe('a process killed', () => {
  it(`while it backs up or restores leaves nothing that looks whole, ${crashes} times each`, async () => {
    await ingestRecords(engine, many(0, 1_000))
    await stopIt()
    const cli = testProgram('cli')
    const run = (args: readonly string[], killAfter: number | null) =>
      new Promise<number | null>((resolve) => {
        const child = spawn(process.execPath, [cli, ...args, '--state', engine.state], {
          stdio: 'ignore',
          detached: true,
          env: { ...process.env, AFFIDAVIT_LOG_LEVEL: 'silent' }
        })
        const timer = killAfter === null ? undefined : setTimeout(() => process.kill(-(child.pid ?? 0), 'SIGKILL'), killAfter)
        child.on('exit', (code) => {
          clearTimeout(timer)
          resolve(code)
        })
      })
    const make = ['backup', '--workspace', engine.workspace, '--to', target]
    const started = Date.now()
    expect(await run(make, null)).toBe(0)
    const takes = Date.now() - started
    for (let i = 0; i < crashes; i++) {
      await run(make, takes * (0.5 + (0.5 * (i + 1)) / (crashes + 1)))
      for (const one of backupsIn(target))
        for (const file of readManifest(one.path).files) expect(await fileSha256(join(one.path, file.name))).toBe(file.sha256)
    }
    expect(await run([...make, '--test'], null)).toBe(0)
    expect(readdirSync(target).filter((name) => name.endsWith('.part'))).toEqual([])
    const [newest] = backupsIn(target)
    for (let i = 0; i < crashes; i++) {
      const folder = join(engine.root, `back-${i}`)
      const restore = ['restore', '--from', newest?.path ?? '', '--workspace', folder, '--accept-loss']
      await run(restore, takes * (0.3 + (0.7 * (i + 1)) / (crashes + 1)))
      if (!existsSync(folder)) expect(await run(restore, null)).toBe(0)
      expect(await run(['verify', '--workspace', folder], null)).toBe(0)
      const types = openReadable(join(folder, 'ledger.db'))
        .prepare<[], Buffer>('SELECT bytes FROM leaf ORDER BY seq')
        .pluck()
        .all()
        .filter((bytes) => bytes.includes('"type":"restore.done"'))
      expect(types.length).toBe(1)
    }
  }, 180_000)
})
