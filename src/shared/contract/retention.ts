// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod'
import { retentionTriggers, triggerEvents } from '../policy/retention.ts'
import { approval } from './approvals.ts'
import { operation } from './operation.ts'
import { timestamp } from './record.ts'

const count = z.int().min(0)
const seq = z.int().min(0)
const words = z.string().trim().min(1).max(2000)
const label = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[A-Za-z0-9._-]+$/)
const pattern = z.string().min(1).max(256)

const period = z.strictObject({ years: z.int().min(0).max(100), months: z.int().min(0).max(1200), days: z.int().min(0).max(36_500) })

export const retentionRule = z
  .strictObject({
    class: label,
    name: z.string().trim().min(1).max(120),
    trigger: z.enum(retentionTriggers),
    event: z.enum(triggerEvents).optional(),
    period
  })
  .refine((rule) => (rule.trigger === 'event') === (rule.event !== undefined), 'a rule counts from an event exactly when it names one')
  .refine((rule) => rule.period.years + rule.period.months + rule.period.days > 0, 'a period of no length')

const classRule = z
  .strictObject({
    class: label,
    source: pattern.optional(),
    model: pattern.optional(),
    attribute: z.strictObject({ name: pattern, value: pattern }).optional()
  })
  .refine(
    (rule) => rule.source !== undefined || rule.model !== undefined || rule.attribute !== undefined,
    'a class rule without a condition'
  )

const schedule = { rules: z.array(retentionRule).max(100), classes: z.array(classRule).max(100) }

/** What a hold keeps. Several sorts of scope take several holds. */
export const holdScope = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('filter'), query: z.string().trim().min(1).max(4096) }),
  z.strictObject({ kind: z.literal('seqs'), seqs: z.array(seq).min(1).max(10_000) }),
  z.strictObject({ kind: z.literal('subject'), subject: z.string().trim().min(1).max(256) }),
  z.strictObject({ kind: z.literal('time'), from: z.iso.datetime({ offset: true }), to: z.iso.datetime({ offset: true }).optional() })
])
export type HoldScope = z.infer<typeof holdScope>

export const hold = z.object({
  id: z.string(),
  seq,
  placed: timestamp,
  placed_by: z.string(),
  matter: z.string(),
  reason: z.string(),
  scope: holdScope,
  /** Whether records that arrive later and match are held as well. */
  future: z.boolean(),
  /** Records held at this moment, and how many of them are spans around calls. */
  records: count,
  wrappers: count,
  state: z.enum(['held', 'release_asked', 'released']),
  released: timestamp.nullable(),
  released_by: z.string().nullable()
})
export type Hold = z.infer<typeof hold>

export const keptRecord = z.object({
  seq,
  class: z.string(),
  /** Null: without end, as far as is known now. */
  until: timestamp.nullable(),
  text: z.string(),
  holds: z.array(z.object({ id: z.string(), seq, matter: z.string() }))
})
export type KeptRecordView = z.infer<typeof keptRecord>

export const disposalPreview = z.object({
  as_of: timestamp,
  records: count,
  /** Bytes of their encrypted content. */
  bytes: count,
  /** Whole tiles of 256 leaves that go with them. */
  tiles: count,
  leaves: count,
  /** There is more than one disposal takes: ask again afterwards. */
  more: z.boolean(),
  by_class: z.array(z.object({ class: z.string(), records: count, bytes: count, oldest: timestamp, newest: timestamp })),
  /** Records past their time that stay because of a hold, and by which. */
  held: count,
  holds: z.array(z.object({ id: z.string(), seq, matter: z.string(), records: count }))
})
export type DisposalPreview = z.infer<typeof disposalPreview>

const disposalProposal = z.object({
  seq,
  time: timestamp,
  /** The moment the dry run judged by. */
  as_of: timestamp,
  records: count,
  tiles: count,
  bytes: count,
  /** Records past their time that a hold keeps. */
  held: count
})
export type DisposalProposal = z.infer<typeof disposalProposal>

export const disposal = z.object({
  id: z.string(),
  /** The leaf of the intent. */
  seq,
  time: timestamp,
  actor: z.string(),
  approval: z.string(),
  records: count,
  tiles: count,
  bytes: count,
  /** The leaf that says it is done; null while it is under way, and when it was refused. */
  done_seq: seq.nullable(),
  /** The leaf that says that a hold came in between and what was left is kept; null otherwise. */
  refused_seq: seq.nullable(),
  done: timestamp.nullable()
})

