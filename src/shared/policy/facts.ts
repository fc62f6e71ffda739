// SPDX-License-Identifier: Apache-2.0
import type { DisposedStretch, Gap } from '../contract/compliance.ts'
import type { RecordProof } from '../contract/record.ts'
import type { RequestKind } from '../evidence/leaf-data.ts'
import type { LeafType } from '../evidence/leaf-types.ts'
import type { RequirementId } from './requirement-ids.ts'

/** How often a kind of leaf is on record, of exports only bundles and of restores only those that matched; `seq` and `last` of the newest one. Times are ISO 8601 UTC. */
export interface Seen {
  readonly count: number
  readonly seq: number
  readonly last: string
}

/** What a person noted on a requirement. */
export interface RequirementMark {
  readonly applies: boolean
  readonly reason: string
  readonly document: string | null
  readonly document_sha256: string | null
  readonly by: string
  readonly seq: number
  readonly time: string
}

/** The workspace as it is: all that requirements and statements are judged from. Nothing in it is assumed. */
export interface ComplianceFacts {
  readonly now: string
  readonly created: string
  readonly size: number
  readonly events: Partial<Readonly<Record<LeafType, Seen>>>
  readonly records: {
    readonly count: number
    readonly oldest: { readonly seq: number; readonly time: string } | null
    readonly newest: number | null
    /** Records with text of a request, with the model that served, taken by a service without a person. */
    readonly with_prompt: number
    readonly with_served: number
    readonly automated: number
    /** Ended without an answer in the last 24 hours. */
    readonly unanswered_day: number
    readonly sources: number
  }
  /** Finding the oldest record by words of its request just now, in milliseconds; null when no record has words. */
  readonly search: { readonly ms: number; readonly found: boolean } | null
  /** Searches, views, changes of settings and exports by people, not by services or the engine. */
  readonly acts: number
  /** The register of data subjects: open requests by kind, those of them past their day, and those answered after it in the last year. */
  readonly requests: Readonly<Record<RequestKind, { readonly open: number; readonly overdue: number; readonly late: number }>>
  /** Erasures that were begun and are not done. */
  readonly erasing: number
  /** Recipients of what was erased, restricted or corrected, and how many of them were told. */
  readonly recipients: { readonly due: number; readonly told: number }
  /** From the request of the last export to its file on disk; null when none says. */
  readonly drill_ms: number | null
  readonly verified: {
    /** Days of the last 30 (or since the start) on which a verification of the whole workspace found it intact. */
    readonly days: number
    readonly of_days: number
    readonly faulty: number
    /** The last of the whole workspace, however long ago. */
    readonly last: {
      readonly seq: number
      readonly time: string
      readonly verdict: string
      readonly size: number
      readonly faults: number
    } | null
  }
  /** The widest anchor; `state` and `message` of its check against the tree just now. */
  readonly anchor: {
    readonly size: number
    readonly time: string
    readonly kind: string
    readonly state: RecordProof['anchor']['state']
    readonly message: string
  } | null
  readonly checkpoint: { readonly size: number; readonly time: string } | null
  readonly second_copy: 'matches' | 'behind' | 'none' | 'differs' | 'disturbed'
  /** Of a copy that was disturbed: what was found, and what to do. */
  readonly second_copy_note: string | null
  readonly problem: string | null
  readonly keys: 'safe-storage' | 'passphrase' | 'key-file' | 'missing'
  readonly heartbeats: { readonly seen: number; readonly expected: number }
  readonly gaps: readonly Gap[]
  /** Stretches of which nothing is said, because their leaves were disposed of. */
  readonly disposed: readonly DisposedStretch[]
  readonly lost: number
  /** Calls that may be to models and passed through the recorder without a record since its start. */
  readonly unread: number
  readonly alerts: { readonly total: number; readonly answered: number }
  readonly baselines: number
  readonly look_every_minutes: number
  readonly verify_every_hours: number
  /** The schedule that counts now; the longest period of its rules in years; null when none was set. */
  readonly schedule: {
    readonly seq: number
    readonly time: string
    readonly rules: number
    readonly longest_years: number
    readonly shortest_years: number
  } | null
  /** Until when the oldest record is kept, computed just now; `floor`: not before the least days that the law asks for. */
  readonly kept: { readonly seq: number; readonly text: string; readonly floor: boolean } | null
  readonly marks: Partial<Readonly<Record<RequirementId, RequirementMark>>>
  /** Controller, contact, purposes and subjects are stated (an officer and transfers are stated where there are any). */
  readonly processing_stated: boolean
}
