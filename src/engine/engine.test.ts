// SPDX-License-Identifier: Apache-2.0
// The engine from import to verdict, on real files.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { RecordRow } from '../shared/contract/record.ts'
import { bodyPart } from './ledger/body-part.ts'
import { rawRecord, type TestEngine, testEngine } from './test/test-engine.ts'

const study = join(import.meta.dirname, '../../../shared/data/llmdrift/PRIME_FULL_EVAL.csv')
const here = existsSync(study)
if (!here) console.log('shared/data is not here: the LLMDrift study is left out, generated records stand in')

let engine: TestEngine
beforeEach(async () => {
  engine = await testEngine()
})
afterEach(() => engine.remove())

const some = (from: number, count: number, more = {}) => Array.from({ length: count }, (_, i) => rawRecord(from + i, more))

/** Every row of every table that is a projection, in a fixed order. */
function dump(): Record<string, unknown[]> {
  const db = new Database(join(engine.workspace, 'catalog.db'), { readonly: true })
  const out: Record<string, unknown[]> = {}
  for (const table of [
    'record',
    'minute',
    'facet',
    'series',
    'event',
    'alert',
    'alert_step',
    'look',
    'look_history',
    'look_series',
    'reference',
    'baseline',
    'cell',
    'webhook'
  ])
    out[table] = db.prepare(`SELECT * FROM ${table} ORDER BY 1, 2`).all()
  out.text = db.prepare("SELECT rowid FROM record_text WHERE record_text MATCH 'answer' ORDER BY rowid").all()
  db.close()
  return out
}

describe.runIf(here)('the LLMDrift study', () => {
  it('goes from a file to an acknowledged alert with the known gaps', async () => {
    const { job_id } = await engine.call('import.start', { path: study, profile: 'llmdrift-csv' })
    expect((await engine.job(job_id)).state).toBe('done')
    expect(await engine.call('import.result', { job_id })).toMatchObject({ accepted: 4000, duplicates: 0, rejected: 0 })
    const facets = await engine.call('records.facets', {})
    expect(facets.models.map((model) => [model.value, model.count])).toEqual([
      ['gpt-3.5-turbo-0301', 1000],
      ['gpt-3.5-turbo-0613', 1000],
      ['gpt-4-0314', 1000],
      ['gpt-4-0613', 1000]
    ])
    const again = await engine.call('import.start', { path: study, profile: 'llmdrift-csv' })
    await engine.job(again.job_id)
    expect(await engine.call('import.result', { job_id: again.job_id })).toMatchObject({ accepted: 0, duplicates: 4000, rejected: 0 })

    await engine.call('drift.set_baseline', { name: 'March', query: 'model:gpt-4-0314', model: 'gpt-4-0613', source: 'llmdrift' })
    const look = await engine.call('drift.look', {})
    const numbers = look.series[0]?.numbers ?? []
    expect(numbers.map((one) => [one.feature, one.alarmed, one.d?.toFixed(3)])).toEqual([
      ['latency', true, '0.711'],
      ['token_usage', true, '0.999'],
      ['response_length', true, '0.999'],
      ['error_rate', false, '0.000']
    ])
    const id = look.opened[0] ?? ''
    const verdict = await engine.call('drift.verdict', { alert_id: id, feature: 'latency' })
    expect(verdict.headline).toBe('2 % of requests finished within 1.94 s, now 73 %.')
    expect(await engine.call('drift.verdict', { alert_id: id, feature: 'latency' })).toEqual(verdict)
    const acknowledged = await engine.call('drift.acknowledge', { id, note: 'the provider moved the alias' })
    expect(acknowledged.state).toBe('acknowledged')
    expect(acknowledged.history.at(-1)).toMatchObject({ what: 'acknowledged', note: 'the provider moved the alias' })
    // Latched: a second look opens nothing new.
    expect((await engine.call('drift.look', {})).opened).toEqual([])
    const before = dump()
    const { job_id: rebuilt } = await engine.call('workspace.rebuild', {})
    expect((await engine.job(rebuilt)).state).toBe('done')
    expect(dump()).toEqual(before)
    expect((await engine.call('drift.alerts', {})).alerts[0]).toEqual(acknowledged)
  }, 60_000)
})

