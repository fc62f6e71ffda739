// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { countTableOf } from './count-table.ts'
import { runLook } from './look.ts'
import type { TestedVerdict } from './look-types.ts'
import { type PastVerdict, seriesHistory } from './series-history.ts'

const quiet: PastVerdict = { d: 0.05, l: 0.01, fired: false, alarmed: false }

describe('the history of a series', () => {
  it('is none before the first tested look', () => expect(seriesHistory([])).toBeUndefined())

  it('takes L of verdicts that did not fire, and D of all but those that wait for their second look', () => {
    const waits = { d: 0.6, l: 0.2, fired: true, alarmed: false }
    expect(seriesHistory([quiet, { d: 0.3, l: 0.12, fired: false, alarmed: false }])).toEqual({
      looks: 2,
      maxUnalarmedL: 0.12,
      maxD: 0.3,
      previousFired: false
    })
    expect(seriesHistory([quiet, waits])).toEqual({ looks: 2, maxUnalarmedL: 0.01, maxD: 0.05, previousFired: true })
    expect(seriesHistory([quiet, { ...waits, alarmed: true }])).toMatchObject({ maxUnalarmedL: 0.01, maxD: 0.6 })
  })

  it.each([
    ['a gap beyond the usual', 0.05, 0.01],
    // L is within what the series shows; only the record gap opens the gate.
    ['a record gap', 0.45, 0.19]
  ])('lets the second look at %s alarm, after twenty quiet ones', (_, d, l) => {
    // A true gap of .5 at n = 400 and m = 60: L about .21.
    const values = (size: number, share: number) => countTableOf(Float64Array.from({ length: size }, (_, i) => (i < share * size ? 9 : 1)))
    const past: PastVerdict[] = Array.from({ length: 20 }, () => ({ ...quiet, d, l }))
    const look = (): TestedVerdict => {
      const history = seriesHistory(past)
      const [verdict] = runLook([
        {
          kind: 'ks',
          model: 'm',
          source: 's',
          feature: 'latency',
          reference: values(400, 0.1),
          current: values(60, 0.6),
          ...(history ? { history } : {})
        }
      ]).verdicts
      if (verdict?.state !== 'tested') throw new Error('it is tested')
      past.push(verdict)
      return verdict
    }
    const first = look()
    expect(first).toMatchObject({ fired: true, alarmed: false, reasons: ['waiting_for_second_look'] })
    expect(first.l).toBeGreaterThan(0.15)
    expect(first.l).toBeLessThan(0.3)
    expect(look()).toMatchObject({ fired: true, alarmed: true })
  })
})
