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
  })
} as const
