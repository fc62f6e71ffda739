// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, readdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Approval } from '../../shared/contract/approvals.ts'
import { erasuresAfter } from '../backup/erasure-register.ts'
import { ledgerMigrations } from '../ledger/migrations.ts'
import { removePayloads } from '../ledger/tiles.ts'
import { migrate, openOfRecord, openReadable } from '../sqlite/open.ts'
import { ingestRecords } from '../test/ingest-records.ts'
import { rawRecord, type TestEngine, testEngine } from '../test/test-engine.ts'
import { type DisposalStep, disposalSteps } from './disposal.ts'

const YEAR_MS = 366 * 86_400_000
// Whole engines, on machines that do other work too.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 })

let engine: TestEngine
/** The disposal judges as if it were later; nothing else does. */
let later = 0
let stopAfter: DisposalStep | null = null
let whenChecked: () => unknown = () => {}
/** Long, but for the test of it: what stopped then stays stopped until the next start. */
let retryMs = 600_000
const hooks = {
  get retryMs() {
    return retryMs
  },
  now: () => Date.now() + later,
  afterStep: (step: DisposalStep) => {
    if (step === 'checked') return whenChecked()
    if (step === stopAfter) throw new Error(`the process ends after ${step}`)
  }
}
beforeEach(async () => {
  later = 0
  stopAfter = null
  whenChecked = () => {}
  engine = await testEngine({ servers: true, disposal: hooks })
})
afterEach(() => engine.remove())

const rules = ['default', 'log'].map((name) => ({
  class: name,
  name: 'one year',
  trigger: 'append' as const,
  period: { years: 1, months: 0, days: 0 }
}))
const setRules = (more: readonly object[] = []) =>
  engine.call('retention.set', { rules: [...rules, ...more] as never, classes: [{ class: 'long', source: 'web' }], reason: 'test' })

/** Asks and approves; gives the approval. */
async function dispose(): Promise<Approval> {
  const ann = await engine.as('administrator')
  const bob = await engine.as('data_protection')
  const asked = await ann.call('disposal.ask', { reason: 'yearly' })
  await bob.call('approvals.decide', { id: asked.id, decision: 'give' })
  return asked
}
async function done(): Promise<{ records: number; tiles: number; done_seq: number | null }> {
  expect(await engine.ended('disposal')).toMatchObject({ state: 'done', error: null })
  const [newest] = (await engine.call('disposal.list', {})).disposals
  if (!newest || newest.done_seq === null) throw new Error('the disposal has not ended')
  return newest
}
async function verdict(): Promise<unknown> {
  const { job_id } = await engine.call('verify.workspace', {})
  await engine.job(job_id)
  const { verdict: said, faults, checked } = await engine.call('verify.workspace_report', { job_id })
  return { said, faults, disposed: [checked.disposed_payloads, checked.disposed_leaves] }
}

/** Every table of the catalog but what changes by itself. */
function catalogNow(): Record<string, unknown[]> {
  const db = openReadable(join(engine.workspace, 'catalog.db'))
  try {
    const tables = db
      .prepare<[], string>(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'record_text%' AND name NOT LIKE 'sqlite_%' AND name <> 'meta' ORDER BY name"
      )
      .pluck()
      .all()
    return Object.fromEntries(
      tables.map((name) => [
        name,
        db
          .prepare(`SELECT * FROM "${name}"`)
          .all()
          .map((row) => JSON.stringify(row))
          .sort()
      ])
    )
  } finally {
    db.close()
  }
}
async function rebuilt(): Promise<void> {
  // A read waits until the projection has everything.
  await engine.call('disposal.list', {})
  const before = catalogNow()
  await engine.job((await engine.call('workspace.rebuild', {})).job_id)
  expect(catalogNow()).toEqual(before)
}