describe('records', () => {
  it('are found the moment they are acknowledged', async () => {
    await engine.call('events.append', { events: some(0, 40) })
    const found = await engine.call('records.query', { text: '"question 17"' })
    expect(found.records.map((row) => row.preview)).toEqual(['What is the answer to question 17?'])
    expect(found.applied_seq).toBe(found.acknowledged_seq)
    const detail = await engine.call('records.get', { seq: found.records[0]?.seq ?? 0 })
    expect(detail.output_messages[0]?.parts[0]?.content).toBe('The answer to question 17 is 34.')
    expect(detail.event).toMatchObject({ id: 'call-17', latency_us: 517_000, source: 'desk' })
    expect(detail.view_seq).toBeGreaterThan(40)
    const proof = await engine.call('records.proof', { seq: detail.row.seq })
    expect(proof).toMatchObject({ verdict: 'verified', checkpoint: { root_state: 'pass', signature_state: 'pass' } })
  })

  it('page newest first by cursor, without gap or repetition, while more arrive', async () => {
    await engine.call('events.append', { events: some(0, 90) })
    const seen: RecordRow[] = []
    let cursor: string | undefined
    for (;;) {
      const page = await engine.call('records.query', { limit: 7, ...(cursor === undefined ? {} : { cursor }) })
      seen.push(...page.records)
      await engine.call('events.append', { events: some(1000 + seen.length, 1) })
      if (page.next_cursor === null) break
      cursor = page.next_cursor
    }
    const old = seen.filter((row) => row.seq <= 90)
    expect(new Set(old.map((row) => row.id)).size).toBe(90)
    expect(old.map((row) => row.timestamp)).toEqual([...old.map((row) => row.timestamp)].sort().reverse())
    expect(await engine.codeOf('records.query', { cursor: 'garbage' })).toBe('invalid_cursor')
    expect(await engine.codeOf('records.query', { cursor: Buffer.from('1.2; DROP').toString('base64url') })).toBe('invalid_cursor')
    expect(await engine.codeOf('records.query', { limit: 1001 })).toBe('bad_request')
    expect(await engine.codeOf('records.query', { text: '😀 !' })).toBe('bad_request')
    expect(await engine.codeOf('records.query', { unknown: 1 })).toBe('bad_request')
  })

  it('keep their place in a result while more arrive', async () => {
    await engine.call('events.append', { events: some(0, 30) })
    const all = await engine.call('records.open', { query: '' })
    const slow = await engine.call('records.open', { query: 'latency:>520', sort: { by: 'latency', dir: 'desc' } })
    await engine.call('events.append', { events: some(30, 30) })
    const first = await engine.call('records.page', { handle: all.handle, offset: 0, limit: 200 })
    expect(first.rows).toHaveLength(30)
    expect(first.rows[0]?.preview).toContain('question 29')
    const sorted = await engine.call('records.page', { handle: slow.handle, offset: 0, limit: 200 })
    expect(sorted.rows.map((row) => row.processing_time_ms)).toEqual([529, 528, 527, 526, 525, 524, 523, 522, 521, 520])
    const row = sorted.rows[3]
    expect(await engine.call('records.locate', { handle: slow.handle, seq: row?.seq ?? 0 })).toEqual({ offset: 3 })
    expect(await engine.call('records.locate', { handle: slow.handle, seq: 1 })).toEqual({ offset: null })
    await engine.call('records.close', { handle: all.handle })
    expect(await engine.codeOf('records.page', { handle: all.handle, offset: 0, limit: 1 })).toBe('handle_expired')
  })

  it('survive any search text', async () => {
    await engine.call('events.append', { events: some(0, 5) })
    for (const query of [
      '"',
      'a"b',
      '* OR 1',
      'NEAR(a b)',
      "'; DROP TABLE record; --",
      'x:y',
      '^a',
      'AND',
      '{}[]()',
      '\u0000',
      '"unclosed',
      'model:"a\\"b"',
      '-answer',
      '😀',
      '…'
    ]) {
      const code = await engine.codeOf('records.open', { query })
      expect([undefined, 'invalid_filter'], query).toContain(code)
    }
    expect((await engine.call('records.open', { query: '-answer' })).count).toBe(0)
    expect((await engine.call('records.open', { query: 'ANSWER' })).count).toBe(5)
  })

  it('are counted as the statistics route says', async () => {
    await engine.call('events.append', {
      events: [
        ...some(0, 9),
        rawRecord(50, { status: 'aborted', latency_ms: null }),
        rawRecord(51, { error_type: 'rate_limited', http_status: 429 })
      ]
    })
    const statistics = await engine.call('records.statistics', {})
    expect(statistics).toMatchObject({
      count: 11,
      total_requests: 11,
      in_flight: 0,
      by_status: { success: 9, error: 1, aborted: 1 },
      recent_alerts: []
    })
    expect(statistics.avg_processing_time_ms).toBeCloseTo((9 * 504 + 551) / 10, 6)
    expect(await engine.call('records.statistics', { from: '2030-01-01T00:00:00Z' })).toMatchObject({
      count: 0,
      by_status: { success: 0, error: 0 },
      avg_processing_time_ms: 0
    })
    const dashboard = await engine.call('workspace.dashboard', { bins: 8 })
    expect(dashboard.totals).toMatchObject({ records: 11, success: 9, error: 1, aborted: 1, input_tokens: 110 })
    expect(dashboard.bins.reduce((sum, bin) => sum + bin.records, 0)).toBe(11)
    expect(Math.abs((dashboard.totals.p50_ms ?? 0) - 504) / 504).toBeLessThan(0.02)
  })

  it('leave their searches and views as leaves, without the searched text', async () => {
    await engine.call('events.append', { events: some(0, 3) })
    await engine.call('records.open', { query: 'Mrs Miller' })
    await engine.call('records.get', { seq: 1 })
    const db = new Database(join(engine.workspace, 'ledger.db'), { readonly: true })
    const leaves = db
      .prepare<[], Buffer>('SELECT bytes FROM leaf')
      .pluck()
      .all()
      .map((bytes) => bytes.toString('utf8'))
    db.close()
    expect(leaves.filter((leaf) => leaf.includes('"type":"search.run"'))).toHaveLength(1)
    expect(leaves.filter((leaf) => leaf.includes('"type":"record.viewed"'))).toHaveLength(1)
    expect(leaves.join('')).not.toMatch(/Miller|question|answer/)
  })
})

