// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { countTableOf, countTableOfRows } from './count-table.ts'
import { explainRate, explainValues, formatNumber, formatPercent, formatValue } from './explain.ts'

describe('numbers in words', () => {
  it('prints shares without ever rounding to nothing or everything', () => {
    const printed = [0, 0.0001, 0.002, 0.0094, 0.0096, 0.1, 0.845, 0.99, 0.9904, 0.9906, 0.9994, 0.9996, 1].map(formatPercent)
    expect(printed).toEqual([
      '0 %',
      'under 0.1 %',
      '0.2 %',
      '0.9 %',
      '1 %',
      '10 %',
      '85 %',
      '99 %',
      '99 %',
      '99.1 %',
      '99.9 %',
      'over 99.9 %',
      '100 %'
    ])
  })

  it('prints values with their unit', () => {
    expect(formatValue(340, 'millisecond')).toBe('340 ms')
    expect(formatValue(999, 'millisecond')).toBe('999 ms')
    expect(formatValue(1000, 'millisecond')).toBe('1.0 s')
    expect(formatValue(1_622_900, 'millisecond')).toBe('1,622.9 s')
    expect(formatValue(-2600, 'millisecond')).toBe('-2.6 s')
    expect(formatValue(1024, 'token')).toBe('1,024 tokens')
    expect(formatValue(1, 'token')).toBe('1 token')
    expect(formatValue(1_234_567, 'character')).toBe('1,234,567 characters')
    expect(formatValue(0, 'request')).toBe('0 requests')
    expect(formatNumber(-0.04, 1)).toBe('0.0')
  })
})

describe('the sentences of a verdict', () => {
  const reference = countTableOfRows([
    [5000, 34],
    [7600, 30],
    [11_168, 20],
    [40_000, 16]
  ])
  const current = countTableOfRows([
    [5000, 10],
    [11_168, 38],
    [11_500, 30],
    [60_000, 22]
  ])

  it('latency', () => {
    const said = explainValues({ feature: 'latency', reference, current, dLocation: 11_168, d: 0.363, lowerBound: 0.162 })
    expect(said).toEqual({
      headline: '84 % of requests finished within 11.2 s, now 48 %.',
      detail: 'Median 7.6 s before, 11.5 s after. At least 16 of the 36 points cannot be noise (95 %).',
      direction: 'higher'
    })
    expect(
      explainValues({ sides: 'choices', feature: 'latency', reference, current, dLocation: 11_168, d: 0.363, lowerBound: 0.162 })
    ).toMatchObject({
      headline: 'In A 84 % of requests finished within 11.2 s, in B 48 %.',
      detail: expect.stringMatching(/^Median 7\.6 s in A, 11\.5 s in B\. /)
    })
    const back = explainValues({ feature: 'latency', reference: current, current: reference, dLocation: 11_168, d: 0.36, lowerBound: 0 })
    expect(back).toEqual({
      headline: '48 % of requests finished within 11.2 s, now 84 %.',
      detail: 'Median 11.5 s before, 7.6 s after. No part of the gap is beyond noise for certain (95 %).',
      direction: 'lower'
    })
  })

  it('adds digits until the sentence is literally true', () => {
    // 11.2 s would take in the value 11,190 and print another share; 11.17 s as well as 11.168 s do not.
    const dense = countTableOfRows([
      [11_168, 50],
      [11_190, 50]
    ])
    const say = (at: number, table = dense) =>
      explainValues({ feature: 'latency', reference: table, current, dLocation: at, d: 0.4, lowerBound: 0.2 }).headline
    expect(say(11_168)).toBe('50 % of requests finished within 11.17 s, now 48 %.')
    const denser = countTableOfRows([
      [11_168, 50],
      [11_169, 50]
    ])
    expect(say(11_168, denser)).toBe('50 % of requests finished within 11.168 s, now 48 %.')
  })

  it('tokens and characters', () => {
    const before = countTableOf([10, 20, 1500, 2000])
    const after = countTableOf([1500, 1600, 1700, 2100])
    const gap = { reference: before, current: after, dLocation: 20, d: 0.5, lowerBound: 0.123 }
    expect(explainValues({ feature: 'token_usage', ...gap }).headline).toBe('50 % of requests used at most 20 tokens, now 0 %.')
    const said = explainValues({ feature: 'response_length', ...gap, alpha: 0.001 })
    expect(said.headline).toBe('50 % of answers were at most 20 characters long, now 0 %.')
    expect(said.detail).toBe('Median 20 characters before, 1,600 characters after. At least 12 of the 50 points cannot be noise (99.9 %).')
    const same = explainValues({ feature: 'token_usage', reference: before, current: before, dLocation: 20, d: 0, lowerBound: 0 })
    expect(same).toMatchObject({ direction: 'none', detail: expect.stringContaining('Median 20 tokens before and after.') })
  })

  it('error rate', () => {
    const said = explainRate({ reference: { errors: 12, total: 600 }, current: { errors: 45, total: 500 }, lowerBound: 0.0358 })
    expect(said).toEqual({
      headline: '2 % of requests failed, now 9 %.',
      detail: '12 of 600 requests before, 45 of 500 requests after. At least 3.5 of the 7.0 points cannot be noise (95 %).',
      direction: 'higher'
    })
    expect(
      explainRate({ sides: 'choices', reference: { errors: 12, total: 600 }, current: { errors: 45, total: 500 }, lowerBound: 0.0358 })
    ).toMatchObject({
      headline: 'In A 2 % of requests failed, in B 9 %.',
      detail: expect.stringMatching(/^12 of 600 requests in A, 45 of 500 requests in B\. /)
    })
    expect(explainRate({ reference: { errors: 5, total: 10 }, current: { errors: 0, total: 1 }, lowerBound: 0 })).toMatchObject({
      headline: '50 % of requests failed, now 0 %.',
      direction: 'lower'
    })
    expect(() => explainRate({ reference: { errors: 0, total: 0 }, current: { errors: 0, total: 1 }, lowerBound: 0 })).toThrow(
      expect.objectContaining({ code: 'stats.empty' })
    )
  })
})
