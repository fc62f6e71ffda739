// SPDX-License-Identifier: Apache-2.0
// The disk full, a folder that cannot be written, a key store that refuses: each has a message, and nothing acknowledged is lost.
import { spawnSync } from 'node:child_process'
import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { AffidavitError } from '../../shared/contract/errors.ts'
import type { Notice } from '../../shared/contract/webhooks.ts'
import { engineEnvironment } from '../config.ts'
import { type Engine, startEngine } from '../engine.ts'
import { rawRecord, type TestEngine, testEngine } from '../test/test-engine.ts'
import type { OsKeyStore } from '../vault/key-file.ts'

// Whole engines, on machines that do other work too.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 })

/** A file system of its own for the workspace needs root. */
const mayMount = process.platform === 'linux' && process.getuid?.() === 0 && mountable()
function mountable(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'affidavit-mount-'))
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder]).status === 0
  if (mounted) spawnSync('umount', [folder])
  rmSync(folder, { recursive: true })
  return mounted
}

let root = ''
let mounted = false
let test: TestEngine | undefined
function mount(options: string): string {
  root = mkdtempSync(join(tmpdir(), 'affidavit-faults-'))
  expect(spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', root]).status).toBe(0)
  mounted = true
  return root
}
afterEach(async () => {
  await test?.engine.stop('quit').catch(() => {})
  test = undefined
  if (mounted) spawnSync('umount', ['-l', root])
  mounted = false
  if (root) rmSync(root, { recursive: true, force: true })
  root = ''
})

/** Takes every byte that is left. */
function fill(path: string): void {
  const fd = openSync(path, 'a')
  try {
    for (let size = 1024 * 1024; size > 0; ) {
      try {
        if (writeSync(fd, Buffer.alloc(size, 1)) === 0) size = 0
      } catch {
        size = size > 512 ? size / 2 : 0
      }
    }
  } finally {
    closeSync(fd)
  }
}

const long = 'x'.repeat(4_000)
const batch = (from: number) => Array.from({ length: 20 }, (_, i) => rawRecord(from + i, { response: `Answer ${from + i} ${long}` }))

describe.skipIf(!mayMount)('a full disk (needs root, to mount one)', () => {
  it('refuses records with its code, keeps what was acknowledged and nothing half written, and goes on when there is room', async () => {
    let engine = await testEngine({ root: mount('size=24m') })
    test = engine
    const call: TestEngine['call'] = (op, input) => engine.call(op, input)
    const codeOf: TestEngine['codeOf'] = (op, input) => engine.codeOf(op, input)
    const filler = join(root, 'filler')
    let sent = 0
    const send = async () => {
      // Twenty at a time, each once: none of those refused before may turn out to be there.
      expect(await call('events.append', { events: batch(sent) })).toEqual({ accepted: 20, duplicates: 0, rejected: [] })
      sent += 20
    }
    await send()
    const notices: Notice[] = []
    engine.engine.router.subscribe(
      'notices',
      {},
      (event) => notices.push(event as Notice),
      () => ({ actor: { ref: 'local', kind: 'human' }, via: 'ipc' })
    )
    fill(filler)
    let refused: string | undefined
    for (let i = 0; i < 100 && refused === undefined; i++)
      refused = await send().then(
        () => undefined,
        (error: Error) => error.message
      )
    expect(refused).toContain('disk_full: the disk is full: nothing of this request was recorded')
    expect(await codeOf('events.append', { events: batch(sent) })).toBe('disk_full')
    // A view that cannot be put on record is not given.
    expect(await codeOf('records.query', {})).toBe('disk_full')
    const during = await call('workspace.status', {})
    expect(during).toMatchObject({ state: 'open', failing: { disk_full: true } })
    expect(during.failing?.leaves).toBeGreaterThanOrEqual(40)

    await vi.waitFor(
      () => expect(notices).toEqual([{ alert_id: null, title: 'Recording fails', body: expect.stringContaining('could not be recorded') }]),
      5_000
    )

    rmSync(filler)
    await send()
    expect((await call('workspace.status', {})).failing).toBeNull()
    expect((await call('records.open', { query: '' })).count).toBe(sent)
    for (let from = 0; from < sent; from += 20)
      expect(await call('events.append', { events: batch(from) })).toMatchObject({ accepted: 0, duplicates: 20 })
    const verified = async () => {
      const { job_id } = await call('verify.workspace', {})
      await engine.job(job_id)
      return call('verify.workspace_report', { job_id })
    }
    expect(await verified()).toMatchObject({ verdict: 'intact', faults: [] })
    // The calls that could not be recorded are on record by their number.
    expect((await call('compliance.completeness', { days: 1 })).lost).toBeGreaterThanOrEqual(20)

    // An end on a full disk is one too. A start says why it cannot be; the next one goes on.
    fill(filler)
    test = undefined
    await expect(engine.restart()).rejects.toMatchObject({ code: 'disk_full', message: expect.stringContaining('free some space') })
    rmSync(filler)
    engine = await testEngine({ root })
    test = engine
    expect((await call('records.open', { query: '' })).count).toBe(sent)
    expect(await verified()).toMatchObject({ verdict: 'intact', faults: [] })
  })
})

describe.skipIf(!mayMount)('a full disk that a bundle is written to (needs root, to mount one)', () => {
  it('is said, leaves no bundle under its name, and the same export goes through once there is room', async () => {
    const disk = mount('size=512k')
    const engine = await testEngine()
    try {
      const noise = (n: number) => Array.from({ length: 200 }, (_, i) => Math.sin(n * 1000 + i).toString(36)).join(' ')
      for (let from = 0; from < 300; from += 20)
        await engine.call('events.append', {
          events: Array.from({ length: 20 }, (_, i) => rawRecord(from + i, { response: noise(from + i) }))
        })
      const out = join(disk, 'one.affidavit.zip')
      const run = async () =>
        (await engine.job((await engine.call('export.start', { recipient: 'x', purpose: 'y', out, replace: true })).job_id)).error
      expect(await run()).toMatchObject({ code: 'disk_full', message: expect.stringContaining('the disk is full') })
      expect(existsSync(out)).toBe(false)
      expect(await engine.call('events.append', { events: [rawRecord(999)] })).toMatchObject({ accepted: 1 })
      expect(spawnSync('mount', ['-o', 'remount,size=64m', root]).status).toBe(0)
      expect(await run()).toBeNull()
      const { job_id } = await engine.call('verify.file', { path: out })
      await engine.job(job_id)
      expect((await engine.call('verify.report', { job_id })).kind).not.toBe('invalid')
    } finally {
      await engine.remove()
    }
  })
})

describe.skipIf(!mayMount)('a folder that cannot be written (needs root, to mount one)', () => {
  it('ends the start with its code and what to do, and changes nothing', async () => {
    test = await testEngine({ root: mount('size=64m') })
    const { call, workspace } = test
    await call('events.append', { events: batch(0) })
    const remount = (how: string) => expect(spawnSync('mount', ['-o', `remount,${how}`, root]).status).toBe(0)
    const listing = () => readdirSync(workspace).map((name) => `${name} ${statSync(join(workspace, name)).size}`)
    let before: string[] = []
    const stopped = test
    test = undefined
    const refused = stopped.restart(() => {
      before = listing()
      remount('ro')
    })
    await expect(refused).rejects.toMatchObject({ code: 'not_writable', message: expect.stringContaining('copy the folder') })
    expect(listing()).toEqual(before)
    remount('rw')
    test = await testEngine({ root })
    expect((await test.call('records.open', { query: '' })).count).toBe(20)
    expect(test.engine.status().problem).toBeNull()
  })
})

describe('a key store of the operating system that refuses', () => {
  const refusal = () =>
    Promise.reject(new AffidavitError('keys_unavailable', 'the key store of the operating system did not answer', { keyring: 'refused' }))
  const works: OsKeyStore = {
    wrap: async (text) => Buffer.from(text).reverse().toString('base64'),
    unwrap: async (wrapped) => Buffer.from(wrapped, 'base64').reverse().toString()
  }
  const start = (store: OsKeyStore): Promise<Engine> => {
    const config = {
      workspace: join(root, 'workspace'),
      state: join(root, 'state'),
      compliance: null,
      drift: null,
      appVersion: '0.1.0',
      keyProtection: 'safe-storage'
    } as const
    return startEngine(config, engineEnvironment({}), { store, log: pino({ level: 'silent' }) })
  }
  const ask = async (engine: Engine, op: 'events.append' | 'records.open', input: object) => {
    const reply = await engine.router.call(op, input, { actor: { ref: 'local', kind: 'human' }, via: 'ipc' })
    return reply.ok ? reply.value : reply.error.code
  }

  it('opens a log read-only with a message, makes no second set of keys, and opens it whole once it answers', async () => {
    root = mkdtempSync(join(tmpdir(), 'affidavit-faults-'))
    // A first start makes no keys that are not protected as was asked.
    await expect(start({ wrap: refusal, unwrap: refusal })).rejects.toMatchObject({ code: 'keys_unavailable' })
    const first = await start(works)
    expect(first.status().keys.protection).toBe('safe-storage')
    expect(await ask(first, 'events.append', { events: batch(0) })).toMatchObject({ accepted: 20 })
    await first.stop('quit')
    const keyring = () =>
      readdirSync(join(root, 'state'))
        .filter((name) => name.startsWith('keyring-'))
        .map((name) => readFileSync(join(root, 'state', name), 'utf8'))
    const before = keyring()

    const refused = await start({ ...works, unwrap: refusal })
    expect(refused.status()).toMatchObject({ state: 'read_only', problem: { code: 'keys_missing', can_continue: false } })
    expect(refused.status().problem?.message).toContain('key store of the operating system did not answer')
    expect(refused.status().problem?.message).toContain('Unlock')
    expect(await ask(refused, 'events.append', { events: batch(20) })).toBe('read_only')
    expect(await ask(refused, 'records.open', { query: '' })).toMatchObject({ count: 20 })
    await refused.stop('quit')
    expect(keyring()).toEqual(before)

    const back = await start(works)
    expect(back.status()).toMatchObject({ state: 'open', problem: null })
    expect(await ask(back, 'records.open', { query: 'answer' })).toMatchObject({ count: 20 })
    await back.stop('quit')
  })

  it('that stops answering while a workspace is open changes nothing half: no protection, no key, no record is lost', async () => {
    root = mkdtempSync(join(tmpdir(), 'affidavit-faults-'))
    const store = { answers: true }
    const moody: OsKeyStore = {
      wrap: (text) => (store.answers ? works.wrap(text) : refusal()),
      unwrap: (wrapped) => (store.answers ? works.unwrap(wrapped) : refusal())
    }
    const engine = await start(moody)
    const caller = { actor: { ref: 'local', kind: 'human' }, via: 'ipc' } as const
    const call = async (op: 'keys.protect' | 'keys.rotate' | 'jobs.get' | 'keys.report', input: object) => {
      const reply = await engine.router.call(op, input, caller)
      return (reply.ok ? reply.value : reply.error) as Record<string, unknown>
    }
    const keyring = () =>
      readdirSync(join(root, 'state'))
        .filter((name) => name.startsWith('keyring-'))
        .map((name) => readFileSync(join(root, 'state', name), 'utf8'))
    expect(await ask(engine, 'events.append', { events: batch(0) })).toMatchObject({ accepted: 20 })
    const before = keyring()
    store.answers = false
    // A new key-encryption key that cannot be kept is not used.
    const { job_id } = await call('keys.rotate', { use: 'key-encryption' })
    await vi.waitFor(async () =>
      expect(await call('jobs.get', { id: job_id })).toMatchObject({ state: 'failed', error: { code: 'keys_unavailable' } })
    )
    expect(keyring()).toEqual(before)
    // Recording goes on: the keys are in memory.
    expect(await ask(engine, 'events.append', { events: batch(20) })).toMatchObject({ accepted: 20 })
    // To a passphrase it goes without the store; back it does not, and the passphrase stays.
    expect(await call('keys.protect', { protection: 'passphrase', passphrase: 'velvet orchard lamp' })).toMatchObject({
      protection: 'passphrase'
    })
    const sealed = keyring()
    expect(await call('keys.protect', { protection: 'safe-storage' })).toMatchObject({ code: 'keys_unavailable' })
    expect(await call('keys.report', {})).toMatchObject({ protection: 'passphrase' })
    expect(keyring()).toEqual(sealed)
    store.answers = true
    expect(await call('keys.protect', { protection: 'safe-storage' })).toMatchObject({ protection: 'safe-storage' })
    await engine.stop('quit')
    const again = await start(moody)
    expect(again.status()).toMatchObject({ state: 'open', keys: { protection: 'safe-storage' } })
    expect(await ask(again, 'records.open', { query: 'answer' })).toMatchObject({ count: 40 })
    await again.stop('quit')
  })
})
