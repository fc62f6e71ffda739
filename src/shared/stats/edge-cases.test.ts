// SPDX-License-Identifier: Apache-2.0
// What a look makes of windows that are no proper windows; the words for it are in docs/drift.md.
import { describe, expect, it } from 'vitest'
import { countTableOf, EMPTY_COUNT_TABLE } from './count-table.ts'
import { companions } from './distances.ts'
import { explainValues } from './explain.ts'
import { ksTables } from './ks.ts'
import { DEFAULT_LOOK_SETTINGS, runLook } from './look.ts'
import type { Series, Verdict } from './look-types.ts'
import { quantileShift, quantileTable } from './quantile-table.ts'
import { seededRandom, tokenLike } from './testing.ts'

const values = (reference: ArrayLike<number>, current: ArrayLike<number>, more: Partial<Series> = {}): Series => ({
  model: 'm',
  source: 's',
  ...more,
  kind: 'ks',
  feature: 'latency',
  reference: countTableOf(reference),
  current: countTableOf(current)
})
const rates = (before: readonly [number, number], after: readonly [number, number]): Series => ({
  model: 'm',
  source: 's',
  kind: 'fisher',
  feature: 'error_rate',
  reference: { errors: before[0], total: before[1] },
  current: { errors: after[0], total: after[1] }
})
const one = (series: Series): Verdict => {
  const [verdict] = runLook([series]).verdicts
  if (verdict === undefined) throw new Error('a series has a verdict')
  return verdict
}
const constant = (value: number, size: number): number[] => Array(size).fill(value)

describe('windows that are no proper windows', () => {
  it('empty: collecting, with both sizes, and never an alarm', () => {
    expect(one(values([], []))).toMatchObject({ state: 'collecting', n: 0, m: 0, alarmed: false, minimumDetectable: undefined })
    expect(one(values(constant(5, 300), [])).reasons).toEqual(['too_few_current'])
    expect(one(values([], constant(5, 300))).reasons).toEqual(['too_few_reference'])
    expect(one(rates([0, 0], [0, 0])).reasons).toEqual(['too_few_current', 'too_few_reference'])
    expect(runLook([])).toMatchObject({ tests: 0, alarms: 0, verdicts: [] })
    // Even where settings ask for no minimum at all.
    const none = { ...DEFAULT_LOOK_SETTINGS, minCurrent: 0, minReference: 0 }
    expect(runLook([values([], [1]), values([1], []), rates([0, 0], [1, 1])], none)).toMatchObject({ tests: 0, alarms: 0 })
    // A series without records changes nothing for the others of the look.
    const shifted = values(tokenLike(seededRandom(1), 300), tokenLike(seededRandom(2), 100, 400))
    expect(runLook([shifted, values([], [])]).verdicts[0]).toEqual(one(shifted))
  })

  it('one distinct value on both sides: D 0 and p 1; two different ones: D 1', () => {
    expect(one(values(constant(5, 300), constant(5, 80)))).toMatchObject({
      state: 'tested',
      d: 0,
      p: 1,
      l: 0,
      direction: 'none',
      alarmed: false
    })
    expect(one(values(constant(5, 300), constant(6, 80)))).toMatchObject({
      d: 1,
      dLocation: 5,
      direction: 'higher',
      alarmed: true
    })
    const same = countTableOf(constant(5, 300))
    expect(explainValues({ feature: 'latency', reference: same, current: same, dLocation: 5, d: 0, lowerBound: 0 })).toEqual({
      headline: '100 % of requests finished within 5 ms, now 100 %.',
      detail: 'Median 5 ms before and after. No part of the gap is beyond noise for certain (95 %).',
      direction: 'none'
    })
    expect(companions(same, same)).toEqual({ psi: 0, js: 0, wassersteinLog: 0 })
    expect(quantileTable(same, same)[0]).toMatchObject({ before: { value: 5, low: 5, high: 5 } })
    expect(quantileShift(same, same)[9]).toMatchObject({ at: 5, value: 0 })
    expect(one(rates([0, 300], [0, 80]))).toMatchObject({ d: 0, p: 1, l: 0, direction: 'none' })
    expect(one(rates([300, 300], [80, 80]))).toMatchObject({ d: 0, p: 1, l: 0, minimumDetectable: undefined })
  })

  it('NaN and infinity are refused before a table exists; negative whole numbers are values like any other', () => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0.5]) {
      expect(() => countTableOf([1, bad])).toThrow(expect.objectContaining({ code: 'stats.not_an_integer' }))
    }
    const negative = values(constant(-5, 300), constant(-6, 80))
    expect(one(negative)).toMatchObject({ d: 1, direction: 'lower' })
    expect(Number.isFinite(companions(countTableOf([-5, -4]), countTableOf([-9])).wassersteinLog)).toBe(true)
    expect(() => quantileTable(EMPTY_COUNT_TABLE, countTableOf([1]))).toThrow(expect.objectContaining({ code: 'stats.empty' }))
  })

  it('a clock that jumps makes some latencies huge or zero; a verdict moves by their share and no further', () => {
    const random = seededRandom(5)
    const reference = tokenLike(random, 400, 900)
    const current = tokenLike(random, 200, 900)
    const jumped = current.map((value, i) => (i < 4 ? 3_600_000 + value : i < 8 ? 0 : value))
    const before = ksTables(countTableOf(reference), countTableOf(current))
    const after = ksTables(countTableOf(reference), countTableOf(jumped))
    expect(Math.abs(after.d - before.d)).toBeLessThanOrEqual(8 / 200 + 1e-12)
    expect(one(values(reference, jumped)).alarmed).toBe(false)
  })

  it('a thousand new series at once: each is collecting; when all are tested, the budget holds and nothing alarms', () => {
    const random = seededRandom(6)
    const fresh = Array.from({ length: 1000 }, (_, i) => values([], tokenLike(random, 3), { model: `m${i}` }))
    const look = runLook(fresh)
    expect(look).toMatchObject({ tests: 0, alarms: 0, exactSteps: 0 })
    expect(look.verdicts.every((verdict) => verdict.state === 'collecting')).toBe(true)
    const grown = Array.from({ length: 1000 }, (_, i) => values(tokenLike(random, 200), tokenLike(random, 50), { model: `m${i}` }))
    const judged = runLook(grown)
    expect(judged.tests).toBe(1000)
    expect(judged.exactSteps).toBeLessThanOrEqual(DEFAULT_LOOK_SETTINGS.stepBudget)
    expect(judged.alarms).toBe(0)
  })

  it('the same input twice gives the same look to the last digit', () => {
    const series = () => {
      const random = seededRandom(9)
      return Array.from({ length: 40 }, (_, i) => values(tokenLike(random, 300), tokenLike(random, 80, 120 + 5 * i), { model: `m${i}` }))
    }
    expect(JSON.stringify(runLook(series()))).toBe(JSON.stringify(runLook(series())))
  })
})