export const retentionOperations = {
  'retention.get': operation({
    summary: 'The retention schedule with its classes, trigger events and history',
    input: z.strictObject({}),
    output: z.object({
      ...schedule,
      /** The leaf of the present schedule; null when none is set: everything is kept without end. */
      seq: seq.nullable(),
      history: z.array(z.object({ seq, time: timestamp, actor: z.string(), rules: count, existing: z.boolean(), reason: z.string() })),
      events: z.array(
        z.object({
          seq,
          time: timestamp,
          actor: z.string(),
          event: z.enum(triggerEvents),
          scope: z.enum(['source', 'subject']),
          value: z.string(),
          at: timestamp
        })
      ),
      /** Classes on record, with their counts and what is kept longest and shortest from here. */
      classes_on_record: z.array(
        z.object({ class: z.string(), records: count, oldest: timestamp, due: timestamp.nullable(), text: z.string() })
      ),
      floor_days: count
    }),
    access: 'read',
    leaves: []
  }),
  'retention.set': operation({
    summary:
      'Sets the schedule. For records already kept it only lengthens; with `existing` it counts for them too, once a second person approves',
    input: z.strictObject({ ...schedule, reason: words, existing: z.boolean().default(false) }),
    output: z.object({ seq: seq.nullable(), approval: approval.nullable() }),
    access: 'write',
    leaves: ['retention.set', 'approval.asked']
  }),
  'retention.event': operation({
    summary: 'Records that an account was closed or a system ended, from which event-based periods run',
    input: z.strictObject({
      event: z.enum(triggerEvents),
      scope: z.enum(['source', 'subject']),
      value: z.string().trim().min(1).max(256),
      at: z.iso.datetime({ offset: true }),
      note: z.string().max(2000).default('')
    }),
    output: z.object({ seq }),
    access: 'write',
    leaves: ['retention.set']
  }),
  'retention.of': operation({
    summary: 'Until when records are kept, why in words, and what holds them',
    input: z.strictObject({ seqs: z.array(seq).min(1).max(200) }),
    output: z.object({ records: z.array(keptRecord) }),
    access: 'read',
    leaves: []
  }),
  'disposal.preview': operation({
    summary: 'A dry run: what is past its retention now, by class, and what is held back and why',
    input: z.strictObject({}),
    output: disposalPreview,
    access: 'read',
    leaves: []
  }),
  'disposal.ask': operation({
    summary: 'Asks for the disposal of what is past its retention and not held; carried out when a second person approves',
    input: z.strictObject({ reason: words }),
    output: approval,
    access: 'write',
    leaves: ['approval.asked', 'disposal.intent', 'disposal.done', 'disposal.refused']
  }),
  'disposal.list': operation({
    summary: 'Disposals, newest first, and what the schedule has proposed since the last one',
    input: z.strictObject({}),
    output: z.object({ disposals: z.array(disposal), proposal: disposalProposal.nullable() }),
    access: 'read',
    leaves: []
  }),
  'holds.list': operation({
    summary: 'Legal holds, newest first',
    input: z.strictObject({}),
    output: z.object({ holds: z.array(hold) }),
    access: 'read',
    leaves: []
  }),
  'holds.preview': operation({
    summary: 'How many records a hold would keep, and how many of them are spans around calls',
    input: z.strictObject({ scope: holdScope }),
    output: z.object({ records: count, wrappers: count }),
    access: 'read',
    leaves: []
  }),
  'holds.place': operation({
    summary: 'Places a legal hold: what it covers is neither disposed of nor erased until two people release it',
    input: z.strictObject({ matter: z.string().trim().min(1).max(200), reason: words, scope: holdScope, future: z.boolean() }),
    output: hold,
    access: 'write',
    leaves: ['hold.placed']
  }),
  'holds.release': operation({
    summary: 'Asks for the release of a hold; it ends when a second person approves',
    input: z.strictObject({ id: z.string().max(64), reason: words }),
    output: approval,
    access: 'write',
    leaves: ['approval.asked', 'hold.released']
  })
} as const
