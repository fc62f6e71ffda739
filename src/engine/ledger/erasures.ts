// SPDX-License-Identifier: Apache-2.0
import { erasedBy } from '../../shared/evidence/erasure-scope.ts'
import type { Leaf } from '../../shared/evidence/leaf.ts'
import { type SeqRange, seqsIn } from '../../shared/policy/ranges.ts'
import { bodyOf } from '../catalog/project-event.ts'
import type { AnyDb } from '../sqlite/open.ts'
import type { ContentSource } from '../vault/payload-reader.ts'

// Quotes inside JSON strings are escaped, so these bytes are a key and its value.
const INTENT = Buffer.from('"type":"erasure.intent"', 'utf8')
const REFUSED = Buffer.from('"type":"erasure.refused"', 'utf8')
const RESTORE = Buffer.from('"type":"restore.done"', 'utf8')

/** An erasure that a restore carries out on the copy, whose own intent is not in it. */
export interface Reapplied {
  readonly intent: number
  readonly ranges: readonly SeqRange[]
}

/**
 * What the erasures on record took, read from the leaves themselves and not from a projection. Intents that are appended while this is in use
 * are found when they are asked for.
 */
export class ErasuresOnRecord {
  readonly #page
  readonly #payloads: ContentSource
  readonly #leaves = new Map<number, number>()
  /** Ids of erasures by the leaves of their intents. */
  readonly #ids = new Map<number, string>()
  #next = 0
  #named = 0

  constructor(ledger: AnyDb, payloads: ContentSource, reapplied: readonly Reapplied[] = []) {
    this.#page = ledger.prepare<[number, Buffer, Buffer, Buffer], { seq: number; bytes: Buffer }>(
      'SELECT seq, bytes FROM leaf WHERE seq >= ? AND (instr(bytes, ?) > 0 OR instr(bytes, ?) > 0 OR instr(bytes, ?) > 0) ORDER BY seq'
    )
    this.#payloads = payloads
    for (const { intent, ranges } of reapplied) for (const seq of seqsIn(ranges)) this.#leaves.set(seq, intent)
    this.#read()
  }

  /** Number of the leaf that names this one: an intent, or a restore that carried one out again; undefined when none does. */
  namedBy(seq: number): number | undefined {
    if (!this.#leaves.has(seq)) this.#read()
    return this.#leaves.get(seq)
  }

  /** How many leaves the intents name in their leaves: known also where their scopes cannot be opened. */
  get named(): number {
    return this.#named
  }

  #read(): void {
    for (const { seq: by, bytes } of this.#page.all(this.#next, INTENT, REFUSED, RESTORE)) {
      this.#next = by + 1
      const { type, parts, data } = JSON.parse(bytes.toString('utf8')) as Leaf
      if (type === 'erasure.intent') {
        this.#named += parts?.length ?? 0
        this.#ids.set(by, String(data?.erasure_id))
        const payload = this.#payloads.open(by)
        if (payload.state !== 'present') continue
        for (const part of payload.parts) this.#note(part.name.startsWith('scope.') ? erasedBy(part.data) : undefined, by)
      } else if (type === 'erasure.refused' && typeof data?.approval_id === 'string') {
        // Of what was refused after its intent only what was gone by then is accounted for.
        const { gone = [] } = bodyOf(this.#payloads, by) as { readonly gone?: readonly SeqRange[] }
        const accounted = new Set(seqsIn(gone))
        for (const [seq, intent] of this.#leaves)
          if (this.#ids.get(intent) === data.approval_id && !accounted.has(seq)) this.#leaves.delete(seq)
      } else if (type === 'restore.done') {
        const { reapplied = [] } = bodyOf(this.#payloads, by) as { readonly reapplied?: readonly Partial<Reapplied>[] }
        for (const { ranges = [] } of reapplied) for (const seq of seqsIn(ranges)) this.#note(seq, by)
      }
    }
  }

  #note(seq: number | undefined, by: number): void {
    // A leaf speaks of what was there before it.
    if (seq !== undefined && seq < by && !this.#leaves.has(seq)) this.#leaves.set(seq, by)
  }
}
