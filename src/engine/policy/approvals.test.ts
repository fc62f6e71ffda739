// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Approval } from '../../shared/contract/approvals.ts'
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
