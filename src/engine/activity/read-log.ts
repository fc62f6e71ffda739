// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import type { AppendResult, LeafDraft } from '../ledger/draft.ts'

/** Reads that say the same again within this time are one leaf. */
export const FOLD_MS = 60_000
const MOST_REMEMBERED = 10_000

/**
 * Writes the leaf that a read leaves behind. The same person doing the same read again within a minute (the same search, the same record) adds
 * no leaf: the answer names the one that is there. Whatever has a reason of its own, such as unmasking, is never folded.
 */
export class ReadLog {
  readonly #append: (drafts: readonly LeafDraft[]) => Promise<readonly AppendResult[]>
  readonly #now: () => number
  readonly #recent = new Map<string, { readonly at: number; readonly seq: Promise<number | null> }>()

  constructor(append: (drafts: readonly LeafDraft[]) => Promise<readonly AppendResult[]>, now: () => number = () => performance.now()) {
    this.#append = append
    this.#now = now
  }

  /** The seq of the leaf; null when the workspace is read-only and the read could not be recorded. */
  record(draft: LeafDraft): Promise<number | null> {
    if (draft.type !== 'search.run' && draft.type !== 'record.viewed') return this.#write(draft)
    const key = keyOf(draft)
    const known = this.#recent.get(key)
    if (known && this.#now() - known.at < FOLD_MS) return known.seq
    const seq = this.#write(draft)
    this.#recent.delete(key)
    this.#recent.set(key, { at: this.#now(), seq })
    for (const old of this.#recent.keys()) {
      if (this.#recent.size <= MOST_REMEMBERED) break
      this.#recent.delete(old)
    }
    seq.catch(() => this.#recent.delete(key))
    return seq
  }

  async #write(draft: LeafDraft): Promise<number | null> {
    return (await this.#append([draft]))[0]?.seq ?? null
  }
}

/** Who read what; how much a search matched does not make it another one. */
function keyOf({ type, actor, data, parts }: LeafDraft): string {
  const { matched: _, ...rest } = data ?? {}
  const hash = createHash('sha256').update(JSON.stringify([type, actor.ref, rest]))
  for (const part of parts) hash.update(part.data)
  return hash.digest('base64')
}
