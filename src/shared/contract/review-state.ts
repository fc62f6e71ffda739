// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod'
import { timestamp } from './record.ts'

/** What every screen of a review says of its bundle. */
export const reviewState = z.object({
  file: z.string(),
  kind: z.enum(['valid', 'consistent', 'invalid', 'unchecked']),
  verdict: z.string(),
  /** When its exporter wrote it, by whom, for whom and why: as the bundle says. */
  written: timestamp.nullable(),
  requested_by: z.string(),
  recipient: z.string(),
  purpose: z.string(),
  records: z.int().min(0),
  leaves: z.int().min(0),
  confirmed: z.boolean()
})
export type ReviewState = z.infer<typeof reviewState>
