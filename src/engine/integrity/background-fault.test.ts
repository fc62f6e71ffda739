// SPDX-License-Identifier: Apache-2.0
// A row is damaged on disk while the workspace is open: the scheduled verification finds it, everybody is told at once, and recording goes on.
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Notice } from '../../shared/contract/webhooks.ts'
import type { WorkspaceStatus } from '../../shared/contract/workspace.ts'
import type { Caller } from '../handlers.ts'
import { rawRecord, type TestEngine, testEngine } from '../test/test-engine.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const MINUTE = 60_000
const local: Caller = { actor: { ref: 'local', kind: 'human' }, via: 'ipc' }
let test: TestEngine | undefined
afterEach(() => test?.remove())

/** The ledger as a disk or a hand would change it: past the triggers that stop accidents. */
function unguarded(workspace: string): Database.Database {
  const db = new Database(join(workspace, 'ledger.db'))
  const triggers = db.prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'trigger'").pluck().all()
  for (const trigger of triggers) db.exec(`DROP TRIGGER ${trigger}`)
  return db
}

/** Flips one bit of a row. */
function flip(workspace: string, table: 'payload' | 'leaf', column: 'ct' | 'bytes', seq: number): void {
  const db = unguarded(workspace)
  const bytes = Buffer.from(db.prepare<[number], Buffer>(`SELECT ${column} FROM ${table} WHERE seq = ?`).pluck().get(seq) ?? [])
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 4
  db.prepare(`UPDATE ${table} SET ${column} = ? WHERE seq = ?`).run(bytes, seq)
  db.close()
}

describe('a fault found by the scheduled verification', () => {
  it('is in the status, in a leaf, in a notice and in Compliance at once, and recording goes on', async () => {
    let later = 0
    const engine = await testEngine({ clock: { now: () => Date.now() + later, monotonic: () => performance.now() + later } })
    test = engine
    await engine.call('events.append', { events: Array.from({ length: 20 }, (_, n) => rawRecord(n + 1)) })
    const notices: Notice[] = []
    const pushed: WorkspaceStatus[] = []
    const follow = () => {
      engine.engine.router.subscribe(
        'notices',
        {},
        (event) => notices.push(event as Notice),
        () => local
      )
      engine.engine.router.subscribe(
        'status',
        {},
        (event) => pushed.push(event as WorkspaceStatus),
        () => local
      )
    }
    follow()
    const run = async () => {
      later += 25 * 60 * MINUTE
      await engine.engine.verifySchedule.tick()
    }

    await run()
    await vi.waitFor(() => expect(engine.engine.status().verified).toMatchObject({ actor: 'engine', verdict: 'intact', faults: 0 }))
    expect(notices).toEqual([])
    const rows = await engine.call('records.query', { limit: 1 })
    const seq = rows.records[0]?.seq ?? 0
    flip(engine.workspace, 'payload', 'ct', seq)
    await run()
    await vi.waitFor(() => expect(engine.engine.status().verified?.faults).toBe(1), 1_000)
    const found = engine.engine.status().verified
    expect(found).toMatchObject({ actor: 'engine', first: { code: 'payload_changed', seq } })
    expect(notices).toEqual([
      { alert_id: null, title: 'The record does not verify', body: expect.stringContaining(`the first at leaf ${seq}`) }
    ])
    expect(notices[0]?.body).not.toMatch(/question|answer/i)
    await vi.waitFor(() => expect(pushed.at(-1)?.verified).toMatchObject({ faults: 1 }))
    const { verifications } = await engine.call('compliance.verifications', {})
    expect(verifications[0]).toMatchObject({ seq: found?.seq, actor: 'engine', faults: 1 })
    const report = await engine.call('compliance.report', {})
    const row = report.requirements.find((one) => one.id === 'S4')
    expect(row?.state).not.toBe('backed')

    // The fault is in what was recorded, not in recording: EVIDENCE asks for read-only only where the start finds a loss.
    expect(engine.engine.status().state).toBe('open')
    expect(await engine.call('events.append', { events: [rawRecord(99)] })).toMatchObject({ accepted: 1 })
    expect(await engine.codeOf('records.get', { seq: seq - 1 })).toBeUndefined()
    expect((await engine.call('verify.record', { seq })).verdict).not.toBe('verified')
    expect(engine.engine.status().checkpoint?.consistent).toBe(true)

    // It stays said after a restart.
    await engine.restart()
    expect(engine.engine.status().verified).toMatchObject({ faults: 1 })
  })
})

describe('more faults than are listed', () => {
  it('are counted all, in the report, on record and in the status', async () => {
    const engine = await testEngine()
    test = engine
    await engine.call('events.append', { events: Array.from({ length: 1_100 }, (_, n) => rawRecord(n + 1)) })
    const db = unguarded(engine.workspace)
    const { changes } = db.prepare('UPDATE payload SET ct = zeroblob(length(ct))').run()
    db.close()
    expect(changes).toBeGreaterThanOrEqual(1_100)
    const { job_id } = await engine.call('verify.workspace', {})
    await engine.job(job_id)
    const report = await engine.call('verify.workspace_report', { job_id })
    expect(report.faults).toHaveLength(1_001)
    expect(report.faults.at(-1)).toMatchObject({ code: 'more', message: `${changes - 1_000} more faults` })
    expect(report.faults_total).toBe(changes)
    const { verifications } = await engine.call('compliance.verifications', {})
    expect(verifications[0]).toMatchObject({ scope: 'workspace', faults: changes })
    expect(engine.engine.status().verified?.faults).toBe(changes)
  })
})
