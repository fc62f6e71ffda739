// SPDX-License-Identifier: Apache-2.0
// The life of a correction (SEC 17a-4(f)(2)(i)(A), GDPR 16): beside the original, masked, restricted, copied, exported, erased and disposed of with it.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { OperationInput } from '../../shared/contract/contract.ts'
import { ingestRecords } from '../test/ingest-records.ts'
import { rawRecord, type TestEngine, type TestPerson, testEngine } from '../test/test-engine.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 })

const KEY = `sk-proj-${'aB3dE5fG7h'.repeat(4)}`
let engine: TestEngine
let officer: TestPerson
let seqs: number[]
let first: number
let later = 0
beforeEach(async () => {
  later = 0
  engine = await testEngine({ servers: true, disposal: { now: () => Date.now() + later } })
  seqs = await ingestRecords(engine, [
    rawRecord(1, {
      user_id: 'U-17',
      prompt: 'Write to ann@example.org about her loan of 900.',
      response: 'The loan of Ann is 900.',
      attributes: { branch: 'Basle', n: 3 }
    }),
    rawRecord(2, { source: 'other', prompt: `use ${KEY}` }),
    rawRecord(3)
  ])
  first = seqs[0] ?? 0
  officer = await engine.as('data_protection')
})
afterEach(() => engine.remove())

type Change = OperationInput<'records.correct'>['changes'][number]
const answer = (now: string): Change => ({ what: { message: 'output', index: 0 }, now })
const question = (now: string): Change => ({ what: { message: 'input', index: 0 }, now })
const field = (name: 'user_id' | 'source' | 'request_model', now: string): Change => ({ what: { field: name }, now })
const attribute = (name: string, now: string): Change => ({ what: { attribute: name }, now })

const correct = async (changes: Change[], more: { seq?: number; reason?: string; request_id?: string } = {}) =>
  (await officer.call('records.correct', { seq: first, changes, reason: 'the client says so', ...more })).seq
const clear = async (seq = first) => officer.call('records.unmask', { seq, reason: 'to see it' })
const found = async (query: string) => {
  const { handle } = await officer.call('records.open', { query })
  return (await officer.call('records.page', { handle, offset: 0, limit: 10 })).rows.map((row) => row.seq).sort((a, b) => a - b)
}
const rebuild = async () => expect((await engine.job((await engine.call('workspace.rebuild', {})).job_id)).error).toBeNull()
const files = () =>
  [engine.workspace, engine.state].flatMap((folder) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
  )
const holding = (text: string) =>
  files().filter((path) => {
    const bytes = readFileSync(path)
    return [text, ...[0, 1, 2].map((at) => Buffer.from(text.slice(at)).subarray(0, 15).toString('base64'))].some((one) =>
      bytes.includes(one)
    )
  })
const ended = (kind: string) =>
  vi.waitFor(async () => {
    const job = (await engine.call('jobs.list', {})).jobs.find((one) => one.kind === kind)
    expect(job).toMatchObject({ state: 'done', error: null })
  }, 30_000)
const verified = async () => {
  const { job_id } = await engine.call('verify.workspace', {})
  await engine.job(job_id)
  return engine.call('verify.workspace_report', { job_id })
}

