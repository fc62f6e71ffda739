// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ActivityEntry, activityKinds } from '../../shared/contract/activity.ts'
import { leafTypes } from '../../shared/evidence/leaf-types.ts'
import { rawRecord, type TestEngine, type TestPerson, testEngine } from '../test/test-engine.ts'
import { ReadLog } from './read-log.ts'

let engine: TestEngine
let auditor: TestPerson
let reviewer: TestPerson
beforeEach(async () => {
  engine = await testEngine()
  auditor = await engine.as('auditor')
  reviewer = await engine.as('reviewer')
  await engine.call('events.append', { events: Array.from({ length: 5 }, (_, i) => rawRecord(i)) })
})
afterEach(() => engine.remove())

const size = async () => (await engine.call('workspace.status', {})).ledger.size
const own = (entries: readonly ActivityEntry[], who: TestPerson) => entries.filter((one) => one.actor === who.ref)

describe('reads', () => {
  it('leave one leaf each, with who read; pages, figures and the same read within a minute leave none', async () => {
    const before = await size()
    const opened = await reviewer.call('records.open', { query: 'model:gpt-4' })
    await reviewer.call('records.open', { query: 'model:gpt-4' })
    for (let offset = 0; offset < 5; offset++) await reviewer.call('records.page', { handle: opened.handle, offset, limit: 1 })
    const [row] = (await reviewer.call('records.page', { handle: opened.handle, offset: 0, limit: 1 })).rows
    const first = await reviewer.call('records.get', { seq: row?.seq ?? 0 })
    const second = await reviewer.call('records.get', { seq: row?.seq ?? 0 })
    expect(second.view_seq).toBe(first.view_seq)
    await reviewer.call('workspace.dashboard', {})
    await reviewer.call('records.statistics', {})
    expect(await size()).toBe(before + 2)
    expect((await auditor.call('records.get', { seq: row?.seq ?? 0 })).view_seq).toBe(before + 2)
    await auditor.call('records.open', {})
    expect(await size()).toBe(before + 4)
    const { entries } = await auditor.call('activity.list', {})
    expect(own(entries, reviewer).map((one) => [one.type, one.on_seq, one.detail])).toEqual([
      ['record.viewed', row?.seq, ''],
      ['search.run', null, 'model:gpt-4']
    ])
  })

  it('of programs over HTTP are theirs', async () => {
    const client = { actor: { ref: 'client:crm', kind: 'service' }, via: 'http', scopes: ['read'] } as const
    const page = await engine.engine.router.call('records.query', { limit: 2 }, client)
    if (!page.ok) throw new Error(page.error.message)
    const { next_cursor } = page.value as { next_cursor: string }
    await engine.engine.router.call('records.query', { limit: 2, cursor: next_cursor }, client)
    const { entries } = await auditor.call('activity.list', { person: 'client:crm' })
    expect(entries.map((one) => one.type)).toEqual(['search.run'])
  })

  it('are on record as well when a program makes up where to begin, changes the question, or takes the place of another', async () => {
    const of = (ref: string) => ({ actor: { ref, kind: 'service' }, via: 'http', scopes: ['read'] }) as const
    const query = async (ref: string, input: object) => {
      const reply = await engine.engine.router.call('records.query', { limit: 1, ...input }, of(ref))
      if (!reply.ok) throw new Error(reply.error.message)
      return reply.value as { records: unknown[]; next_cursor: string }
    }
    const searched = async (ref: string) =>
      (await auditor.call('activity.list', { person: ref, kind: 'search' })).entries.map((one) => one.detail).reverse()
    const beyond = Buffer.from('9999999999999999.999999').toString('base64url')
    expect((await query('client:guess', { text: 'Jane', cursor: beyond })).records).toEqual([])
    expect((await query('client:guess', { model: 'gpt-4', cursor: beyond })).records).toHaveLength(1)
    expect(await searched('client:guess')).toEqual(['Jane', 'model:gpt-4'])

    const { next_cursor } = await query('client:pages', { model: 'gpt-4' })
    const further = await query('client:pages', { model: 'gpt-4', cursor: next_cursor })
    await query('client:pages', { model: 'gpt-4', cursor: further.next_cursor })
    expect(await searched('client:pages')).toEqual(['model:gpt-4'])
    await query('client:pages', { source: 'desk', cursor: next_cursor })
    expect(await searched('client:pages')).toEqual(['model:gpt-4', 'source:desk'])
    await query('client:other', { model: 'gpt-4', cursor: next_cursor })
    expect(await searched('client:other')).toEqual(['model:gpt-4'])
  })

  it('of the activity are on record wherever they begin', async () => {
    const before = await size()
    const first = await auditor.call('activity.list', { kind: 'people', limit: 1 })
    await auditor.call('activity.list', { kind: 'people', limit: 1, before: first.next ?? 0 })
    expect(await size()).toBe(before + 1)
    await auditor.call('activity.list', { kind: 'setting', before: 1_000_000 })
    expect(await size()).toBe(before + 2)
  })

  it('are folded for a minute and by person, never when they have a reason', async () => {
    let now = 0
    let seq = 0
    const log = new ReadLog(
      async () => [{ kind: 'appended', seq: seq++, id: '' }],
      () => now
    )
    const view = (ref: string, on: number) =>
      log.record({ type: 'record.viewed', actor: { ref, kind: 'human' }, data: { seq: on }, parts: [] })
    expect([await view('a', 1), await view('a', 1), await view('b', 1), await view('a', 2)]).toEqual([0, 0, 1, 2])
    now = 60_000
    expect(await view('a', 1)).toBe(3)
    const unmask = () => log.record({ type: 'payload.unmasked', actor: { ref: 'a', kind: 'human' }, data: { seq: 1 }, parts: [] })
    expect([await unmask(), await unmask()]).toEqual([4, 5])
    const failing = new ReadLog(async () => {
      throw new Error('disk full')
    })
    const draft = { type: 'record.viewed', actor: { ref: 'a', kind: 'human' }, data: { seq: 1 }, parts: [] } as const
    await expect(failing.record(draft)).rejects.toThrow('disk full')
    await expect(failing.record(draft)).rejects.toThrow('disk full')
  })
})