describe('ingest', () => {
  it('tells duplicates from conflicts and refuses what is no record', async () => {
    const result = await engine.call('events.append', {
      events: [
        rawRecord(1),
        rawRecord(1),
        rawRecord(1, { prompt: 'another' }),
        {},
        7,
        rawRecord(2, { latency_ms: 'fast' }),
        rawRecord(3, { start_time: '2999-01-01T00:00:00Z' }),
        rawRecord(4, { prompt: 'half \ud800 a pair' }),
        rawRecord(5, { input_tokens: -1 }),
        rawRecord(6, { error_message: '\udc00' }),
        rawRecord(7, { x: Number.POSITIVE_INFINITY }),
        rawRecord(8, {
          messages: [{ role: 'assistant', tool_calls: [{ function: { name: 'f', arguments: '{"a":1e400}' } }] }],
          prompt: null
        })
      ]
    })
    expect(result).toMatchObject({ accepted: 1, duplicates: 1 })
    expect(Object.fromEntries(result.rejected.map((one) => [one.line, one.code]))).toEqual({
      3: 'id_conflict',
      4: 'missing_field',
      5: 'not_an_object',
      6: 'wrong_type',
      7: 'time_in_future',
      8: 'invalid_unicode',
      9: 'out_of_range',
      10: 'invalid_unicode',
      11: 'out_of_range',
      12: 'out_of_range'
    })
    expect(JSON.stringify(result.rejected)).not.toMatch(/fast|another|half \\ud/)
    expect(await engine.codeOf('events.append', { events: [{}] })).toBe('no_good_record')
    expect(await engine.codeOf('events.append', { events: [] })).toBe('bad_request')
  })

  it('keeps unknown fields and polluted keys as data', async () => {
    const polluted = JSON.parse(
      '{"model":"m","prompt":"p","__proto__":{"polluted":true},"constructor":{"x":1},"mine":[1,{"a":null}]}'
    ) as Record<string, unknown>
    await engine.call('events.append', { events: [polluted] })
    const { event } = await engine.call('records.get', { seq: 1 })
    expect(Object.keys(event.attributes as object).sort()).toEqual(['__proto__', 'constructor', 'mine'])
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })
})