describe('a correction', () => {
  it('stands beside the original, the last one of a place after those before it, and a rebuild shows the same', async () => {
    const before = await clear()
    const one = await correct([answer('The loan of Ann is 700.'), field('user_id', 'U-71'), attribute('branch', 'Berne')])
    const two = await correct([answer('The loan of Ann is 750.'), attribute('n', '')], { reason: 'corrected again' })
    const shown = await clear()
    // A checkpoint may have come in between.
    const apart = { corrections: [], view_seq: 0, row: { ...before.row, sealed: true } }
    expect({ ...shown, ...apart, row: { ...shown.row, sealed: true } }).toEqual({ ...before, ...apart })
    expect(shown.corrections).toEqual([
      {
        seq: one,
        time: expect.any(String),
        by: officer.ref,
        content: 'present',
        reason: 'the client says so',
        changes: [answer('The loan of Ann is 700.'), field('user_id', 'U-71'), attribute('branch', 'Berne')]
      },
      {
        seq: two,
        time: expect.any(String),
        by: officer.ref,
        content: 'present',
        reason: 'corrected again',
        changes: [answer('The loan of Ann is 750.'), attribute('n', '')]
      }
    ])
    expect((await clear(seqs[1])).corrections).toEqual([])
    const json = (await engine.call('records.proof', { seq: one })).leaf.json
    expect(JSON.parse(json)).toMatchObject({ type: 'record.corrected', data: { record: first }, actor: { ref: officer.ref } })
    expect(json).not.toMatch(/loan|U-71|client/)
    // Found by its state, and by whom it names now as well as before.
    expect(await found('corrected:yes')).toEqual([first])
    for (const query of ['corrected:no', '-corrected:yes']) expect(await found(query), query).toEqual(seqs.slice(1))
    expect(await officer.codeOf('records.open', { query: 'corrected:perhaps' })).toBe('invalid_filter')
    for (const identifier of ['U-17', 'U-71'])
      expect((await officer.call('subjects.find', { identifiers: [identifier] })).seqs, identifier).toEqual([first])
    await rebuild()
    expect((await clear()).corrections).toEqual(shown.corrections)
    expect((await officer.call('subjects.find', { identifiers: ['U-71'] })).seqs).toEqual([first])
    // In the trail without what it says; the requirement leads to it.
    const { entries } = await officer.call('activity.list', { kind: 'record' })
    expect(entries.find((entry) => entry.seq === two)).toMatchObject({ what: 'corrected a record', detail: '', on_seq: first })
    const { requirements } = await officer.call('compliance.report', {})
    expect(requirements.find((row) => row.id === 'S1')?.evidence).toMatchObject({
      label: 'Original beside correction, 2 corrections',
      link: { to: 'records', query: 'corrected:yes' }
    })
  })

  it('is refused where it says nothing, something else or nothing new, and to whoever may not make it', async () => {
    const code = (changes: unknown, more: object = {}) =>
      officer.codeOf('records.correct', { seq: first, changes, reason: 'the client says so', ...more })
    for (const [bad, more] of [
      [[], {}],
      [[{ what: { message: 'output', index: 1 }, now: 'x' }], {}],
      [[{ what: { message: 'system', index: 0 }, now: 'x' }], {}],
      [[{ what: { message: 'output', index: -1 }, now: 'x' }], {}],
      [[{ what: { field: 'status' }, now: 'error' }], {}],
      [[attribute('country', 'CH')], {}],
      [[attribute('__proto__', 'x')], {}],
      [[attribute('toString', 'x')], {}],
      [[{ ...answer('x'), more: 1 }], {}],
      [[answer('The loan of Ann is 900.')], {}],
      [[field('user_id', 'U-17')], {}],
      [[answer('x'), answer('y')], {}],
      [[answer('half a pair \ud800')], {}],
      [[answer('x'.repeat(1_000_001))], {}],
      [[question('Write to ⟦e-mail 1⟧ about her loan of 700.')], {}],
      [Array.from({ length: 51 }, () => answer('x')), {}],
      [[answer('x')], { reason: ' a ' }],
      [[answer('x')], { reason: 'half a pair \ud800' }],
      [[answer('x')], { more: 1 }]
    ] as const)
      expect(await code(bad, more), JSON.stringify(bad).slice(0, 90)).toBe('bad_request')
    expect(await code([answer('x')], { seq: 9_999 })).toBe('not_found')
    expect(await code([answer('x')], { request_id: 'none' })).toBe('not_found')
    const access = await officer.call('requests.open', { kind: 'access', reference: 'a', received: '2026-01-01' })
    expect(await code([answer('x')], { request_id: access.id })).toBe('bad_request')
    for (const role of ['operator', 'auditor', 'reviewer', 'administrator'] as const)
      expect(
        await (await engine.as(role)).codeOf('records.correct', { seq: first, changes: [answer('x')], reason: 'the client says so' }),
        role
      ).toBe('forbidden')
    expect((await clear()).corrections).toEqual([])
    // What stands there now is nothing new; the original is, once it was corrected.
    await correct([answer('x')])
    expect(await code([answer('x')])).toBe('bad_request')
    expect(await code([answer('The loan of Ann is 900.')])).toBeUndefined()
  })

  it('is redacted before it is sealed and masked where it is read, as its record is', async () => {
    await correct([question(`Write to bob@example.org, key ${KEY}.`), field('user_id', 'U-71')], { reason: `from ann@example.org, ${KEY}` })
    const [kept] = (await clear()).corrections
    expect(kept?.changes[0]?.now).toBe('Write to bob@example.org, key ⟦redacted secret 1⟧.')
    expect(kept?.reason).toBe('from ann@example.org, ⟦redacted secret 1⟧')
    const masked = await officer.call('records.get', { seq: first })
    expect(masked.input_messages[0]?.parts[0]?.content).toBe('Write to ⟦e-mail 1⟧ about her loan of 900.')
    expect(masked.corrections[0]).toMatchObject({
      reason: 'from ⟦e-mail 1⟧, ⟦redacted secret 1⟧',
      changes: [question('Write to ⟦e-mail 2⟧, key ⟦redacted secret 1⟧.'), field('user_id', '⟦subject 2⟧')]
    })
    expect(JSON.stringify(masked)).not.toMatch(/example\.org|U-71/)
    expect(masked.masked.kinds).toMatchObject({ 'e-mail': 3, subject: 2 })
    // What ingest redacted is no mask of a view: it is all that was recorded.
    await correct([question('use ⟦redacted secret 1⟧ no more')], { seq: seqs[1] ?? 0 })
  })

  it('of a restricted record is seen by nobody else, and a record on hold is corrected all the same', async () => {
    await officer.call('holds.place', { matter: 'Suit 12', reason: 'letter', scope: { kind: 'subject', subject: 'U-71' }, future: true })
    await correct([field('user_id', 'U-71'), answer('The loan of Ann is 700.')])
    // A hold on a person keeps what was corrected to be about that person.
    expect((await officer.call('holds.list', {})).holds[0]?.records).toBe(1)
    await officer.call('restrict.set', { seqs: [first], on: true, reason: 'accuracy contested' })
    for (const role of ['operator', 'auditor', 'reviewer', 'administrator'] as const) {
      const other = await engine.as(role)
      expect(await other.codeOf('records.get', { seq: first })).toBe('forbidden')
      const { handle, count } = await other.call('records.open', { query: 'corrected:yes' })
      expect([count, await other.call('records.page', { handle, offset: 0, limit: 10 })]).toEqual([0, { offset: 0, rows: [] }])
    }
    expect(await correct([answer('The loan of Ann is 650.')])).toBeGreaterThan(0)
    expect((await clear()).corrections).toHaveLength(2)
  })
})

