// SPDX-License-Identifier: Apache-2.0
// Requests that were on record and never ended, because the engine did: each gets its end at the next start.
import type { AppendResult, LeafDraft } from '../ledger/draft.ts'
import type { AnyDb } from '../sqlite/open.ts'
import type { Projector } from '../threads/projector.ts'
import type { ReaderPool } from '../threads/reader-pool.ts'

const BATCH = 500
const WAIT_MS = 5_000
const SYSTEM = { ref: 'engine', kind: 'system' } as const

/** Seqs of `llm.request` leaves below a size that no other leaf ends, oldest first. */
export const unfinishedRequests = (catalog: AnyDb, below: number, limit: number): number[] =>
  catalog.prepare<[number, number], number>('SELECT seq FROM open_request WHERE seq < ? ORDER BY seq LIMIT ?').pluck().all(below, limit)

export const incompleteDraft = (request: number): LeafDraft => ({
  type: 'recovered.incomplete',
  actor: SYSTEM,
  links: { request },
  data: { reason: 'engine_ended' },
  parts: []
})

export interface UnfinishedParts {
  readonly pool: ReaderPool
  readonly projector: Projector
  /** Leaves there were at the start: whoever waited for an answer then has gone. */
  readonly size: number
  readonly append: (drafts: readonly LeafDraft[]) => Promise<readonly AppendResult[]>
  readonly stopped: () => boolean
}

/** Appends `recovered.incomplete` for each; gives how many. Waits for the catalog, which may be made anew first. */
export async function endUnfinished(parts: UnfinishedParts): Promise<number> {
  let ended = 0
  let to = parts.size
  for (;;) {
    while ((await parts.projector.waitFor(to, WAIT_MS)) < to) if (parts.stopped() || parts.projector.failed) return ended
    if (parts.stopped()) return ended
    const open = await parts.pool.run('unfinishedRequests', { below: parts.size, limit: BATCH })
    if (open.length === 0) return ended
    const written = await parts.append(open.map(incompleteDraft))
    ended += written.length
    to = (written.at(-1)?.seq ?? to) + 1
  }
}
