// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { LeafDraft } from '../ledger/draft.ts'
import { verifyWorkspace } from '../ledger/verify-workspace.ts'
import { PayloadReader } from '../vault/payload-reader.ts'
import { drafts, type TestFolder, testFolder, writerOf } from '../workspace/test-workspace.ts'
import type { OpenWorkspace } from '../workspace/workspace.ts'
import { Sealer } from './sealer.ts'

let folder: TestFolder
let sealer: Sealer
const failures: string[] = []
beforeEach(() => {
  folder = testFolder()
  failures.length = 0
  sealer = new Sealer((error) => failures.push(error.message))
})
afterEach(async () => {
  await sealer.close()
  folder.remove()
})

const contentsOf = (batch: readonly LeafDraft[]): LeafDraft['parts'][] => batch.map((draft) => draft.parts)

/** What a verification of everything finds: leaves, tree, payloads, keys. */
function faultsOf({ identity, ledgerDb, keysDb, ledger }: OpenWorkspace) {
  const input = { size: ledger?.size ?? 0, origin: identity.origin, logPublicKeys: [identity.log.publicKey], keys: true, share: 1 }
  const parts = { ledger: ledgerDb, keys: keysDb, payloads: new PayloadReader(ledgerDb, keysDb, identity.keks) }
  return verifyWorkspace(parts, input, { cancelled: () => false, progress: () => {}, rest: () => {} })?.faults
}

/** Waits until the thread takes batches. */
async function ready(): Promise<void> {
  const batch = contentsOf(drafts(0, 64))
  for (let i = 0; i < 600; i++) {
    if (sealer.seal(batch)) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('the thread did not start')
}

describe('the thread that seals', () => {
  it('leaves few contents, and all of them until it runs, to the writer', async () => {
    expect(sealer.seal(contentsOf(drafts(0, 63)))).toBeUndefined()
    expect(sealer.seal(contentsOf(drafts(0, 64)))).toBeUndefined()
    await ready()
    expect(sealer.seal(contentsOf(drafts(0, 63)))).toBeUndefined()
    expect(await sealer.seal(contentsOf(drafts(0, 64)))).toHaveLength(64)
  })

  it('gives the ledger the same leaves as the writer: duplicates and conflicts are told apart, the order stays, all of it opens', async () => {
    const workspace = await folder.open()
    const ledger = writerOf(workspace)
    await ready()
    let handed = 0
    ledger.sealBy((contents) => {
      const sealed = sealer.seal(contents)
      if (sealed) handed++
      return sealed
    })
    const first = workspace.size
    const changed = drafts(0, 200).map((draft, i) => (i % 50 === 7 ? { ...draft, parts: drafts(900, 1)[0]?.parts ?? [] } : draft))
    const [once, again, small] = await Promise.all([ledger.append(drafts(0, 200)), ledger.append(changed), ledger.append(drafts(200, 5))])
    expect(handed).toBe(2)
    expect(once.map((result) => result.seq)).toEqual(Array.from({ length: 200 }, (_, i) => first + i))
    expect(again.map((result) => result.kind)).toEqual(Array.from({ length: 200 }, (_, i) => (i % 50 === 7 ? 'conflict' : 'duplicate')))
    expect(small.map((result) => result.kind)).toEqual(Array.from({ length: 5 }, () => 'appended'))
    const payloads = new PayloadReader(workspace.ledgerDb, workspace.keysDb, workspace.identity.keks)
    for (const [i, draft] of drafts(0, 205).entries()) {
      const opened = payloads.open(first + i)
      expect(opened.state === 'present' && opened.parts.map((part) => Buffer.from(part.data).toString())).toEqual(
        draft.parts.map((part) => Buffer.from(part.data).toString())
      )
    }
    expect(faultsOf(workspace)).toEqual([])
    workspace.close()
  })

  it('is not missed when it ends: what it had is sealed by the writer', async () => {
    const workspace = await folder.open()
    const ledger = writerOf(workspace)
    await ready()
    ledger.sealBy((contents) => sealer.seal(contents))
    const [first] = await Promise.all([ledger.append(drafts(0, 300)), sealer.close()])
    expect(first).toHaveLength(300)
    expect(await ledger.append(drafts(300, 300))).toHaveLength(300)
    expect(failures).toEqual([])
    expect(faultsOf(workspace)).toEqual([])
    workspace.close()
  })
})
