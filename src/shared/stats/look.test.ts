// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { countTableOf } from './count-table.ts'
import { ksTables } from './ks.ts'
import { DEFAULT_LOOK_SETTINGS, groupAlarms, runLook } from './look.ts'
import type { Series, SeriesHistory, TestedVerdict, Verdict } from './look-types.ts'
import { seededRandom, shuffled, tokenLike } from './testing.ts'

const ramp = (size: number, from = 0): number[] => Array.from({ length: size }, (_, i) => from + i)

const series = (reference: readonly number[], current: readonly number[], history?: SeriesHistory): Series => ({
  kind: 'ks',
  model: 'm',
  source: 's',
  feature: 'latency',
  reference: countTableOf(reference),
  current: countTableOf(current),
  ...(history === undefined ? {} : { history })
})

const rate = (errors: number, total: number, nowErrors: number, nowTotal: number, history?: SeriesHistory): Series => ({
  kind: 'fisher',
  model: 'm',
  source: 's',
  feature: 'error_rate',
  reference: { errors, total },
  current: { errors: nowErrors, total: nowTotal },
  ...(history === undefined ? {} : { history })
})

const tested = (verdict: Verdict | undefined): TestedVerdict => {
  if (verdict?.state !== 'tested') throw new Error('the series was not tested')
  return verdict
}

const one = (input: Series, settings = DEFAULT_LOOK_SETTINGS): TestedVerdict => tested(runLook([input], settings).verdicts[0])

// Reference 0..999; the current window starts at `from`, which makes D = from / 1000 against a window of 1000 like values.
const shifted = (from: number, history?: SeriesHistory): Series => series(ramp(1000), ramp(1000, from), history)

const usual: SeriesHistory = { looks: 40, maxUnalarmedL: 0, maxD: 0, previousFired: false }

