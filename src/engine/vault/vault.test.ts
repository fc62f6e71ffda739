// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { LeafDraft } from '../ledger/draft.ts'
import { drainWal } from '../sqlite/long-write.ts'
import { openReadable } from '../sqlite/open.ts'
import { rawRecord, type TestEngine, testEngine } from '../test/test-engine.ts'
import { drafts, recordDraft, type TestFolder, testFolder, writerOf } from '../workspace/test-workspace.ts'
import type { OpenWorkspace } from '../workspace/workspace.ts'
import { PayloadReader } from './payload-reader.ts'
import { Vault } from './vault.ts'

// Whole engines, on a machine that may do other work.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 })

let folder: TestFolder
let workspace: OpenWorkspace
beforeEach(async () => {
  folder = testFolder()
  workspace = await folder.open()
})
afterEach(() => {
  workspace.close()
  folder.remove()
})

const vaultOf = (
  open: OpenWorkspace,
  more: { readonly append?: (drafts: readonly LeafDraft[]) => Promise<never>; readonly beforeDestroy?: () => Promise<void> } = {}
) =>
  new Vault({
    keys: open.keysDb,
    holder: open.keyHolder,
    identity: open.identity,
    ledger: writerOf(open),
    append: more.append ?? ((leaves) => writerOf(open).append(leaves)),
    onKeks: () => {},
    drain: async () => drainWal(open.paths.keys),
    ...(more.beforeDestroy ? { beforeDestroy: more.beforeDestroy } : {})
  })

const readerOf = (open: OpenWorkspace) =>
  new PayloadReader(openReadable(open.paths.ledger), openReadable(open.paths.keys), open.identity.keks)
const kekIds = (open: OpenWorkspace) => open.keysDb.prepare<[], string>('SELECT DISTINCT kek_id FROM key_block').pluck().all()
const blocks = (open: OpenWorkspace) =>
  open.keysDb.prepare<[], { first_seq: number; count: number }>('SELECT first_seq, count FROM key_block ORDER BY first_seq').all()
const typesOf = (open: OpenWorkspace) =>
  open.ledgerDb
    .prepare<[], Buffer>('SELECT bytes FROM leaf ORDER BY seq')
    .pluck()
    .all()
    .map(
      (bytes) =>
        JSON.parse(bytes.toString('utf8')) as {
          type: string
          actor: { ref: string; kind: string }
          data?: { key_id?: string; approval?: string }
        }
    )
const actorsOf = (open: OpenWorkspace) =>
  typesOf(open)
    .filter(({ type }) => type.startsWith('key.'))
    .map(({ type, actor }) => [type, actor] as const)
/** Whether a file of the state folder holds this key in any of the forms it is written in. */
const held = (key: Uint8Array) =>
  readdirSync(folder.state).some((name) => {
    const text = readFileSync(join(folder.state, name), 'latin1')
    const inner = [text, ...[...text.matchAll(/[A-Za-z0-9+/=]{40,}/g)].map(([run]) => Buffer.from(run, 'base64').toString('latin1'))]
    return inner.some((one) => one.includes(Buffer.from(key).toString('base64')))
  })
const reopen = async () => {
  await writerOf(workspace).close()
  workspace.close()
  workspace = await folder.open()
}

