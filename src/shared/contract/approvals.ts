// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod'
import { approvalActions } from '../evidence/leaf-data.ts'
import { operation } from './operation.ts'
import { timestamp } from './record.ts'

const seq = z.int().min(0)

/** For so many days two people are no two for an approval after one of them set how the other signs in. */
export const INDEPENDENT_AFTER_DAYS = 7

/** Something that takes two people: asked for by one, given or refused by another, then done. */
export const approval = z.object({
  id: z.string(),
  seq,
  time: timestamp,
  action: z.enum(approvalActions),
  title: z.string(),
  /** Of an erasure: the request of a subject that it answers, and what each decision rests on. The title of every other action says why. */
  request_id: z.string().nullable(),
  grounds: z.array(z.string()),
  asked_by: z.string(),
  state: z.enum(['asked', 'given', 'refused']),
  decided_seq: seq.nullable(),
  decided: timestamp.nullable(),
  decided_by: z.string().nullable(),
  note: z.string(),
  /** The leaf of what was done with it; null while it is still to be done. */
  done_seq: seq.nullable()
})
export type Approval = z.infer<typeof approval>

export const approvalOperations = {
  'approvals.list': operation({
    summary: 'What waits for a second person, and what was decided; newest first',
    input: z.strictObject({ state: z.enum(['asked', 'given', 'refused']).optional(), limit: z.int().min(1).max(500).default(100) }),
    output: z.object({ approvals: z.array(approval) }),
    access: 'read',
    leaves: []
  }),
  'approvals.decide': operation({
    summary: 'Gives or refuses what another person asked for; what was given is then done',
    input: z.strictObject({ id: z.string().max(64), decision: z.enum(['give', 'refuse']), note: z.string().max(2000).default('') }),
    output: approval,
    access: 'write',
    leaves: ['approval.given', 'approval.refused']
  })
} as const
