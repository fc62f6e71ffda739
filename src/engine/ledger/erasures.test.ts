// SPDX-License-Identifier: Apache-2.0
// A destroyed key counts as erased only when a leaf of the log says so.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openReadable } from '../sqlite/open.ts'
import { PayloadReader } from '../vault/payload-reader.ts'
import { Vault } from '../vault/vault.ts'
import { drafts, type TestFolder, testFolder, writerOf } from '../workspace/test-workspace.ts'
import type { OpenWorkspace } from '../workspace/workspace.ts'
import type { LeafDraft } from './draft.ts'
import type { Reapplied } from './erasures.ts'
import { verifyWorkspace } from './verify-workspace.ts'

let folder: TestFolder
let workspace: OpenWorkspace
beforeEach(async () => {
  folder = testFolder()
  workspace = await folder.open()
  await writerOf(workspace).append(drafts(0, 10))
})
afterEach(() => {
  workspace.close()
  folder.remove()
})

const destroy = (seqs: readonly number[]) =>
  new Vault({
    keys: workspace.keysDb,
    holder: workspace.keyHolder,
    identity: workspace.identity,
    ledger: writerOf(workspace),
    append: (leaves) => writerOf(workspace).append(leaves),
    onKeks: () => {},
    drain: () => Promise.resolve()
  }).rewrapVault({ dropSeqs: seqs })

const intent = (seqs: readonly number[]): LeafDraft => ({
  type: 'erasure.intent',
  actor: { ref: 'engine', kind: 'system' },
  data: {
    erasure_id: '8d9f2f2c-6f3a-4a53-9d6b-0d8b3f6a2f11',
    request_id: '5f0d3a52-1d0c-4b44-8f9e-6a7f7f0d2c33',
    records: seqs.length,
    leaf: 0,
    leaves: 1
  },
  parts: seqs.map((seq, i) => ({ name: `scope.${i}`, media: 'application/json', data: Buffer.from(`{"seq":${seq}}`) }))
})

function verify(more: { readonly reapplied?: readonly Reapplied[]; readonly keys?: boolean } = {}) {
  const ledger = openReadable(workspace.paths.ledger)
  const keys = openReadable(workspace.paths.keys)
  const { origin, log, keks } = workspace.identity
  const withKeys = more.keys ?? true
  const payloads = new PayloadReader(ledger, keys, withKeys ? keks : new Map())
  const size = writerOf(workspace).tree().size
  const report = verifyWorkspace(
    { ledger, keys, payloads },
    { size, origin, logPublicKeys: [log.publicKey], keys: withKeys, share: 1, reapplied: more.reapplied },
    { cancelled: () => false, progress: () => {}, rest: () => {} }
  )
  ledger.close()
  keys.close()
  if (!report) throw new Error('cancelled')
  return report
}

describe('a destroyed key', () => {
  it('that no leaf names is a fault at its leaf', async () => {
    await destroy([5])
    expect(verify()).toMatchObject({ verdict: 'damaged', faults: [{ code: 'key_destroyed', seq: 5 }], erasures: [] })
  })

  it('is reported as erased by the intent that names it, and beside it another is a fault', async () => {
    const [leaf] = await writerOf(workspace).append([intent([4, 7])])
    await destroy([4, 7])
    expect(verify()).toMatchObject({ verdict: 'intact', faults: [], erasures: [{ leaf: leaf?.seq, payloads: 2 }] })
    await destroy([6])
    expect(verify()).toMatchObject({ faults: [{ code: 'key_destroyed', seq: 6 }], erasures: [{ leaf: leaf?.seq, payloads: 2 }] })
  })

  it('before the leaf that speaks of it is not explained by it: an intent names what was there before', async () => {
    const [leaf] = await writerOf(workspace).append([intent([12])])
    await writerOf(workspace).append(drafts(20, 3))
    expect(leaf?.seq).toBeLessThan(12)
    await destroy([12])
    expect(verify().faults).toMatchObject([{ code: 'key_destroyed', seq: 12 }])
  })

  it('of an erasure carried out on a copy counts while the copy is checked', async () => {
    await destroy([3, 4])
    expect(verify({ reapplied: [{ intent: 99, ranges: [[3, 4]] }] })).toMatchObject({
      verdict: 'intact',
      erasures: [{ leaf: 99, payloads: 2 }]
    })
  })
})

describe('without the keys', () => {
  it('payloads that are gone are no fault up to the number that erasures speak of', async () => {
    await writerOf(workspace).append([intent([4, 7])])
    await destroy([4, 7])
    const gone = (seq: number) => {
      workspace.ledgerDb.prepare('INSERT INTO removing (seq) VALUES (?)').run(seq)
      workspace.ledgerDb.prepare('DELETE FROM payload WHERE seq = ?').run(seq)
      workspace.ledgerDb.exec('DELETE FROM removing')
    }
    gone(4)
    gone(7)
    const report = verify({ keys: false })
    expect(report.verdict).toBe('intact')
    expect(report.not_checked.join(' ')).toContain('2 payloads are gone')
    gone(8)
    expect(verify({ keys: false }).faults).toMatchObject([{ code: 'payload_missing', seq: 8 }])
  })
})
