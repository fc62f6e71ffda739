// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { equalBytes, fromBase64 } from '../../shared/evidence/bytes.ts'
import { verifyCommitment } from '../../shared/evidence/commitment.ts'
import { jcs } from '../../shared/evidence/jcs.ts'
import { parseLeaf } from '../../shared/evidence/leaf.ts'
import { leafHash, rootAt, rootOf } from '../../shared/evidence/merkle.ts'
import { sha256 } from '../crypto.ts'
import { openReadable } from '../sqlite/open.ts'
import { PayloadReader } from '../vault/payload-reader.ts'
import { drafts, recordDraft, type TestFolder, testFolder, writerOf } from '../workspace/test-workspace.ts'
import type { OpenWorkspace } from '../workspace/workspace.ts'
import { nodeReader } from './store.ts'

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

const leafTexts = (): string[] =>
  workspace.ledgerDb
    .prepare<[], Buffer>('SELECT bytes FROM leaf ORDER BY seq')
    .pluck()
    .all()
    .map((bytes) => bytes.toString('utf8'))

describe('Ledger', () => {
  it('writes leaves that are canonical, valid under the schema and in the tree', async () => {
    const results = await writerOf(workspace).append(drafts(0, 130))
    expect(results.map((result) => result.seq)).toEqual(Array.from({ length: 130 }, (_, i) => i))
    const texts = leafTexts()
    for (const text of texts) {
      const parsed = parseLeaf(text, jcs)
      expect(parsed.ok ? 'ok' : parsed.problem).toBe('ok')
    }
    const expected = rootOf(
      sha256,
      texts.map((text) => leafHash(sha256, Buffer.from(text)))
    )
    expect(equalBytes(writerOf(workspace).tree().root, expected)).toBe(true)
    expect(equalBytes(rootAt(sha256, 130, nodeReader(workspace.ledgerDb)), expected)).toBe(true)
    expect(workspace.start.head?.current).toMatchObject({ size: 130, keysEnd: 130 })
  })

  it('commits to every part and opens it again through another connection', async () => {
    await writerOf(workspace).append(drafts(0, 70))
    const reader = new PayloadReader(openReadable(workspace.paths.ledger), openReadable(workspace.paths.keys), workspace.identity.keks)
    for (const seq of [0, 63, 64, 69]) {
      const parsed = parseLeaf(leafTexts()[seq] ?? '', jcs)
      const payload = reader.open(seq)
      if (!parsed.ok || payload.state !== 'present') throw new Error('unreadable')
      expect(payload.parts.map((part) => part.name)).toEqual(['event', 'request'])
      for (const [i, part] of payload.parts.entries()) {
        const commit = fromBase64(parsed.leaf.parts?.[i]?.commit ?? '')
        expect(verifyCommitment(sha256, part.name, part.opening, part.data, commit)).toBe(true)
        expect(verifyCommitment(sha256, 'error', part.opening, part.data, commit)).toBe(false)
      }
    }
  })

  it('takes the same key with the same content once, within a group and later', async () => {
    const ledger = writerOf(workspace)
    const [first, again] = await ledger.append([recordDraft(1), { ...recordDraft(1) }])
    expect(first?.kind).toBe('appended')
    expect(again).toEqual({ ...first, kind: 'duplicate' })
    const later = recordDraft(1)
    const moved = {
      ...later,
      parts: later.parts.map((part) =>
        part.name === 'event'
          ? {
              ...part,
              data: Buffer.from(
                Buffer.from(part.data)
                  .toString()
                  .replace(/"received_us":\d+/, '"received_us":7')
              )
            }
          : part
      )
    }
    expect((await ledger.append([moved]))[0]).toEqual({ ...first, kind: 'duplicate' })
    expect((await ledger.append([recordDraft(1, 'another question')]))[0]).toEqual({ kind: 'conflict', seq: 0 })
    expect(ledger.size).toBe(1)
  })

  it('never takes a record without a key for a duplicate', async () => {
    const { sourceKey: _, ...anonymous } = recordDraft(1)
    const results = await writerOf(workspace).append([anonymous, anonymous])
    expect(results.map((result) => result.kind)).toEqual(['appended', 'appended'])
  })

  it.each([3, 5])('keeps nothing of a group that fails at leaf %i, and goes on', async (at) => {
    const ledger = writerOf(workspace)
    await ledger.append(drafts(0, 3))
    workspace.ledgerDb.exec(`CREATE TRIGGER broken BEFORE INSERT ON payload WHEN NEW.seq = ${at} BEGIN SELECT RAISE(ABORT, 'no'); END`)
    await expect(ledger.append(drafts(3, 5))).rejects.toMatchObject({ code: 'internal' })
    expect(leafTexts()).toHaveLength(3)
    workspace.ledgerDb.exec('DROP TRIGGER broken')
    const results = await ledger.append(drafts(3, 2))
    // The failure itself is on record, before what came next.
    expect(JSON.parse(leafTexts()[3] ?? '{}')).toMatchObject({ type: 'logging.failed', data: { lost: 5, reason: 'storage' } })
    expect(results.map((result) => result.seq)).toEqual([4, 5])
    const keyed = new PayloadReader(openReadable(workspace.paths.ledger), openReadable(workspace.paths.keys), workspace.identity.keks)
    expect(keyed.open(5).state).toBe('present')
  })

  it('says that a group is recorded when only the mark beside it could not be written, and counts none of it as lost', async () => {
    const ledger = writerOf(workspace)
    const { head } = workspace.start
    if (!head) throw new Error('no head')
    await ledger.append(drafts(0, 3))
    const failing = vi.spyOn(head, 'write')
    const fail = () =>
      failing.mockImplementationOnce(() => {
        throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
      })
    fail()
    await expect(ledger.append(drafts(3, 2))).rejects.toMatchObject({
      code: 'not_confirmed',
      message: expect.stringContaining('is recorded'),
      results: [
        { kind: 'appended', seq: 3 },
        { kind: 'appended', seq: 4 }
      ]
    })
    expect(leafTexts()).toHaveLength(5)
    expect(ledger.failed).toBe(0)
    expect(head.current.size).toBe(3)
    expect((await ledger.append(drafts(3, 3))).map(({ kind, seq }) => [kind, seq])).toEqual([
      ['duplicate', 3],
      ['duplicate', 4],
      ['appended', 5]
    ])
    expect(head.current).toMatchObject({ size: 6, keysEnd: 6 })
    // What was lost before is on record once, also when the mark failed with it.
    ledger.lose(2)
    fail()
    await expect(ledger.append(drafts(6, 1))).rejects.toMatchObject({ code: 'not_confirmed', results: [{ seq: 7 }] })
    await ledger.append(drafts(7, 1))
    const types = leafTexts().map((text) => (JSON.parse(text) as { type: string }).type)
    expect(types.filter((type) => type === 'logging.failed')).toHaveLength(1)
    // Where not even the mark of the group before can be written, nothing of the next is.
    fail()
    fail()
    await expect(ledger.append(drafts(8, 1))).rejects.toMatchObject({ code: 'not_confirmed' })
    await expect(ledger.append(drafts(9, 1))).rejects.toMatchObject({ code: 'disk_full' })
    expect(ledger.failed).toBe(1)
    expect(JSON.parse(leafTexts().at(-1) ?? '{}')).toMatchObject({ seq: 9 })
  })

  it('counts what is given up while a group is written', async () => {
    const ledger = writerOf(workspace)
    ledger.lose(3)
    const writing = ledger.append(drafts(0, 300))
    // Sealed in slices: its count of what was lost is taken, and it is not on disk.
    while (ledger.size < 1 && ledger.waiting > 0) await new Promise((resolve) => setImmediate(resolve))
    expect(leafTexts()).toHaveLength(0)
    ledger.lose(2)
    await writing
    await ledger.append(drafts(300, 1))
    const failed = leafTexts().filter((text) => text.includes('"logging.failed"'))
    expect(failed.map((text) => JSON.parse(text) as { seq: number; data: unknown })).toMatchObject([
      { seq: 0, data: { lost: 3 } },
      { seq: 301, data: { lost: 2 } }
    ])
  })

  it('refuses more than one group at once and everything after it is closed', async () => {
    await expect(writerOf(workspace).append(drafts(0, 501))).rejects.toMatchObject({ code: 'too_many' })
    await writerOf(workspace).close()
    await expect(writerOf(workspace).append(drafts(0, 1))).rejects.toMatchObject({ code: 'engine_unavailable' })
  })
})