describe('a request for rectification', () => {
  it('is answered by corrections; whoever holds a bundle of before is to be told, until that is noted', async () => {
    const exported = async (query: string, recipient: string) => {
      const out = join(engine.root, `${recipient}.affidavit.zip`)
      const { job_id } = await officer.call('export.start', { query, recipient, purpose: 'Test', out })
      expect((await engine.job(job_id)).error).toBeNull()
      return (await officer.call('export.result', { job_id })).seq
    }
    const all = await exported('corrected:no', 'Before')
    await exported('source:other', 'Nobody')
    const { id } = await officer.call('requests.open', { kind: 'rectification', reference: 'DSR 26-9', received: '2026-01-31' })
    const seq = await correct([answer('The loan of Ann is 700.')], { request_id: id })
    await exported('', 'After')
    const listed = async () =>
      (await officer.call('recipients.list', { request_id: id })).recipients.map((one) => [one.export_seq, one.recipient, one.records])
    expect(await listed()).toEqual([[all, 'Before', 1]])
    await officer.call('recipients.tell', { request_id: id, export_seq: all, note: 'letter of 3 February' })
    await officer.call('requests.close', { id, outcome: 'done', note: 'corrected and told' })
    const steps = async () => (await officer.call('requests.list', {})).requests.find((one) => one.id === id)?.steps
    const before = await steps()
    expect(before?.map((step) => [step.type, step.records])).toEqual([
      ['request.received', 0],
      ['record.corrected', 1],
      ['recipient.told', 0],
      ['request.closed', 0]
    ])
    await rebuild()
    expect([await steps(), await listed()]).toEqual([before, [[all, 'Before', 1]]])
    // The leaf ties the record to no request: nothing that stays after an erasure does.
    expect((await engine.call('records.proof', { seq })).leaf.json).not.toContain(id)
    expect(
      await officer.codeOf('records.correct', { seq: first, changes: [answer('x')], reason: 'the client says so', request_id: id })
    ).toBe('conflict')
  })

  it('has its corrections in the copy of data of the subject', async () => {
    const seq = await correct([question('</pre><script>alert(1)</script> bob@example.org'), attribute('branch', 'Berne')])
    const { id } = await officer.call('requests.open', { kind: 'access', reference: 'DSR', received: '2026-01-31' })
    const out = join(engine.root, 'copy.json')
    const { job_id } = await officer.call('subjects.export', { request_id: id, seqs: [first], out })
    expect((await engine.job(job_id)).error).toBeNull()
    const [copied] = (JSON.parse(readFileSync(out, 'utf8')) as { records: { corrections: unknown }[] }).records
    expect(copied?.corrections).toMatchObject([
      { seq, reason: 'the client says so', changes: [{ now: '</pre><script>alert(1)</script> bob@example.org' }, { now: 'Berne' }] }
    ])
    const page = readFileSync(join(engine.root, 'copy.html'), 'utf8')
    expect(page).toContain(`Correction, leaf ${seq}`)
    expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt; bob@example.org')
    expect(page).not.toContain('<script')
  })
})

