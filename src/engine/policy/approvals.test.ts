// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Approval } from '../../shared/contract/approvals.ts'
import type { Caller } from '../handlers.ts'
import { type TestEngine, testEngine } from '../test/test-engine.ts'
import type { GivenApproval } from './approvals.ts'

let engine: TestEngine
beforeEach(async () => {
  engine = await testEngine()
})
afterEach(() => engine.remove())

const as = (ref: string): Caller => ({ actor: { ref, kind: 'human' }, via: 'ipc' })
const decide = async (who: string, id: string, decision: 'give' | 'refuse', note = '') => {
  const reply = await engine.engine.router.call('approvals.decide', { id, decision, note }, as(who))
  return reply.ok ? (reply.value as Approval) : reply.error.code
}

describe('the rule of two people', () => {
  it('does what was asked for only after another person gave it, once', async () => {
    const { approvals } = engine.engine
    const done: GivenApproval[] = []
    approvals.on('disposal', async (approval) => {
      done.push(approval)
    })
    const asked = await approvals.ask(as('ann'), 'disposal', '12 records past their time', { seqs: 12 })
    expect(asked).toMatchObject({ state: 'asked', asked_by: 'ann', title: '12 records past their time', done_seq: null })
    expect(await decide('ann', asked.id, 'give')).toBe('second_person_needed')
    expect(done).toEqual([])
    const both = await Promise.all([decide('bob', asked.id, 'give', 'checked'), decide('cid', asked.id, 'refuse')])
    expect(both).toEqual([expect.objectContaining({ state: 'given', decided_by: 'bob', note: 'checked' }), 'busy'])
    expect(done).toEqual([
      { id: asked.id, action: 'disposal', askedBy: 'ann', givenBy: 'bob', body: expect.objectContaining({ seqs: 12 }) }
    ])
    expect(await decide('cid', asked.id, 'refuse')).toBe('conflict')
    expect(await decide('cid', 'none', 'give')).toBe('not_found')
    expect(await decide('cid', asked.id, 'give', '\ud800')).toBe('bad_request')
  })

  it('does nothing after a refusal, and makes up at the start for what a crash left', async () => {
    const refused = await engine.engine.approvals.ask(as('ann'), 'erasure', 'case 1', {})
    expect(await decide('bob', refused.id, 'refuse', 'no ground')).toMatchObject({ state: 'refused', note: 'no ground' })
    const given = await engine.engine.approvals.ask(as('ann'), 'erasure', 'case 2', {})
    const seen: string[] = []
    engine.engine.approvals.on('erasure', async ({ id }) => {
      seen.push(id)
      throw new Error('the process ends here')
    })
    expect(await decide('bob', given.id, 'give')).toMatchObject({ state: 'given', done_seq: null })
    await engine.engine.approvals.resume()
    expect(seen).toEqual([given.id, given.id])
    const { approvals } = await engine.call('approvals.list', { state: 'given' })
    expect(approvals.map((one) => one.id)).toEqual([given.id])
    expect(await engine.codeOf('approvals.list', { limit: 0 })).toBe('bad_request')
  })
})
