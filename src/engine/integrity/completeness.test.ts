// SPDX-License-Identifier: Apache-2.0
// What a crash, a moved clock and a failing disk leave behind on record.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { OperationInput, OperationName, OperationOutput } from '../../shared/contract/contract.ts'
import type { EngineStart } from '../../shared/contract/wire.ts'
import { engineEnvironment } from '../config.ts'
import { type Engine, startEngine } from '../engine.ts'
import type { LeafDraft } from '../ledger/draft.ts'
import { recordDraft, type TestFolder, testFolder, writerOf } from '../workspace/test-workspace.ts'
import { openWorkspace } from '../workspace/workspace.ts'
import { Heartbeats } from './heartbeat.ts'

const DAY = 86_400_000

describe('heartbeats', () => {
  let folder: TestFolder
  beforeEach(() => {
    folder = testFolder()
  })
  afterEach(() => folder.remove())

  it('carry real counts, and a clock set forward and back by a day is a leaf; order and number of leaves stay', async () => {
    const clock = { wall: Date.UTC(2026, 5, 1), steady: 0 }
    const config = {
      workspace: folder.workspace,
      state: folder.state,
      compliance: null,
      drift: null,
      appVersion: '0.1.0',
      keyProtection: 'file'
    } as const
    const workspace = await openWorkspace(config, engineEnvironment({}), null, () => clock.wall)
    const ledger = writerOf(workspace)
    let records = 0
    const failures: unknown[] = []
    const heartbeats = new Heartbeats({
      ledger,
      records: () => records,
      clock: { now: () => clock.wall, monotonic: () => clock.steady },
      onFailed: (error) => failures.push(error)
    })
    const minute = async (movedBy: number, n: number) => {
      clock.steady += 60_000
      clock.wall += 60_000 + movedBy
      await ledger.append([recordDraft(n), recordDraft(n + 1)])
      records += 2
      await heartbeats.beat()
    }
    await minute(0, 0)
    await minute(DAY, 10)
    await minute(0, 20)
    await minute(-2 * DAY, 30)
    await minute(40, 40)
    const leaves = workspace.ledgerDb
      .prepare<[], Buffer>('SELECT bytes FROM leaf ORDER BY seq')
      .pluck()
      .all()
      .map((bytes) => JSON.parse(bytes.toString('utf8')) as { seq: number; ts: string; type: string; data?: Record<string, number> })
    expect(leaves.map((leaf) => leaf.seq)).toEqual(leaves.map((_, i) => i))
    expect(leaves.filter((leaf) => leaf.type === 'llm.recorded')).toHaveLength(10)
    expect(leaves.filter((leaf) => leaf.type === 'clock.jump').map((leaf) => leaf.data?.delta_ms)).toEqual([DAY, -2 * DAY])
    expect(leaves.filter((leaf) => leaf.type === 'heartbeat').map((leaf) => leaf.data)).toMatchObject([
      { leaves: 2, records: 2, failed: 0, uptime_s: 60 },
      { leaves: 3, records: 2 },
      { leaves: 4, records: 2 },
      { leaves: 3, records: 2 },
      { leaves: 4, records: 2, uptime_s: 300 }
    ])
    expect(failures).toEqual([])
    workspace.saveHead(ledger.tree())
    workspace.close()
    const again = await folder.open()
    expect(again.start.problem).toBeUndefined()
    expect(again.size).toBe(leaves.length)
    again.close()
  })
})

describe('a start', () => {
  let root: string
  let engine: Engine | undefined
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'affidavit-start-'))
  })
  afterEach(async () => {
    await engine?.stop('quit')
    engine = undefined
    rmSync(root, { recursive: true, force: true })
  })
  const config = (): EngineStart['config'] => ({
    workspace: join(root, 'workspace'),
    state: join(root, 'state'),
    compliance: null,
    drift: null,
    appVersion: '0.1.0',
    keyProtection: 'file'
  })
  async function start(offsetMs = 0, appVersion = '0.1.0') {
    const started = await startEngine({ ...config(), appVersion }, engineEnvironment({}), {
      store: null,
      log: pino({ level: 'silent' }),
      clock: { now: () => Date.now() + offsetMs, monotonic: () => performance.now() }
    })
    engine = started
    return async <N extends OperationName>(op: N, input: OperationInput<N>): Promise<OperationOutput<N>> => {
      const reply = await started.router.call(op, input, { actor: { ref: 'local', kind: 'human' }, via: 'ipc' })
      if (!reply.ok) throw new Error(`${op}: ${reply.error.code}`)
      return reply.value as OperationOutput<N>
    }
  }
  async function stop() {
    await engine?.stop('quit')
    engine = undefined
  }

  const request = (n: number): LeafDraft => ({
    ...recordDraft(n),
    type: 'llm.request',
    channel: 'proxy',
    status: undefined,
    metrics: undefined
  })
  const ending = (n: number, of: number): LeafDraft => ({
    ...recordDraft(n),
    type: 'llm.response',
    channel: 'proxy',
    links: { request: of }
  })

  it('ends every request that the last run left without an end, once', async () => {
    await (await start())('workspace.status', {})
    await stop()
    // What a proxy had written when the engine was killed: two requests answered, three not.
    const workspace = await openWorkspace(config(), engineEnvironment({}), null)
    const seqs = (await writerOf(workspace).append([0, 1, 2, 3, 4].map(request))).map((one) => one.seq)
    await writerOf(workspace).append([ending(10, seqs[1] ?? 0), ending(11, seqs[3] ?? 0)])
    workspace.close()
    let call = await start()
    const ended = async () => (await call('compliance.completeness', { days: 1 })).incomplete
    await expect.poll(ended, { timeout: 20_000 }).toBe(3)
    await stop()
    call = await start()
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(await ended()).toBe(3)
    await stop()
    const after = await openWorkspace(config(), engineEnvironment({}), null)
    const links = after.ledgerDb
      .prepare<[], Buffer>("SELECT bytes FROM leaf WHERE instr(bytes, CAST('recovered.incomplete' AS BLOB)) > 0 ORDER BY seq")
      .pluck()
      .all()
      .map((bytes) => (JSON.parse(bytes.toString('utf8')) as { links: { request: number } }).links.request)
    expect(links).toEqual([seqs[0], seqs[2], seqs[4]])
    after.close()
  }, 60_000)

  it('says once that another version of the program goes on', async () => {
    const updates = async (version: string) => {
      const call = await start(0, version)
      const { entries } = await call('activity.list', { kind: 'system' })
      await stop()
      return entries.filter((entry) => entry.type === 'app.updated').map((entry) => [entry.actor, entry.what])
    }
    expect(await updates('0.1.0')).toEqual([])
    expect(await updates('0.2.0')).toEqual([['engine', 'was updated from 0.1.0 to 0.2.0']])
    expect(await updates('0.2.0')).toHaveLength(1)
  }, 60_000)

  it('says when the clock stands before the last leaf', async () => {
    await (await start(DAY))('workspace.status', {})
    await stop()
    const call = await start()
    await expect.poll(async () => (await call('compliance.completeness', { days: 7 })).clock_jumps, { timeout: 20_000 }).toBe(1)
    expect((await call('workspace.status', {})).problem).toBeNull()
  }, 60_000)
})
