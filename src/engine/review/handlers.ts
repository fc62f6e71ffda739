// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto'
import { rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { requireKey } from '../../node/age-file.ts'
import { KeyMemory } from '../../node/confirmed-keys.ts'
import { openZipFiles } from '../../node/zip-files.ts'
import { AffidavitError } from '../../shared/contract/errors.ts'
import type { VerifyReport } from '../../shared/contract/exports.ts'
import type { Permission } from '../../shared/contract/permissions.ts'
import { utf8Decode } from '../../shared/evidence/bytes.ts'
import type { Handlers } from '../handlers.ts'
import type { Jobs } from '../jobs/jobs.ts'
import type { AppendResult, LeafDraft } from '../ledger/draft.ts'
import type { ReaderPool } from '../threads/reader-pool.ts'
import { bundleOf, type ReviewFile, writeReview } from './review-file.ts'

export interface ReviewDeps {
  readonly pool: ReaderPool
  readonly jobs: Jobs
  readonly append: (drafts: readonly LeafDraft[]) => Promise<readonly AppendResult[]>
  /** Folder in which seen heads and confirmed keys are remembered; reviews are made beside them. */
  readonly state: string
  /** The review that is open, and its folder; null in a workspace. */
  readonly open: { readonly review: ReviewFile; readonly folder: string } | null
  /** The verdict of the open review changed. */
  readonly onVerdict: (review: ReviewFile) => void
}

/** Why nothing is changed in a review, and what may be done in it: to read, also what is masked, and to verify. */
export const REVIEW = 'this is the review of a bundle: it is read, and nothing in it can be changed'
export const REVIEWING = ['open', 'self', 'see', 'records', 'unmask', 'verify'] as const satisfies readonly Permission[]

interface Opened {
  readonly review: string | null
  readonly report: VerifyReport
}

/** The folder of a review. */
export const reviewFolder = (state: string, id: string): string => join(state, 'reviews', id)

/** Opening a bundle for review, and what the open one rests on. */
export function reviewHandlers(
  deps: ReviewDeps
): Handlers<'review.start' | 'review.result' | 'review.report' | 'review.confirm_keys' | 'review.forget_keys'> {
  const { pool, jobs, state } = deps
  const memory = new KeyMemory(state)
  let current = deps.open
  const present = () => {
    if (!current) throw new AffidavitError('not_found', 'no bundle is open for review')
    return current
  }
  /** Verifies the copy again with the keys that are confirmed now; an invalid outcome stays in sight, the review stays open. */
  const again = async (): Promise<VerifyReport> => {
    const { review, folder } = present()
    const found = await pool.run('verifyBundle', { path: bundleOf(folder), memory: state })
    const { name, encrypted_sha256 } = review.report.file
    const report = { ...found, file: { ...found.file, name, encrypted_sha256 } }
    const next = { ...review, report }
    writeReview(folder, next)
    current = { review: next, folder }
    deps.onVerdict(next)
    return report
  }
  return {
    'review.start': async ({ path, trust, key }, caller) => {
      if (current) throw new AffidavitError('conflict', 'a bundle is open for review already: close that review first')
      await requireKey(path, key)
      const job = jobs.start('review', `Opening ${basename(path)}`, 'bytes', caller.actor, async (control): Promise<Opened> => {
        const id = randomUUID()
        const folder = reviewFolder(state, id)
        const report = await pool.alone(
          'buildReview',
          { id, path, folder, memory: state, ...(trust === undefined ? {} : { trust }), ...(key === undefined ? {} : { key }) },
          { signal: control.signal, onProgress: (p) => control.progress(p.done, p.total) }
        )
        const faults = report.steps.reduce((sum, step) => sum + step.reasons.length, 0)
        try {
          await deps.append([
            {
              type: 'bundle.opened',
              actor: caller.actor,
              data: {
                verdict: report.kind,
                // A review is made of a file, never of a folder.
                bundle_sha256: report.file.sha256 ?? '',
                size: report.bundle.size ?? 0,
                records: report.bundle.records ?? 0,
                faults
              },
              parts: []
            }
          ])
        } catch (error) {
          // What is not on record is not opened.
          rmSync(folder, { recursive: true, force: true })
          throw error
        }
        return { review: report.kind === 'invalid' ? null : id, report }
      })
      return { job_id: job.id }
    },
    'review.result': async ({ job_id }) => jobs.result<Opened>(job_id, 'review'),
    'review.report': async () => {
      const { review, folder } = present()
      const known = memory.of(review.report.bundle.origin ?? '')
      return {
        report: review.report,
        requested_by: review.requested_by,
        withheld: review.withheld,
        receipts: await pool.run('explainBundle', { path: bundleOf(folder) }),
        confirmed: known ? { time: known.time, how: known.how } : null
      }
    },
    'review.confirm_keys': async ({ log_key, export_key, how }) => {
      const { review, folder } = present()
      const { origin, log_key: log, export_key: exported } = review.report.bundle
      if (log_key !== log || export_key !== exported || origin === null)
        throw new AffidavitError('conflict', 'these are not the fingerprints of the keys of this bundle: compare them again')
      const files = await openZipFiles(bundleOf(folder))
      try {
        memory.confirm(origin, {
          log_vkey: utf8Decode(await files.read('trust/log.vkey')),
          allowed_signers: utf8Decode(await files.read('trust/allowed_signers')),
          time: new Date().toISOString(),
          how
        })
      } finally {
        await files.close()
      }
      return again()
    },
    'review.forget_keys': async () => {
      memory.forget(present().review.report.bundle.origin ?? '')
      return again()
    }
  }
}
