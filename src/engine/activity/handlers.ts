// SPDX-License-Identifier: Apache-2.0
import type { activityOperations } from '../../shared/contract/activity.ts'
import type { Handlers } from '../handlers.ts'
import { bodyPart } from '../ledger/body-part.ts'
import type { AppendResult, LeafDraft } from '../ledger/draft.ts'
import type { Projector } from '../threads/projector.ts'
import type { ReaderPool } from '../threads/reader-pool.ts'
import { Continuations } from './continuations.ts'
import type { ActivityFilter } from './reading.ts'

export interface ActivityDeps {
  readonly pool: ReaderPool
  readonly projector: Projector
  readonly ledgerSize: () => number
  readonly append: (drafts: readonly LeafDraft[]) => Promise<readonly AppendResult[]>
  /** Appends the leaf of a read, folded; null when the workspace is read-only. */
  readonly record: (draft: LeafDraft) => Promise<number | null>
}

const PATIENCE_MS = 2_000

interface Asked {
  readonly person?: string | undefined
  readonly kind?: ActivityFilter['kind'] | undefined
  readonly from?: string | undefined
  readonly to?: string | undefined
  readonly text?: string | undefined
}

const micros = (time: string | undefined): number | undefined => (time === undefined ? undefined : Date.parse(time) * 1000)

function filterOf({ person, kind, from, to, text }: Asked): ActivityFilter {
  return { person, kind, fromUs: micros(from), toUs: micros(to), text }
}

/** What was asked for, as it goes into the body of the leaf. */
const askedOf = ({ person, kind, from, to, text }: Asked) =>
  Object.fromEntries(Object.entries({ person, kind, from, to, text }).filter(([, value]) => value !== undefined))

/** The activity: who did what. Looking at it is itself activity. */
export function activityHandlers(deps: ActivityDeps): Handlers<keyof typeof activityOperations> {
  const caughtUp = () => deps.projector.waitFor(deps.ledgerSize(), PATIENCE_MS)
  const continuations = new Continuations()
  return {
    'activity.list': async ({ before, limit, ...asked }, caller) => {
      const filter = filterOf(asked)
      await caughtUp()
      const page = await deps.pool.run('activityPage', { filter, before, limit }, { signal: caller.signal })
      const search = [caller.actor.ref, askedOf(asked)]
      if (before === undefined || !continuations.has(search, before)) {
        const data = { matched: page.entries.length, of: 'activity' }
        await deps.record({ type: 'search.run', actor: caller.actor, data, parts: [bodyPart(askedOf(asked)).part] })
      }
      if (page.next !== null) continuations.give(search, page.next)
      return page
    },
    'activity.export': async ({ out, ...asked }, caller) => {
      const filter = filterOf(asked)
      await caughtUp()
      const written = await deps.pool.run('activityCsv', { filter, out }, { signal: caller.signal })
      const { rows, bytes, sha256 } = written
      const data = { kind: 'activity', file_sha256: sha256, bytes, rows }
      await deps.append([{ type: 'export.created', actor: caller.actor, data, parts: [bodyPart(askedOf(asked)).part] }])
      return { path: out, ...written }
    }
  }
}
