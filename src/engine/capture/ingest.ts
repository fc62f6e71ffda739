// SPDX-License-Identifier: Apache-2.0

import type { CanonicalEvent } from '../../shared/event/canonical-event.ts'
import type { Actor, AppendResult, LeafDraft } from '../ledger/draft.ts'
import { GROUP_LEAVES, type Ledger } from '../ledger/ledger.ts'
import { type ClassOf, draftOf } from './call-draft.ts'

/** One event of a batch; `line` is the caller's own number for it (1-based line of a stream, index + 1 of an array). */
export interface IncomingEvent {
  readonly line: number
  readonly event: CanonicalEvent
  readonly sourceKey: string | null
  /** Of a call in two leaves: the one that opens it, which has no end yet, or the leaf of that one, which this ends. Absent: the whole call. */
  readonly call?: 'opens' | { readonly ends: number } | undefined
}

/** An event that was made into a leaf already, beside the writer. */
export interface DraftedEvent {
  readonly line: number
  readonly draft: LeafDraft
  readonly call?: IncomingEvent['call']
}

/** What became of one event, in the order of the batch. */
export type LineResult =
  | { readonly line: number; readonly kind: 'accepted'; readonly id: string; readonly seq: number }
  | { readonly line: number; readonly kind: 'duplicate'; readonly id: string; readonly seq: number }
  | { readonly line: number; readonly kind: 'rejected'; readonly code: string; readonly message: string }

export interface IngestParts {
  readonly ledger: Ledger
  readonly classOf: ClassOf
  /** What is sealed of an event: redacted by the settings in force. */
  readonly redact: (event: CanonicalEvent) => CanonicalEvent
  /** Leaves the projection has yet to apply. */
  readonly behind: () => number
  /** Resolves when the projection has caught up to this size, or after the time-out. */
  readonly caughtUp: (size: number, timeoutMs: number) => Promise<unknown>
}

/** Ingest slows down when queries would lag further behind than this (ARCHITECTURE, Processes). */
const MOST_BEHIND = 20_000

/** Turns canonical events into leaves of type `llm.recorded` and appends them. */
export class Ingest {
  readonly #parts: IngestParts

  constructor(parts: IngestParts) {
    this.#parts = parts
  }

  /**
   * Resolves after the group commit: key block, ledger and head are on disk. At most 500 events.
   * Holds the caller back while the projection lags.
   */
  async append(
    batch: readonly (IncomingEvent | DraftedEvent)[],
    origin: { readonly channel: 'http' | 'file' | 'otlp'; readonly actor: Actor }
  ): Promise<readonly LineResult[]> {
    const { ledger } = this.#parts
    const drafts: LeafDraft[] = []
    const results: LineResult[] = []
    /** Position of each draft's result. */
    const places: number[] = []
    for (const item of batch) {
      const draft = 'draft' in item ? item.draft : draftOf({ ...item, event: this.#parts.redact(item.event) }, origin, this.#parts.classOf)
      if ('code' in draft) {
        results.push({ line: item.line, kind: 'rejected', ...draft })
        continue
      }
      places.push(results.length)
      drafts.push(draft)
      // Until the ledger has answered.
      results.push({ line: item.line, kind: 'rejected', code: 'internal', message: 'not recorded' })
    }
    while (this.#parts.behind() > MOST_BEHIND) await this.#parts.caughtUp(ledger.size - MOST_BEHIND / 2, 1_000)
    for (let i = 0; i < drafts.length; i += GROUP_LEAVES) {
      const appended = await ledger.append(drafts.slice(i, i + GROUP_LEAVES))
      for (const [j, result] of appended.entries()) {
        const place = places[i + j] ?? 0
        results[place] = lineResult(batch[place]?.line ?? 0, result)
      }
    }
    return results
  }
}

function lineResult(line: number, result: AppendResult): LineResult {
  switch (result.kind) {
    case 'appended':
      return { line, kind: 'accepted', id: result.id, seq: result.seq }
    case 'duplicate':
      return { line, kind: 'duplicate', id: result.id, seq: result.seq }
    case 'conflict':
      return { line, kind: 'rejected', code: 'id_conflict', message: `the same key is on record with other content (leaf ${result.seq})` }
    case 'erased':
      return { line, kind: 'rejected', code: 'erased', message: `this record was erased (leaf ${result.seq}) and is not taken again` }
  }
}