describe('disposal', () => {
  it('is no damage for a verification that began before it', async () => {
    await setRules()
    await ingestRecords(
      engine,
      Array.from({ length: 600 }, (_, n) => rawRecord(n))
    )
    await engine.call('records.proof', { seq: 3 })
    later = YEAR_MS
    const ann = await engine.as('administrator')
    const bob = await engine.as('data_protection')
    const asked = await ann.call('disposal.ask', { reason: 'yearly' })
    const { job_id } = await engine.call('verify.workspace', {})
    await bob.call('approvals.decide', { id: asked.id, decision: 'give' })
    await done()
    expect((await engine.job(job_id)).error).toBeNull()
    expect(await engine.call('verify.workspace_report', { job_id })).toMatchObject({ verdict: 'intact', faults: [] })
  })

  it('takes what is past its time after two people decided, keeps what is held, and everything still verifies', async () => {
    await setRules([{ ...rules[0], class: 'long', period: { years: 9, months: 0, days: 0 } }])
    const seqs = await ingestRecords(
      engine,
      Array.from({ length: 600 }, (_, n) => rawRecord(n, n > 520 && n < 550 && n % 10 === 7 ? { source: 'web' } : {}))
    )
    const held = seqs[550] ?? 0
    await engine.call('holds.place', { matter: 'Case 9', reason: 'letter', scope: { kind: 'seqs', seqs: [held] }, future: false })
    expect(await engine.call('disposal.preview', {})).toMatchObject({ records: 0, held: 0, tiles: 0 })
    expect(await engine.codeOf('disposal.ask', { reason: 'too early' })).toBe('nothing_selected')
    await engine.call('records.proof', { seq: 3 })
    later = YEAR_MS
    const preview = await engine.call('disposal.preview', {})
    expect(preview).toMatchObject({ records: 596, held: 1, holds: [{ matter: 'Case 9', records: 1 }], by_class: [{ class: 'default' }] })
    expect(preview.tiles).toBe(1)
    const asked = await dispose()
    expect(await done()).toMatchObject({ records: 596, tiles: preview.tiles })
    const approval = (await engine.call('approvals.list', {})).approvals.find((one) => one.id === asked.id)
    expect(approval?.done_seq).toBe((await engine.call('disposal.list', {})).disposals[0]?.done_seq)
    const keys = (await engine.call('activity.list', { kind: 'setting' })).entries.filter((one) => one.type.startsWith('key.'))
    expect(keys.map((one) => [one.type, one.actor, one.data.approval])).toEqual([
      ['key.retired', approval?.asked_by, asked.id],
      ['key.added', approval?.asked_by, asked.id]
    ])
    const left = await engine.call('records.open', {})
    expect([left.count, left.total]).toEqual([4, 4])
    const page = await engine.call('records.page', { handle: left.handle, offset: 0, limit: 10 })
    expect(page.rows.map((row) => row.seq)).toEqual([...[527, 537, 547].map((n) => seqs[n] ?? 0), held].sort((a, b) => b - a))
    expect((await engine.call('records.statistics', {})).count).toBe(4)
    expect((await engine.call('records.open', { query: 'answer' })).count).toBe(4)
    expect(await engine.codeOf('records.get', { seq: seqs[0] })).toBe('erased')
    expect(await engine.call('records.proof', { seq: held })).toMatchObject({ verdict: 'verified' })
    const ledger = openReadable(join(engine.workspace, 'ledger.db'))
    expect(ledger.prepare('SELECT count(*) FROM leaf WHERE seq >= 256 AND seq < 512').pluck().get()).toBe(0)
    ledger.close()
    expect(await verdict()).toEqual({ said: 'intact', faults: [], disposed: [expect.any(Number), preview.tiles * 256] })
    await rebuilt()
    await engine.restart()
    expect(engine.engine.status().problem).toBeNull()
    expect(await verdict()).toMatchObject({ said: 'intact' })
    const keyring = join(engine.state, readdirSync(engine.state).find((name) => name.startsWith('keyring-')) ?? '')
    await engine.restart(() => renameSync(keyring, `${keyring}.away`))
    expect(engine.engine.status().problem?.code).toBe('keys_missing')
    expect(await verdict()).toEqual({ said: 'intact', faults: [], disposed: [expect.any(Number), preview.tiles * 256] })
    await engine.restart(() => renameSync(`${keyring}.away`, keyring))
    expect(engine.engine.status().problem).toBeNull()
    const [again] = await ingestRecords(engine, [rawRecord(0)])
    expect(again).toBeUndefined()
    expect((await ingestRecords(engine, [rawRecord(9_000)])).length).toBe(1)
    await rebuilt()
  })

  it('keeps the tile with the leaf of a backup for as long as that backup is there', async () => {
    await setRules()
    const folder = join(engine.root, 'backups')
    mkdirSync(folder)
    await engine.call('backup.set_plan', { folder, every_hours: 0, keep: 1, key_days: 30 })
    const fill = (from: number) =>
      ingestRecords(
        engine,
        Array.from({ length: 300 }, (_, n) => rawRecord(from + n))
      )
    const backUp = async () =>
      expect(await engine.job((await engine.call('backup.start', { folder })).job_id)).toMatchObject({ state: 'done' })
    await fill(0)
    await backUp()
    await fill(300)
    await engine.call('records.proof', { seq: 3 })
    later = YEAR_MS
    expect(await engine.call('disposal.preview', {})).toMatchObject({ records: 600, tiles: 0 })
    // The plan keeps one: the next removes the first.
    await backUp()
    expect(await engine.call('disposal.preview', {})).toMatchObject({ records: 600, tiles: 1 })
  })

  it('is proposed on the schedule when something passes its time, and takes two people all the same', async () => {
    const DAY_MS = 86_400_000
    await engine.call('retention.set', { rules, classes: [], reason: 'test' })
    await ingestRecords(
      engine,
      Array.from({ length: 20 }, (_, n) => rawRecord(n))
    )
    // A checkpoint: only what was signed for goes.
    await engine.call('records.proof', { seq: 3 })
    const { proposals } = engine.engine
    const proposal = async () => (await engine.call('disposal.list', {})).proposal
    expect(await proposals.tick()).toBeNull()
    later = YEAR_MS
    const leaf = await proposals.tick()
    expect(await proposal()).toMatchObject({ seq: leaf, records: 20, held: 0 })
    // Within the day, and with nothing new the next day: no other. After a month without anybody: again.
    later += DAY_MS / 2
    expect(await proposals.tick()).toBeNull()
    later += DAY_MS
    expect(await proposals.tick()).toBeNull()
    later += 31 * DAY_MS
    expect(await proposals.tick()).toBeGreaterThan(leaf ?? 0)
    // What a hold takes out is said; a clock set back proposes nothing by itself.
    const [held = 0] = (await engine.call('records.query', {})).records.map((one) => one.seq)
    await engine.call('holds.place', { matter: 'Case 9', reason: 'letter', scope: { kind: 'seqs', seqs: [held] }, future: false })
    later += DAY_MS
    expect(await proposals.tick()).toBeGreaterThan(0)
    expect(await proposal()).toMatchObject({ records: 19, held: 1 })
    later -= 10 * DAY_MS
    expect(await proposals.tick()).toBeNull()
    later += 40 * DAY_MS
    expect((await engine.call('records.open', {})).count).toBe(20)
    const ann = await engine.as('administrator')
    await ann.call('settings.set', { propose_disposal_every_hours: 0 })
    expect(await proposals.tick()).toBeNull()
    await ann.call('settings.set', { propose_disposal_every_hours: 24 })
    expect(await ann.codeOf('settings.set', { propose_disposal_every_hours: -1 })).toBe('bad_request')
    const asked = await ann.call('disposal.ask', { reason: 'yearly' })
    // Somebody has taken it up: nothing is proposed meanwhile, and whoever asked cannot approve.
    expect(await proposals.tick()).toBeNull()
    expect(await ann.codeOf('approvals.decide', { id: asked.id, decision: 'give' })).toBe('second_person_needed')
    const bob = await engine.as('data_protection')
    await bob.call('approvals.decide', { id: asked.id, decision: 'give' })
    expect(await done()).toMatchObject({ records: 19 })
    expect(await proposal()).toBeNull()
  })

  it('leaves a record alone that was held, or whose rule became longer, between asking and approving', async () => {
    await setRules()
    const seqs = await ingestRecords(engine, [rawRecord(1), rawRecord(2), rawRecord(3)])
    const ann = await engine.as('administrator')
    const bob = await engine.as('data_protection')
    await engine.call('records.proof', { seq: 3 })
    later = YEAR_MS
    const asked = await ann.call('disposal.ask', { reason: 'yearly' })
    await ann.call('holds.place', { matter: 'Late', reason: 'letter', scope: { kind: 'seqs', seqs: [seqs[1] ?? 0] }, future: false })
    expect(await ann.codeOf('approvals.decide', { id: asked.id, decision: 'give' })).toBe('second_person_needed')
    await bob.call('approvals.decide', { id: asked.id, decision: 'give' })
    expect(await done()).toMatchObject({ records: 2 })
    expect((await engine.call('records.open', {})).count).toBe(1)
    expect(await engine.codeOf('disposal.preview', { more: 1 })).toBe('bad_request')
    expect(await engine.codeOf('disposal.list', { more: 1 })).toBe('bad_request')
    expect(await engine.codeOf('disposal.ask', { reason: '\ud800' })).toBe('bad_request')
  })

  it('of which nothing is left when it is given is refused on record, and no key changes', async () => {
    await setRules()
    await ingestRecords(engine, [rawRecord(1), rawRecord(2)])
    await engine.call('records.proof', { seq: 3 })
    later = YEAR_MS
    const ann = await engine.as('administrator')
    const bob = await engine.as('data_protection')
    const asked = await ann.call('disposal.ask', { reason: 'yearly' })
    const again = await ann.call('disposal.ask', { reason: 'yearly, again' })
    await bob.call('approvals.decide', { id: asked.id, decision: 'give' })
    expect(await done()).toMatchObject({ records: 2 })
    const trail = async (kind: 'setting' | 'policy') => (await engine.call('activity.list', { kind })).entries
    const changes = async () => (await trail('setting')).filter((one) => one.type === 'key.retired').length
    expect(await changes()).toBe(1)
    await bob.call('approvals.decide', { id: again.id, decision: 'give' })
    expect((await trail('policy'))[0]).toMatchObject({
      type: 'disposal.refused',
      actor: bob.ref,
      what: 'gave up a disposal: nothing of it was left to dispose of',
      data: { approval_id: again.id, reason: 'nothing_left' }
    })
    expect((await engine.call('approvals.list', {})).approvals.find((one) => one.id === again.id)?.done_seq).not.toBeNull()
    expect(await changes()).toBe(1)
    expect((await engine.call('disposal.list', {})).disposals).toHaveLength(1)
    expect(erasuresAfter(engine.state, engine.engine.status().origin, 0)).toHaveLength(1)
    await engine.restart()
    expect((await engine.call('disposal.list', {})).disposals).toHaveLength(1)
    expect(await verdict()).toMatchObject({ said: 'intact', faults: [] })
    await rebuilt()
  })

  it('goes on after a crash at any step', async () => {
    for (const step of disposalSteps.slice(0, -1)) {
      await setRules()
      await ingestRecords(
        engine,
        Array.from({ length: 300 }, (_, n) => rawRecord(n, { id: `${step}-${n}` }))
      )
      await engine.call('records.proof', { seq: 3 })
      later = YEAR_MS
      stopAfter = step
      await dispose()
      if (step !== 'intent') expect(await engine.ended('disposal')).toMatchObject({ state: 'failed' })
      expect((await engine.call('disposal.list', {})).disposals[0]?.done_seq ?? null).toBeNull()
      stopAfter = null
      await engine.restart()
      expect(engine.engine.status().problem).toBeNull()
      await done()
      expect(await verdict()).toMatchObject({ said: 'intact', faults: [] })
      expect((await engine.call('records.open', {})).count).toBe(0)
      await rebuilt()
      later = 0
    }
  }, 120_000)

  it.each(['of leaves', 'of a search'])(
    'is given up for a hold %s that comes after the intent and before anything is destroyed',
    async (which) => {
      await setRules()
      const seqs = await ingestRecords(
        engine,
        Array.from({ length: 300 }, (_, n) => rawRecord(n))
      )
      await engine.call('records.proof', { seq: 3 })
      later = YEAR_MS
      const before = (await engine.call('records.open', { query: 'answer' })).count
      stopAfter = 'intent'
      const asked = await dispose()
      await engine.call('disposal.list', {})
      stopAfter = null
      const scope =
        which === 'of leaves' ? ({ kind: 'seqs', seqs: seqs.slice(7, 9) } as const) : ({ kind: 'filter', query: 'model:gpt-4' } as const)
      await engine.call('holds.place', { matter: 'Case 12', reason: 'letter', scope, future: false })
      // Of what an interrupted attempt destroyed nothing comes back.
      const lost = which === 'of a search' ? [seqs[3] ?? 0] : []
      await engine.restart(() => {
        const ledger = openOfRecord(join(engine.workspace, 'ledger.db'))
        removePayloads(ledger, lost)
        ledger.close()
      })
      expect(await engine.ended('disposal')).toMatchObject({ state: 'failed', error: { code: 'on_hold' } })
      expect((await engine.call('disposal.list', {})).disposals[0]).toMatchObject({ done_seq: null, refused_seq: expect.any(Number) })
      expect((await engine.call('approvals.list', {})).approvals.find((one) => one.id === asked.id)?.done_seq).not.toBeNull()
      expect((await engine.call('records.open', { query: 'answer' })).count).toBe(before - lost.length)
      expect(await engine.call('records.get', { seq: seqs[7] ?? 0 })).toMatchObject({ payload: 'present' })
      expect(erasuresAfter(engine.state, engine.engine.status().origin, 0)).toEqual([])
      expect(await verdict()).toEqual({ said: 'intact', faults: [], disposed: [lost.length, 0] })
      await rebuilt()
      if (which === 'of a search') return
      // Asked for again, what is held stays and the rest goes.
      const ann = await engine.as('administrator')
      const bob = await engine.as('data_protection')
      const again = await ann.call('disposal.ask', { reason: 'without the case' })
      await bob.call('approvals.decide', { id: again.id, decision: 'give' })
      expect(await done()).toMatchObject({ records: 298 })
      expect(await engine.call('records.get', { seq: seqs[7] ?? 0 })).toMatchObject({ payload: 'present' })
      expect(await verdict()).toMatchObject({ said: 'intact' })
      await rebuilt()
    }
  )

  it('stops in the same run for a hold that is placed before the first of its content goes', async () => {
    await setRules()
    const seqs = await ingestRecords(
      engine,
      Array.from({ length: 120 }, (_, n) => rawRecord(n))
    )
    await engine.call('records.proof', { seq: 3 })
    later = YEAR_MS
    const scope = { kind: 'seqs' as const, seqs: [seqs[110] ?? 0] }
    let left = 1
    whenChecked = async () => {
      if (left-- > 0) await engine.call('holds.place', { matter: 'Case 14', reason: 'letter', scope, future: false })
    }
    await dispose()
    expect(await engine.ended('disposal')).toMatchObject({ state: 'failed', error: { code: 'on_hold' } })
    expect((await engine.call('disposal.list', {})).disposals[0]).toMatchObject({ done_seq: null, refused_seq: expect.any(Number) })
    expect(await engine.call('records.get', { seq: seqs[110] ?? 0 })).toMatchObject({ payload: 'present' })
  })

  it('that stops half-way is tried again while the engine runs', async () => {
    retryMs = 300
    await engine.restart()
    retryMs = 600_000
    await setRules()
    await ingestRecords(engine, [rawRecord(1), rawRecord(2)])
    await engine.call('records.proof', { seq: 3 })
    later = YEAR_MS
    stopAfter = 'keys'
    await dispose()
    expect(await engine.ended('disposal')).toMatchObject({ state: 'failed' })
    expect((await engine.call('disposal.list', {})).disposals[0]?.done_seq ?? null).toBeNull()
    stopAfter = null
    await expect
      .poll(async () => (await engine.call('disposal.list', {})).disposals[0]?.done_seq ?? null, { timeout: 40_000, interval: 100 })
      .not.toBeNull()
  }, 90_000)

  it('is seen through when a table says so and no leaf does', async () => {
    const seqs = await ingestRecords(
      engine,
      Array.from({ length: 300 }, (_, n) => rawRecord(n))
    )
    await engine.restart(() => {
      const db = openOfRecord(join(engine.workspace, 'ledger.db'))
      const fill = db.prepare('INSERT INTO removing VALUES (?)')
      db.transaction(() => {
        for (let seq = 0; seq < 256; seq++) fill.run(seq)
        db.prepare('INSERT INTO disposed_tile VALUES (0, ?, 255)').run(Buffer.alloc(8192))
        db.exec('DELETE FROM leaf WHERE seq < 256; DELETE FROM removing')
      })()
      db.close()
    })
    expect(await verdict()).toMatchObject({ said: 'damaged', faults: [{ code: 'leaf_missing', seq: 0 }] })
    expect(seqs.length).toBe(300)
  })
})

