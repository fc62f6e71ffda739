// SPDX-License-Identifier: Apache-2.0
// GDPR 18 on every way out of the workspace: who may not see a restricted record finds no trace of it; who may finds it only when asking.
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ingestRecords } from '../test/ingest-records.ts'
import { rawRecord, type TestEngine, type TestPerson, testEngine } from '../test/test-engine.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const RECORDS = 6
let engine: TestEngine
let seqs: number[]
let hidden: number
let officer: TestPerson
let others: readonly TestPerson[]
beforeEach(async () => {
  engine = await testEngine({ servers: true })
  const records = Array.from({ length: RECORDS }, (_, n) => rawRecord(n + 1))
  seqs = await ingestRecords(engine, [
    ...records.slice(0, 2),
    rawRecord(3, { latency_ms: 9_000_000, prompt: 'about Zenobia' }),
    ...records.slice(3)
  ])
  hidden = seqs[2] ?? 0
  officer = await engine.as('data_protection')
  others = [await engine.as('administrator'), await engine.as('auditor'), await engine.as('reviewer'), await engine.as('operator')]
})
afterEach(() => engine.remove())

const restrict = (on: boolean) => officer.call('restrict.set', { seqs: [hidden], on, reason: 'accuracy contested, 18(1)(a)' })
const everything = { from: '2025-01-01T00:00:00Z', to: '2027-01-01T00:00:00Z' }
const figures = async () => {
  const statistics = await engine.call('records.statistics', {})
  const { totals, bins, newest } = await engine.call('workspace.dashboard', { ...everything, bins: 24 })
  const timeline = await engine.call('drift.timeline', { query: '', feature: 'latency' })
  return {
    counted: statistics.count,
    successes: statistics.by_status.success,
    mean: statistics.avg_processing_time_ms,
    totals,
    binned: bins.reduce((sum, bin) => sum + bin.records, 0),
    newest: newest.map((row) => row.seq),
    slots: timeline.slots.reduce((sum, slot) => sum + slot.records, 0),
    baseline: (await engine.call('drift.baseline_preview', { query: 'source:desk' })).records
  }
}