describe('a change of the key-encryption key', () => {
  it('rewrites every block, merges neighbours, destroys the old key and leaves two leaves', async () => {
    const ledger = writerOf(workspace)
    for (let i = 0; i < 70; i++) await ledger.append([recordDraft(i)])
    const old = workspace.identity.kek
    const result = await vaultOf(workspace).rewrapVault({})
    expect(result).toMatchObject({ destroyed: [old.id], dropped: 0, damaged: 0 })
    expect(kekIds(workspace)).toEqual([result.kek_id])
    expect(blocks(workspace).length).toBeLessThan(20)
    const reader = readerOf(workspace)
    for (let seq = 0; seq < 70; seq++) expect(reader.open(seq).state).toBe('present')
    expect(workspace.keyHolder.ring.keks.map((kek) => kek.id)).toEqual([result.kek_id])
    const leaves = typesOf(workspace).filter(({ type }) => type.startsWith('key.'))
    expect(leaves).toMatchObject([
      { type: 'key.added', data: { key_id: result.kek_id, use: 'key-encryption' } },
      { type: 'key.retired', data: { key_id: old.id } }
    ])
    await reopen()
    expect(workspace.start.problem).toBeUndefined()
    expect(readerOf(workspace).open(66).state).toBe('present')
    await writerOf(workspace).append(drafts(500, 3))
    expect(kekIds(workspace)).toEqual([result.kek_id])
  })

  it('destroys the keys of the named leaves and no others; asked again it changes nothing', async () => {
    const ledger = writerOf(workspace)
    await ledger.append(drafts(0, 200))
    const dropSeqs = [3, 64, 65, 199]
    const first = await vaultOf(workspace).rewrapVault({ dropSeqs })
    expect(first.dropped).toBe(4)
    const reader = readerOf(workspace)
    for (let seq = 0; seq < 200; seq++) expect(reader.open(seq).state, `leaf ${seq}`).toBe(dropSeqs.includes(seq) ? 'erased' : 'present')
    const again = await vaultOf(workspace).rewrapVault({ dropSeqs })
    expect(again).toMatchObject({ kek_id: first.kek_id, destroyed: [], dropped: 0, blocks: 0 })
    const none = await vaultOf(workspace).rewrapVault({ dropSeqs: [] })
    expect(none).toMatchObject({ kek_id: first.kek_id, destroyed: [], blocks: 0 })
  })

  it('leaves no trace of the old key in any file of the state folder, nor an old block in the files of the vault', async () => {
    await writerOf(workspace).append(drafts(0, 100))
    const old = workspace.identity.kek
    expect(held(old.key)).toBe(true)
    const before = workspace.keysDb.prepare<[], Buffer>('SELECT ct FROM key_block').pluck().all()
    await vaultOf(workspace).rewrapVault({ dropSeqs: [5] })
    expect(held(old.key)).toBe(false)
    expect(held(workspace.identity.kek.key)).toBe(true)
    for (const suffix of ['', '-wal']) {
      const bytes = readFileSync(workspace.paths.keys + suffix)
      for (const ct of before) expect(bytes.includes(ct.subarray(0, 64))).toBe(false)
    }
  })

  it('goes on after an end at each step: nothing of the rest is lost, the named keys are gone, one key remains', async () => {
    await writerOf(workspace).append(drafts(0, 130))
    const crash = new Error('the process ends here')
    const steps: ((vault: OpenWorkspace) => Promise<unknown>)[] = [
      // After the new key is stored, before its leaf.
      (open) => vaultOf(open, { append: () => Promise.reject(crash) }).rewrapVault({ dropSeqs: [7, 100] }),
      // All blocks rewritten, the old key still there.
      (open) => vaultOf(open, { beforeDestroy: () => Promise.reject(crash) }).rewrapVault({ dropSeqs: [7, 100] })
    ]
    for (const step of steps) {
      await expect(step(workspace)).rejects.toBe(crash)
      expect(workspace.keyHolder.ring.keks).toHaveLength(2)
      await reopen()
      expect(workspace.start.problem).toBeUndefined()
      expect(readerOf(workspace).open(8).state).toBe('present')
      // The start itself does not finish an erasure: whoever began it does.
      await vaultOf(workspace).resume()
      expect(workspace.keyHolder.ring.keks).toHaveLength(2)
    }
    // A part of the blocks under each key.
    const some = workspace.keysDb.prepare<[], string>('SELECT kek_id FROM key_block').pluck().all()
    expect(some.length).toBeGreaterThan(0)
    const result = await vaultOf(workspace).rewrapVault({ dropSeqs: [7, 100] })
    expect(result.destroyed).toHaveLength(1)
    expect(kekIds(workspace)).toEqual([result.kek_id])
    const reader = readerOf(workspace)
    for (let seq = 0; seq < 130; seq++) expect(reader.open(seq).state).toBe(seq === 7 || seq === 100 ? 'erased' : 'present')
    const added = typesOf(workspace).filter(({ type }) => type === 'key.added')
    expect(added).toHaveLength(1)
    expect(typesOf(workspace).filter(({ type }) => type === 'key.retired')).toHaveLength(1)
  })

  it('that a person began is theirs to its end, also when it goes on after an end of the process', async () => {
    await writerOf(workspace).append(drafts(0, 5))
    const crash = new Error('the process ends here')
    const by = { ref: 'u-1', kind: 'human' } as const
    const approval = '8d9f2f2c-6f3a-4a53-9d6b-0d8b3f6a2f11'
    await expect(vaultOf(workspace, { beforeDestroy: () => Promise.reject(crash) }).rewrapVault({ by, approval })).rejects.toBe(crash)
    await reopen()
    await vaultOf(workspace).resume()
    expect(workspace.keyHolder.ring).not.toHaveProperty('rewrap_approval')
    expect(
      typesOf(workspace)
        .filter(({ type }) => type.startsWith('key.'))
        .map(({ data }) => data?.approval)
    ).toEqual([approval, approval])
    expect(actorsOf(workspace)).toEqual([
      ['key.added', by],
      ['key.retired', by]
    ])
    await vaultOf(workspace).rewrapVault({})
    expect(
      actorsOf(workspace)
        .slice(2)
        .map(([, actor]) => actor.ref)
    ).toEqual(['engine', 'engine'])
  })

  it('an erasure after an interrupted rotation takes a third key: the second one wrapped what has to go', async () => {
    await writerOf(workspace).append(drafts(0, 90))
    await expect(vaultOf(workspace, { beforeDestroy: () => Promise.reject(new Error('end')) }).rewrapVault({})).rejects.toThrow('end')
    const second = workspace.identity.kek.id
    await reopen()
    const result = await vaultOf(workspace).rewrapVault({ dropSeqs: [10] })
    expect(result.destroyed).toContain(second)
    expect(result.destroyed).toHaveLength(2)
    expect(readerOf(workspace).open(10).state).toBe('erased')
    expect(readerOf(workspace).open(11).state).toBe('present')
  })

  it('a rotation that was interrupted is finished at the next start', async () => {
    await writerOf(workspace).append(drafts(0, 10))
    await expect(vaultOf(workspace, { beforeDestroy: () => Promise.reject(new Error('end')) }).rewrapVault({})).rejects.toThrow('end')
    await reopen()
    await vaultOf(workspace).resume()
    expect(workspace.keyHolder.ring.keks).toHaveLength(1)
    expect(workspace.keyHolder.ring.rewrap).toBeUndefined()
    expect(kekIds(workspace)).toEqual([workspace.identity.kek.id])
  })

  it('lets appends through while it works, and keeps a damaged block as it is', async () => {
    const ledger = writerOf(workspace)
    await ledger.append(drafts(0, 400))
    workspace.keysDb.prepare('UPDATE key_block SET ct = zeroblob(length(ct)) WHERE first_seq = 64').run()
    const done = vaultOf(workspace).rewrapVault({})
    const appended = await Promise.all(Array.from({ length: 30 }, (_, i) => ledger.append([recordDraft(1000 + i)])))
    const result = await done
    expect(result.damaged).toBe(1)
    const reader = readerOf(workspace)
    for (const [one] of appended) expect(one?.kind === 'appended' && reader.open(one.seq).state).toBe('present')
    expect(reader.open(63).state).toBe('present')
    expect(reader.open(64).state).toBe('missing')
    expect(blocks(workspace).some((block) => block.first_seq === 64 && block.count === 64)).toBe(true)
  })
})

