// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Requirement } from '../../../shared/contract/compliance.ts'
import { escaped } from '../../../shared/report/markup.ts'
import { rawRecord, type TestEngine, testEngine } from '../../test/test-engine.ts'

let engine: TestEngine
beforeEach(async () => {
  engine = await testEngine()
})
afterEach(() => engine.remove())

const row = async (id: Requirement['id']) => (await engine.call('compliance.report', {})).requirements.find((one) => one.id === id)

describe('requirements', () => {
  it('follow the evidence of this workspace, never a fixed text', async () => {
    const empty = await engine.call('compliance.report', {})
    expect(empty.requirements).toHaveLength(20)
    expect(await row('S1')).toMatchObject({ state: 'partly', gap: 'No record has been taken yet' })
    expect(await row('S4')).toMatchObject({ state: 'not', gap: 'The whole workspace has never been verified' })
    expect(await row('S8')).toMatchObject({ state: 'partly' })
    expect(await row('S9')).toMatchObject({ state: 'not', see_rule: true })

    const events = [rawRecord(1, { response_model: 'gpt-4-0613' }), rawRecord(2)]
    const appended = await engine.call('events.append', { events })
    expect(appended.accepted).toBe(2)
    const { job_id } = await engine.call('verify.workspace', {})
    await engine.job(job_id)
    const newest = (await engine.call('records.query', {})).records[0]?.seq
    expect(await row('S1')).toMatchObject({
      state: 'partly',
      gap: 'No people are set up: the trail names one account for everybody',
      evidence: { link: { to: 'records', seq: newest }, leaves: [{ type: 'verify.run', count: 1 }] }
    })
    expect(await row('S4')).toMatchObject({ state: 'backed', gap: null, evidence: { label: 'Verification log, 1 of 1 day' } })
    expect((await row('S8'))?.evidence.label).toMatch(/^Live search, \d+ ms$/)
    expect((await row('S13'))?.gap).toContain('The model that served is not named in 1 record')
    expect(await row('G5')).toMatchObject({ state: 'partly', gap: expect.stringContaining('file permissions only') })
  })

  it('count acts of people only, bundles only, and the day of each request', async () => {
    await engine.call('events.append', { events: [rawRecord(1)] })
    const service = { actor: { ref: 'client:crm', kind: 'service' }, via: 'http', scopes: ['read'] } as const
    expect((await engine.engine.router.call('records.query', {}, service)).ok).toBe(true)
    expect((await row('S3'))?.gap).toBe('No act of a person is on record yet')
    await engine.call('records.open', { query: 'model:gpt-4' })
    expect(await row('S3')).toMatchObject({
      state: 'partly',
      gap: 'No people are set up: acts name one account for everybody',
      evidence: { label: '1 call by services, 1 act at this machine' }
    })

    await engine.call('activity.export', { out: join(engine.root, 'activity.csv') })
    expect((await row('S6'))?.gap).toContain('No export was made yet')

    const day = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10)
    const open = (kind: 'access' | 'erasure', received: string) => engine.call('requests.open', { kind, reference: 'DSR 1', received })
    await open('access', day(-5))
    expect((await row('G2'))?.gap).not.toContain('past')
    await open('access', day(-40))
    const late = await open('erasure', day(-50))
    expect((await row('G2'))?.gap).toContain('1 request past its day')
    expect((await row('G3'))?.gap).toContain('1 request past its day')
    await engine.call('requests.close', { id: late.id, outcome: 'refused', note: 'Article 17(3)(b)' })
    expect((await row('G3'))?.gap).toContain('1 request answered after its day in the last year')
  })

  it('are marked with a reason, and a document by its hash; each mark is a leaf', async () => {
    const before = (await engine.call('workspace.status', {})).ledger.size
    const marked = await engine.call('compliance.mark', { id: 'F1', applies: false, reason: 'no predicate rule applies here' })
    expect(marked).toMatchObject({ state: 'not_applicable', gap: expect.stringContaining('no predicate rule applies here') })
    const file = join(engine.root, 'undertaking.pdf')
    writeFileSync(file, 'signed')
    const backed = await engine.call('compliance.mark', { id: 'S9', applies: true, reason: 'on file', document: file })
    expect(backed).toMatchObject({
      state: 'partly',
      gap: 'No log-in by name is on record. No export test is on record',
      evidence: { label: `Undertaking on file, leaf ${before + 1}` },
      note: { reason: 'on file', document: 'undertaking.pdf', document_sha256: createHash('sha256').update('signed').digest('hex') }
    })
    await engine.restart()
    expect(await row('F1')).toMatchObject({ state: 'not_applicable' })
    expect(await row('S9')).toMatchObject({ state: 'partly', note: { document: 'undertaking.pdf' } })
    expect(await engine.call('compliance.mark', { id: 'F1', applies: true, reason: 'it does' })).toMatchObject({ state: 'partly' })
    const marks = (await engine.call('activity.list', { kind: 'setting' })).entries.filter((one) => one.data.name === 'requirement.F1')
    expect(marks.map((one) => [one.data.from, one.data.to])).toEqual([
      ['"not applicable"', '"applies"'],
      ['null', '"not applicable"']
    ])
    expect(await engine.codeOf('compliance.mark', { id: 'S9', applies: true, reason: 'x', document: join(engine.root, 'none') })).toBe(
      'file_unreadable'
    )
    expect(await engine.codeOf('compliance.mark', { id: 'X9', applies: true, reason: 'x' })).toBe('bad_request')
    expect(await engine.codeOf('compliance.mark', { id: 'S9', applies: true, reason: '' })).toBe('bad_request')
    expect(await engine.codeOf('compliance.mark', { id: 'S9', applies: true, reason: '\ud800' })).toBe('bad_request')
  })
})