describe('settings', () => {
  it('are kept as leaves and read again at the next start', async () => {
    const changed = await engine.call('settings.set', { look_every_minutes: 15, procedure: 'BY' })
    expect(changed).toMatchObject({ look_every_minutes: 15, procedure: 'BY', looks_per_false_alarm: 168 })
    await engine.restart()
    expect(await engine.call('settings.get', {})).toEqual(changed)
    // The catalog is gone: they come from the ledger, however far the catalog has come.
    await engine.restart(() => {
      for (const suffix of ['', '-wal', '-shm']) rmSync(join(engine.workspace, `catalog.db${suffix}`), { force: true })
    })
    expect(await engine.call('settings.get', {})).toEqual(changed)
    expect(await engine.codeOf('settings.set', { look_every_minutes: -1 })).toBe('bad_request')
    expect(await engine.codeOf('settings.set', { nothing: 1 })).toBe('bad_request')
  })
})

describe('drift', () => {
  it('refuses what cannot be judged and changes states in order only', async () => {
    expect(await engine.codeOf('drift.look', {})).toBe('nothing_selected')
    expect(await engine.codeOf('drift.set_baseline', { name: 'x', query: 'model:none', model: 'm', source: 's' })).toBe('nothing_selected')
    expect(await engine.codeOf('drift.set_baseline', { name: 'x', query: 'latency:fast', model: 'm', source: 's' })).toBe('invalid_filter')
    expect(await engine.codeOf('drift.acknowledge', { id: 'none', note: 'seen' })).toBe('not_found')
    expect(await engine.codeOf('drift.acknowledge', { id: 'none', note: 'x'.repeat(2001) })).toBe('bad_request')
    expect(await engine.codeOf('drift.verdict', { model: 'm', source: 's', feature: 'latency' })).toBe('not_found')
    expect(await engine.call('drift.statistics', {})).toEqual({
      total_alerts: 0,
      unacknowledged_alerts: 0,
      avg_drift_score: 0,
      recent_alerts: []
    })
    await engine.call('events.append', { events: some(0, 300) })
    await engine.call('drift.set_baseline', { name: 'all', query: 'model:gpt-4', model: 'gpt-4', source: 'desk' })
    const empty = await engine.call('drift.look', {})
    expect(empty.series[0]?.numbers.every((one) => one.state === 'collecting')).toBe(true)
    await engine.call('events.append', { events: some(1000, 100, { latency_ms: 9000, response: 'no', output_tokens: 1, status: 'error' }) })
    const look = await engine.call('drift.look', {})
    expect(look.series[0]?.numbers.map((one) => one.alarmed)).toEqual([true, true, true, true])
    const id = look.opened[0] ?? ''
    for (const feature of ['latency', 'token_usage', 'response_length', 'error_rate'] as const)
      expect((await engine.call('drift.verdict', { alert_id: id, feature })).numbers.alarmed).toBe(true)
    const both = await Promise.all([engine.codeOf('drift.look', {}), engine.codeOf('drift.look', {})])
    expect(both.sort()).toEqual(['busy', undefined])
    expect((await engine.call('drift.resolve', { id, note: 'done' })).state).toBe('resolved')
    expect(await engine.codeOf('drift.acknowledge', { id, note: 'late' })).toBe('conflict')
    expect(await engine.codeOf('drift.resolve', { id, note: 'again' })).toBe('conflict')
  })
})

