// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest'
import { outcomeOf } from './import-running.tsx'

it.each([
  ['done', [4_000, 0, 0], 'holds', 'Imported'],
  ['done', [0, 4_000, 0], 'holds', 'Already on record'],
  ['done', [1, 0, 1_240], 'attention', 'Imported in part'],
  ['done', [0, 3, 1], 'attention', 'Imported in part'],
  ['done', [0, 0, 7], 'attention', 'Nothing was imported'],
  ['done', [0, 0, 0], 'attention', 'Nothing was imported'],
  ['cancelled', [10, 0, 0], 'pending', 'Cancelled; what was accepted stays'],
  ['failed', [10, 0, 0], 'broken', 'The import stopped']
] as const)('an import that is %s with %j', (state, [accepted, duplicates, rejected], is, words) => {
  expect(outcomeOf({ state, error: null }, { accepted, duplicates, rejected })).toEqual({ is, words })
})