describe('the printed view', () => {
  it('names every row with the leaves it rests on, and the signed head at its foot', async () => {
    await engine.call('events.append', { events: [rawRecord(1)] })
    const { job_id } = await engine.call('verify.workspace', {})
    await engine.job(job_id)
    await engine.call('compliance.mark', { id: 'F1', applies: false, reason: '<script>x</script>' })
    const page = await engine.call('compliance.page', {})
    const { requirements } = await engine.call('compliance.report', {})
    for (const one of requirements) expect(page.html).toContain(escaped(one.asked))
    expect(page.html).toMatch(/verify\.run: 1, newest leaf \d+/)
    expect(page.html).not.toContain('<script')
    expect(page.footer).toMatch(/^affidavit\.invalid\/[0-9a-f]{16}\ncheckpoint of \d+ leaves, root /)
    expect(await engine.codeOf('compliance.page', { more: 1 })).toBe('bad_request')
  })
})

describe('what the log proves', () => {
  it('says what rests on this machine alone while there is no anchor', async () => {
    await engine.call('events.append', { events: [rawRecord(1)] })
    const { statements } = await engine.call('compliance.report', {})
    expect(statements.filter((one) => one.group === 'proves')).toEqual([])
    const words = statements.filter((one) => one.group === 'word')
    expect(words.find((one) => one.subject === 'edits')?.text).toMatch(/^All \d+ leaves: there is no anchor outside yet$/)
    expect(words.map((one) => one.subject)).toEqual(expect.arrayContaining(['edits', 'truncation', 'time', 'authorship', 'completeness']))
    expect(statements.filter((one) => one.group === 'cannot')).toHaveLength(3)
  })
})

describe('completeness', () => {
  it('lists no gap within one run, and refuses a range that makes no sense', async () => {
    const seen = await engine.call('compliance.completeness', {})
    expect(seen).toMatchObject({ lost: 0, gaps: [] })
    expect(await engine.codeOf('compliance.completeness', { days: 0 })).toBe('bad_request')
    expect(await engine.codeOf('compliance.completeness', { days: 10_000 })).toBe('bad_request')
  })
})

