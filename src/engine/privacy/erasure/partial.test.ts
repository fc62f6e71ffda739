// SPDX-License-Identifier: Apache-2.0
// A hold that comes while the keys of an erasure are being destroyed.
import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { seqsIn } from '../../../shared/policy/ranges.ts'
import { erasuresAfter } from '../../backup/erasure-register.ts'
import { openReadable } from '../../sqlite/open.ts'
import {
  catalogOf,
  type ErasureCase,
  erase,
  erasureCase,
  erasureOutcome,
  SUBJECT,
  subjectRecord,
  tracesIn,
  verifiedNow
} from '../../test/erasure-case.ts'
import { rawRecord, type TestEngine, testEngine } from '../../test/test-engine.ts'

let engine: TestEngine
beforeEach(async () => {
  engine = await testEngine({ servers: true })
})
afterEach(() => engine.remove())

// The subject's three records are in key blocks of their own.
const OWN = [3, 70, 135]
const spread = () =>
  Array.from({ length: 140 }, (_, n) => (OWN.includes(n) ? subjectRecord(n === 3 ? 3 : n === 70 ? 6 : 9) : rawRecord(1_000 + n)))

const hold = (given: ErasureCase, scope: object) =>
  given.asker.call('holds.place', { matter: 'Suit 14', reason: 'litigation', scope: scope as never, future: false })

/** Ends the process when the keys of one block are destroyed for good and those of the others are not. */
async function eraseOneBlock(given: ErasureCase): Promise<string> {
  let blocks = 0
  engine.engine.erasures.hooks.onBlock = () => {
    blocks++
    if (blocks > 2) throw new Error('the process ends here')
    return blocks === 1
  }
  const id = await erase(given)
  expect(await engine.ended('erasure')).toMatchObject({ state: 'failed', error: { code: 'internal' } })
  return id
}

/** Does something once between the look for holds and the destruction of the first key. */
function onceChecked(work: () => Promise<unknown>): void {
  let left = 1
  engine.engine.erasures.hooks.onStep = async (step) => {
    if (step === 'checked' && left-- > 0) await work()
  }
}

async function exported(query: string): Promise<{ readonly kind: string; readonly shell: string; readonly withheld: number }> {
  const out = join(engine.root, `${Math.random()}.affidavit.zip`)
  const { job_id } = await engine.call('export.start', { query, recipient: 'Examiner', purpose: 'review', out })
  expect((await engine.job(job_id)).error).toBeNull()
  const { withheld } = await engine.call('export.result', { job_id })
  const checked = await engine.call('verify.file', { path: out })
  await engine.job(checked.job_id)
  const folder = `${out}.d`
  mkdirSync(folder)
  expect(spawnSync('unzip', ['-q', out, '-d', folder]).status).toBe(0)
  const shell = spawnSync('sh', ['verify.sh'], { cwd: folder, encoding: 'utf8' })
  return {
    kind: (await engine.call('verify.report', { job_id: checked.job_id })).kind,
    shell: shell.stdout.trim().split('\n').at(-1) ?? '',
    withheld
  }
}

