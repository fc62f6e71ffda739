// SPDX-License-Identifier: Apache-2.0
import type { BesideTest } from '../../shared/contract/drift.ts'
import { categoryTest } from '../../shared/stats/categories.ts'
import type { CountTable } from '../../shared/stats/count-table.ts'
import { tailExceedance } from '../../shared/stats/exceedance.ts'

/**
 * Permutation chi-square of one field beside the features: how often each value occurs before and now. Decides nothing.
 * Undefined when a side has no value.
 */
export function besideTest(
  field: BesideTest['field'],
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>
): BesideTest | undefined {
  const some = (counts: ReadonlyMap<string, number>): boolean => [...counts.values()].some((n) => n > 0)
  if (!some(before) || !some(after)) return undefined
  const test = categoryTest(
    [...new Set([...before.keys(), ...after.keys()])].map((category) => ({
      category,
      reference: before.get(category) ?? 0,
      current: after.get(category) ?? 0
    }))
  )
  const { largest } = test
  return {
    field,
    chi_square: test.chiSquare,
    p: test.p,
    method: test.method,
    cramers_v: test.cramersV,
    largest: largest === undefined ? null : { value: largest.category, before: largest.before, after: largest.after }
  }
}

/** Values above the 99th percentile of the reference, in the form of the contract; neither table is empty. */
export function tailOf(before: CountTable, after: CountTable) {
  const { level, threshold, exceeding, share, p } = tailExceedance(before, after)
  return { level, threshold, exceeding, share, p }
}