describe('verifications', () => {
  it('are listed with their verdict, and the next one is planned', async () => {
    const { job_id } = await engine.call('verify.workspace', {})
    await engine.job(job_id)
    const { verifications, next_due } = await engine.call('compliance.verifications', {})
    expect(verifications[0]).toMatchObject({ scope: 'workspace', verdict: 'intact', faults: 0, actor: 'local' })
    expect(Date.parse(next_due ?? '')).toBeGreaterThan(Date.now())
    await engine.call('settings.set', { verify_every_hours: 0 })
    expect((await engine.call('compliance.verifications', {})).next_due).toBeNull()
    expect(await engine.codeOf('compliance.verifications', { limit: 0 })).toBe('bad_request')
  })
})

describe('the record of processing', () => {
  it('holds what was stated beside what is recorded, with nothing interpreted as markup', async () => {
    await engine.call('events.append', { events: [rawRecord(1, { source: 'desk' })] })
    const stated = { controller: '<b>Firm</b>', contact: 'c', officer: '', purposes: 'advice', subjects: '', transfers: '' }
    expect(await row('G6')).toMatchObject({ state: 'partly' })
    await engine.call('compliance.set_processing', { ...stated, officer: 'o' })
    expect(await row('G6')).toMatchObject({ state: 'partly' })
    await engine.call('compliance.set_processing', { ...stated, subjects: 's', transfers: '=HYPERLINK("http://x")' })
    expect(await row('G6')).toMatchObject({ state: 'backed' })
    const record = await engine.call('compliance.processing', {})
    expect(record.stated.controller).toBe('<b>Firm</b>')
    expect(record.sources).toMatchObject([{ source: 'desk', model: 'gpt-4', records: 1 }])
    expect(record.page.html).toContain('&lt;b&gt;Firm&lt;/b&gt;')
    expect(record.page.html).not.toContain('<b>Firm')
    const out = join(engine.root, 'record')
    const files = []
    for (const format of ['html', 'json', 'csv'] as const) {
      const saved = await engine.call('compliance.save_processing', { out, format })
      expect(createHash('sha256').update(readFileSync(out)).digest('hex')).toBe(saved.sha256)
      files.push(readFileSync(out, 'utf8'))
    }
    const { entries } = await engine.call('activity.list', { kind: 'export' })
    expect(entries.map((one) => [one.actor, one.what, one.data.file_sha256]).reverse()).toEqual(
      files.map((file) => ['local', 'saved the record of processing', createHash('sha256').update(file).digest('hex')])
    )
    const stating = (await engine.call('activity.list', { kind: 'setting' })).entries.filter((one) => one.data.name === 'processing.stated')
    expect(stating.map((one) => one.data.from)).toEqual(['"stated"', 'null'])
    const { page } = await engine.call('compliance.processing', {})
    const timeless = (html: string | undefined) => html?.replace(/As of [^.]* UTC/, '')
    expect(timeless(files[0])).toBe(timeless(page.html))
    expect(page.footer).toMatch(/^affidavit\.invalid\/[0-9a-f]{16}\ncheckpoint of \d+ leaves, root /)
    expect(JSON.parse(files[1] ?? '')).toMatchObject({ stated: { controller: '<b>Firm</b>' }, sources: [{ source: 'desk' }] })
    expect(files[2]).toContain(`stated,transfers,"'=HYPERLINK(""http://x"")",\r\n`)
    expect(await engine.codeOf('compliance.save_processing', { out, format: 'pdf' })).toBe('bad_request')
    expect(await engine.codeOf('compliance.save_processing', { out: join(engine.root, 'none', 'x'), format: 'csv' })).toBe(
      'file_unreadable'
    )
    expect(await engine.codeOf('compliance.set_processing', { controller: 'x' })).toBe('bad_request')
  })
})
