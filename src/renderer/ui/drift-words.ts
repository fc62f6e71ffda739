// SPDX-License-Identifier: Apache-2.0
import type { BacktestSettings } from '../../shared/contract/drift-backtest.ts'

/** Intervals between looks to choose from, in minutes. */
export const lookIntervals: readonly { readonly value: string; readonly label: string }[] = [
  { value: '0', label: 'Never' },
  { value: '15', label: 'Every 15 minutes' },
  { value: '60', label: 'Every hour' },
  { value: '360', label: 'Every 6 hours' },
  { value: '1440', label: 'Every day' }
]

/** The intervals, and a value of its own when none of them is it. */
export const lookIntervalsWith = (minutes: number) =>
  lookIntervals.some((one) => one.value === String(minutes))
    ? [...lookIntervals]
    : [...lookIntervals, { value: String(minutes), label: `Every ${minutes} minutes` }]

/** What a series without a pinned baseline is compared with. */
export const referenceChoices = [
  { value: 'none', label: 'Not judged' },
  { value: 'rolling', label: 'The days before' },
  { value: 'hour_of_week', label: 'Same hours of four weeks before' },
  { value: 'hour_of_day', label: 'Same hours of the day before' }
] as const satisfies readonly { readonly value: BacktestSettings['reference']; readonly label: string }[]

export const procedureChoices = [
  { value: 'BH', label: 'Benjamini-Hochberg' },
  { value: 'BY', label: 'Benjamini-Yekutieli' }
] as const satisfies readonly { readonly value: BacktestSettings['procedure']; readonly label: string }[]
