// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process'
import { appendFileSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { KeyMemory } from '../../node/confirmed-keys.ts'
import { verifyBundleFile } from '../../node/verify-file.ts'
import { makeAuthority, serveAuthority } from '../anchors/test-authority.ts'
import { engineEnvironment } from '../config.ts'
import { rawRecord, type TestEngine, testEngine } from '../test/test-engine.ts'
import { recordDraft, type TestFolder, testFolder, writerOf } from '../workspace/test-workspace.ts'
import { type OpenWorkspace, openWorkspace } from '../workspace/workspace.ts'
import { readPassphrase } from './key-file.ts'
import { SigningKeys } from './signing-keys.ts'

// Whole engines, on a machine that may do other work.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 })

describe('a change of the log and export keys', () => {
  let test: TestEngine
  let first: string
  beforeEach(async () => {
    test = await testEngine({ servers: true })
    await post(1)
    first = await exported('first')
  })
  afterEach(async () => {
    await test.remove()
  })
  const post = (n: number) =>
    fetch(`${test.engine.status().endpoints.compliance.url}/api/compliance/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify([rawRecord(n)])
    })
  const exported = async (name: string, at?: number): Promise<string> => {
    const out = join(test.root, `${name}.affidavit.zip`)
    const more = at === undefined ? {} : { at }
    const { job_id } = await test.call('export.start', { recipient: 'Examiner', purpose: 'Test', out, replace: true, ...more })
    expect((await test.job(job_id)).error).toBeNull()
    return out
  }
  const verified = async (path: string, trust: string) => {
    const { job_id } = await test.call('verify.file', { path, trust })
    await test.job(job_id)
    return test.call('verify.report', { job_id })
  }
  const unpack = (zip: string) => {
    const folder = zip.replace('.affidavit.zip', '')
    execFileSync('unzip', ['-q', '-o', zip, '-d', folder])
    return folder
  }
  const shell = (folder: string, trust: string) => {
    try {
      return execFileSync('sh', ['verify.sh', trust], { cwd: folder, encoding: 'utf8' })
    } catch (error) {
      return (error as { stdout: string }).stdout
    }
  }
  /** What an export of a tree of this size is refused with, in the preview as well, and the size that it names instead. */
  const refusedAt = async (at: number) => {
    const asked = { recipient: 'Examiner', purpose: 'Test', out: join(test.root, 'refused.zip'), at }
    const { error } = await test.job((await test.call('export.start', asked)).job_id)
    expect(error?.code).toBe('bad_request')
    expect(await test.codeOf('export.preview', { query: '', at })).toBe('bad_request')
    return { at: error?.message ?? '', told: Number(/at (\d+) leaves or more/.exec(error?.message ?? '')?.[1]) }
  }
  const rotate = async (use: 'log' | 'export') => {
    const { job_id } = await test.call('keys.rotate', { use })
    expect((await test.job(job_id)).error).toBeNull()
  }
  const trustOf = (zip: string, name: string) => {
    const trust = join(test.root, name)
    cpSync(join(unpack(zip), 'trust'), trust, { recursive: true })
    return trust
  }

  it('keeps the name of the log; who knows a first key follows to the present one, in the app and in the shell', async () => {
    const origin = (await test.call('keys.report', {})).origin
    const trust = trustOf(first, 'trust')
    const size = (await verified(first, trust)).bundle.size ?? 0
    await rotate('log')
    // A bundle of the tree before the change is signed by the key of then, and holds by the key of then.
    expect((await verified(await exported('earlier', size), trust)).verdict).toBe('valid')
    await rotate('export')
    // That tree has no leaf that leads to the export key in use: nobody who knows the one before could follow.
    await exported('now')
    const { at, told } = await refusedAt(size)
    expect(told).toBeGreaterThan(size)
    expect((await test.call('export.preview', { query: '', at: told })).size).toBe(told)
    expect(at).toContain('does not yet name the export key in use')
    expect((await verified(await exported('enough', told), trust)).verdict).toBe('valid')
    await rotate('log')
    await post(2)
    const second = await exported('second')
    const report = await verified(second, trust)
    expect(report.steps.flatMap((step) => step.reasons)).toEqual([])
    expect(report.verdict).toBe('valid')
    expect(report.bundle.origin).toBe(origin)
    const folder = unpack(second)
    expect(readFileSync(join(folder, 'trust/log.vkey'), 'utf8')).not.toBe(readFileSync(join(trust, 'log.vkey'), 'utf8'))
    expect(shell(folder, trust)).toMatch(/\nvalid\n$/)
    const { keys, history } = await test.call('keys.report', {})
    expect(keys.filter((key) => key.use === 'log').map((key) => key.state)).toEqual(['in_use', 'retired', 'retired'])
    expect(history.map((event) => event.what)).toEqual(['added', 'retired', 'added', 'retired', 'added', 'retired'])
    // The workspace itself, its earlier checkpoints included, and after a restart.
    await test.restart()
    const { job_id } = await test.call('verify.workspace', {})
    await test.job(job_id)
    expect(await test.call('verify.workspace_report', { job_id })).toMatchObject({ verdict: 'intact', faults: [] })
    expect((await test.call('records.proof', { seq: 1 })).verdict).toBe('verified')
  })

  it('a timestamp by way of a later log key is left out of a bundle of the tree before the change', async () => {
    const trust = trustOf(first, 'trust')
    const size = (await verified(first, trust)).bundle.size ?? 0
    await rotate('log')
    const files = makeAuthority()
    const authority = await serveAuthority(files)
    try {
      writeFileSync(join(test.root, 'ca.pem'), files.ca)
      await test.call('settings.set', { tsa_url: authority.url, tsa_every_minutes: 0 })
      await test.call('anchors.trust_authority', { path: join(test.root, 'ca.pem') })
      await test.call('anchors.now', {})
      const states = async (zip: string) => {
        const { verdict, steps } = await verified(zip, trust)
        return [verdict, steps[3]?.state, shell(unpack(zip), trust).trim().split('\n').at(-1)]
      }
      expect(await states(await exported('before', size))).toEqual(['valid', 'absent', 'valid'])
      expect(await states(await exported('after'))).toEqual(['valid', 'pass', 'valid'])
    } finally {
      await authority.close()
      files.remove()
    }
  })

  it('keys that were confirmed at a later bundle make an earlier one unconfirmed, not invalid, and both can be confirmed', async () => {
    await rotate('log')
    await rotate('export')
    const second = await exported('second')
    const memory = join(test.root, 'memory')
    mkdirSync(memory)
    const origin = (await test.call('keys.report', {})).origin
    const confirm = (zip: string) => {
      const [log_vkey, allowed_signers] = ['log.vkey', 'allowed_signers'].map((name) =>
        readFileSync(join(unpack(zip), 'trust', name), 'utf8')
      )
      const keys = { log_vkey: log_vkey ?? '', allowed_signers: allowed_signers ?? '' }
      new KeyMemory(memory).confirm(origin, { ...keys, time: new Date().toISOString(), how: 'telephone' })
    }
    confirm(second)
    expect((await verifyBundleFile(second, { memory })).verdict).toBe('valid')
    const report = await verifyBundleFile(first, { memory })
    expect(report.verdict).toBe('consistent, signer not confirmed')
    expect(report.rests_on[0]).toContain('Other keys were confirmed on this machine')
    // Keys that are given for this verification stay strict.
    expect((await verifyBundleFile(first, { memory, trust: join(unpack(second), 'trust') })).verdict).toBe('invalid')
    confirm(first)
    for (const zip of [first, second]) expect((await verifyBundleFile(zip, { memory })).verdict).toBe('valid')
  })

  it('a link that the key before did not sign leads nowhere: app and shell refuse', async () => {
    const trust = trustOf(first, 'trust')
    await rotate('log')
    await post(2)
    const second = await exported('second')
    const folder = unpack(second)
    const changed = readFileSync(join(folder, 'proof/keys.jsonl'), 'utf8').replace(
      /"signature":"(.)/,
      (_, char: string) => `"signature":"${char === 'A' ? 'B' : 'A'}`
    )
    writeFileSync(join(folder, 'proof/keys.jsonl'), changed)
    const out = shell(folder, trust)
    expect(out).toContain('log_not_trusted')
    expect(out).toMatch(/\ninvalid\n$/)
    // A key that was never before it.
    const other = join(test.root, 'other')
    cpSync(trust, other, { recursive: true })
    const vkey = readFileSync(join(other, 'log.vkey'), 'utf8')
    writeFileSync(join(other, 'log.vkey'), vkey.replace(/\+[^+]*\n$/, '+ATl9oFCzjlLrGR2PJ7rHk1MvLyFyGYt1m8a8f1bVZHq0\n'))
    expect((await verified(second, other)).steps[2]?.reasons.map((one) => one.code)).toContain('log_not_trusted')
    // Both keys in one list: the later one is confirmed by itself.
    appendFileSync(join(other, 'log.vkey'), readFileSync(join(folder, 'trust/log.vkey')))
    expect((await verified(second, other)).steps[2]?.reasons).toEqual([])
  })

  it('a revoked key is replaced, named in the report with its reason, and refused by verifiers that see the leaf', async () => {
    const trust = trustOf(first, 'trust')
    const before = await test.call('keys.report', {})
    const id = before.keys.find((key) => key.use === 'export')?.id ?? ''
    const after = await test.call('keys.revoke', { key_id: id, reason: 'A copy was found elsewhere' })
    expect(after.keys.find((key) => key.id === id)).toMatchObject({ state: 'revoked', revoked: { reason: 'A copy was found elsewhere' } })
    expect(after.keys.find((key) => key.use === 'export')?.state).toBe('in_use')
    expect(await test.codeOf('keys.revoke', { key_id: id, reason: 'again' })).toBe('conflict')
    expect(await test.codeOf('keys.revoke', { key_id: '00000000', reason: 'none' })).toBe('not_found')
    expect(await test.codeOf('keys.revoke', { key_id: 'x', reason: '' })).toBe('bad_request')
    await post(2)
    const second = await exported('second')
    expect((await verified(second, trust)).verdict).toBe('valid')
    // Whoever leaves the leaf out is still found by those who saw it: the bundle of before has no leaf of keys.
    const seen = await verified(first, trust)
    expect(seen.verdict).toBe('invalid')
    expect(seen.steps.flatMap((step) => step.reasons.map((reason) => `${step.number} ${reason.code}`))).toEqual(['1 key_revoked'])
    expect(seen.steps[0]?.reasons[0]?.message).toContain('as was seen before')
    // A signature by the revoked key is refused for that reason where the leaf is at hand.
    const folder = unpack(first)
    cpSync(join(unpack(second), 'proof/keys.jsonl'), join(folder, 'proof/keys.jsonl'))
    expect(shell(folder, trust)).toMatch(/key_revoked: signed by a key revoked at leaf \d+/)
    expect(JSON.stringify(after)).not.toContain('seed')
  })

  it('the report is written as HTML and JSON, and not over a file', async () => {
    const out = join(test.root, 'keys.html')
    await test.call('keys.save_report', { out, format: 'html' })
    const html = readFileSync(out, 'utf8')
    expect(html).toContain('Key report')
    expect(html).not.toContain('<script')
    expect(await test.codeOf('keys.save_report', { out, format: 'html' })).toBe('file_exists')
    await test.call('keys.save_report', { out, format: 'json', replace: true })
    expect(JSON.parse(readFileSync(out, 'utf8'))).toMatchObject({ protection: 'key-file' })
    const { entries } = await test.call('activity.list', { kind: 'export' })
    expect(entries.slice(0, 2).map((one) => [one.actor, one.what, one.data.kind])).toEqual(
      Array(2).fill(['local', 'saved the key report', 'key_report'])
    )
    expect(await test.codeOf('keys.save_report', { out: join(test.root, 'no', 'such', 'x'), format: 'json' })).toBe('file_unreadable')
    expect(await test.codeOf('keys.save_report', { out, format: 'pdf' })).toBe('bad_request')
  })
})

