// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod'
import { type LeafType, leafTypes } from '../evidence/leaf-types.ts'
import { operation } from './operation.ts'
import { timestamp } from './record.ts'

const count = z.int().min(0)
const seq = count

const named = {
  search: ['search.run'],
  view: ['record.viewed', 'bundle.opened', 'payload.unmasked'],
  export: ['export.intent', 'export.created', 'export.cancelled', 'recipient.told', 'subject.exported'],
  verify: ['verify.run', 'anchor.added'],
  sign_in: ['session.opened', 'session.failed', 'session.closed'],
  people: ['user.added', 'user.changed', 'client.added', 'client.revoked'],
  approval: ['approval.asked', 'approval.given', 'approval.refused'],
  setting: ['setting.changed', 'price.set', 'key.added', 'key.retired', 'key.revoked'],
  policy: [
    'hold.placed',
    'hold.released',
    'retention.set',
    'disposal.proposed',
    'disposal.intent',
    'disposal.done',
    'disposal.refused',
    'erasure.intent',
    'erasure.searched',
    'erasure.done',
    'erasure.refused',
    'restrict.set',
    'backup.made',
    'backup.keys',
    'backup.removed',
    'restore.done'
  ],
  drift: ['baseline.set', 'drift.look', 'drift.alert', 'drift.ack', 'drift.resolve', 'drift.snooze'],
  record: ['import.started', 'import.done', 'record.corrected', 'review.opened', 'review.decided', 'review.signed']
} as const satisfies Readonly<Record<string, readonly LeafType[]>>
export type ActivityKind = keyof typeof named | 'system'

const isNamed: ReadonlySet<LeafType> = new Set(Object.values(named).flat())

/**
 * What people and programs do, in groups a person looks for; `system` is whatever no other group names. Heartbeats and the calls themselves
 * are no activity.
 */
export const activityKinds: Readonly<Record<ActivityKind, readonly LeafType[]>> = {
  ...named,
  system: leafTypes.filter((type) => !isNamed.has(type) && type !== 'heartbeat' && !type.startsWith('llm.'))
}

const kinds = Object.keys(activityKinds) as [ActivityKind, ...ActivityKind[]]

const filter = {
  /** Who acted, or who it was done to: a ref. */
  person: z.string().min(1).max(128).optional(),
  kind: z.enum(kinds).optional(),
  from: z.iso.datetime({ offset: true }).optional(),
  to: z.iso.datetime({ offset: true }).optional(),
  /** Words in what was searched, noted or given as a reason. */
  text: z.string().min(1).max(200).optional()
}

export const activityEntry = z.object({
  seq,
  time: timestamp,
  type: z.string(),
  actor: z.string(),
  /** What was done, in words. */
  what: z.string(),
  /** The search, the reason, the note: from the encrypted body. */
  detail: z.string(),
  /** The leaf it was done to. */
  on_seq: seq.nullable(),
  /** The person it was done to. */
  on_person: z.string().nullable(),
  data: z.record(z.string(), z.unknown())
})
export type ActivityEntry = z.infer<typeof activityEntry>

export const activityOperations = {
  'activity.list': operation({
    summary: 'Who did what, when, on which leaf, newest first; looking is itself recorded',
    input: z.strictObject({ ...filter, before: seq.optional(), limit: z.int().min(1).max(200).default(200) }),
    output: z.object({
      entries: z.array(activityEntry),
      /** Go on with `before`; null at the end. A page may be short: a text is looked for in a bounded number of leaves at a time. */
      next: seq.nullable()
    }),
    access: 'read',
    leaves: ['search.run']
  }),
  'activity.export': operation({
    summary: 'Writes the activity of a filter as CSV; recorded as an export',
    input: z.strictObject({ ...filter, out: z.string().min(1).max(4096) }),
    output: z.object({ path: z.string(), rows: count, bytes: count, sha256: z.string() }),
    access: 'write',
    leaves: ['export.created']
  })
} as const