describe('the append-only tables', () => {
  const attempts: Record<string, string> = {
    'REPLACE of a leaf': "REPLACE INTO leaf (seq, bytes) VALUES (1, x'00')",
    'UPSERT of a leaf': "INSERT INTO leaf (seq, bytes) VALUES (1, x'00') ON CONFLICT (seq) DO UPDATE SET bytes = x'00'",
    'UPDATE of a leaf': "UPDATE leaf SET bytes = x'00' WHERE seq = 1",
    'DELETE of a leaf': 'DELETE FROM leaf WHERE seq = 1',
    'a gap': "INSERT INTO leaf (seq, bytes) VALUES (9, x'00')",
    'UPDATE of a node': 'UPDATE node SET hash = zeroblob(32) WHERE pos = 0',
    'REPLACE of a node': 'REPLACE INTO node (pos, hash) VALUES (0, zeroblob(32))',
    'DELETE of a node': 'DELETE FROM node',
    'UPDATE of a payload': "UPDATE payload SET ct = x'00'",
    'REPLACE of a payload': "REPLACE INTO payload (seq, ct) VALUES (1, x'00')",
    'DELETE of a payload that is not listed': 'DELETE FROM payload WHERE seq = 1'
  }
  it.each(Object.entries(attempts))('refuse %s', async (_, sql) => {
    await writerOf(workspace).append(drafts(0, 3))
    const before = leafTexts()
    expect(() => workspace.ledgerDb.exec(sql)).toThrow(/append|listed/)
    expect(leafTexts()).toEqual(before)
  })

  it('let a listed payload go', async () => {
    await writerOf(workspace).append(drafts(0, 3))
    workspace.ledgerDb.exec('INSERT INTO removing (seq) VALUES (1); DELETE FROM payload WHERE seq = 1; DELETE FROM removing')
    expect(workspace.ledgerDb.prepare('SELECT seq FROM payload ORDER BY seq').pluck().all()).toEqual([0, 2])
  })
})
