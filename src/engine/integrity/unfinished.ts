// SPDX-License-Identifier: Apache-2.0
// Requests that were on record and never ended, because the engine did: each gets its end at the next start.
import type { Leaf } from '../../shared/evidence/leaf.ts'
import type { AppendResult, DraftPart, LeafDraft } from '../ledger/draft.ts'
import type { Projector } from '../threads/projector.ts'
import type { ReaderContext } from '../threads/reader-context.ts'
import type { ReaderPool } from '../threads/reader-pool.ts'

/** Requests hold whole prompts: a few at a time. */
const BATCH = 50
const WAIT_MS = 5_000
const SYSTEM = { ref: 'engine', kind: 'system' } as const

/** A request that no other leaf ends: its leaf, and its content where that can still be opened. */
export interface Unfinished {
  readonly seq: number
  readonly leaf: Leaf
  readonly parts: readonly DraftPart[]
}

/** `llm.request` leaves below a size that no other leaf ends, oldest first. */
export function unfinishedRequests({ catalog, ledger, payloads }: ReaderContext, below: number, limit: number): Unfinished[] {
  const bytesOf = ledger.prepare<[number], Buffer>('SELECT bytes FROM leaf WHERE seq = ?').pluck()
  return catalog
    .prepare<[number, number], number>('SELECT seq FROM open_request WHERE seq < ? ORDER BY seq LIMIT ?')
    .pluck()
    .all(below, limit)
    .flatMap((seq) => {
      const bytes = bytesOf.get(seq)
      if (!bytes) return []
      const leaf = JSON.parse(bytes.toString('utf8')) as Leaf
      const payload = payloads.open(seq)
      const opened = payload.state === 'present' ? payload.parts : []
      const parts = opened.map(({ name, data }) => ({
        name,
        data,
        media: leaf.parts?.find((part) => part.name === name)?.media ?? 'text/plain'
      }))
      return [{ seq, leaf, parts }]
    })
}

/** The end of a request that the engine did not live to see: a record of all that was known when it arrived. */
export const incompleteDraft = ({ seq, leaf, parts }: Unfinished): LeafDraft => ({
  type: 'recovered.incomplete',
  actor: SYSTEM,
  channel: leaf.channel,
  source: leaf.source,
  span_role: leaf.span_role,
  class: leaf.class,
  operation: leaf.operation,
  provider: leaf.provider,
  model: leaf.model,
  start_us: leaf.start_us,
  status: 'incomplete',
  links: { request: seq },
  data: { reason: 'engine_ended' },
  parts
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
