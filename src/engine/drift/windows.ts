// SPDX-License-Identifier: Apache-2.0
import { AffidavitError } from '../../shared/contract/errors.ts'
import type { ValueFeature, WindowBody } from '../../shared/event/drift-bodies.ts'
import type { FilterExpression } from '../../shared/filter/filter.ts'
import { parseFilter } from '../../shared/filter/parse.ts'
import { type CountTable, countTableFromJson, countTableOfRows, countTableToJson } from '../../shared/stats/count-table.ts'
import type { Proportion } from '../../shared/stats/fisher.ts'
import type { ValueCounts, WindowTables } from '../catalog/windows.ts'

const json = (table: ValueCounts) =>
  countTableToJson(countTableOfRows(table.values.map((value, i) => [value, table.counts[i] ?? 0] as const)))

/** The stored form of a window, as it goes into the body of a leaf. */
export const windowBody = (window: WindowTables): WindowBody => ({
  records: window.records,
  from: window.from,
  to: window.to,
  from_seq: window.fromSeq,
  to_seq: window.toSeq,
  token_basis: window.tokenBasis,
  tables: { latency: json(window.latency), token_usage: json(window.token_usage), response_length: json(window.response_length) },
  error_rate: { errors: window.errors, total: window.ended }
})

/** The count table of a stored window. @throws StatsError stats.bad_table */
export const tableOf = (window: WindowBody, feature: ValueFeature): CountTable => countTableFromJson(window.tables[feature])

/** Failed out of ended requests. */
export const rateOf = (window: WindowBody): Proportion => window.error_rate

/** The filter of a stored body. @throws AffidavitError payload_missing: it is none, so the body is not what was written */
export function storedFilter(query: string): FilterExpression {
  const result = parseFilter(query)
  if (!result.ok) throw new AffidavitError('payload_missing', 'a stored filter cannot be read')
  return result.filter
}
