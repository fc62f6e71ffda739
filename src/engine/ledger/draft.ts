// SPDX-License-Identifier: Apache-2.0
import { AffidavitError } from '../../shared/contract/errors.ts'
import type { LeafPart } from '../../shared/evidence/leaf.ts'
import type { LeafType, RecordStatus } from '../../shared/evidence/leaf-types.ts'

/** Who acts: a pseudonym, never a name. */
export interface Actor {
  readonly ref: string
  readonly kind: 'human' | 'service' | 'model' | 'system'
}

/** Content that is committed to and encrypted, never in the leaf itself. */
export interface DraftPart {
  readonly name: LeafPart['name']
  readonly media: string
  readonly data: Uint8Array
}

/** A leaf before the writer gives it seq, id, time, commitments and key. Labels obey the leaf schema. */
export interface LeafDraft {
  readonly type: LeafType
  readonly actor: Actor
  readonly channel?: 'proxy' | 'http' | 'otlp' | 'kafka' | 'file' | undefined
  readonly source?: string | undefined
  readonly span_role?: 'inference' | 'wrapper' | undefined
  readonly class?: string | undefined
  readonly operation?: string | undefined
  readonly provider?: string | undefined
  readonly model?:
    | { readonly requested?: string | undefined; readonly served?: string | undefined; readonly digest?: string | undefined }
    | undefined
  readonly start_us?: number | undefined
  readonly status?: RecordStatus | undefined
  readonly metrics?:
    | {
        readonly latency_us?: number | undefined
        readonly ttft_us?: number | undefined
        readonly input_tokens?: number | undefined
        readonly output_tokens?: number | undefined
      }
    | undefined
  readonly links?: { readonly request: number } | undefined
  /** A strict object per type, see leaf-data.ts. */
  readonly data?: Readonly<Record<string, unknown>> | undefined
  readonly parts: readonly DraftPart[]
  /** Same key and same content: a duplicate. Same key, other content: a conflict. Absent: never a duplicate. */
  readonly sourceKey?: string | undefined
}

/** What became of one draft. Reported only when it is on disk. */
export type AppendResult =
  | { readonly kind: 'appended'; readonly seq: number; readonly id: string }
  | { readonly kind: 'duplicate'; readonly seq: number; readonly id: string }
  | { readonly kind: 'conflict'; readonly seq: number }
  | { readonly kind: 'erased'; readonly seq: number }

/** Everything is on disk, but the high-water mark could not be written: nothing is lost, and nothing is acknowledged. */
export class UnconfirmedError extends AffidavitError {
  readonly results: readonly AppendResult[]
  constructor(results: readonly AppendResult[]) {
    super(
      'not_confirmed',
      'this is recorded, but the high-water mark beside the ledger could not be written: see to the disk; what is sent again under the same id is answered as a duplicate'
    )
    this.results = results
  }
}
