// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod'
import { operation } from './operation.ts'
import { timestamp } from './record.ts'

const count = z.int().min(0)
const vkey = z.string().min(1).max(400)

export const witnessReport = z.object({
  /** Whether this workspace answers `/witness/add-checkpoint` on its compliance server. */
  serve: z.boolean(),
  key: z.object({ name: z.string(), vkey: z.string(), fingerprint: z.string() }).nullable(),
  /** Logs it cosigns for: the largest tree seen, and the last refusal in words. */
  logs: z.array(
    z.object({ origin: z.string(), vkey: z.string(), size: count.nullable(), time: timestamp.nullable(), refused: z.string().nullable() })
  ),
  /** Witnesses it asks to cosign its own checkpoints. */
  peers: z.array(z.object({ url: z.string(), vkey: z.string(), name: z.string() }))
})
export type WitnessReport = z.infer<typeof witnessReport>

/** Witnessing for other logs, and being witnessed (c2sp.org/tlog-witness). */
export const witnessOperations = {
  'witness.report': operation({
    summary: 'Which logs this workspace witnesses and which witnesses it asks',
    input: z.strictObject({}),
    output: witnessReport,
    access: 'read',
    leaves: []
  }),
  'witness.configure': operation({
    summary: 'Sets which logs are witnessed and which witnesses are asked; what is left out stays',
    input: z.strictObject({
      serve: z.boolean().optional(),
      /** Verifier keys of the logs; a log whose key changed has one for each key. */
      logs: z.array(vkey).max(100).optional(),
      peers: z
        .array(z.strictObject({ url: z.string().max(200), vkey }))
        .max(10)
        .optional()
    }),
    output: witnessReport,
    access: 'write',
    leaves: ['setting.changed', 'key.added']
  })
} as const
