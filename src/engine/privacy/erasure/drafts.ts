// SPDX-License-Identifier: Apache-2.0
import { type JsonValue, jcs } from '../../../shared/evidence/jcs.ts'
import { toRanges } from '../../../shared/policy/ranges.ts'
import { bodyPart } from '../../ledger/body-part.ts'
import type { Actor, DraftPart, LeafDraft } from '../../ledger/draft.ts'
import type { GivenApproval } from '../../policy/approvals.ts'
import type { Recipient } from '../handed-out.ts'
import type { ErasureScope } from './carry-out.ts'
import type { ErasureFacts } from './certificate.ts'
import { STRIDE, WINDOW } from './needles.ts'
import type { ScanReport } from './scan.ts'
import { fileNames, MOST_NAMED, type Traced, type TraceNow } from './traces.ts'

/** Parts of one intent: with 400 of them the leaf stays well below its 65,535 bytes. */
const SCOPE_PARTS = 400

export interface Decision {
  readonly seqs: readonly number[]
  readonly ground: string
  readonly override?: string
}

/** The body of the approval: what the first person asked for. */
export interface Asked {
  readonly request_id: string
  readonly reference: string
  readonly decisions: readonly Decision[]
  readonly classes: Readonly<Record<string, string>>
  readonly recipients: readonly Recipient[]
  /** How many of these are spans around calls; absent for none. */
  readonly wrappers?: number | undefined
}

/** The intents of an erasure; `seqs`: every leaf whose content goes, those of the records, of their requests and of their corrections. */
export function intentDrafts(approval: GivenApproval, asked: Asked, records: number, seqs: readonly number[]): LeafDraft[] {
  const leaves = Math.ceil(seqs.length / SCOPE_PARTS)
  return Array.from({ length: leaves }, (_, leaf): LeafDraft => {
    const scope = seqs.slice(leaf * SCOPE_PARTS, (leaf + 1) * SCOPE_PARTS).map(
      (seq, i): DraftPart => ({
        name: `scope.${leaf * SCOPE_PARTS + i}`,
        media: 'application/json',
        data: Buffer.from(jcs({ seq } as JsonValue), 'utf8')
      })
    )
    return {
      type: 'erasure.intent',
      actor: { ref: approval.givenBy, kind: 'human' },
      data: { erasure_id: approval.id, request_id: asked.request_id, records, leaf, leaves },
      parts: scope
    }
  })
}

interface Refusal {
  readonly reason: 'hold' | 'nothing_left'
  readonly seqs: readonly number[]
  readonly ground: string
  /** Leaves whose content was destroyed by then. */
  readonly gone: readonly number[]
  /** Whom to tell of the records among them. */
  readonly recipients: readonly Recipient[]
}

/** What ends an erasure for which two people decided and a hold came, or of which nothing was left. */
export const refusedDraft = (
  approval: GivenApproval,
  asked: Asked,
  { reason, gone, recipients, ...body }: Refusal,
  actor: Actor = { ref: 'engine', kind: 'system' }
): LeafDraft => ({
  type: 'erasure.refused',
  actor,
  data: { request_id: asked.request_id, records: body.seqs.length, reason, approval_id: approval.id, gone: gone.length },
  parts: [bodyPart({ ...body, gone: toRanges(gone), ...(recipients.length === 0 ? {} : { recipients }) }).part]
})

/** A search that found traces: how many is in the leaf, in which files in its body, for a file can be named after somebody. */
export const searchedDraft = (approval: GivenApproval, asked: Asked, { found, needles, where }: ScanReport): LeafDraft => ({
  type: 'erasure.searched',
  actor: { ref: 'engine', kind: 'system' },
  data: { erasure_id: approval.id, request_id: asked.request_id, needles, found, in_files: where.length },
  parts: [bodyPart({ note: fileNames(where, where.length), where: where.slice(0, MOST_NAMED) }).part]
})

/** What became of the traces that an earlier search found. */
export interface TracesThen extends Omit<Traced, 'where'> {
  readonly where: readonly (Traced['where'][number] & { readonly now: TraceNow })[]
}

interface Outcome {
  readonly kek_id: string
  readonly destroyed: readonly string[]
  readonly scan: ScanReport
  /** Pieces beyond the most that are looked for. */
  readonly left: number
  /** Leaves whose texts were looked for, of all of the scope. */
  readonly covered: number
  readonly of: number
  readonly traced: TracesThen | null
}

/** What ends an erasure, with the facts of its certificate. */
export function doneDraft(
  approval: GivenApproval,
  asked: Asked,
  { seqs, corrections, before }: ErasureScope,
  intents: readonly number[],
  outcome: Outcome
): LeafDraft {
  const { files, bytes, needles, found, kept } = outcome.scan
  const taken = new Set(seqs)
  const facts: ErasureFacts = {
    reference: asked.reference,
    asked_by: approval.askedBy,
    given_by: approval.givenBy,
    intents,
    records: asked.decisions.flatMap(({ seqs: some, ground, override }) =>
      some
        .filter((seq) => taken.has(seq))
        .map((seq) => ({ seq, class: asked.classes[String(seq)] ?? 'default', ground, ...(override === undefined ? {} : { override }) }))
    ),
    ...(before.length > 0 && { before }),
    corrections,
    ...(asked.wrappers === undefined ? {} : { wrappers: asked.wrappers }),
    recipients: asked.recipients,
    destroyed_keys: outcome.destroyed,
    folders: ['the workspace', 'the state folder'],
    ...(outcome.traced && { traced: outcome.traced })
  }
  return {
    type: 'erasure.done',
    actor: { ref: 'engine', kind: 'system' },
    data: {
      erasure_id: approval.id,
      request_id: asked.request_id,
      approval_id: approval.id,
      records: seqs.length,
      kek_id: outcome.kek_id,
      scan: {
        files,
        bytes,
        needles,
        found,
        kept,
        left: outcome.left,
        covered: outcome.covered,
        of: outcome.of,
        piece_bytes: WINDOW,
        piece_every: STRIDE
      }
    },
    parts: [bodyPart(facts).part]
  }
}
