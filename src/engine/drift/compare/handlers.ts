// SPDX-License-Identifier: Apache-2.0
import type { Settings } from '../../../shared/contract/workspace.ts'
import { formatFilter } from '../../../shared/filter/format.ts'
import { DEFAULT_LOOK_SETTINGS } from '../../../shared/stats/look.ts'
import type { LookSettings } from '../../../shared/stats/look-types.ts'
import { filterOf, searchDraft } from '../../catalog/handlers.ts'
import type { Handlers } from '../../handlers.ts'
import type { LeafDraft } from '../../ledger/draft.ts'
import type { Projector } from '../../threads/projector.ts'
import type { ReaderPool } from '../../threads/reader-pool.ts'

/** What comparisons need of the engine. */
export interface CompareDeps {
  readonly pool: ReaderPool
  readonly projector: Projector
  readonly ledgerSize: () => number
  readonly settings: () => Settings
  /** Appends a leaf that a read leaves behind; null when the workspace is read-only. */
  readonly record: (draft: LeafDraft) => Promise<number | null>
}

/** How long a comparison waits for the catalog. */
const PATIENCE_MS = 2_000

const lookSettings = (settings: Settings): LookSettings => ({
  ...DEFAULT_LOOK_SETTINGS,
  floor: settings.effect_floor,
  errorFloor: settings.error_rate_floor,
  looksPerFalseAlarm: settings.looks_per_false_alarm,
  procedure: settings.procedure,
  minCurrent: settings.min_current,
  minReference: settings.min_reference
})

/** Comparisons on demand and series over time; both only read, on a reader thread, and leave behind what was searched for. */
export function compareHandlers(deps: CompareDeps): Handlers<'drift.compare' | 'drift.timeline'> {
  const { pool, projector } = deps
  // What the catalog has applied: a leaf that is on record but not yet listed is not part of the comparison.
  const applied = (): Promise<number> => projector.waitFor(deps.ledgerSize(), PATIENCE_MS)
  return {
    'drift.compare': async ({ a, b, feature, apart, at }, caller) => {
      const filters = { a: filterOf(a), b: filterOf(b) }
      const size = await applied()
      const args = { ...filters, feature, apart, at: Math.min(at ?? size, size), settings: lookSettings(deps.settings()) }
      const found = await pool.run('compareSelections', args, { signal: caller.signal })
      if (filters.a.terms.length + filters.b.terms.length > 0)
        await deps.record(searchDraft(caller, formatFilter(filters.a), found.a.records + found.b.records, formatFilter(filters.b)))
      return found
    },
    'drift.timeline': async ({ query, feature, slots }, caller) => {
      const filter = filterOf(query)
      const line = await pool.run('driftTimeline', { filter, feature, slots, at: await applied() }, { signal: caller.signal })
      const drawn = line.slots.reduce((sum, slot) => sum + slot.records, 0)
      if (filter.terms.length > 0) await deps.record(searchDraft(caller, line.query, drawn + line.outside))
      return line
    }
  }
}
