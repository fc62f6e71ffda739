// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import type { VerdictNumbers } from '../../shared/contract/drift.ts'
import type { StoredBaseline } from './listings.ts'
import { type SeriesParts, seriesStates } from './series-states.ts'

const name = { model: 'gpt-4', source: 'desk' }
const row = { ...name, records: 400, first: '2026-01-01T00:00:00.000Z', last: '2026-01-02T00:00:00.000Z', lastSeq: 400 }
const numbers = (more: Partial<VerdictNumbers> = {}): VerdictNumbers => ({
  feature: 'latency',
  state: 'tested',
  n: 300,
  m: 100,
  d: 0.4,
  l: 0.2,
  p: 0.001,
  q: 0.002,
  method: 'exact',
  minimum_effect: 0.3,
  alarmed: false,
  reasons: ['effect_below_floor'],
  sentence: 's',
  ...more
})
const pinned = (id: string, active = true): StoredBaseline => ({
  ...name,
  id,
  kind: 'baseline',
  seq: 1,
  name: id,
  query: '',
  records: 300,
  from: null,
  to: null,
  hash: '',
  set_at: row.first,
  actor: 'local',
  active,
  to_seq: 300
})
const verdict = (reference: string, ...found: VerdictNumbers[]) => ({ ...name, reference, look: 9, time: row.last, numbers: found })
const stateOf = (more: Partial<SeriesParts>, open: Parameters<typeof seriesStates>[1] = []) =>
  seriesStates([row], open, { baselines: [pinned('b')], verdicts: [], reference: 'none', ...more })[0]

describe('the state of a series', () => {
  it.each([
    ['quiet', numbers()],
    ['waiting', numbers({ reasons: ['waiting_for_second_look'] })],
    ['alarmed', numbers({ alarmed: true, reasons: ['large_effect'] })],
    ['collecting', numbers({ state: 'collecting', d: null, l: null, reasons: ['too_few_current'] })]
  ])('%s is what the newest numbers say, without an alert', (state, one) => {
    expect(stateOf({ verdicts: [verdict('b', one)] })).toMatchObject({ state, alert_id: null, looked_at: row.last, baseline_id: 'b' })
  })

  it('is that of the worst feature', () => {
    const worst = numbers({ feature: 'error_rate', reasons: ['waiting_for_second_look'] })
    expect(stateOf({ verdicts: [verdict('b', numbers(), worst)] })?.state).toBe('waiting')
  })

  it('does not hang on a reference that was replaced or left', () => {
    const verdicts = [verdict('old', numbers({ alarmed: true })), verdict('rolling', numbers())]
    const waits = { state: 'not_looked', numbers: [], score: null, looked_at: null }
    expect(stateOf({ baselines: [pinned('b'), pinned('old', false)], verdicts })).toMatchObject({ ...waits, reference: 'baseline' })
    expect(stateOf({ baselines: [], verdicts })).toMatchObject({ state: 'no_baseline', reference: null, numbers: [] })
    expect(stateOf({ baselines: [], verdicts, reference: 'rolling' })).toMatchObject({
      state: 'quiet',
      reference: 'rolling',
      baseline_id: null
    })
  })

  it('is alarmed as long as an alert is not resolved, whatever it was compared with', () => {
    const open = [{ id: 'a', ...name, baseline: 'old' }]
    expect(stateOf({ verdicts: [verdict('b', numbers())] }, open)).toMatchObject({ state: 'alarmed', alert_id: 'a' })
    expect(stateOf({}, [{ id: 'a', model: 'gpt-4', source: 'web', baseline: 'b' }])?.state).toBe('not_looked')
  })
})