describe('an erasure', () => {
  const erase = async (scope: number[]) => {
    const request = await officer.call('requests.open', { kind: 'erasure', reference: 'DSR 26-7', received: '2026-01-31' })
    const asked = await officer.call('erasure.ask', {
      request_id: request.id,
      decisions: [{ seqs: scope, ground: 'consent withdrawn', override: 'the right outweighs the period' }]
    })
    await (await engine.as('reviewer')).call('approvals.decide', { id: asked.id, decision: 'give' })
    return asked.id
  }

  it('takes the corrections of its records: keys, every trace, the copy after a restore; and nothing is corrected then', async () => {
    const { id: rectification } = await officer.call('requests.open', { kind: 'rectification', reference: 'R', received: '2026-01-31' })
    const seq = await correct(
      [question('Wherefore the kumquat? asks zephyrine.quux@example.org'), field('user_id', 'zephyrine-quux-of-marmalade')],
      { request_id: rectification, reason: 'as the kumquat lady wrote' }
    )
    const dest = join(engine.root, 'backups')
    mkdirSync(dest)
    const backup = await engine.call('backup.start', { folder: dest })
    const made = await engine.job(backup.job_id)
    expect(made.error).toBeNull()
    const held = await officer.call('holds.place', {
      matter: 'Suit 12',
      reason: 'letter',
      scope: { kind: 'subject', subject: 'zephyrine-quux-of-marmalade' },
      future: false
    })
    const request = await officer.call('requests.open', { kind: 'erasure', reference: 'H', received: '2026-01-31' })
    expect(
      await officer.codeOf('erasure.ask', {
        request_id: request.id,
        decisions: [{ seqs: [first], ground: 'consent withdrawn', override: 'the right outweighs the period' }]
      })
    ).toBe('on_hold')
    const release = await officer.call('holds.release', { id: held.id, reason: 'settled' })
    await (await engine.as('reviewer')).call('approvals.decide', { id: release.id, decision: 'give' })

    const id = await erase([first])
    await ended('erasure')
    for (const text of ['Wherefore the kumquat', 'zephyrine', 'marmalade', 'kumquat lady']) expect(holding(text), text).toEqual([])
    const gone = await officer.call('records.get', { seq: first })
    expect(gone).toMatchObject({ payload: 'erased', corrections: [{ seq, content: 'erased', reason: '', changes: [] }] })
    expect(await found('corrected:yes')).toEqual([first])
    const facts = JSON.parse((await officer.call('erasure.certificate', { id })).json)
    expect(facts).toMatchObject({ corrections: 1, records: [{ seq: first }], scan: { found: 0 } })
    expect(facts.scan.needles).toBeGreaterThan(5)
    expect((await officer.call('erasure.certificate', { id })).html).toContain('1, erased with their records')
    expect(await officer.codeOf('records.correct', { seq: first, changes: [field('user_id', 'x')], reason: 'the client says so' })).toBe(
      'erased'
    )
    const steps = async () =>
      (await officer.call('requests.list', {})).requests.find((one) => one.id === rectification)?.steps.map((step) => step.type)
    expect(await steps()).toEqual(['request.received'])
    const intact = await verified()
    expect(intact).toMatchObject({ verdict: 'intact', faults: [], erasures: [{ payloads: 2 }] })
    await rebuild()
    expect((await officer.call('records.get', { seq: first })).corrections).toEqual(gone.corrections)
    expect(await steps()).toEqual(['request.received'])
    expect((await officer.call('subjects.find', { identifiers: ['zephyrine-quux-of-marmalade'] })).seqs).toEqual([])

    // The backup of before holds the correction: a restore erases it again.
    const folder = readdirSync(dest).find((name) => !name.includes('keys')) ?? ''
    const drill = await engine.call('backup.drill', { path: join(dest, folder) })
    expect((await engine.job(drill.job_id)).error).toBeNull()
    expect(await engine.call('backup.report', { job_id: drill.job_id })).toMatchObject({ verdict: 'matches', reapplied: 1 })

    const out = join(engine.root, 'b.affidavit.zip')
    const { job_id } = await officer.call('export.start', { query: `seq:${first}`, recipient: 'Examiner', purpose: 'Test', out })
    expect((await engine.job(job_id)).error).toBeNull()
    // The record, its correction, the intent, what ended it.
    expect(await officer.call('export.result', { job_id })).toMatchObject({ records: 1, leaves: 4 })
    expect(verifiers(out)).toBe('consistent, signer not confirmed')
    expect(await kindOf(out)).toBe('consistent')
  })

  it('that ended half-way takes the corrections at the next start', async () => {
    await correct([answer('Wherefore the kumquat?')])
    const stopped = new Promise<void>((resolve) => {
      engine.engine.erasures.hooks.onStep = (step) => {
        if (step !== 'keys') return
        resolve()
        throw new Error('the process ends here')
      }
    })
    const id = await erase([first])
    await stopped
    await engine.restart()
    await vi.waitFor(async () => expect(await officer.codeOf('erasure.certificate', { id })).toBeUndefined(), 30_000)
    expect(holding('Wherefore the kumquat')).toEqual([])
    expect((await officer.call('records.get', { seq: first })).corrections).toMatchObject([{ content: 'erased' }])
    expect(await verified()).toMatchObject({ verdict: 'intact', faults: [] })
  })

  it('and a correction at one moment take turns: none is left that no scope names', async () => {
    const request = await officer.call('requests.open', { kind: 'erasure', reference: 'DSR', received: '2026-01-31' })
    const asked = await officer.call('erasure.ask', {
      request_id: request.id,
      decisions: [{ seqs: [first], ground: 'consent withdrawn', override: 'the right outweighs the period' }]
    })
    const other = await engine.as('reviewer')
    let made = 0
    let tried = 0
    const untilErased = async (): Promise<string> => {
      for (;;) {
        const changes = [answer(`Wherefore the kumquat ${tried++}?`)]
        const code = await officer.codeOf('records.correct', { seq: first, changes, reason: 'the client says so' })
        if (code !== undefined) return code
        made++
      }
    }
    const correcting = Promise.all([untilErased(), untilErased(), untilErased(), untilErased()])
    await vi.waitFor(() => expect(made).toBeGreaterThan(4), 30_000)
    expect(await other.codeOf('approvals.decide', { id: asked.id, decision: 'give' })).toBeUndefined()
    expect(new Set(await correcting)).toEqual(new Set(['erased']))
    await ended('erasure')
    expect(holding('Wherefore the kumquat')).toEqual([])
    const { corrections } = await officer.call('records.get', { seq: first })
    expect(corrections).toHaveLength(made)
    expect(new Set(corrections.map((one) => one.content))).toEqual(new Set(['erased']))
    expect(await verified()).toMatchObject({ verdict: 'intact', faults: [] })
  })
})

