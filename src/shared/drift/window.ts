// SPDX-License-Identifier: Apache-2.0
import type { ValueFeature, WindowBody } from '../event/drift-bodies.ts'
import { type CountTable, type CountTableJson, countTableFromJson } from '../stats/count-table.ts'
import type { Proportion } from '../stats/fisher.ts'

/** Tables whose stored form was made here: they need not be read back from it. */
const made = new WeakMap<CountTableJson, CountTable>()

/** Keeps a table with the stored form that was made of it, as long as that form lives. */
export const rememberTable = (stored: CountTableJson, table: CountTable): void => void made.set(stored, table)

/** The count table of a stored window. @throws StatsError stats.bad_table */
export const tableOf = (window: WindowBody, feature: ValueFeature): CountTable =>
  made.get(window.tables[feature]) ?? countTableFromJson(window.tables[feature])

/** Failed out of ended requests. */
export const rateOf = (window: WindowBody): Proportion => window.error_rate
