// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { whyWords } from './reason-words.ts'

const tested = { state: 'tested', alarmed: false, minimum_effect: 0.2 } as const

describe('the reasons of a verdict in words', () => {
  it.each([
    [
      { ...tested, reasons: ['effect_below_floor', 'gate_closed'] },
      /^No alarm: L is below the smallest shift that alarms; L is not beyond 1\.25 times/
    ],
    [
      { ...tested, reasons: ['waiting_for_second_look'] },
      /^Waits for a second look: .*L below 0\.3.*a look at newer requests to say the same/
    ],
    [
      { ...tested, alarmed: true, reasons: ['p_below_threshold', 'second_look'] },
      /^Alarmed: .*; the look before said the same of other requests\.$/
    ],
    [{ ...tested, reasons: ['a_later_reason'] }, /^No alarm: a later reason\.$/]
  ])('%j', (numbers, text) => expect(whyWords(numbers)).toMatch(text))

  it('say what a series that collects could find already', () => {
    const collecting = { state: 'collecting', alarmed: false, reasons: ['too_few_current'] } as const
    expect(whyWords({ ...collecting, reasons: ['too_few_current'], minimum_effect: 0.415 })).toBe(
      'Not tested: too few current requests. With as many as now a shift of 0.41 or more would be found (80 % power).'
    )
    expect(whyWords({ ...collecting, reasons: ['too_few_current'], minimum_effect: null })).toBe('Not tested: too few current requests.')
  })
})