describe('idle maintenance', () => {
  it('merges small neighbouring blocks to at most 64 keys, in any number of goes, and changes nothing of what opens', async () => {
    const ledger = writerOf(workspace)
    const one = async (from: number, n: number) => {
      for (let i = 0; i < n; i++) await ledger.append([recordDraft(from + i)])
    }
    await one(0, 100)
    const vault = vaultOf(workspace)
    // A person waits: it stops after its first turn, and goes on the next time.
    await vault.merge(() => false)
    await vault.merge(() => true)
    const counts = () => blocks(workspace).map((block) => block.count)
    expect(counts()).toEqual([64, 36])
    await one(100, 40)
    workspace.keysDb.prepare('UPDATE key_block SET ct = zeroblob(length(ct)) WHERE first_seq = 137').run()
    const [appended] = await Promise.all([ledger.append([recordDraft(140)]), vault.merge(() => true)])
    expect(appended).toHaveLength(1)
    await vault.merge(() => true)
    expect(counts().reduce((sum, n) => sum + n, 0)).toBe(141)
    expect(Math.max(...counts())).toBe(64)
    const reader = readerOf(workspace)
    for (let seq = 0; seq < 141; seq++) expect(reader.open(seq).state).toBe(seq === 137 ? 'missing' : 'present')
    // What was destroyed stays destroyed.
    await vault.rewrapVault({ dropSeqs: [7] })
    await one(141, 3)
    await vault.merge(() => true)
    const after = readerOf(workspace)
    expect([after.open(7).state, after.open(8).state, after.open(145).state]).toEqual(['erased', 'present', 'present'])
    await reopen()
    expect(workspace.start.problem).toBeUndefined()
  })
})

