// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import type { ComplianceFacts } from './facts.ts'
import { statementsOf } from './statements.ts'
import { full, NOW } from './test-facts.ts'

const anchor = { size: 4_000, time: NOW, kind: 'timestamp by an authority', state: 'pass', message: 'It holds.' } as const
const last = { seq: 4_990, time: NOW, verdict: 'intact', size: 4_990, faults: 0 }
const withFacts = (more: Partial<ComplianceFacts>): ComplianceFacts => ({ ...full, anchor, ...more })
const verified = (more: Partial<typeof last> | null): ComplianceFacts['verified'] => ({
  ...full.verified,
  last: more && { ...last, ...more }
})
const edits = (facts: ComplianceFacts, group: 'proves' | 'word') =>
  statementsOf(facts).filter((one) => one.group === group && one.subject === 'edits')

describe('what the log proves', () => {
  it('is what lies under an anchor that holds, in a log that was found intact since', () => {
    expect(edits(withFacts({}), 'proves')).toEqual([
      {
        group: 'proves',
        subject: 'edits',
        text: 'No record up to leaf 3,999 was changed, removed or put in later',
        detail: 'anchored outside (timestamp by an authority), 2026-11-25 12:00 UTC; found intact 2026-11-25 12:00 UTC'
      }
    ])
  })

  it.each<[string, Partial<ComplianceFacts>, string]>([
    ['no verification', { verified: verified(null) }, 'the whole workspace was never verified'],
    [
      'a verification that found faults',
      { verified: verified({ verdict: 'damaged', faults: 3 }) },
      'the last verification, 2026-11-25 12:00 UTC, found 3 faults'
    ],
    [
      'a verification from before the anchor',
      { verified: verified({ size: 3_999 }) },
      'the last verification, 2026-11-25 12:00 UTC, was before the anchor: verify the workspace'
    ],
    [
      'an anchor over another root',
      { anchor: { ...anchor, state: 'fail', message: 'It is over another root.' } },
      'It is over another root.'
    ],
    [
      'an anchor that cannot be opened',
      { anchor: { ...anchor, state: 'not_available', message: 'It was not checked.' } },
      'It was not checked.'
    ],
    ['a rollback', { problem: 'The ledger is shorter than it was' }, 'The ledger is shorter than it was']
  ])('is nothing about edits with %s, and the reason is said', (_, more, why) => {
    const facts = withFacts(more)
    expect(statementsOf(facts).filter((one) => one.group === 'proves' && one.subject !== 'erasure')).toEqual([])
    expect(edits(facts, 'word')).toContainEqual({
      group: 'word',
      subject: 'edits',
      text: 'The first 4,000 leaves, which an anchor covers',
      detail: why
    })
  })

  it('says that there is no anchor', () => {
    expect(edits(withFacts({ anchor: null }), 'word')[0]?.text).toBe('All 5,000 leaves: there is no anchor outside yet')
  })
})