describe('the activity', () => {
  it('names every kind of leaf once, but heartbeats and the calls themselves', () => {
    const listed = Object.values(activityKinds).flat()
    expect(new Set(listed).size).toBe(listed.length)
    expect([...listed].sort()).toEqual(leafTypes.filter((type) => type !== 'heartbeat' && !type.startsWith('llm.')).sort())
  })

  it('is for those who oversee; looking is on record, once, with what was looked for', async () => {
    expect(await reviewer.codeOf('activity.list', {})).toBe('forbidden')
    expect(await reviewer.codeOf('activity.export', { out: join(engine.root, 'no.csv') })).toBe('forbidden')
    expect(await auditor.codeOf('activity.list', { limit: 0 })).toBe('bad_request')
    expect(await auditor.codeOf('activity.list', { kind: 'heartbeat' })).toBe('bad_request')
    expect(await auditor.codeOf('activity.list', { text: '\ud800' })).toBe('bad_request')
    expect(await auditor.codeOf('activity.export', { out: '' })).toBe('bad_request')
    await auditor.call('activity.list', { text: 'miller', limit: 1 })
    await auditor.call('activity.list', { text: 'miller', limit: 1 })
    const { entries } = await auditor.call('activity.list', {})
    expect(own(entries, auditor).map((one) => [one.what, one.detail])).toEqual([['looked at the activity', 'miller']])
  })

  it('pages by leaf without gap or repetition while more is done, and finds by person, kind, time and words', async () => {
    for (let i = 0; i < 25; i++) await reviewer.call('records.open', { query: `conversation:case-${i}` })
    const seen: number[] = []
    let before: number | undefined
    do {
      const page = await auditor.call('activity.list', { limit: 7, ...(before === undefined ? {} : { before }) })
      seen.push(...page.entries.map((one) => one.seq))
      before = page.next ?? undefined
      await reviewer.call('records.open', { query: `conversation:later-${seen.length}` })
    } while (before !== undefined)
    expect(seen).toEqual([...new Set(seen)].sort((a, b) => b - a))
    expect(seen.length).toBeGreaterThan(28)
    expect(seen.at(-1)).toBe(0)
    const found = async (input: object) => (await auditor.call('activity.list', input)).entries
    expect((await found({ text: 'CASE-13' })).filter((one) => one.actor === reviewer.ref).map((one) => one.detail)).toEqual([
      'conversation:case-13'
    ])
    expect(new Set((await found({ kind: 'search', person: reviewer.ref })).map((one) => one.type))).toEqual(new Set(['search.run']))
    // What was done to a person is found with what the person did.
    expect((await found({ person: reviewer.ref, kind: 'people' })).map((one) => one.on_person)).toEqual([reviewer.ref])
    expect(await found({ to: '2020-01-01T00:00:00Z' })).toEqual([])
    expect((await found({ from: new Date(Date.now() - 3_600_000).toISOString(), kind: 'system' })).map((one) => one.type)).toEqual([
      'engine.started'
    ])
    expect(await found({ text: 'no such words' })).toEqual([])
  })

  it('goes out as CSV that no spreadsheet runs; that is an export on record, and no bundle', async () => {
    const formula = '=HYPERLINK("http://evil", "x")'
    await reviewer.call('records.open', { query: formula })
    const out = join(engine.root, 'activity.csv')
    const written = await auditor.call('activity.export', { out, kind: 'search' })
    const text = readFileSync(out, 'utf8')
    expect(text.split('\r\n')[0]).toBe('leaf,time_utc,type,actor,what,on_leaf,on_person,detail')
    expect(text.split('\r\n').length - 2).toBe(written.rows)
    for (const line of text.split('\r\n')) expect(line).not.toMatch(/(^|,)"?[=+@-]/)
    expect(text).toContain(reviewer.ref)
    const [entry] = (await auditor.call('activity.list', { kind: 'export' })).entries
    expect(entry).toMatchObject({ actor: auditor.ref, data: { kind: 'activity', rows: written.rows, file_sha256: written.sha256 } })
    expect((await auditor.call('export.list', {})).exports).toEqual([])
    expect(await auditor.codeOf('activity.export', { out: join(engine.root, 'none', 'a.csv') })).toBe('file_unreadable')
    expect(existsSync(`${join(engine.root, 'none', 'a.csv')}.${process.pid}.tmp`)).toBe(false)
  })

  it('is the same after the catalog is made anew', async () => {
    await reviewer.call('records.open', { query: 'error' })
    const before = (await auditor.call('activity.list', { kind: 'people' })).entries
    const { job_id } = await engine.call('workspace.rebuild', {})
    await engine.job(job_id)
    expect((await auditor.call('activity.list', { kind: 'people' })).entries).toEqual(before)
  })
})
