// SPDX-License-Identifier: Apache-2.0
import type { ValueFeature, WindowBody } from '../event/drift-bodies.ts'
import { type CountTable, countTableFromJson } from '../stats/count-table.ts'
import type { Proportion } from '../stats/fisher.ts'

/** The count table of a stored window. @throws StatsError stats.bad_table */
export const tableOf = (window: WindowBody, feature: ValueFeature): CountTable => countTableFromJson(window.tables[feature])

/** Failed out of ended requests. */
export const rateOf = (window: WindowBody): Proportion => window.error_rate