describe('a restricted record', () => {
  it('is not there for whoever may not see it: list, search, filter, detail, unmask', async () => {
    const [administrator] = others
    if (!administrator) throw new Error('nobody')
    const before = await administrator.call('records.open', { query: '' })
    await restrict(true)
    for (const person of others) {
      const all = await person.call('records.open', { query: '' })
      expect([all.count, all.total]).toEqual([RECORDS - 1, RECORDS - 1])
      expect(all.rail.map((mark) => mark.seq)).not.toContain(hidden)
      const page = await person.call('records.page', { handle: all.handle, offset: 0, limit: 100 })
      expect(page.rows.map((row) => row.seq)).not.toContain(hidden)
      expect((await person.call('records.locate', { handle: all.handle, seq: hidden })).offset).toBeNull()
      for (const query of ['Zenobia', `seq:${hidden}`, 'latency:>8000s', 'restricted:no Zenobia'])
        expect((await person.call('records.open', { query })).count).toBe(0)
      for (const sort of ['time', 'latency', 'tokens'] as const)
        expect((await person.call('records.open', { query: '', sort: { by: sort, dir: 'asc' } })).count).toBe(RECORDS - 1)
      expect((await person.call('records.query', {})).records.map((row) => row.seq)).not.toContain(hidden)
      expect((await person.call('records.query', { text: 'Zenobia' })).records).toEqual([])
      expect(await person.codeOf('records.get', { seq: hidden })).toBe('forbidden')
      expect(await person.codeOf('records.open', { query: 'restricted:yes' })).toBe('forbidden')
    }
    for (const role of ['auditor', 'reviewer'] as const)
      expect(await (await engine.as(role)).codeOf('records.unmask', { seq: hidden, reason: 'curiosity' })).toBe('forbidden')
    // A result from before the restriction is run again.
    expect(await administrator.codeOf('records.page', { handle: before.handle, offset: 0, limit: 100 })).toBe('handle_expired')
    await restrict(false)
    expect((await administrator.call('records.open', { query: 'Zenobia' })).count).toBe(1)
    expect(await administrator.codeOf('records.get', { seq: hidden })).toBeUndefined()
  })

  it('is found by data protection in a list of everything and by restricted:yes, and by no other search', async () => {
    await restrict(true)
    const found = async (query: string) => {
      const { handle } = await officer.call('records.open', { query })
      return (await officer.call('records.page', { handle, offset: 0, limit: 100 })).rows.map((row) => [
        row.seq,
        row.restricted,
        row.preview
      ])
    }
    expect(await found('restricted:yes')).toEqual([[hidden, true, '']])
    expect(await found('-restricted:no Zenobia')).toEqual([[hidden, true, '']])
    expect(await found('Zenobia')).toEqual([])
    expect(await found('restricted:no')).toHaveLength(RECORDS - 1)
    expect(await found('')).toHaveLength(RECORDS)
    expect((await officer.call('records.get', { seq: hidden })).row.restricted).toBe(true)
    expect(await officer.codeOf('records.unmask', { seq: hidden, reason: 'defence of a legal claim' })).toBeUndefined()
    expect(await officer.codeOf('records.open', { query: 'restricted:maybe' })).toBe('invalid_filter')
  })

  it('is counted in no figure and no drift window, live and after a rebuild, and counts again when it is lifted', async () => {
    const before = await figures()
    expect([before.counted, before.binned, before.slots, before.baseline]).toEqual([RECORDS, RECORDS, RECORDS, RECORDS])
    expect(before.mean).toBeGreaterThan(1_000_000)
    await restrict(true)
    const during = await figures()
    expect([during.counted, during.successes, during.binned, during.slots, during.baseline]).toEqual(
      Array.from({ length: 5 }, () => RECORDS - 1)
    )
    expect(during.mean).toBeLessThan(1_000)
    expect(during.totals.p99_ms).toBeLessThan(1_000)
    expect(during.newest).not.toContain(hidden)
    await engine.job((await engine.call('workspace.rebuild', {})).job_id)
    expect(await figures()).toEqual(during)
    // Twice the same is once.
    await restrict(true)
    expect(await figures()).toEqual(during)
    await restrict(false)
    expect(await figures()).toEqual(before)
  })

  it('goes into no bundle, table or report, which say how many stayed behind', async () => {
    await restrict(true)
    const out = join(engine.root, 'one.affidavit.zip')
    expect(await officer.call('export.preview', {})).toMatchObject({ records: RECORDS - 1, restricted: 1 })
    const { job_id } = await officer.call('export.start', { recipient: 'Examiner', purpose: 'Test', out })
    expect((await engine.job(job_id)).error).toBeNull()
    const entry = (path: string) => execFileSync('unzip', ['-p', out, path], { encoding: 'utf8' })
    expect(JSON.parse(entry('data/case.json'))).toMatchObject({ records: RECORDS - 1, records_in_scope: RECORDS })
    expect(
      entry('data/records.csv')
        .split('\n')
        .filter((line) => line.startsWith(`${hidden},`))
    ).toEqual([])
    expect(entry('data/leaves.jsonl')).not.toContain(`"seq":${hidden},`)
    expect(execFileSync('unzip', ['-Z1', out], { encoding: 'utf8' })).not.toMatch(new RegExp(`payload/0*${hidden}\\.`))
    for (const query of ['restricted:yes', `seq:${hidden}`]) {
      const started = await officer.call('export.start', { query, recipient: 'x', purpose: 'y', out: join(engine.root, 'two.zip') })
      expect((await engine.job(started.job_id)).error).toMatchObject({
        code: 'nothing_selected',
        message: expect.stringContaining('restricted')
      })
    }
  })

  it('does not leave over HTTP: queries, figures, a stream that is taken up again', async () => {
    await restrict(true)
    const { token } = await engine.call('clients.add', { name: 'reader', scopes: ['read'] })
    const { compliance } = engine.engine.status().endpoints
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const get = async (path: string, init: RequestInit = {}) => {
      const answer = await fetch(`${compliance.url}/api/compliance/${path}`, { ...init, headers: { ...headers, ...init.headers } })
      return { status: answer.status, body: (await answer.json()) as { records?: { seq: number }[]; count?: number; code?: string } }
    }
    const all = await get('query', { method: 'POST', body: '{}' })
    expect(all.body.records?.map((row) => row.seq)).toEqual(seqs.filter((seq) => seq !== hidden).reverse())
    expect((await get('query', { method: 'POST', body: JSON.stringify({ text: 'Zenobia' }) })).body.records).toEqual([])
    expect((await get('statistics')).body.count).toBe(RECORDS - 1)
    const end = new AbortController()
    const stream = await fetch(`${compliance.url}/api/compliance/stream`, {
      headers: { ...headers, 'last-event-id': String(seqs[0] ?? 0) },
      signal: end.signal
    })
    const reader = stream.body?.getReader()
    let text = ''
    while (reader && !text.includes(`"seq":${seqs.at(-1)}`)) text += new TextDecoder().decode((await reader.read()).value)
    end.abort()
    expect(text).toContain(`"seq":${seqs[3]}`)
    expect(text).not.toContain(`"seq":${hidden},`)
  })
})