describe('in a running engine', () => {
  let test: TestEngine
  beforeEach(async () => {
    test = await testEngine({ servers: true })
  })
  afterEach(async () => {
    await test.remove()
  })

  it('a verification that runs meanwhile finds nothing damaged', async () => {
    await test.call('events.append', { events: Array.from({ length: 400 }, (_, n) => rawRecord(n)) })
    for (const use of ['key-encryption', 'log', 'export'] as const) {
      const { job_id } = await test.call('verify.workspace', {})
      const rotation = await test.call('keys.rotate', { use })
      expect((await test.job(rotation.job_id)).error).toBeNull()
      expect((await test.job(job_id)).error).toBeNull()
      const { verdict, faults } = await test.call('verify.workspace_report', { job_id })
      expect([use, verdict, faults]).toEqual([use, 'intact', []])
    }
  })

  it('threads open what was recorded before, during and after, without a restart; the report names the new key', async () => {
    const { url } = test.engine.status().endpoints.compliance
    const post = (from: number, count: number) =>
      fetch(`${url}/api/compliance/events`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(Array.from({ length: count }, (_, i) => rawRecord(from + i)))
      })
    await post(0, 50)
    const before = await test.call('keys.report', {})
    const { job_id } = await test.call('keys.rotate', { use: 'key-encryption' })
    await post(50, 50)
    expect((await test.job(job_id)).state).toBe('done')
    await post(100, 50)
    const after = await test.call('keys.report', {})
    const kek = (report: typeof before) => report.keys.filter((key) => key.use === 'key-encryption').map((key) => key.id)
    expect(kek(after)).toHaveLength(1)
    expect(kek(after)).not.toEqual(kek(before))
    const { job_id: verify } = await test.call('verify.workspace', {})
    await test.job(verify)
    const report = await test.call('verify.workspace_report', { job_id: verify })
    expect(report).toMatchObject({ verdict: 'intact', faults: [] })
    expect(report.checked.payloads).toBeGreaterThanOrEqual(150)
    const { entries } = await test.call('activity.list', { kind: 'setting' })
    expect(entries.filter((one) => one.type.startsWith('key.')).map((one) => [one.type, one.actor])).toEqual([
      ['key.retired', 'local'],
      ['key.added', 'local']
    ])
    expect(await test.codeOf('keys.rotate', { use: 'nonsense' })).toBe('bad_request')
  })
})
