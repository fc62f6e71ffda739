// SPDX-License-Identifier: Apache-2.0
// What makes a folder a review: a copy of the bundle, its verdict, and the key of the databases made from it. The folder is as readable as
// the bundle itself, and is removed when the review is closed.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { writeFileDurably } from '../../node/durable-file.ts'
import { AffidavitError } from '../../shared/contract/errors.ts'
import { verifyReport } from '../../shared/contract/exports.ts'
import type { ReviewState } from '../../shared/contract/review-state.ts'

const schema = z.strictObject({
  v: z.literal(1),
  id: z.uuid(),
  report: verifyReport,
  requested_by: z.string(),
  log_vkey: z.string(),
  withheld: z.array(z.object({ part: z.string(), reason: z.string(), count: z.int().min(1) })),
  /** Wraps the keys of the payloads; made for this folder. */
  kek: z.strictObject({ id: z.string(), key: z.base64() }),
  /** Key of the subject index; made for this folder. */
  secret: z.base64()
})
export type ReviewFile = z.infer<typeof schema>

const fileOf = (folder: string): string => join(folder, 'review.json')

/** The copy of the bundle in the folder of its review. */
export const bundleOf = (folder: string): string => join(folder, 'bundle.affidavit.zip')

export const isReview = (folder: string): boolean => existsSync(fileOf(folder))

/** @throws AffidavitError workspace_damaged */
export function readReview(folder: string): ReviewFile {
  try {
    return schema.parse(JSON.parse(readFileSync(fileOf(folder), 'utf8')))
  } catch {
    throw new AffidavitError('workspace_damaged', 'this review cannot be read any more: close it and open the bundle again')
  }
}

export const writeReview = (folder: string, review: ReviewFile): void =>
  writeFileDurably(fileOf(folder), `${JSON.stringify(review, null, 1)}\n`)

/** What every screen of the review says. */
export function stateOf({ report, requested_by }: ReviewFile): ReviewState {
  const { bundle, file, kind, verdict } = report
  return {
    file: file.name,
    kind,
    verdict,
    written: bundle.written,
    requested_by,
    recipient: bundle.recipient ?? '',
    purpose: bundle.purpose ?? '',
    records: bundle.records ?? 0,
    leaves: bundle.leaves ?? 0,
    confirmed: kind === 'valid'
  }
}
