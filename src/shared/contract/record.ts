// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod'
import { correctionChange, MOST_CHANGES } from '../event/correction.ts'
import { reviewDecisions } from '../evidence/leaf-data.ts'
import { recordStatuses } from '../evidence/leaf-types.ts'
import { hasWord } from '../filter/filter.ts'
import { places } from '../place/place.ts'
import { cost } from './cost.ts'
import { operation } from './operation.ts'

/** ISO 8601 UTC with Z. */
export const timestamp = z.iso.datetime()
const count = z.int().min(0)
const measure = z.number().min(0).nullable()

export const recordStatus = z.enum([...recordStatuses, 'in_flight'])

/** One call to a model, as the catalog knows it. Unknown is null, never 0. `timestamp` is the claimed start, else the append time. */
export const recordRow = z.object({
  id: z.string(),
  seq: count,
  timestamp,
  appended: timestamp,
  channel: z.string(),
  operation: z.string(),
  provider: z.string(),
  model: z.string(),
  served_model: z.string().nullable(),
  source: z.string(),
  status: recordStatus,
  http_status: z.int().nullable(),
  error_type: z.string().nullable(),
  finish: z.string().nullable(),
  processing_time_ms: measure,
  ttft_ms: measure,
  input_tokens: count.nullable(),
  output_tokens: count.nullable(),
  response_chars: count.nullable(),
  conversation: z.string().nullable(),
  /** Beginning of the last user message, masked; empty while the record is restricted. */
  preview: z.string(),
  /** Kept, but left out of searches and exports (GDPR 18). */
  restricted: z.boolean(),
  /** The content was erased; what the leaf says remains. */
  erased: z.boolean(),
  sample: z.boolean(),
  sealed: z.boolean()
})
export type RecordRow = z.infer<typeof recordRow>

/** One message part, as in the GenAI conventions; kinds other than text keep their own fields. */
export const messagePart = z.looseObject({ type: z.string(), content: z.string().optional() })
/** A message may have further members, such as a name, kept as they came. */
export const message = z.looseObject({ role: z.string(), parts: z.array(messagePart) })
export type Message = z.infer<typeof message>

export const sortKeys = ['seq', 'time', 'latency', 'tokens'] as const
export const sortOrder = z.object({ by: z.enum(sortKeys), dir: z.enum(['asc', 'desc']) })
export type SortOrder = z.infer<typeof sortOrder>

const checkState = z.enum(['pass', 'fail', 'waiting', 'not_available'])

export const recordDetail = z.object({
  row: recordRow,
  /** `erased` says that the keys were destroyed on purpose; `missing` that the payload cannot be opened. */
  payload: z.enum(['present', 'erased', 'missing']),
  /** Parts that the leaf commits to and that are not here, though nothing erased them: a bundle may withhold some. */
  withheld: z.array(z.string()),
  input_messages: z.array(message),
  output_messages: z.array(message),
  tools: z.unknown().optional(),
  error: z.string().nullable(),
  /** Where the call was answered; addresses are in `event`. */
  place: z.enum(places),
  /** What the call cost, by the record or by the price table as it is now. */
  cost,
  /** The canonical event without messages, as sealed. */
  event: z.record(z.string(), z.unknown()),
  /** Places masked in everything above; all 0 in an unmasked record. Kinds, never values. */
  masked: z.object({ total: count, kinds: z.record(z.string(), count) }),
  leaf: z.object({ seq: count, type: z.string(), json: z.string(), actor: z.string(), class: z.string().nullable() }),
  /** The leaves of the erasure that took its content; null where none did. */
  erased_by: z.object({ intent: count, done: count.nullable() }).nullable(),
  /** What people decided on it after reading it, oldest first. */
  reviews: z.array(z.object({ seq: count, time: timestamp, by: z.string(), decision: z.enum(reviewDecisions), note: z.string() })),
  /** Corrections of it, oldest first: the record itself stays as it is. `content`: why the changes are not here. */
  corrections: z.array(
    z.object({
      seq: count,
      time: timestamp,
      by: z.string(),
      content: z.enum(['present', 'erased', 'withheld', 'missing']),
      reason: z.string(),
      changes: z.array(correctionChange)
    })
  ),
  /** The leaf that records this very view; null when the workspace is read-only. */
  view_seq: count.nullable()
})
export type RecordDetail = z.infer<typeof recordDetail>

/** One leaf about a record. */
const lifeEvent = z.object({
  seq: count,
  time: timestamp,
  /** Of the leaf. */
  type: z.string(),
  actor: z.string(),
  what: z.string(),
  /** What a person wrote: a note, a matter, for whom; empty where nothing was. */
  detail: z.string()
})

export const recordLife = z.object({
  /** Oldest first. */
  events: z.array(lifeEvent),
  /** Whether who read it is among them: shown to whoever sees the activity, and in a review. */
  reads: z.boolean(),
  /** Reads beyond the newest 200. */
  earlier_reads: count
})
export type RecordLife = z.infer<typeof recordLife>

