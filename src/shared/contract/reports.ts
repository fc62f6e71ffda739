// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod'
import { printable } from './compliance.ts'
import { operation } from './operation.ts'

/** Reports as pages to print or hand over. */
export const reportOperations = {
  'report.drift': operation({
    summary: 'The report of one drift alert: verdict, numbers, plots, what was done, how to check',
    input: z.strictObject({ alert_id: z.string().max(64) }),
    output: printable,
    access: 'read',
    leaves: []
  }),
  'report.verification': operation({
    summary: 'The report of a verification: verdict, six steps, findings, what it rests on or what to do',
    /** Of a finished `verify.file`; null: of the bundle that is open for review. */
    input: z.strictObject({ job_id: z.string().max(64).nullable() }),
    output: printable,
    access: 'read',
    leaves: []
  })
} as const
