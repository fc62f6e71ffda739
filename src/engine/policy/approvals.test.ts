// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Approval } from '../../shared/contract/approvals.ts'
import { AffidavitError } from '../../shared/contract/errors.ts'
import { type TestEngine, type TestPerson, testEngine } from '../test/test-engine.ts'
import type { GivenApproval } from './approvals.ts'

let engine: TestEngine
let ann: TestPerson
let bob: TestPerson
let cid: TestPerson
beforeEach(async () => {
  engine = await testEngine()
  ann = await engine.as('administrator')
  bob = await engine.as('data_protection')
  cid = await engine.as('reviewer')
})
afterEach(() => engine.remove())

const decide = async (who: TestPerson, id: string, decision: 'give' | 'refuse', note = '') => {
  const reply = await engine.engine.router.call('approvals.decide', { id, decision, note }, who.caller)
  return reply.ok ? (reply.value as Approval) : reply.error.code
}

describe('the rule of two people', () => {
  it('does what was asked for only after another person gave it, once', async () => {
    const { approvals } = engine.engine
    const done: GivenApproval[] = []
    approvals.on('disposal', async (approval) => {
      done.push(approval)
    })
    const asked = await approvals.ask(ann.caller, 'disposal', '12 records past their time', { seqs: 12 })
    expect(asked).toMatchObject({ state: 'asked', asked_by: ann.ref, title: '12 records past their time', done_seq: null })
    expect(await decide(ann, asked.id, 'give')).toBe('second_person_needed')
    expect(done).toEqual([])
    const both = await Promise.all([decide(bob, asked.id, 'give', 'checked'), decide(cid, asked.id, 'refuse')])
    expect(both).toEqual([expect.objectContaining({ state: 'given', decided_by: bob.ref, note: 'checked' }), 'busy'])
    expect(done).toEqual([
      { id: asked.id, action: 'disposal', askedBy: ann.ref, givenBy: bob.ref, body: expect.objectContaining({ seqs: 12 }) }
    ])
    expect(await decide(cid, asked.id, 'refuse')).toBe('conflict')
    expect(await decide(cid, 'none', 'give')).toBe('not_found')
    expect(await decide(cid, asked.id, 'give', '\ud800')).toBe('bad_request')
  })

  it('does nothing after a refusal, and makes up at the start for what a crash left', async () => {
    const refused = await engine.engine.approvals.ask(ann.caller, 'erasure', 'case 1', {})
    expect(await decide(bob, refused.id, 'refuse', 'no ground')).toMatchObject({ state: 'refused', note: 'no ground' })
    const given = await engine.engine.approvals.ask(ann.caller, 'erasure', 'case 2', {})
    const seen: string[] = []
    engine.engine.approvals.on('erasure', async ({ id }) => {
      seen.push(id)
      throw new Error('the process ends here')
    })
    expect(await decide(bob, given.id, 'give')).toMatchObject({ state: 'given', done_seq: null })
    await engine.engine.approvals.resume()
    expect(seen).toEqual([given.id, given.id])
    const { approvals } = await engine.call('approvals.list', { state: 'given' })
    expect(approvals.map((one) => one.id)).toEqual([given.id])
    expect(await engine.codeOf('approvals.list', { limit: 0 })).toBe('bad_request')
  })

  it('carries out what the disk had no room for, once there is room again', async () => {
    await engine.remove()
    engine = await testEngine({ disposal: { retryMs: 50 } })
    const asked = await engine.engine.approvals.ask((await engine.as('administrator')).caller, 'disposal', 'records past their time', {})
    let tries = 0
    engine.engine.approvals.on('disposal', async () => {
      tries++
      if (tries < 3) throw new AffidavitError('disk_full', 'the disk is full')
    })
    expect(await decide(await engine.as('data_protection'), asked.id, 'give')).toMatchObject({ state: 'given', done_seq: null })
    await vi.waitFor(() => expect(tries).toBe(3), 10_000)
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(tries).toBe(3)
  })

  it('takes a role that may, and lets whoever asked withdraw', async () => {
    const op = await engine.as('operator')
    const asked = await engine.engine.approvals.ask(ann.caller, 'hold_release', 'case 3', {})
    expect(await decide(op, asked.id, 'give')).toBe('forbidden')
    expect(await decide(ann, asked.id, 'refuse', 'asked by mistake')).toMatchObject({ state: 'refused', decided_by: ann.ref })
  })

  it('is not got round by another role, a restart, or by disabling who asked', async () => {
    const asked = await engine.engine.approvals.ask(bob.caller, 'erasure', 'case 4', {})
    await ann.call('people.change', { ref: bob.ref, role: 'reviewer', name: 'Robert' })
    await engine.restart()
    expect(await decide(bob, asked.id, 'give')).toBe('second_person_needed')
    await ann.call('people.change', { ref: bob.ref, state: 'disabled' })
    expect(await decide(bob, asked.id, 'give')).toBe('unauthorized')
    expect(await decide(cid, asked.id, 'give')).toBe('second_person_needed')
    expect(await decide(cid, asked.id, 'refuse')).toMatchObject({ state: 'refused' })
  })
})