describe('a hold that comes when part of the keys is destroyed', () => {
  it('keeps the rest after a crash: what is gone is on record and stays gone, and can be erased to its end once the hold is released', async () => {
    const given = await erasureCase(engine, spread(), OWN)
    const [first = 0, second = 0] = given.seqs
    await exported(`seq:${first}..${first + 1}`)
    const changes = [{ what: { message: 'output', index: 0 }, now: `The kumquat is of ${SUBJECT}.` } as const]
    const { seq: correction } = await given.asker.call('records.correct', { seq: first, changes, reason: 'she says so' })
    const id = await eraseOneBlock(given)
    const placed = await hold(given, { kind: 'seqs', seqs: [second] })
    await engine.restart()
    expect(await erasureOutcome(engine, given)).toMatchObject({ id, records: 3, done_seq: null, refused_seq: expect.any(Number), gone: 1 })
    expect(await engine.ended('erasure')).toMatchObject({ error: { code: 'on_hold' } })
    const { requests } = await given.asker.call('requests.list', {})
    expect(requests[0]?.steps.at(-1)).toMatchObject({
      type: 'erasure.refused',
      note: `on hold by leaf ${placed.seq}; by then the content of 1 of 3 records was destroyed`
    })
    // Whoever has a copy of what is gone is to be told; nothing else was erased.
    expect((await given.asker.call('recipients.list', { request_id: given.request.id })).recipients).toMatchObject([{ records: 1 }])

    expect(await engine.call('records.get', { seq: first })).toMatchObject({ payload: 'erased', row: { erased: true, preview: '' } })
    for (const seq of given.seqs.slice(1))
      expect(await engine.call('records.get', { seq })).toMatchObject({ payload: 'present', row: { erased: false } })
    expect((await engine.call('records.query', { text: 'kumquat' })).records.map(({ seq }) => seq).sort((a, b) => a - b)).toEqual(
      given.seqs.slice(1)
    )
    const [noted, ...others] = erasuresAfter(engine.state, engine.engine.status().origin, 0)
    expect([noted?.case, [...seqsIn(noted?.ranges ?? [])], others]).toEqual([id, [first], []])
    // The key that could open what is gone is destroyed as well, and nothing of it lies about.
    const keys = openReadable(join(engine.workspace, 'keys.db'))
    expect(keys.prepare('SELECT count(DISTINCT kek_id) FROM key_block').pluck().get()).toBe(1)
    keys.close()
    const ledger = openReadable(join(engine.workspace, 'ledger.db'))
    expect(ledger.prepare('SELECT seq FROM payload WHERE seq IN (?, ?) ORDER BY seq').pluck().all(first, second)).toEqual([second])
    ledger.close()
    expect(await verifiedNow(engine)).toMatchObject({ verdict: 'intact', faults: [], erasures: [{ payloads: 1 }] })
    const consistent = 'consistent, signer not confirmed'
    expect(await exported(`seq:${first}..${first + 1}`)).toMatchObject({
      kind: 'consistent',
      shell: consistent,
      withheld: expect.any(Number)
    })
    const live = await catalogOf(engine)
    await engine.job((await engine.call('workspace.rebuild', {})).job_id)
    expect(await catalogOf(engine)).toEqual(live)

    // What is left of the record that is gone is found by its subject, and goes with the others.
    expect((await given.asker.call('subjects.find', { identifiers: [SUBJECT] })).seqs).toEqual(given.seqs)
    const release = await given.asker.call('holds.release', { id: placed.id, reason: 'settled' })
    await given.other.call('approvals.decide', { id: release.id, decision: 'give' })
    const again = await erase(given)
    expect(await erasureOutcome(engine, given)).toMatchObject({ id: again, done_seq: expect.any(Number) })
    expect(tracesIn(engine)).toEqual([])
    const { json } = await given.asker.call('erasure.certificate', { id: again })
    expect(JSON.parse(json)).toMatchObject({ corrections: 1, scan: { found: 0, needles: expect.any(Number) } })
    expect(JSON.parse(json).scan.needles).toBeGreaterThan(20)
    expect((await given.asker.call('records.get', { seq: first })).corrections).toMatchObject([{ seq: correction, content: 'erased' }])
    expect(await verifiedNow(engine)).toMatchObject({ verdict: 'intact', faults: [], erasures: [{ payloads: 1 }, { payloads: 3 }] })
    expect(await exported(`seq:${first}..${second}`)).toMatchObject({ kind: 'consistent', shell: consistent })
  })

  it('stops them in the same run, before a further one is destroyed', async () => {
    const given = await erasureCase(engine)
    onceChecked(() => hold(given, { kind: 'seqs', seqs: [given.seqs[1]] }))
    await erase(given)
    expect(await erasureOutcome(engine, given)).toMatchObject({ done_seq: null, refused_seq: expect.any(Number), gone: 0 })
    for (const seq of given.seqs) expect((await engine.call('records.get', { seq })).payload).toBe('present')
  })

  it('stops them for a subject named in another way than in the records', async () => {
    const named = (n: number) => rawRecord(n, { id: `named-${n}`, prompt: `Please write to ${SUBJECT}` })
    const given = await erasureCase(engine, [named(1), named(2), rawRecord(3)], [0, 1])
    onceChecked(() => hold(given, { kind: 'subject', subject: ` ${SUBJECT.toUpperCase()}` }))
    await erase(given)
    expect(await erasureOutcome(engine, given)).toMatchObject({ done_seq: null, refused_seq: expect.any(Number), gone: 0 })
  })

  it('goes on when the hold is on something else', async () => {
    const given = await erasureCase(engine)
    onceChecked(() => hold(given, { kind: 'seqs', seqs: [given.all[1]] }))
    await erase(given)
    expect(await erasureOutcome(engine, given)).toMatchObject({ done_seq: expect.any(Number), refused_seq: null })
    expect(tracesIn(engine)).toEqual([])
  })
})
