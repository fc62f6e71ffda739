// SPDX-License-Identifier: Apache-2.0
// Offline review: a bundle opened as a read-only workspace in the same views.
import { z } from 'zod'
import { driftReceipt } from './drift-backtest.ts'
import { bundleKey, verifyReport } from './exports.ts'
import { operation } from './operation.ts'
import { timestamp } from './record.ts'

const path = z.string().min(1).max(4096)

/** Keys of a log that a person compared with its owner by another way; null where nobody did. */
const confirmation = z.object({ time: timestamp, how: z.string() }).nullable()

export const reviewOperations = {
  'review.start': operation({
    summary: 'Verifies a copy of a bundle and, unless it is invalid, makes it ready to be looked through; as a job',
    input: z.strictObject({ path, trust: path.optional(), key: bundleKey.optional() }),
    output: z.object({ job_id: z.string() }),
    access: 'read',
    leaves: ['bundle.opened']
  }),
  'review.result': operation({
    summary: 'The verdict on the bundle, and the name under which the shell opens its review; null when it is invalid',
    input: z.strictObject({ job_id: z.string().max(64) }),
    output: z.object({ review: z.uuid().nullable(), report: verifyReport }),
    access: 'read',
    leaves: []
  }),
  'review.report': operation({
    summary: 'What the review that is open rests on: verdict, exporter, keys, and its drift verdicts decided again',
    input: z.strictObject({}),
    output: z.object({
      report: verifyReport,
      requested_by: z.string(),
      withheld: z.array(z.object({ part: z.string(), reason: z.string(), count: z.int().min(0) })),
      receipts: z.array(driftReceipt),
      confirmed: confirmation
    }),
    access: 'read',
    leaves: []
  }),
  'review.confirm_keys': operation({
    summary: 'Says that the keys of the bundle were compared with their owner by another way; the bundle is verified again against them',
    input: z.strictObject({
      /** The fingerprints that were compared: a statement is for what a person has read. */
      log_key: z.string().regex(/^[0-9a-f]{64}$/),
      export_key: z.string().regex(/^[0-9a-f]{64}$/),
      how: z.string().trim().min(3).max(300)
    }),
    output: verifyReport,
    access: 'read',
    leaves: []
  }),
  'review.forget_keys': operation({
    summary: 'Takes the confirmation of the keys back; the bundle is verified again without it',
    input: z.strictObject({}),
    output: verifyReport,
    access: 'read',
    leaves: []
  })
} as const
