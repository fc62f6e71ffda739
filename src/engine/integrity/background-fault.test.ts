// SPDX-License-Identifier: Apache-2.0
// A row is damaged on disk while the workspace is open: the scheduled verification finds it, everybody is told at once, and recording goes on.
import { closeSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Notice } from '../../shared/contract/webhooks.ts'
import type { WorkspaceStatus } from '../../shared/contract/workspace.ts'
import type { Caller } from '../handlers.ts'
import { rawRecord, type TestEngine, testEngine } from '../test/test-engine.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const MINUTE = 60_000
/** Bytes of a page of a database, and the first one of a page with rows. */
const PAGE = 4096
const TABLE_LEAF = 13
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

const fill = async (engine: TestEngine, count: number) => {
  for (let from = 0; from < count; from += 500)
    await engine.call('events.append', { events: Array.from({ length: Math.min(500, count - from) }, (_, n) => rawRecord(from + n + 1)) })
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
    await vi.waitFor(() => expect(engine.engine.status().verified).toMatchObject({ actor: 'engine', verdict: 'intact', faults: 0 }), 20_000)
    expect(notices).toEqual([])
    const rows = await engine.call('records.query', { limit: 1 })
    const seq = rows.records[0]?.seq ?? 0
    flip(engine.workspace, 'payload', 'ct', seq)
    await run()
    await vi.waitFor(() => expect(engine.engine.status().verified?.faults).toBe(1), 20_000)
    const found = engine.engine.status().verified
    expect(found).toMatchObject({ actor: 'engine', first: { code: 'payload_changed', seq } })
    expect(notices).toEqual([
      { alert_id: null, title: 'The record does not verify', body: expect.stringContaining(`the first at leaf ${seq}`) }
    ])
    expect(notices[0]?.body).not.toMatch(/question|answer/i)
    await vi.waitFor(() => expect(pushed.at(-1)?.verified).toMatchObject({ faults: 1 }), 20_000)
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

describe('a background verification', () => {
  it('says what cannot be read, and that nothing could be verified, and recording goes on', async () => {
    let later = 0
    const engine = await testEngine({ clock: { now: () => Date.now() + later, monotonic: () => performance.now() + later } })
    test = engine
    await fill(engine, 200)
    const notices: Notice[] = []
    engine.engine.router.subscribe(
      'notices',
      {},
      (event) => notices.push(event as Notice),
      () => local
    )
    const run = (minutes: number) => {
      later += minutes * MINUTE
      return engine.engine.verifySchedule.tick()
    }
    const newest = async () => (await engine.call('compliance.verifications', {})).verifications[0]

    // No thread can open the files: nothing is known, which is no verdict from before.
    await run(6)
    await vi.waitFor(() => expect(engine.engine.status().verified).toMatchObject({ verdict: 'intact' }), 20_000)
    const catalog = join(engine.workspace, 'catalog.db')
    renameSync(catalog, `${catalog}-away`)
    await run(25 * 60)
    renameSync(`${catalog}-away`, catalog)
    expect(engine.engine.status().verified).toMatchObject({ verdict: 'failed', faults: 1, first: { code: 'not_finished' } })
    expect(await newest()).toMatchObject({ scope: 'workspace', verdict: 'failed', actor: 'engine', faults: 1 })
    expect(notices.map((one) => one.title)).toEqual(['The record could not be verified'])
    const jobs = async () => (await engine.call('jobs.list', {})).jobs.filter((one) => one.kind === 'verify_workspace').length
    const before = await jobs()
    await run(2)
    expect(await jobs()).toBe(before)
    await run(60)
    await vi.waitFor(() => expect(engine.engine.status().verified).toMatchObject({ verdict: 'intact', faults: 0 }), 20_000)

    // A page with leaves that is none any more.
    const file = join(engine.workspace, 'ledger.db')
    const db = new Database(file)
    db.pragma('wal_checkpoint(TRUNCATE)')
    db.close()
    const bytes = readFileSync(file)
    const isLeaves = (at: number) => bytes[at] === TABLE_LEAF && bytes.subarray(at, at + PAGE).includes('"type":"llm.recorded"')
    const at = PAGE * Array.from({ length: bytes.length / PAGE }, (_, page) => page).findIndex((page) => isLeaves(page * PAGE))
    const fd = openSync(file, 'r+')
    writeSync(fd, Buffer.alloc(8, 0xff), 0, 8, at)
    closeSync(fd)
    notices.length = 0
    await run(25 * 60)
    await vi.waitFor(() => expect(engine.engine.status().verified).toMatchObject({ verdict: 'damaged' }), 20_000)
    const found = engine.engine.status().verified
    expect(found?.first?.code).toMatch(/unreadable/)
    expect(await newest()).toMatchObject({ verdict: 'damaged', faults: found?.faults })
    expect(notices.map((one) => one.title)).toEqual(['The record does not verify'])
    expect(await engine.call('events.append', { events: [rawRecord(999)] })).toMatchObject({ accepted: 1 })
  })

  it('finds, soon after a start, an old leaf that was changed and its trigger put back', async () => {
    let later = 0
    const engine = await testEngine({ clock: { now: () => Date.now() + later, monotonic: () => performance.now() + later } })
    test = engine
    await fill(engine, 2_000)
    later += 6 * MINUTE
    await engine.engine.verifySchedule.tick()
    await vi.waitFor(() => expect(engine.engine.status().verified).toMatchObject({ verdict: 'intact' }), 20_000)
    const seq = (await engine.call('records.query', { limit: 200 })).records.at(-1)?.seq ?? 0
    // The samples of the start are of other leaves.
    const random = vi.spyOn(Math, 'random').mockReturnValue(0)
    await engine.restart(() => {
      const db = new Database(join(engine.workspace, 'ledger.db'))
      const trigger = db.prepare<[], string>("SELECT sql FROM sqlite_schema WHERE name = 'leaf_no_update'").pluck().get() ?? ''
      db.exec('DROP TRIGGER leaf_no_update')
      const change = "UPDATE leaf SET bytes = CAST(replace(CAST(bytes AS TEXT), 'success', 'incompl') AS BLOB) WHERE seq = ?"
      expect(db.prepare(change).run(seq).changes).toBe(1)
      db.exec(trigger)
      db.close()
    })
    random.mockRestore()
    expect(engine.engine.status().state).toBe('open')
    await engine.engine.verifySchedule.tick()
    expect(engine.engine.status().verified).toMatchObject({ verdict: 'intact' })
    later += 6 * MINUTE
    await engine.engine.verifySchedule.tick()
    const damaged = { verdict: 'damaged', first: { code: 'leaf_changed' } }
    await vi.waitFor(() => expect(engine.engine.status().verified).toMatchObject(damaged), 20_000)
    expect(Math.abs((engine.engine.status().verified?.first?.seq ?? 0) - seq)).toBeLessThan(2)
  })

  it("cannot be kept silent by whoever records: another one's verification is ended by those who oversee, on record", async () => {
    let later = 0
    const engine = await testEngine({ clock: { now: () => Date.now() + later, monotonic: () => performance.now() + later } })
    test = engine
    await fill(engine, 3_000)
    const operator = await engine.as('operator')
    const auditor = await engine.as('auditor')
    const running = async () => {
      for (;;) {
        const found = (await engine.call('jobs.list', {})).jobs.find((job) => job.kind === 'verify_workspace' && job.state === 'running')
        if (found) return found.id
        await new Promise((resolve) => setTimeout(resolve, 2))
      }
    }
    later += 6 * MINUTE
    const ended = engine.engine.verifySchedule.tick()
    const id = await running()
    // Both are asked in one turn: on a busy machine the verification could end between them.
    const asked = [operator, auditor].map((person) => person.codeOf('jobs.cancel', { id }))
    expect(await Promise.all(asked)).toEqual(['forbidden', undefined])
    await ended
    const [newest] = (await engine.call('compliance.verifications', {})).verifications
    expect(newest).toMatchObject({ scope: 'workspace', verdict: 'cancelled', actor: auditor.ref, faults: 0 })
    expect(engine.engine.status().verified).toBeNull()
    expect((await auditor.call('activity.list', { limit: 20 })).entries.map((one) => one.what).join('\n')).toContain('ended a verification')
    // One's own is one's own.
    const { job_id } = await operator.call('verify.workspace', {})
    expect(await operator.codeOf('jobs.cancel', { id: job_id })).toBeUndefined()
    expect((await engine.job(job_id)).state).toBe('cancelled')
    expect(await operator.codeOf('jobs.cancel', { id: 'nothing' })).toMatch(/bad_request|not_found/)
    later += 61 * MINUTE
    await engine.engine.verifySchedule.tick()
    expect(engine.engine.status().verified).toMatchObject({ verdict: 'intact' })
  })
})
