// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import type { DriftSeries, VerdictNumbers } from '../../../shared/contract/drift.ts'
import { clockWords, seriesSummary, seriesWords } from './series-words.ts'

const numbers = (more: Partial<VerdictNumbers>): VerdictNumbers => ({
  feature: 'latency',
  state: 'collecting',
  n: 300,
  m: 0,
  d: null,
  l: null,
  p: null,
  q: null,
  method: null,
  minimum_effect: null,
  alarmed: false,
  reasons: [],
  sentence: 'Collecting: 0 current and 300 reference requests so far.',
  ...more
})
const series = (more: Partial<DriftSeries>): DriftSeries => ({
  model: 'gpt-4',
  source: 'desk',
  records: 300,
  first: '2026-01-01T00:00:00.000Z',
  last: '2026-01-02T03:04:05.000Z',
  state: 'collecting',
  baseline_id: 'b',
  reference: 'baseline',
  alert_id: null,
  score: null,
  numbers: [numbers({})],
  looked_at: '2026-01-03T00:00:00.000Z',
  ...more
})
const NOW = Date.parse('2026-01-03T01:00:00Z')

describe('a series in words', () => {
  it('that stopped says so, with its last record', () => {
    expect(seriesWords(series({}), null, NOW)).toBe('No request since its reference; the last one 2 Jan 2026, 03:04:05 UTC.')
    const left = series({ reference: 'rolling', numbers: [numbers({ state: 'tested', m: 60, l: 0.1, sentence: 'S.' })] })
    expect(seriesWords(left, '2026-01-03T00:30:00.000Z', NOW)).toBe('S. As of 3 Jan 2026, 00:00:00 UTC: nothing new since.')
    expect(seriesWords(left, left.looked_at, NOW)).toBe('S.')
  })
  it('that has some requests, none to compare with, or no look says which', () => {
    const some = series({ numbers: [numbers({ m: 12, sentence: 'Collecting: 12 current.' })] })
    expect(seriesWords(some, null, NOW)).toBe('Collecting: 12 current.')
    expect(seriesWords(series({ state: 'no_baseline', numbers: [] }), null, NOW)).toBe('Nothing to compare with yet.')
    const collecting = { minimum_effect: 0.41, m: 30, sentence: 'Collecting: 30 current and 300 reference requests so far.' }
    expect(seriesWords(series({ numbers: [numbers(collecting), numbers({ m: 30 })] }), null, NOW)).toBe(
      'Collecting: 30 current and 300 reference requests so far. With these a shift of 0.41 or more could be found.'
    )
    expect(seriesWords(series({ state: 'not_looked', numbers: [] }), null, NOW)).toBe('Not looked at yet.')
  })
  it('takes the sentence of the largest bound', () => {
    const both = [numbers({ state: 'tested', l: 0.1, sentence: 'small' }), numbers({ state: 'tested', l: 0.4, sentence: 'large' })]
    expect(seriesWords(series({ numbers: both }), null, NOW)).toBe('large')
  })
  it('of a clock that is ahead says so first', () => {
    expect(seriesWords(series({ last: '2038-01-01T00:00:00.000Z', state: 'no_baseline' }), null, NOW)).toMatch(
      /^Its newest record claims a time that is still to come\. /
    )
  })
})

it('many series at once are counted by state', () => {
  const fresh = Array.from({ length: 999 }, () => series({ state: 'no_baseline' }))
  expect(seriesSummary([series({ state: 'alarmed' }), ...fresh])).toBe('the 1,000 with the most records: 1 alarmed, 999 no reference')
  expect(seriesSummary([series({})])).toBe('1 collecting')
})

it('jumps of the clock are said with what they mean', () => {
  expect(clockWords(0)).toBeNull()
  expect(clockWords(1)).toContain('jumped once')
  expect(clockWords(3)).toContain('3 times')
})