describe('a crash in a change of a signing key', () => {
  let folder: TestFolder
  let workspace: OpenWorkspace
  beforeEach(async () => {
    folder = testFolder()
    workspace = await folder.open()
    await writerOf(workspace).append([recordDraft(1)])
  })
  afterEach(() => {
    workspace.close()
    folder.remove()
  })
  const signingOf = (
    open: OpenWorkspace,
    append = (drafts: Parameters<ReturnType<typeof writerOf>['append']>[0]) => writerOf(open).append(drafts)
  ) =>
    new SigningKeys({
      holder: open.keyHolder,
      identity: open.identity,
      ledgerSize: () => writerOf(open).size,
      append,
      checkpoint: async () => null
    })
  const added = () =>
    workspace.ledgerDb
      .prepare<[], Buffer>('SELECT bytes FROM leaf ORDER BY seq')
      .pluck()
      .all()
      .filter((bytes) => bytes.includes('"type":"key.added"')).length

  it.each(['before the leaf is on disk', 'after it, before the key takes over'])('%s is made up for', async (when) => {
    const { origin } = workspace.identity
    const old = Buffer.from(workspace.identity.log.publicKey)
    const crash = new Error('the process ends here')
    await expect(
      signingOf(workspace, async (drafts) => {
        if (when.startsWith('after')) await writerOf(workspace).append(drafts)
        throw crash
      }).rotate('log', { ref: 'a', kind: 'human' })
    ).rejects.toBe(crash)
    expect(Buffer.from(workspace.identity.log.publicKey).equals(old)).toBe(true)
    await writerOf(workspace).close()
    workspace.close()
    workspace = await folder.open()
    expect(workspace.start.problem).toBeUndefined()
    await signingOf(workspace).resume()
    expect(workspace.identity.origin).toBe(origin)
    expect(Buffer.from(workspace.identity.log.publicKey).equals(old)).toBe(false)
    expect(workspace.identity.publicKeys('log').map((key) => Buffer.from(key).toString('hex'))).toContain(old.toString('hex'))
    expect(added()).toBe(1)
    expect(workspace.keyHolder.ring.next).toBeUndefined()
    await signingOf(workspace).resume()
    expect(added()).toBe(1)
  })
})