export const recordProof = z.object({
  seq: count,
  checked_at: timestamp,
  verdict: z.enum(['verified', 'waiting', 'failed']),
  leaf: z.object({ json: z.string(), hash: z.string(), state: checkState }),
  parts: z.array(z.object({ name: z.string(), commit: z.string(), computed: z.string().nullable(), state: checkState })),
  ciphertext: z.object({ expected: z.string().nullable(), computed: z.string().nullable(), state: checkState }),
  path: z.array(z.object({ level: count, side: z.enum(['left', 'right']), hash: z.string() })),
  computed_root: z.string().nullable(),
  checkpoint: z
    .object({
      size: count,
      root: z.string(),
      signed_at: timestamp,
      text: z.string(),
      root_state: checkState,
      signature_state: checkState,
      signature: z.string(),
      key_fingerprint: z.string()
    })
    .nullable(),
  anchor: z.object({ state: checkState, message: z.string() }),
  /** The C2SP .tlog-proof file; null until a checkpoint covers the leaf. */
  tlog_proof: z.string().nullable()
})
export type RecordProof = z.infer<typeof recordProof>

export const recordOperations = {
  'records.open': operation({
    summary: 'Runs a filter once and keeps the result under a handle',
    input: z.strictObject({ query: z.string().max(4096).default(''), sort: sortOrder.default({ by: 'seq', dir: 'desc' }) }),
    output: z.object({
      handle: z.string(),
      /** The canonical text form of the filter. */
      query: z.string(),
      count,
      /** Records in the workspace. */
      total: count,
      took_ms: z.number(),
      applied_seq: count,
      acknowledged_seq: count,
      /** Up to 65 evenly spaced rows of the result, first and last included: where in time a scroll position is. */
      rail: z.array(z.object({ offset: count, seq: count, timestamp }))
    }),
    access: 'read',
    leaves: ['search.run']
  }),
  'records.page': operation({
    summary: 'Rows of a result by position',
    input: z.strictObject({ handle: z.string().max(64), offset: count, limit: z.int().min(1).max(200) }),
    output: z.object({ offset: count, rows: z.array(recordRow) }),
    access: 'read',
    leaves: []
  }),
  'records.locate': operation({
    summary: 'Position of a leaf in a result, null when it is not in it',
    input: z.strictObject({ handle: z.string().max(64), seq: count }),
    output: z.object({ offset: count.nullable() }),
    access: 'read',
    leaves: []
  }),
  'records.close': operation({
    summary: 'Frees a result',
    input: z.strictObject({ handle: z.string().max(64) }),
    output: z.object({}),
    access: 'read',
    leaves: []
  }),
  'records.facets': operation({
    summary: 'The models, sources and states on record, most frequent first',
    input: z.strictObject({}),
    output: z.object({
      models: z.array(z.object({ value: z.string(), count })),
      sources: z.array(z.object({ value: z.string(), count })),
      statuses: z.array(z.object({ value: z.string(), count })),
      first: timestamp.nullable(),
      last: timestamp.nullable()
    }),
    access: 'read',
    leaves: []
  }),
  'records.get': operation({
    summary: 'One record with its conversation; the view is itself recorded',
    input: z.strictObject({ seq: count }),
    output: recordDetail,
    access: 'read',
    leaves: ['record.viewed']
  }),
  'records.life': operation({
    summary:
      'Everything that happened to one record, by its leaves; for whoever sees the activity also who read it. Looking is itself recorded',
    input: z.strictObject({ seq: count }),
    output: recordLife,
    access: 'read',
    leaves: ['record.viewed']
  }),
  'records.review': operation({
    summary: 'Records what a person decided on a record after reading it, and why',
    input: z.strictObject({ seq: count, decision: z.enum(reviewDecisions), note: z.string().trim().min(3).max(2000) }),
    output: z.object({ seq: count }),
    access: 'write',
    leaves: ['review.decided']
  }),
  'records.correct': operation({
    summary: 'Records what should stand at places of a record, beside the original, which stays',
    input: z.strictObject({
      seq: count,
      changes: z.array(correctionChange).min(1).max(MOST_CHANGES),
      reason: z.string().trim().min(3).max(2000),
      /** The request for rectification that it answers. */
      request_id: z.string().max(64).optional()
    }),
    output: z.object({ seq: count }),
    access: 'write',
    leaves: ['record.corrected']
  }),
  'records.proof': operation({
    summary: 'Checks one record from its payload to the signed checkpoint, from disk',
    input: z.strictObject({ seq: count }),
    output: recordProof,
    access: 'read',
    leaves: []
  }),
  'records.query': operation({
    summary: 'Filtered audit records, newest first, with cursor paging',
    input: z.strictObject({
      from: z.iso.datetime({ offset: true }).optional(),
      to: z.iso.datetime({ offset: true }).optional(),
      model: z.string().min(1).max(256).optional(),
      source: z.string().min(1).max(256).optional(),
      status: z.enum([...recordStatuses, 'in_flight']).optional(),
      text: z.string().min(1).max(4096).refine(hasWord, 'needs a letter or a digit').optional(),
      limit: z.int().min(1).max(1000).default(100),
      cursor: z.string().max(256).optional()
    }),
    output: z.object({
      records: z.array(recordRow),
      next_cursor: z.string().nullable(),
      applied_seq: count,
      acknowledged_seq: count
    }),
    access: 'read',
    leaves: ['search.run']
  }),
  'records.statistics': operation({
    summary: 'Counts and averages over ended records, with the newest alerts',
    input: z.strictObject({ from: z.iso.datetime({ offset: true }).optional(), to: z.iso.datetime({ offset: true }).optional() }),
    output: z.object({
      count,
      total_requests: count,
      by_status: z.record(z.string(), count),
      in_flight: count,
      avg_processing_time_ms: z.number(),
      recent_alerts: z.array(z.object({ id: z.string(), timestamp, drift_score: z.number(), drifted_features: z.string() })),
      applied_seq: count,
      acknowledged_seq: count
    }),
    access: 'read',
    leaves: []
  })
} as const