describe('two people that one person can be', () => {
  const PASSWORD = 'seven grey herons waiting'
  const DAY = 86_400_000
  let later = 0
  beforeEach(async () => {
    await engine.remove()
    later = 0
    engine = await testEngine({ clock: { now: () => Date.now() + later, monotonic: () => performance.now() } })
    ann = await engine.as('administrator')
    bob = await engine.as('data_protection')
    cid = await engine.as('reviewer')
  })
  const asks = (who: TestPerson) => engine.engine.approvals.ask(who.caller, 'disposal', 'records past their time', {})
  const refusal = async (who: TestPerson, id: string) => {
    const reply = await engine.engine.router.call('approvals.decide', { id, decision: 'give', note: '' }, who.caller)
    return reply.ok ? null : { code: reply.error.code, message: reply.error.message, ...reply.error.details }
  }

  it('are refused for a week after one set the password of the other, whoever of them asks; a third person decides', async () => {
    await ann.call('people.set_password', { ref: bob.ref, password: PASSWORD })
    const asked = await asks(ann)
    expect(await refusal(bob, asked.id)).toMatchObject({
      code: 'second_person_needed',
      message: expect.stringContaining('the administrator set how the data protection signs in'),
      reason: 'sign_in_set',
      by: ann.ref,
      of: bob.ref
    })
    // Nor as the one who asks: with a password that ann knows, ann could have asked.
    const other = await asks(bob)
    expect(await refusal(ann, other.id)).toMatchObject({ reason: 'sign_in_set', by: ann.ref, of: bob.ref })
    // It is no way round to have the own password chosen meanwhile, or to start anew.
    const session = await engine.engine.people.openSession('desktop')
    const call = (op: string, input: object) => engine.engine.router.call(op, input, engine.engine.people.callerOf(session))
    expect(await call('session.sign_in', { name: 'the data protection', password: PASSWORD })).toMatchObject({
      value: { must_choose: true }
    })
    expect(await call('approvals.decide', { id: asked.id, decision: 'give', note: '' })).toMatchObject({ error: { code: 'forbidden' } })
    expect(await call('session.set_password', { current: PASSWORD, password: 'another walk to the sea' })).toMatchObject({ ok: true })
    expect(await call('approvals.decide', { id: asked.id, decision: 'give', note: '' })).toMatchObject({
      error: { code: 'second_person_needed' }
    })
    await engine.restart()
    expect(await refusal(bob, asked.id)).toMatchObject({ reason: 'sign_in_set' })
    // Whoever is a third person decides, and a refusal is always possible.
    expect(await refusal(cid, asked.id)).toBeNull()
    expect(await decide(ann, other.id, 'refuse')).toMatchObject({ state: 'refused' })
  })

  it('are two again a week later, but not for what was asked before', async () => {
    const before = await asks(ann)
    await ann.call('people.set_password', { ref: bob.ref, password: PASSWORD })
    later = 8 * DAY
    expect(await refusal(bob, before.id)).toMatchObject({ reason: 'sign_in_set' })
    expect(await refusal(bob, (await asks(ann)).id)).toBeNull()
  })

  it('are found behind an account of the system, an enabling, an addition and a helper', async () => {
    await ann.call('people.change', { ref: bob.ref, os_account: 'the account of ann' })
    expect(await refusal(bob, (await asks(ann)).id)).toMatchObject({ of: bob.ref })
    const straw = await ann.call('people.add', { name: 'Mr Straw', role: 'administrator', password: PASSWORD })
    const strawCaller = { actor: { ref: straw.ref, kind: 'human' }, via: 'ipc' } as const
    const mr = { ...ann, ref: straw.ref, caller: strawCaller }
    expect(await refusal(mr, (await asks(ann)).id)).toMatchObject({ of: straw.ref })
    // The straw man, once a password of his own is set, sets that of another.
    await engine.engine.router.call('people.set_password', { ref: cid.ref, password: PASSWORD }, strawCaller)
    expect(await refusal(cid, (await asks(ann)).id)).toMatchObject({ by: ann.ref, of: cid.ref })
    later = 20 * DAY
    await ann.call('people.change', { ref: cid.ref, state: 'disabled' })
    await ann.call('people.change', { ref: cid.ref, state: 'active' })
    expect(await refusal(cid, (await asks(ann)).id)).toMatchObject({ of: cid.ref })
    // A role or a name is no way to sign in.
    await ann.call('people.change', { ref: bob.ref, name: 'Robert', role: 'reviewer' })
    later = 40 * DAY
    expect(await refusal(bob, (await asks(ann)).id)).toBeNull()
  })

  it('are refused where a third person set both anew, and stand where a third person only added both', async () => {
    expect(await refusal(cid, (await asks(bob)).id)).toBeNull()
    await ann.call('people.set_password', { ref: bob.ref, password: PASSWORD })
    expect(await refusal(cid, (await asks(bob)).id)).toBeNull()
    await ann.call('people.set_password', { ref: cid.ref, password: PASSWORD })
    expect(await refusal(cid, (await asks(bob)).id)).toMatchObject({ reason: 'sign_in_set', by: ann.ref })
  })
})

describe('one person alone', () => {
  it('may ask, is told to set up a second person, and cannot be that person later', async () => {
    const alone = await testEngine()
    try {
      const asked = await alone.engine.approvals.ask({ actor: { ref: 'local', kind: 'human' }, via: 'ipc' }, 'disposal', 'old records', {})
      const reply = await alone.engine.router.call(
        'approvals.decide',
        { id: asked.id, decision: 'give' },
        { actor: { ref: 'local', kind: 'human' }, via: 'ipc' }
      )
      expect(reply).toMatchObject({
        ok: false,
        error: { code: 'second_person_needed', message: expect.stringContaining('Settings, People') }
      })
      const admin = await alone.as('administrator')
      expect(await admin.codeOf('approvals.decide', { id: asked.id, decision: 'give' })).toBe('second_person_needed')
      expect(await admin.codeOf('approvals.decide', { id: asked.id, decision: 'refuse' })).toBeUndefined()
    } finally {
      await alone.remove()
    }
  })
})