describe('one look', () => {
  it('collects below the minimum sizes and says how many there are', () => {
    const { verdicts, tests, alarms } = runLook([
      series(ramp(199), ramp(49)),
      series(ramp(199), ramp(50)),
      series(ramp(200), ramp(49)),
      series(ramp(200), ramp(50)),
      series([], []),
      rate(0, 0, 0, 0)
    ])
    expect(verdicts.map((v) => [v.state, v.n, v.m, v.reasons.filter((r) => r.startsWith('too_few'))])).toEqual([
      ['collecting', 199, 49, ['too_few_current', 'too_few_reference']],
      ['collecting', 199, 50, ['too_few_reference']],
      ['collecting', 200, 49, ['too_few_current']],
      ['tested', 200, 50, []],
      ['collecting', 0, 0, ['too_few_current', 'too_few_reference']],
      ['collecting', 0, 0, ['too_few_current', 'too_few_reference']]
    ])
    expect(verdicts[0]?.minimumDetectable).toBeGreaterThan(0.4)
    expect(verdicts[4]?.minimumDetectable).toBeUndefined()
    // 0..49 against 0..199 is a drift in itself.
    expect([tests, alarms]).toEqual([1, 1])
  })

  it('alarms at once on a large effect', () => {
    const verdict = one(shifted(600))
    expect(verdict).toMatchObject({ alarmed: true, fired: true, d: 0.6, direction: 'higher', dLocation: 599, n: 1000, m: 1000 })
    expect(verdict.reasons).toEqual(['p_below_threshold', 'effect_at_floor', 'gate_short_history', 'large_effect'])
    expect(one(series(ramp(1000, 600), ramp(1000))).direction).toBe('lower')
  })

  it('waits for a second look when the effect is smaller, unless the comparison is a single one', () => {
    const first = one(shifted(300))
    expect(first).toMatchObject({ alarmed: false, fired: true, reasons: ['waiting_for_second_look'] })
    expect(first.l).toBeLessThan(0.3)
    const second = one(shifted(300, { looks: 1, maxUnalarmedL: first.l, maxD: first.d, previousFired: first.fired }))
    expect(second).toMatchObject({ alarmed: true })
    expect(second.reasons).toContain('second_look')
    const single = one(shifted(300), { ...DEFAULT_LOOK_SETTINGS, immediate: true })
    expect(single).toMatchObject({ alarmed: true })
    expect(single.reasons).toContain('immediate')
  })

  it('needs the floor: significance at huge n is not enough', () => {
    const big = (from: number) => series(ramp(200_000), ramp(200_000, from))
    const small = one(big(8000))
    expect(small.p).toBeLessThan(1e-100)
    expect(small).toMatchObject({ alarmed: false, fired: false, reasons: ['effect_below_floor'] })
    expect(one(big(40_000))).toMatchObject({ fired: true })
  })

  it('gates on what the series has shown while it did not alarm, from 14 looks on', () => {
    const { l, d } = one(shifted(600))
    const history = (part: Partial<SeriesHistory>): SeriesHistory => ({ ...usual, ...part })
    const reasons = (h: SeriesHistory) => one(shifted(600, h)).reasons
    expect(reasons(history({ maxUnalarmedL: l / 1.26, maxD: 1 }))).toContain('gate_beyond_usual')
    expect(reasons(history({ maxUnalarmedL: l / 1.24, maxD: d }))).toEqual(['gate_closed'])
    expect(reasons(history({ maxUnalarmedL: l, maxD: d - 0.01 }))).toContain('gate_record_gap')
    expect(reasons(history({ looks: 13, maxUnalarmedL: l, maxD: 1 }))).toContain('gate_short_history')
    // A record below 0.5 does not pass.
    expect(one(shifted(450, history({ maxUnalarmedL: 0.4, maxD: 0.4 }))).reasons).toEqual(['gate_closed'])
  })

  it('tests the error rate exactly, with its own floor', () => {
    const verdict = one(rate(12, 600, 90, 500), { ...DEFAULT_LOOK_SETTINGS, immediate: true })
    expect(verdict).toMatchObject({ alarmed: true, method: 'exact', direction: 'higher', dLocation: undefined, n: 600, m: 500 })
    expect(verdict.d).toBeCloseTo(0.16, 12)
    expect(verdict.l).toBeGreaterThan(0.1)
    expect(one(rate(90, 600, 5, 500)).direction).toBe('lower')
    expect(one(rate(100_000, 1_000_000, 108_000, 1_000_000)).reasons).toEqual(['effect_below_floor'])
    expect(one(rate(0, 300, 0, 100))).toMatchObject({ p: 1, d: 0, l: 0, direction: 'none', alarmed: false })
  })

  it('has one threshold for the whole look: company of other drifting series lowers the bar, quiet ones raise it', () => {
    const random = seededRandom(31)
    const quiet = Array.from({ length: 50 }, () => series(tokenLike(random, 300), tokenLike(random, 100)))
    const result = runLook([shifted(300), ...quiet])
    expect(result.level).toBe(1 / 168)
    expect(result.tests).toBe(51)
    expect(result.threshold).toBeCloseTo(1 / 168 / 51, 12)
    const by = runLook([shifted(300), ...quiet], { ...DEFAULT_LOOK_SETTINGS, procedure: 'BY' })
    expect(by.threshold).toBeLessThan(result.threshold / 4)
    const two = runLook([shifted(300), shifted(500), ...quiet])
    expect(two.threshold).toBeCloseTo((2 * (1 / 168)) / 52, 12)
    for (const verdict of result.verdicts) {
      const { p, q, fired } = tested(verdict)
      expect(q <= result.level).toBe(p <= result.threshold)
      if (fired) expect(q).toBeLessThanOrEqual(result.level)
    }
  })

  it('spends exact p-values near the threshold, nearest first, within the budget', () => {
    const random = seededRandom(32)
    const inputs: Series[] = Array.from({ length: 30 }, (_, i) => series(tokenLike(random, 400, 120), tokenLike(random, 150, 120 + 2 * i)))
    const free = runLook(inputs)
    const start = runLook(inputs, { ...DEFAULT_LOOK_SETTINGS, stepBudget: 0 })
    expect(start).toMatchObject({ exactSteps: 0, exactTests: 0 })
    expect(free.exactTests).toBeGreaterThan(3)
    expect(free.exactTests).toBeLessThan(30)
    free.verdicts.forEach((verdict, i) => {
      const asymptotic = tested(start.verdicts[i]).p
      const isNear = Math.abs(Math.log(asymptotic / start.threshold)) <= Math.log(100)
      expect(tested(verdict).method).toBe(isNear ? 'exact' : 'asymptotic')
      const input = inputs[i]
      if (isNear && input?.kind === 'ks') expect(tested(verdict).p).toBe(ksTables(input.reference, input.current).p)
    })
    const tight = runLook(inputs, { ...DEFAULT_LOOK_SETTINGS, stepBudget: Math.ceil(free.exactSteps / 2) })
    expect(tight.exactSteps).toBeLessThanOrEqual(Math.ceil(free.exactSteps / 2))
    expect(tight.exactTests).toBeGreaterThan(0)
    expect(tight.exactTests).toBeLessThan(free.exactTests)
  })

  it('gives the same answer twice, and per series in any order', () => {
    const random = seededRandom(33)
    const inputs: Series[] = Array.from({ length: 12 }, (_, i) => series(tokenLike(random, 300), tokenLike(random, 80, 120 + 20 * i)))
    const first = runLook(inputs)
    expect(runLook(inputs)).toEqual(first)
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const order = shuffled(
          seededRandom(seed),
          inputs.map((_, i) => i)
        )
        const again = runLook(order.flatMap((i) => inputs[i] ?? []))
        order.forEach((from, to) => {
          expect(again.verdicts[to]).toEqual(first.verdicts[from])
        })
      }),
      { numRuns: 5 }
    )
  })

  it('gathers alarms by model and source in the fixed order of features', () => {
    const base = { kind: 'ks', reference: countTableOf(ramp(1000)), current: countTableOf(ramp(1000, 600)) } as const
    const { verdicts, alarms } = runLook([
      { ...base, model: 'a', source: 'x', feature: 'response_length' },
      { ...base, model: 'b', source: 'x', feature: 'token_usage' },
      { ...base, model: 'a', source: 'x', feature: 'latency', current: countTableOf(ramp(1000, 900)) },
      { ...base, model: 'c', source: 'x', feature: 'latency', current: base.reference }
    ])
    expect(alarms).toBe(3)
    const groups = groupAlarms(verdicts)
    expect(groups.map((group) => [group.model, group.driftedFeatures])).toEqual([
      ['a', 'latency,response_length'],
      ['b', 'token_usage']
    ])
    expect(groups[0]?.driftScore).toBe(tested(verdicts[2]).l)
    expect(groupAlarms([])).toEqual([])
    expect(runLook([])).toMatchObject({ verdicts: [], tests: 0, alarms: 0 })
  })
})
