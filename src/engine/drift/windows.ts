// SPDX-License-Identifier: Apache-2.0
import { AffidavitError } from '../../shared/contract/errors.ts'
import type { BaselineBody } from '../../shared/event/drift-bodies.ts'
import { leafLabel } from '../../shared/event/parts.ts'
import { type FilterExpression, withoutChanging } from '../../shared/filter/filter.ts'
import { parseFilter } from '../../shared/filter/parse.ts'
import type { SeqRange } from '../../shared/policy/ranges.ts'
import { filterSql, type SqlCondition } from '../catalog/filter-sql.ts'
import { countTables, NOT_RESTRICTED } from '../catalog/windows.ts'
import type { AnyDb } from '../sqlite/open.ts'
import type { ReaderContext } from '../threads/reader-context.ts'

/** The filter of a stored body. @throws AffidavitError payload_missing: it is none, so the body is not what was written */
export function storedFilter(query: string): FilterExpression {
  const result = parseFilter(query)
  if (!result.ok) throw new AffidavitError('payload_missing', 'a stored filter cannot be read')
  return result.filter
}

/** What a person pins for a series: the records of a filter before a leaf. */
export interface PinArgs {
  readonly filter: FilterExpression
  readonly model: string
  readonly source: string
  readonly toSeq: number
}

/** The tables of a new baseline and which records of its series they count, from one state of the catalog. */
export const pinnedWindow = ({ catalog }: ReaderContext, args: PinArgs): Pick<Required<BaselineBody>, 'window' | 'selected'> =>
  catalog.transaction(() => {
    const { where, params } = filterSql(args.filter)
    return {
      window: countTables(catalog, { filter: args.filter, toSeq: args.toSeq }),
      selected: selectedRuns(catalog, args, { where: `${where} AND ${NOT_RESTRICTED}`, params })
    }
  })()

/**
 * Runs of leaves in which lie the records of its series that a baseline was made of, and no other record of the series. Where it did not put
 * them on record: those that its filter may have selected whatever was reviewed, corrected, restricted or erased since.
 */
export function selectedOf(db: AnyDb, baseline: Omit<PinArgs, 'filter'>, { selected, query }: BaselineBody): readonly SeqRange[] {
  if (selected) return selected
  const { where, params } = filterSql(withoutChanging(storedFilter(query)))
  return selectedRuns(db, baseline, { where: `${where} OR r.erased <> 0`, params })
}

function selectedRuns(db: AnyDb, { model, source, toSeq }: Omit<PinArgs, 'filter'>, { where, params }: SqlCondition): SeqRange[] {
  // An erased record is of the series that its leaf names: any name may become that label.
  const named = (column: string, name: string): SqlCondition =>
    name === leafLabel('') ? { where: '1', params: [] } : { where: `${column} = ?`, params: [name] }
  const [ofModel, ofSource] = [named('r.model', model), named('r.source', source)]
  const rows = db
    .prepare<(string | number)[], [seq: number, selected: number]>(`
SELECT r.seq, ifnull(${where}, 0)
FROM record r
WHERE ${ofModel.where}
  AND ${ofSource.where}
  AND r.seq < ?
ORDER BY r.seq`)
    .raw()
  const runs: [number, number][] = []
  let within: [number, number] | undefined
  for (const [seq, selected] of rows.iterate(...params, ...ofModel.params, ...ofSource.params, toSeq)) {
    if (selected === 0) within = undefined
    else if (within) within[1] = seq
    else {
      within = [seq, seq]
      runs.push(within)
    }
  }
  return runs
}