describe('the ledger', () => {
  it('lets a leaf go only with its whole tile, listed, and with the hashes kept', () => {
    const db = openOfRecord(':memory:')
    migrate(db, ledgerMigrations)
    const leaf = db.prepare("INSERT INTO leaf VALUES (?, x'00')")
    for (let seq = 0; seq < 300; seq++) leaf.run(seq)
    const list = (from: number, to: number) => {
      for (let seq = from; seq < to; seq++) db.prepare('INSERT OR IGNORE INTO removing VALUES (?)').run(seq)
    }
    const keep = (tile: number, bytes = 8192) => db.prepare('INSERT INTO disposed_tile VALUES (?, ?, 0)').run(tile, Buffer.alloc(bytes))
    const remove = (seq: number) => db.prepare('DELETE FROM leaf WHERE seq = ?').run(seq)
    expect(() => remove(5)).toThrow('append-only')
    list(0, 255)
    expect(() => remove(5)).toThrow('append-only')
    expect(() => keep(0)).toThrow('only whole tiles')
    list(255, 300)
    expect(() => keep(1)).toThrow('only whole tiles')
    expect(() => keep(0, 32)).toThrow()
    keep(0)
    expect(remove(5).changes).toBe(1)
    expect(() => remove(260)).toThrow('append-only')
    expect(() => db.exec('UPDATE disposed_tile SET records = 1')).toThrow('append-only')
    expect(() => db.exec('DELETE FROM disposed_tile')).toThrow('append-only')
    expect(() => db.exec('REPLACE INTO disposed_tile SELECT tile, hashes, 9 FROM disposed_tile')).toThrow()
    db.exec('DELETE FROM removing')
    expect(() => remove(6)).toThrow('append-only')
    db.close()
  })
})