describe('imports', () => {
  const file = (name: string, content: string | Uint8Array) => {
    const path = join(engine.root, name)
    writeFileSync(path, content)
    return path
  }
  const run = async (path: string, profile: string, more: { zone?: string; source?: string } = {}) => {
    const { job_id } = await engine.call('import.start', { path, profile, ...more })
    return { job: await engine.job(job_id), result: await engine.call('import.result', { job_id }) }
  }
  const header = 'model,query,answer,latency,timestamp,answer_token\n'

  it('report each bad line and keep the good ones', async () => {
    const bad = Buffer.concat([
      Buffer.from(`\ufeff${header}openaichat/gpt-4-0314,"two\nlines, and ""quotes""",yes,1.5,"07/24/2023, 21:00:50",3\r\n`),
      Buffer.from('openaichat/gpt-4-0314,q,a,minus one,"07/24/2023, 21:00:50",3\n'),
      Buffer.from('openaichat/gpt-4-0314,q,a,1,"13/44/2023, 21:00:50",3\n'),
      Buffer.from('openaichat/gpt-4-0314,q,a\n'),
      Buffer.concat([Buffer.from('openaichat/gpt-4-0314,'), Buffer.from([0xff, 0xfe]), Buffer.from(',a,1,"07/24/2023, 21:00:50",3\n')]),
      Buffer.from('openaichat/gpt-4-0314,=1+1,a\u0000b,1,"07/24/2023, 21:00:50",3\n'),
      Buffer.from('gpt-x,"never closed,a,1,"')
    ])
    const { result } = await run(file('mixed.csv', bad), 'llmdrift-csv', { zone: 'America/New_York' })
    expect(result).toMatchObject({ accepted: 2, rejected: 5 })
    expect(result.errors.map((error) => [error.line, error.code])).toEqual([
      [4, 'wrong_type'],
      [5, 'wrong_type'],
      [6, 'malformed_csv'],
      [7, 'invalid_utf8'],
      [9, 'malformed_csv']
    ])
    const detail = await engine.call('records.get', { seq: 2 })
    expect(detail.input_messages[0]?.parts[0]?.content).toBe('two\nlines, and "quotes"')
    expect(detail.row).toMatchObject({
      timestamp: '2023-07-25T01:00:50.000Z',
      model: 'gpt-4-0314',
      provider: 'openai',
      processing_time_ms: 1500,
      output_tokens: 3
    })
  })

  it('refuse files that are something else, and lines that are too long', async () => {
    expect((await run(file('zip.csv', Buffer.from('PK\u0003\u0004rubbish')), 'llmdrift-csv')).job.error?.code).toBe('not_this_format')
    expect(
      (await run(file('picture.jsonl', Buffer.from(Array.from({ length: 200 }, () => '\u0089PNG\n').join(''))), 'affidavit-jsonl')).job
        .error?.code
    ).toBe('not_this_format')
    const long = `${JSON.stringify(rawRecord(1))}\n${JSON.stringify(rawRecord(2, { prompt: 'x'.repeat(11 * 1024 * 1024) }))}\n${JSON.stringify(rawRecord(3))}\n`
    expect((await run(file('long.jsonl', long), 'affidavit-jsonl')).result).toMatchObject({
      accepted: 2,
      rejected: 1,
      errors: [{ line: 2, code: 'line_too_long' }]
    })
    expect(await engine.codeOf('import.start', { path: join(engine.root, 'nothing'), profile: 'llmdrift-csv' })).toBe('file_unreadable')
    expect(await engine.codeOf('import.start', { path: engine.root, profile: 'llmdrift-csv' })).toBe('file_unreadable')
    expect(await engine.codeOf('import.start', { path: file('a.csv', header), profile: 'none' })).toBe('bad_request')
    expect(await engine.codeOf('import.start', { path: file('a.csv', header), profile: 'llmdrift-csv', zone: 'Mars/Base' })).toBe(
      'bad_request'
    )
    expect(await engine.codeOf('import.preview', { path: file('b.bin', Buffer.alloc(2000, 7)) })).toBe('not_this_format')
  })

  it('show the first rows without storing anything', async () => {
    const size = (await engine.call('workspace.status', {})).ledger.size
    const path = file('p.jsonl', Array.from({ length: 50 }, (_, i) => JSON.stringify(rawRecord(i))).join('\n'))
    const preview = await engine.call('import.preview', { path })
    expect(preview).toMatchObject({ profile: 'affidavit-jsonl', zone_for: [] })
    expect(preview.rows).toHaveLength(20)
    expect((await engine.call('workspace.status', {})).ledger.size).toBe(size)
  })

  it('take a mapping, seal it with the start of the import, and add nothing the second time', async () => {
    const path = file('mapped.csv', 'model,q,secs\nby-map,one,1.5\nby-map,two,fast\n')
    const preview = await engine.call('import.preview', { path })
    expect(preview).toMatchObject({ profile: 'mapped', mapping: { guessed: true, used: { fields: { model: { from: 'model' } } } } })
    const latency = { from: 'secs', unit: 's' as const }
    const mapping = {
      version: 1,
      form: 'csv',
      others: 'drop',
      fields: { model: { from: 'model' }, prompt: { from: 'q' }, latency }
    } as const
    const start = async () => {
      const { job_id } = await engine.call('import.start', { path, profile: 'mapped', mapping })
      await engine.job(job_id)
      return engine.call('import.result', { job_id })
    }
    const first = await start()
    expect(first).toMatchObject({ accepted: 1, rejected: 1, errors: [{ line: 3, code: 'wrong_type', field: 'latency' }] })
    expect(await start()).toMatchObject({ accepted: 0, duplicates: 1, rejected: 1 })
    const db = new Database(join(engine.workspace, 'ledger.db'), { readonly: true })
    const leaf = db.prepare<[number], Buffer>('SELECT bytes FROM leaf WHERE seq = ?').pluck().get(first.started_seq)?.toString('utf8') ?? ''
    db.close()
    expect(JSON.parse(leaf)).toMatchObject({
      data: { profile: 'mapped', body_sha256: bodyPart(mapping).sha256 },
      parts: [{ name: 'body' }]
    })
    // Names of columns are the file's own words.
    expect(leaf).not.toContain('secs')
    expect(await engine.codeOf('import.start', { path, profile: 'mapped' })).toBe('bad_request')
    expect(await engine.codeOf('import.start', { path, profile: 'llmdrift-csv', mapping })).toBe('bad_request')
    expect(await engine.codeOf('import.start', { path, profile: 'mapped', mapping: { ...mapping, fields: {} } })).toBe('bad_request')
  })

  it('stop when asked, and keep what was accepted', async () => {
    const path = file('many.jsonl', Array.from({ length: 20_000 }, (_, i) => JSON.stringify(rawRecord(i))).join('\n'))
    const { job_id } = await engine.call('import.start', { path, profile: 'affidavit-jsonl' })
    while (((await engine.call('jobs.get', { id: job_id })).counts.accepted ?? 0) < 500)
      await new Promise((resolve) => setTimeout(resolve, 2))
    await engine.call('jobs.cancel', { id: job_id })
    expect((await engine.job(job_id)).state).toBe('cancelled')
    const { accepted } = await engine.call('import.result', { job_id })
    expect((await engine.call('records.open', { query: '' })).count).toBe(accepted)
    const { result } = await run(path, 'affidavit-jsonl')
    expect(result).toMatchObject({ accepted: 20_000 - accepted, duplicates: accepted })
  }, 60_000)
})