describe('a disposal', () => {
  it('takes the corrections with their records, and nothing is corrected then', async () => {
    const rule = { class: 'default', name: 'one year', trigger: 'append' as const, period: { years: 1, months: 0, days: 0 } }
    await engine.call('retention.set', { rules: [rule], classes: [{ class: 'long', source: 'other' }], reason: 'test' })
    const [, second = 0, third = 0] = seqs
    await officer.call('holds.place', { matter: 'Suit', reason: 'letter', scope: { kind: 'seqs', seqs: [third] }, future: false })
    const seq = await correct([answer('Wherefore the kumquat?')])
    const kept = await correct([answer('The answer stays, corrected.')], { seq: third })
    await engine.call('records.proof', { seq: first })
    later = 366 * 86_400_000
    const preview = await engine.call('disposal.preview', {})
    expect(preview).toMatchObject({ records: 2, held: 1 })
    const ann = await engine.as('administrator')
    const asked = await ann.call('disposal.ask', { reason: 'yearly' })
    await officer.call('approvals.decide', { id: asked.id, decision: 'give' })
    await ended('disposal')
    expect((await engine.call('disposal.list', {})).disposals[0]).toMatchObject({ records: 2, bytes: preview.bytes })
    expect(holding('Wherefore the kumquat')).toEqual([])
    expect(await officer.codeOf('records.get', { seq: first })).toBe('erased')
    expect(await officer.codeOf('records.correct', { seq: second, changes: [answer('x')], reason: 'the client says so' })).toBe('erased')
    expect((await clear(third)).corrections.map((one) => one.seq)).toEqual([kept])
    expect(await verified()).toMatchObject({ verdict: 'intact', faults: [], checked: { disposed_payloads: 3 } })
    await rebuild()
    expect(await found('corrected:yes')).toEqual([third])
    expect((await engine.call('records.proof', { seq })).leaf.state).toBe('pass')
  })
})

