// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { seqsIn } from '../../../shared/policy/ranges.ts'
import { erasuresAfter } from '../../backup/erasure-register.ts'
import {
  catalogOf,
  type ErasureCase,
  erase,
  eraseUpTo,
  erasureCase,
  erasureDecisions,
  erasureGround,
  erasureOutcome,
  SUBJECT,
  subjectsAmongOthers,
  tracesIn,
  verifiedNow
} from '../../test/erasure-case.ts'
import { ingestRecords } from '../../test/ingest-records.ts'
import { rawRecord, type TestEngine, testEngine } from '../../test/test-engine.ts'
import { type ErasureStep, erasureSteps } from './carry-out.ts'

let engine: TestEngine
beforeEach(async () => {
  engine = await testEngine({ servers: true })
})
afterEach(() => engine.remove())

// Whole engines with people, several times over: seconds each, more on a busy machine.
describe('erasure', { timeout: 60_000 }, () => {
  it('leaves no trace in any file, and a log that verifies with the payloads reported as erased', async () => {
    const given = await erasureCase(engine)
    const { seqs, all, asker, request } = given
    expect(tracesIn(engine).length).toBeGreaterThan(0)
    const before = await engine.call('records.query', { text: 'kumquat' })
    expect(before.records).toHaveLength(3)
    const id = await erase(given)
    expect(await engine.ended('erasure')).toMatchObject({ state: 'done', error: null })
    expect(tracesIn(engine)).toEqual([])

    expect((await engine.call('records.query', { text: 'kumquat' })).records).toEqual([])
    const gone = await engine.call('records.get', { seq: seqs[2] ?? 0 })
    expect(gone).toMatchObject({
      payload: 'erased',
      input_messages: [],
      row: { erased: true, preview: '', conversation: null, source: 'other' }
    })
    expect((await engine.call('records.facets', {})).sources.map((one) => one.value)).toEqual(['desk', 'other'])
    const kept = await engine.call('records.get', { seq: all[1] ?? 0 })
    expect(kept.input_messages[0]?.parts[0]?.content).toBe('What is the answer to question 1?')
    expect((await asker.call('subjects.find', { identifiers: [SUBJECT], seqs })).seqs).toEqual([])

    const [approval] = (await engine.call('approvals.list', {})).approvals
    expect(approval?.request_id).toBe(request.id)
    expect(approval?.grounds).toEqual(erasureDecisions(seqs).map(({ ground, override }) => `${ground}; over the retention: ${override}`))

    const { requests } = await asker.call('requests.list', {})
    const intent = requests[0]?.steps.find((step) => step.type === 'erasure.intent')?.seq
    expect(await verifiedNow(engine)).toMatchObject({
      verdict: 'intact',
      faults: [],
      erasures: [{ leaf: intent, payloads: 3 }]
    })
    for (const seq of seqs) expect((await engine.call('records.proof', { seq })).verdict).toBe('verified')

    // The same record does not come back.
    const again = await fetch(`${engine.engine.status().endpoints.compliance.url}/api/compliance/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(subjectsAmongOthers().slice(3, 4))
    })
    expect(await again.text()).toContain('"erased"')

    const live = await catalogOf(engine)
    const { job_id: rebuilt } = await engine.call('workspace.rebuild', {})
    await engine.job(rebuilt)
    expect(await catalogOf(engine)).toEqual(live)
    expect(tracesIn(engine)).toEqual([])

    const closed = (await asker.call('requests.list', {})).requests[0]
    expect(closed).toMatchObject({ id: request.id, state: 'done', erasures: [{ id, records: 3 }] })
    expect(closed?.steps.map((step) => step.type)).toEqual(['request.received', 'erasure.intent', 'erasure.done'])
    const [noted, ...others] = erasuresAfter(engine.state, engine.engine.status().origin, 0)
    expect([noted?.case, [...seqsIn(noted?.ranges ?? [])], others]).toEqual([id, seqs, []])
  })

  it('gives a certificate from the ledger: what went and why, what remains, whom to tell', async () => {
    const given = await erasureCase(engine)
    const out = join(engine.root, 'b.affidavit.zip')
    const { job_id } = await given.asker.call('export.start', { query: 'kumquat', recipient: 'Firm <b>&', purpose: 'review', out })
    await engine.job(job_id)
    const id = await erase(given)
    expect(await given.asker.codeOf('erasure.certificate', { id: 'none' })).toBe('not_found')
    expect(await engine.ended('erasure')).toMatchObject({ state: 'done', error: null })
    const { json, html, footer } = await given.asker.call('erasure.certificate', { id })
    const origin = engine.engine.status().origin
    expect(footer).toMatch(
      new RegExp(`^${origin}\ncertificate of erasure, leaf [\\d,]+, JSON: sha256 ${createHash('sha256').update(json).digest('hex')}$`)
    )
    const facts = JSON.parse(json)
    expect(facts).toMatchObject({
      origin,
      reference: 'DSR 26-7',
      asked_by: given.asker.ref,
      given_by: given.other.ref,
      records: given.seqs.map((seq) => ({ seq, ground: erasureGround })),
      recipients: [{ recipient: 'Firm <b>&', records: 3 }],
      scan: { found: 0, kept: 0 }
    })
    expect(facts.scan.needles).toBeGreaterThan(20)
    const saved = await given.asker.call('erasure.save_certificate', { id, out: join(engine.root, 'certificate.html') })
    expect([readFileSync(saved.html, 'utf8'), readFileSync(saved.json, 'utf8')]).toEqual([html, json])
    const trail = async (kind: 'export' | 'setting') => (await engine.call('activity.list', { kind })).entries
    expect((await trail('export'))[0]).toMatchObject({
      actor: given.asker.ref,
      what: 'saved the certificate of an erasure',
      data: { kind: 'certificate', file_sha256: createHash('sha256').update(html).digest('hex') }
    })
    const keys = (await trail('setting')).filter((one) => one.type.startsWith('key.'))
    expect(keys.map((one) => [one.type, one.actor, one.data.approval])).toEqual([
      ['key.retired', given.asker.ref, id],
      ['key.added', given.asker.ref, id]
    ])
    await expect(given.asker.call('erasure.save_certificate', { id, out: join(engine.root, 'no', 'c.html') })).rejects.toThrow(
      'file_unreadable: the file cannot be written: its folder is not there'
    )
    expect(html).toContain('Firm &lt;b&gt;&amp;')
    expect(html).toContain('no trace')
    expect(facts.scan).toMatchObject({ left: 0, piece_bytes: 24, piece_every: 256 })
    expect(html).toContain('24 bytes in every 256')
    // One ground, one row.
    expect(html.split(erasureGround)).toHaveLength(2)
    expect(await given.asker.codeOf('erasure.save_certificate', { id, out: join(engine.root, 'c.html'), pdf: true })).toBe(
      'engine_unavailable'
    )
    expect(facts.scan_words.join(' ')).not.toContain('not looked for')
    expect(html).not.toMatch(/<script|<b>&|zephyrine/)
  })

  it('looks for every identifier before any text, and says how many pieces it could not look for', async () => {
    const long = (n: number) => Array.from({ length: 27_000 }, (_, i) => createHash('sha512').update(`${n} ${i}`).digest('hex')).join(' ')
    const all = await ingestRecords(engine, [
      rawRecord(1, { user_id: SUBJECT, prompt: long(1) }),
      rawRecord(2, { user_id: SUBJECT, conversation_id: 'thread-of-both-of-them', prompt: long(2) }),
      rawRecord(3, { conversation_id: 'thread-of-both-of-them' })
    ])
    const asker = await engine.as('data_protection')
    const other = await engine.as('reviewer')
    const request = await asker.call('requests.open', { kind: 'erasure', reference: 'DSR 26-8', received: '2026-01-31' })
    const id = await erase({ seqs: all.slice(0, 2), all, request, asker, other })
    expect(await engine.ended('erasure')).toMatchObject({ state: 'done', error: null })
    const { json, html } = await asker.call('erasure.certificate', { id })
    const { scan, scan_words } = JSON.parse(json)
    // The thread stands in a record that is kept: it was looked for, though it is of the last record.
    expect(scan).toMatchObject({ found: 0, kept: 1 })
    expect(scan.left).toBeGreaterThan(1_000)
    expect(scan_words.join(' ')).toContain(
      `no trace of these. 1 piece also stands in records that are kept. ${scan.left.toLocaleString('en-US')} further pieces`
    )
    expect(html).toContain('further pieces were not looked for')
    expect((await asker.call('requests.list', {})).requests[0]?.erasures[0]).toMatchObject({ kept: 1, left_out: scan.left })
  })

  it('goes into bundles: what was erased verifies by the scope, in the program and with stock tools', async () => {
    const given = await erasureCase(engine)
    const before = (await engine.call('records.proof', { seq: given.seqs[0] ?? 0 })).checkpoint?.size ?? 0
    await erase(given)
    expect(await engine.ended('erasure')).toMatchObject({ state: 'done', error: null })
    const [first = 0, second = 0] = given.seqs
    const out = join(engine.root, 'b.affidavit.zip')
    const { job_id } = await engine.call('export.start', {
      query: `seq:${first}..${second}`,
      recipient: 'Examiner',
      purpose: 'review',
      out
    })
    await engine.job(job_id)
    // Four records, the intent, what ended it.
    expect(await engine.call('export.result', { job_id })).toMatchObject({ records: 4, leaves: 6 })
    const { job_id: verified } = await engine.call('verify.file', { path: out })
    await engine.job(verified)
    const report = await engine.call('verify.report', { job_id: verified })
    expect(report.kind).toBe('consistent')
    expect(report.steps[5]?.summary).toMatch(/; 6 erased by leaf \d+, done at leaf \d+$/)
    const folder = join(engine.root, 'bundle')
    mkdirSync(folder)
    expect(spawnSync('unzip', ['-q', out, '-d', folder]).status).toBe(0)
    const shell = spawnSync('sh', ['verify.sh'], { cwd: folder, encoding: 'utf8' })
    expect(shell.stdout.trim().split('\n').at(-1)).toBe('consistent, signer not confirmed')
    const scope = readdirSync(join(folder, 'data/payload')).find((name) => /\.scope\.\d+$/.test(name)) ?? ''
    rmSync(join(folder, 'data/payload', scope))
    expect(spawnSync('sh', ['verify.sh'], { cwd: folder, encoding: 'utf8' }).stdout).toContain('part_missing')
    // A tree that does not hold the erasure yet: the bundle names each part that is gone.
    const earlier = join(engine.root, 'earlier.affidavit.zip')
    const again = await engine.call('export.start', {
      query: `seq:${first}..${second}`,
      at: before,
      recipient: 'Examiner',
      purpose: 'review',
      out: earlier
    })
    expect(await engine.job(again.job_id)).toMatchObject({ state: 'done' })
    expect(await engine.call('export.result', { job_id: again.job_id })).toMatchObject({ records: 4, leaves: 4, withheld: 6, size: before })
    const checked = await engine.call('verify.file', { path: earlier })
    await engine.job(checked.job_id)
    expect((await engine.call('verify.report', { job_id: checked.job_id })).kind).toBe('consistent')
  })

  it('takes a ground for each record, what overrides retention, no hold, and two people', async () => {
    const { seqs, request, asker, other, all } = await erasureCase(engine)
    const ask = (more: object) => asker.codeOf('erasure.ask', { request_id: request.id, decisions: erasureDecisions(seqs), ...more })
    expect(await ask({ decisions: [{ seqs, ground: '' }] })).toBe('bad_request')
    expect(await ask({ decisions: [...erasureDecisions(seqs), ...erasureDecisions(seqs)] })).toBe('bad_request')
    expect(await ask({ decisions: erasureDecisions([9_999]) })).toBe('not_found')
    expect(await ask({ decisions: erasureDecisions([]) })).toBe('bad_request')
    expect(await ask({ request_id: 'none' })).toBe('not_found')
    expect(await ask({ more: 1 })).toBe('bad_request')
    expect(await other.codeOf('erasure.ask', { request_id: request.id, decisions: erasureDecisions(seqs) })).toBe('forbidden')
    const access = await asker.call('requests.open', { kind: 'access', reference: 'a', received: '2026-01-01' })
    expect(await ask({ request_id: access.id })).toBe('bad_request')
    await asker.call('holds.place', {
      matter: 'Suit 12',
      reason: 'litigation',
      scope: { kind: 'seqs', seqs: [seqs[0] ?? 0] },
      future: false
    })
    expect(await ask({})).toBe('on_hold')
    const asked = await asker.call('erasure.ask', { request_id: request.id, decisions: erasureDecisions(seqs.slice(1)) })
    expect(await asker.codeOf('approvals.decide', { id: asked.id, decision: 'give' })).toBe('second_person_needed')
    // A hold that comes between asking and giving wins.
    await asker.call('holds.place', {
      matter: 'Suit 13',
      reason: 'litigation',
      scope: { kind: 'seqs', seqs: [seqs[1] ?? 0] },
      future: false
    })
    await other.call('approvals.decide', { id: asked.id, decision: 'give' })
    const refused = (await asker.call('requests.list', {})).requests.find((one) => one.id === request.id)
    expect(refused?.steps.at(-1)).toMatchObject({ type: 'erasure.refused', records: 2, note: expect.stringContaining('on hold') })
    expect((await engine.call('records.get', { seq: seqs[1] ?? 0 })).payload).toBe('present')
    await asker.call('erasure.refuse', { request_id: request.id, seqs: [all[3] ?? 0], ground: 'Article 17(3)(b)' })
    expect(await asker.codeOf('erasure.refuse', { request_id: request.id, seqs, ground: '' })).toBe('bad_request')
  })
})

describe('an erasure interrupted', () => {
  // One workspace, and a further request of the subject for each step.
  it('after any step is carried out at the next start', async () => {
    for (const last of erasureSteps) {
      const given = await erasureCase(engine, subjectsAmongOthers(`${last}-`))
      const id = await eraseUpTo(engine, given, last)
      await engine.restart()
      expect(await erasureOutcome(engine, given), last).toMatchObject({ id, done_seq: expect.any(Number) })
      expect(tracesIn(engine), last).toEqual([])
      const { json } = await given.asker.call('erasure.certificate', { id })
      expect(JSON.parse(json), last).toMatchObject({ intents: [expect.any(Number)], records: given.seqs.map((seq) => ({ seq })) })
      expect(await verifiedNow(engine), last).toMatchObject({ verdict: 'intact', faults: [] })
      const { requests } = await given.asker.call('requests.list', {})
      const steps = requests.find((one) => one.id === given.request.id)?.steps.map((step) => step.type)
      expect(steps, last).toEqual(['request.received', 'erasure.intent', 'erasure.done'])
    }
  }, 180_000)
})

describe('a hold that comes after the intent', () => {
  /** Gives an erasure whose process ends after a step; the hold is placed before the next start goes on with it. */
  async function interrupted(
    last: ErasureStep,
    place: (given: ErasureCase) => Promise<unknown>
  ): Promise<{ given: ErasureCase; id: string }> {
    const given = await erasureCase(engine)
    const id = await eraseUpTo(engine, given, last)
    await place(given)
    await engine.restart()
    return { given, id }
  }
  const hold = (given: ErasureCase, scope: object) =>
    given.asker.call('holds.place', { matter: 'Suit 14', reason: 'litigation', scope: scope as never, future: false })
  const holds = {
    'of a leaf': (given: ErasureCase) => hold(given, { kind: 'seqs', seqs: [given.seqs[1]] }),
    'of the subject': (given: ErasureCase) => hold(given, { kind: 'subject', subject: SUBJECT }),
    'of a time': (given: ErasureCase) => hold(given, { kind: 'time', from: '2026-01-01T00:00:00.000Z', to: '2026-01-02T00:00:00.000Z' }),
    'of a search': (given: ErasureCase) => hold(given, { kind: 'filter', query: 'kumquat' })
  }

  it.each([
    ['intent', 'of a leaf'],
    ['registered', 'of the subject'],
    ['projected', 'of a time'],
    ['projected', 'of a search']
  ] as const)(
    'and before the keys go (after %s, %s) keeps everything: refused on record, and back in every view',
    async (step, which) => {
      const { given, id } = await interrupted(step, holds[which])
      expect(await erasureOutcome(engine, given)).toMatchObject({ id, done_seq: null, refused_seq: expect.any(Number) })
      const { requests } = await given.asker.call('requests.list', {})
      expect(requests[0]?.steps.map((one) => one.type)).toEqual(['request.received', 'erasure.intent', 'erasure.refused'])
      expect(requests[0]?.steps.at(-1)).toMatchObject({ records: 3, actor: 'engine', note: expect.stringContaining('on hold by leaf') })
      expect((await engine.call('approvals.list', {})).approvals.find((one) => one.id === id)?.done_seq).not.toBeNull()
      expect((await engine.call('records.query', { text: 'kumquat' })).records).toHaveLength(3)
      for (const seq of given.seqs) {
        const detail = await engine.call('records.get', { seq })
        expect(detail).toMatchObject({ payload: 'present', row: { erased: false } })
      }
      expect((await given.asker.call('subjects.find', { identifiers: [SUBJECT] })).seqs).toEqual(given.seqs)
      // A restore would not carry it out either.
      expect(erasuresAfter(engine.state, engine.engine.status().origin, 0)).toEqual([])
      const live = await catalogOf(engine)
      await engine.job((await engine.call('workspace.rebuild', {})).job_id)
      expect(await catalogOf(engine)).toEqual(live)
      await engine.restart()
      expect((await engine.call('records.query', { text: 'kumquat' })).records).toHaveLength(3)
      expect(await verifiedNow(engine)).toMatchObject({ verdict: 'intact', faults: [], erasures: [] })

      // What was refused accounts for nothing: a payload that goes now is missing.
      const [seq = 0] = given.seqs
      const ledger = new Database(join(engine.workspace, 'ledger.db'))
      ledger.exec(`INSERT INTO removing (seq) VALUES (${seq}); DELETE FROM payload WHERE seq = ${seq}; DELETE FROM removing`)
      ledger.close()
      expect(await verifiedNow(engine)).toMatchObject({ faults: [{ code: 'payload_missing', seq }] })
    },
    90_000
  )

  it('and after the keys are gone keeps nothing: the erasure is ended', async () => {
    const { given, id } = await interrupted('keys', holds['of a leaf'])
    expect(await erasureOutcome(engine, given)).toMatchObject({ id, done_seq: expect.any(Number), refused_seq: null })
    expect(tracesIn(engine)).toEqual([])
  }, 90_000)

  it('stops an erasure that waits in line in the same run', async () => {
    const given = await erasureCase(engine)
    engine.engine.erasures.hooks.onStep = (step) => {
      if (step === 'registered') throw new Error('busy')
    }
    await erase(given)
    await engine.ended('erasure')
    expect(engine.engine.erasures.stopped).toBe(true)
    engine.engine.erasures.hooks.onStep = () => {}
    await holds['of a leaf'](given)
    await engine.engine.erasures.goOn()
    expect(await erasureOutcome(engine, given)).toMatchObject({ done_seq: null, refused_seq: expect.any(Number) })
    const job = (await engine.call('jobs.list', {})).jobs.find((one) => one.kind === 'erasure')
    expect(job).toMatchObject({ state: 'failed', error: { code: 'on_hold' } })
    expect(engine.engine.erasures.stopped).toBe(false)
    expect((await engine.call('records.get', { seq: given.seqs[0] ?? 0 })).payload).toBe('present')
  }, 90_000)

  it('is tried again when it could not go on either', async () => {
    const given = await erasureCase(engine)
    const { erasures } = engine.engine
    const failAt = (at: string) => {
      erasures.hooks.onStep = (step) => {
        if (step === at) throw new Error('busy')
      }
    }
    failAt('registered')
    await erase(given)
    await engine.ended('erasure')
    failAt('intent')
    await expect(erasures.goOn()).rejects.toThrow('busy')
    expect(erasures.stopped).toBe(true)
    erasures.hooks.onStep = () => {}
    await erasures.goOn()
    expect(await erasureOutcome(engine, given)).toMatchObject({ done_seq: expect.any(Number) })
  }, 90_000)
})
