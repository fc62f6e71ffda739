// SPDX-License-Identifier: Apache-2.0
// Evidence made by other programs: C2SP checkpoints and proofs of other logs, RFC 3161 timestamps, BagIt folders.
import { z } from 'zod'
import { operation } from './operation.ts'

const path = z.string().min(1).max(4096)
export const foreignKinds = ['checkpoint', 'inclusion_proof', 'consistency_proof', 'timestamp', 'bag'] as const
/** Files that a check needs besides the evidence. */
export const foreignFiles = ['of', 'ca', 'old', 'new'] as const

export const foreignOperations = {
  'foreign.recognise': operation({
    summary: 'What a file or folder of another program is, and what its check needs besides; kind is null when it is no evidence',
    input: z.strictObject({ path }),
    output: z.object({ kind: z.enum(foreignKinds).nullable(), needs: z.array(z.enum(foreignFiles)) }),
    access: 'read',
    leaves: []
  }),
  'foreign.verify': operation({
    summary: 'Checks evidence of another program and says what it shows and what it does not; the verdict goes on record',
    input: z.strictObject({
      path,
      of: path.optional(),
      ca: path.optional(),
      old: path.optional(),
      new: path.optional(),
      /** A C2SP vkey confirmed outside; without it the signer stays unconfirmed. */
      log_key: path.optional()
    }),
    output: z.object({
      kind: z.enum(foreignKinds),
      verdict: z.enum(['holds', 'no_fault', 'does_not_hold', 'not_checked']),
      proven: z.array(z.string()),
      not_proven: z.array(z.string()),
      faults: z.array(z.object({ code: z.string(), message: z.string(), subject: z.string().optional() }))
    }),
    access: 'read',
    leaves: ['verify.run']
  })
} as const