describe('a bundle', () => {
  it('brings the corrections of its records, and keeps them where it keeps what they correct', async () => {
    const seq = await correct([answer('The loan of Ann is 700.'), field('request_model', 'gpt-4-turbo')])
    const mail = await correct([question('Write to bob@example.org.')])
    const subject = await correct([field('user_id', 'U-71')])
    const out = join(engine.root, 'b.affidavit.zip')
    const bundle = async (more: Partial<OperationInput<'export.start'>>) => {
      const input = { query: '', recipient: 'Examiner', purpose: 'Test', out, replace: true, ...more }
      const { job_id } = await officer.call('export.start', input)
      expect((await engine.job(job_id)).error).toBeNull()
      expect(await kindOf(out)).toBe('consistent')
      const read = (name: string) => execFileSync('unzip', ['-p', out, name], { encoding: 'utf8' })
      const { withheld } = JSON.parse(read('data/case.json')) as {
        withheld: { seq: number; last?: number; part: string; reason: string }[]
      }
      return {
        trail: read('data/audit-trail.csv').match(/,record\.corrected,/g)?.length ?? 0,
        report: /<h2[^>]*>Corrections<\/h2>/.test(read('data/report.html')),
        withheld: [seq, mail, subject].map(
          (one) => withheld.find((run) => run.part === 'body' && run.seq <= one && one <= (run.last ?? run.seq))?.reason ?? null
        )
      }
    }
    expect(await bundle({})).toEqual({ trail: 3, report: true, withheld: [null, null, null] })
    expect(verifiers(out)).toBe('consistent, signer not confirmed')
    const reviewed = await offline(out)
    expect(reviewed.map((one) => [one.seq, one.content, one.changes[0]?.now])).toEqual([
      [seq, 'present', 'The loan of Ann is 700.'],
      [mail, 'present', 'Write to ⟦e-mail 2⟧.'],
      [subject, 'present', '⟦subject 2⟧']
    ])
    expect(await bundle({ query: 'source:other' })).toEqual({ trail: 0, report: false, withheld: [null, null, null] })
    expect(await bundle({ withhold: ['response'], withhold_reason: 'privilege' })).toMatchObject({ withheld: ['privilege', null, null] })
    expect(await bundle({ withhold: ['request'], withhold_reason: 'privilege' })).toMatchObject({ withheld: [null, 'privilege', null] })
    const [, ofMail, ofSubject] = (await bundle({ withhold_personal: true })).withheld
    expect([ofMail, ofSubject]).toEqual(['personal data: e-mail', 'personal data: subject'])
    expect(verifiers(out)).toBe('consistent, signer not confirmed')
    expect((await offline(out)).map((one) => one.content)).toContain('withheld')
    // Of a whole range the corrections of what stays behind are leaves without content.
    await officer.call('restrict.set', { seqs: [first], on: true, reason: 'accuracy contested' })
    const range = { first, last: subject }
    const whole = await bundle({ query: 'source:other', range })
    expect(whole).toMatchObject({ trail: 3, report: false, withheld: Array(3).fill(expect.stringContaining('not asked for')) })
    const restricted = await bundle({ range })
    expect(restricted).toMatchObject({ trail: 3, report: false, withheld: Array(3).fill(expect.stringContaining('restricted')) })
  })
})