describe('the protection of the keys', () => {
  it('changes to a passphrase, to another one and back; the one before opens nothing then', async () => {
    const folder = testFolder()
    const file = (name: string, text: string) => {
      mkdirSync(folder.state, { recursive: true })
      writeFileSync(join(folder.state, name), text)
      return join(folder.state, name)
    }
    const [one, two] = [file('one', 'a long passphrase\n'), file('two', 'another passphrase\n')]
    const config = {
      workspace: folder.workspace,
      state: folder.state,
      compliance: null,
      drift: null,
      appVersion: '0.1.0',
      keyProtection: 'file'
    } as const
    const opened = (passphrase?: string) =>
      openWorkspace(config, engineEnvironment(passphrase ? { AFFIDAVIT_PASSPHRASE_FILE: passphrase } : {}), null)
    const first = await opened()
    await first.keyHolder.protect({ protection: 'passphrase', passphrase: readPassphrase(one) })
    // A change of the ring keeps the protection, and needs no passphrase.
    await first.keyHolder.update((ring) => ({ ...ring, past: [] }))
    await first.keyHolder.protect({ protection: 'passphrase', passphrase: readPassphrase(two) })
    const { origin } = first.identity
    first.close()
    await expect(opened()).rejects.toMatchObject({ code: 'keys_unavailable', details: { passphrase: 'needed' } })
    await expect(opened(one)).rejects.toMatchObject({ code: 'keys_unavailable', details: { passphrase: 'wrong' } })
    // Typed: it counts before a file.
    const typed = (more: object) => openWorkspace({ ...config, ...more }, engineEnvironment({ AFFIDAVIT_PASSPHRASE_FILE: one }), null)
    await expect(typed({ passphrase: 'a long passphrase' })).rejects.toMatchObject({ details: { passphrase: 'wrong' } })
    const opening = await typed({ passphrase: 'another passphrase' })
    await opening.ledger?.append([recordDraft(1)])
    await opening.ledger?.close()
    opening.close()
    const closed = await typed({ withoutKeys: true })
    expect(closed.start.problem).toMatchObject({ code: 'keys_missing', message: expect.stringContaining('was not given') })
    expect(closed.ledger).toBeNull()
    expect(closed.identity.protection).toBe('missing')
    closed.close()
    const second = await opened(two)
    expect(second.identity.origin).toBe(origin)
    await second.keyHolder.protect({ protection: 'key-file' })
    second.close()
    const third = await opened()
    expect(third.identity.protection).toBe('key-file')
    third.close()
    folder.remove()
  }, 60_000)

  it('is an operation that is recorded, with refusals for what is not here', async () => {
    const test = await testEngine()
    const short = join(test.root, 'short')
    writeFileSync(short, 'short')
    expect(await test.codeOf('keys.protect', { protection: 'passphrase', passphrase_file: short })).toBe('keys_unavailable')
    expect(await test.codeOf('keys.protect', { protection: 'safe-storage' })).toBe('keys_unavailable')
    expect(await test.codeOf('keys.protect', { protection: 'none' })).toBe('bad_request')
    writeFileSync(short, 'long enough')
    expect((await test.call('keys.protect', { protection: 'passphrase', passphrase_file: short })).protection).toBe('passphrase')
    expect((await test.call('workspace.status', {})).keys.protection).toBe('passphrase')
    await test.remove()
  }, 60_000)

  it('takes a typed passphrase, says so to whoever starts the engine, and leaves it in no file', async () => {
    let typed: string | null = null
    const test = await testEngine({ onPassphrase: (passphrase) => (typed = passphrase), passphrase: () => typed })
    const refused = ['too short', `a line\nand another`, `with half a pair \ud800 in it`, 'x'.repeat(1025)]
    for (const passphrase of refused)
      expect(await test.codeOf('keys.protect', { protection: 'passphrase', passphrase })).toBe('bad_request')
    const both = { protection: 'passphrase', passphrase: 'velvet orchard lamp', passphrase_file: join(test.root, 'x') }
    expect(await test.codeOf('keys.protect', both)).toBe('bad_request')
    const operator = await test.as('operator')
    const input = { protection: 'passphrase', passphrase: 'velvet orchard lamp' } as const
    expect(await operator.codeOf('keys.protect', input)).toBe('forbidden')
    expect(typed).toBeNull()

    const administrator = await test.as('administrator')
    expect((await administrator.call('keys.protect', input)).protection).toBe('passphrase')
    expect(typed).toBe('velvet orchard lamp')
    await administrator.call('events.append', { events: [rawRecord(1)] })
    await test.restart()
    expect(await test.call('workspace.status', {})).toMatchObject({ state: 'open', keys: { protection: 'passphrase' } })
    const { entries } = await administrator.call('activity.list', {})
    const changed = entries.find((entry) => entry.type === 'setting.changed')
    expect(changed?.actor).toBe(administrator.ref)
    expect(JSON.stringify(changed)).toContain('passphrase')
    expect(() => execFileSync('grep', ['-r', '-l', 'velvet orchard', test.root])).toThrow()

    // A test restore uses the keys as they are open, not the passphrase that the engine was started with.
    expect((await administrator.call('keys.protect', { ...input, passphrase: 'another velvet lamp' })).protection).toBe('passphrase')
    const backups = join(test.root, 'backups')
    mkdirSync(backups)
    expect((await test.job((await administrator.call('backup.start', { folder: backups })).job_id)).error).toBeNull()
    const [made] = (await administrator.call('backup.inspect', { path: backups })).backups
    const { job_id } = await administrator.call('backup.drill', { path: made?.path ?? '' })
    expect((await test.job(job_id)).error).toBeNull()
    expect((await administrator.call('keys.protect', { protection: 'key-file' })).protection).toBe('key-file')
    expect(typed).toBeNull()
    await test.restart()
    expect((await test.call('workspace.status', {})).keys.protection).toBe('key-file')
    await test.remove()
  })
})
