// SPDX-License-Identifier: Apache-2.0
// What happens to a log of the corpus in time: it is copied and goes two ways, old records are disposed of, one is erased.
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import type { OperationInput } from '../../shared/contract/contract.ts'
import { parseCheckpoint } from '../../shared/evidence/note.ts'
import type { SeenHead } from './corpus-case.ts'
import type { Bag } from './corpus-edit.ts'
import { rawRecord, type TestEngine, testEngine } from './test-engine.ts'

export type ExportBag = (
  engine: TestEngine,
  query: string,
  more?: Partial<OperationInput<'export.start'>>
) => Promise<{ readonly bag: Bag }>

const note = (bag: Bag, name = 'proof/checkpoint') => parseCheckpoint((bag.get(name) ?? Buffer.alloc(0)).toString('utf8'))
const headOf = (bag: Bag, name?: string): SeenHead => {
  const { origin, size, root } = note(bag, name)
  const { written } = JSON.parse((bag.get('data/case.json') ?? Buffer.alloc(0)).toString('utf8')) as { readonly written: string }
  return { origin, size, root: Buffer.from(root).toString('base64'), signed: written }
}

/** The log goes on, and so does a copy of it with the same keys: with fewer leaves first, then with as many others. */
export async function twoHistories(engine: TestEngine, exportBag: ExportBag) {
  const root = join(engine.root, 'copy')
  await engine.restart(() => {
    cpSync(engine.workspace, join(root, 'workspace'), { recursive: true })
    cpSync(engine.state, join(root, 'state'), { recursive: true })
  })
  await engine.call('events.append', { events: Array.from({ length: 6 }, (_, n) => rawRecord(10 + n)) })
  const { bag: grown } = await exportBag(engine, 'seq:0..6')
  const seen = headOf(grown)
  const copy = await testEngine({ root })
  try {
    const { bag: cut } = await exportBag(copy, 'seq:0..6')
    const { ledger } = await copy.call('workspace.status', {})
    await copy.call('events.append', { events: Array.from({ length: seen.size - ledger.size }, (_, n) => rawRecord(20 + n)) })
    const { bag: forked } = await exportBag(copy, 'seq:0..6')
    if (note(cut).size >= seen.size || note(forked).size !== seen.size)
      throw new Error(`sizes ${note(cut).size}, ${note(forked).size} and ${seen.size}`)
    return { grown, cut, forked, seen, before: headOf(grown, 'proof/previous-checkpoint') }
  } finally {
    await copy.engine.stop('quit')
  }
}

/** Two people, one of whom asks and the other gives; resolves when the work they decided on has ended. */
async function decided(engine: TestEngine, kind: 'disposal' | 'erasure', ask: () => Promise<{ readonly id: string }>): Promise<void> {
  const other = await engine.as('reviewer')
  const asked = await ask()
  await other.call('approvals.decide', { id: asked.id, decision: 'give' })
  for (;;) {
    const job = (await engine.call('jobs.list', {})).jobs.find((one) => one.kind === kind)
    if (job?.error) throw new Error(job.error.message)
    if (job && job.state !== 'running') return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Disposes of a whole tile of the log, and erases a record among three that come after it. */
export async function prunedAndErased(engine: TestEngine, exportBag: ExportBag, judgeLater: (ms: number) => void) {
  const period = { years: 1, months: 0, days: 0 }
  const rules = ['default', 'log'].map((name) => ({ class: name, name: 'one year', trigger: 'append' as const, period }))
  await engine.call('retention.set', { rules, classes: [], reason: 'corpus' })
  await engine.call('events.append', { events: Array.from({ length: 600 }, (_, n) => rawRecord(1000 + n)) })
  await engine.call('records.proof', { seq: 3 })
  judgeLater(366 * 86_400_000)
  const asker = await engine.as('data_protection')
  await decided(engine, 'disposal', () => asker.call('disposal.ask', { reason: 'yearly' }))
  judgeLater(0)
  const [disposal] = (await engine.call('disposal.list', {})).disposals
  if (!disposal?.tiles) throw new Error('no tile was disposed of')

  const first = (await engine.call('workspace.status', {})).ledger.size
  const events = [rawRecord(2000), rawRecord(2001, { user_id: 'zephyrine' }), rawRecord(2002)]
  await engine.call('events.append', { events })
  const range = `seq:${first}..${first + 2}`
  const { bag: pruned } = await exportBag(engine, range)
  const request = await asker.call('requests.open', { kind: 'erasure', reference: 'DSR 1', received: '2026-01-31' })
  const { seqs } = await asker.call('subjects.find', { identifiers: ['zephyrine'] })
  const decisions = [{ seqs, ground: 'consent withdrawn', override: 'the right outweighs the period' }]
  await decided(engine, 'erasure', () => asker.call('erasure.ask', { request_id: request.id, decisions }))
  const { bag: erased } = await exportBag(engine, range)
  if (erased.has(`data/payload/${first + 1}.request`)) throw new Error('nothing was erased')
  return { pruned, erased }
}
