// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import type { DriftComparison } from '../contract/drift-compare.ts'
import { parameterNotes, parameterSide } from './parameter-words.ts'

type Parameter = DriftComparison['parameters']['found'][number]
const forms = (...pairs: readonly (readonly [string | null, number])[]) => pairs.map(([value, records]) => ({ value, records }))
const one = (name: string, change: Parameter['change'], before: Parameter['before'], after = before): Parameter => ({
  name,
  change,
  before,
  after,
  p: null,
  since: null
})
const sides = [
  { name: 'the reference', records: 300 },
  { name: 'the current window', records: 100 }
] as const
const recorded = { before: 300, after: 100 }

describe('request parameters in words', () => {
  it('stand with their requests, texts by the beginning of a fingerprint', () => {
    expect(parameterSide(forms(['0.2', 1_240], [null, 60]))).toBe('0.2 (1,240), not on record (60)')
    expect(parameterSide(forms(['#Ab3-_xyz01234567', 100]))).toBe('text Ab3-_x (100)')
    expect(parameterSide(forms(['1', 9], ['2', 8], ['3', 7], ['4', 3], ['5', 2]))).toBe('1 (9), 2 (8), 3 (7), 2 more (5)')
    expect(parameterSide(null)).toBe('more than 12 values')
  })

  it('say what did not change, with the value where it is one number or switch', () => {
    const found = [
      one('max_tokens', 'same', forms(['256', 300])),
      one('stream', 'same', forms(['true', 200], ['false', 100])),
      one('system', 'same', forms(['#Ab3dE', 300]))
    ]
    expect(parameterNotes({ recorded, found }, sides)).toEqual(['No request parameter changed: max_tokens 256, stream, system prompt.'])
    const more = [...found, one('temperature', 'changed', forms(['0', 300]), forms(['1', 100])), one('seed', 'varies', null)]
    expect(parameterNotes({ recorded, found: more }, sides)).toEqual([
      'Unchanged: max_tokens 256, stream, system prompt.',
      'Differs from request to request on both sides, so that a change cannot be told: seed.'
    ])
  })

  it('say plainly where nothing is on record', () => {
    expect(parameterNotes({ recorded: { before: 0, after: 0 }, found: [] }, sides)).toEqual([
      'No request parameter is on record in either window, so whether any changed cannot be said.'
    ])
    expect(
      parameterNotes({ recorded: { before: 0, after: 100 }, found: [one('temperature', 'unknown', [], forms(['1', 100]))] }, sides)
    ).toEqual([
      'No request parameter is on record for the reference, so whether any changed cannot be said.',
      'On record for the current window: temperature 1 (100).'
    ])
    expect(parameterNotes({ recorded: { before: 290, after: 100 }, found: [one('stream', 'same', forms(['true', 290]))] }, sides)).toEqual([
      'No request parameter changed: stream true.',
      'Parameters are on record for 290 of 300 requests of the reference and 100 of 100 of the current window.'
    ])
  })
})