describe('a workspace', () => {
  it('is verified as a whole and says which leaf was changed', async () => {
    await engine.call('events.append', { events: some(0, 60) })
    const verify = async () => {
      const { job_id } = await engine.call('verify.workspace', {})
      await engine.job(job_id)
      return engine.call('verify.workspace_report', { job_id })
    }
    await engine.call('records.proof', { seq: 5 })
    expect(await verify()).toMatchObject({ verdict: 'intact', faults: [] })
    const db = new Database(join(engine.workspace, 'ledger.db'))
    db.exec(
      'DROP TRIGGER payload_no_update; UPDATE payload SET ct = zeroblob(length(ct)) WHERE seq = 9; DROP TRIGGER node_no_update; UPDATE node SET hash = zeroblob(32) WHERE pos = 4'
    )
    db.close()
    const report = await verify()
    expect(report.verdict).toBe('damaged')
    expect(report.faults.map((fault) => [fault.code, fault.seq])).toEqual([
      ['node_changed', 7],
      ['payload_changed', 9]
    ])
    await expect
      .poll(async () => (await engine.call('workspace.status', {})).verified)
      .toMatchObject({ verdict: 'damaged', faults: 2, first: { code: 'node_changed', seq: 7 }, actor: 'local' })
    expect(await engine.call('records.proof', { seq: 9 })).toMatchObject({ verdict: 'failed' })
    expect(await engine.call('verify.record', { seq: 9 })).toMatchObject({ verdict: 'failed' })
    expect((await engine.call('compliance.verifications', {})).verifications[0]).toMatchObject({ scope: 'record', faults: 1 })
    expect(await engine.call('verify.record', { seq: 11 })).toMatchObject({ verdict: 'verified' })
    expect(await engine.codeOf('verify.record', { seq: 1_000 })).toBe('not_found')
    expect(await engine.codeOf('verify.record', {})).toBe('bad_request')
    expect((await engine.call('records.get', { seq: 9 })).payload).toBe('missing')
    await engine.restart()
    expect(await engine.call('workspace.status', {})).toMatchObject({
      verified: { faults: 2, first: { code: 'node_changed', seq: 7 } },
      problem: { code: expect.stringMatching(/^(schema_changed|ledger_damaged)$/) }
    })
  })

  it('opens read-only after a rollback: reads answer, writes are refused with the reason', async () => {
    await engine.call('events.append', { events: some(0, 20) })
    const old = readFileSync(join(engine.workspace, 'head'))
    await engine.restart(() => writeFileSync(join(engine.workspace, 'head'), Buffer.alloc(old.length)))
    const status = await engine.call('workspace.status', {})
    expect(status).toMatchObject({ state: 'read_only', problem: { code: 'head_missing' } })
    expect(await engine.codeOf('events.append', { events: [rawRecord(1)] })).toBe('read_only')
    expect(await engine.codeOf('settings.set', { look_every_minutes: 5 })).toBe('read_only')
    expect((await engine.call('records.open', { query: 'answer' })).count).toBe(20)
    expect((await engine.call('records.get', { seq: 1 })).view_seq).toBeNull()
  })

  it('makes its catalog anew when that is lost or damaged', async () => {
    await engine.call('events.append', { events: some(0, 20) })
    await engine.call('records.facets', {})
    const before = dump()
    await engine.restart(() => writeFileSync(join(engine.workspace, 'catalog.db'), 'not a database'))
    expect((await engine.call('records.open', { query: 'answer' })).count).toBe(20)
    expect(dump().record).toEqual(before.record)
  })

  it('knows no operation by another name and says nothing of what it was given', async () => {
    for (const op of ['constructor', '__proto__', 'records.open ', 'toString', ''])
      expect(await engine.codeOf(op as 'records.open', {})).toBe('unknown_operation')
    const reply = await engine.engine.router.call(
      'records.page',
      { handle: 'secret-handle', offset: -1, limit: 1 },
      { actor: { ref: 'x', kind: 'human' }, via: 'ipc' }
    )
    expect(JSON.stringify(reply)).not.toContain('secret')
  })
})