/** The last line of `verify.sh` of a bundle. */
function verifiers(bundle: string): string | undefined {
  const folder = `${bundle}.${process.hrtime.bigint()}`
  mkdirSync(folder)
  expect(spawnSync('unzip', ['-q', bundle, '-d', folder]).status).toBe(0)
  return spawnSync('sh', ['verify.sh'], { cwd: folder, encoding: 'utf8' }).stdout.trim().split('\n').at(-1)
}

async function kindOf(path: string): Promise<string> {
  const { job_id } = await officer.call('verify.file', { path })
  await engine.job(job_id)
  return (await officer.call('verify.report', { job_id })).kind
}

/** The corrections of the first record as a review of the bundle shows them; nothing can be corrected there. */
async function offline(bundle: string) {
  const { job_id } = await officer.call('review.start', { path: bundle })
  expect((await engine.job(job_id)).error).toBeNull()
  const { review } = await officer.call('review.result', { job_id })
  const reviewer = await testEngine({ root: engine.root, workspace: join(engine.state, 'reviews', review ?? '') })
  try {
    const detail = await reviewer.call('records.get', { seq: first })
    expect(await reviewer.codeOf('records.correct', { seq: first, changes: [answer('x')], reason: 'the client says so' })).toBe('read_only')
    return detail.corrections
  } finally {
    await reviewer.engine.stop('quit')
  }
}
