// SPDX-License-Identifier: Apache-2.0
import { basename } from 'node:path'
import { requireKey } from '../../node/age-file.ts'
import { AffidavitError } from '../../shared/contract/errors.ts'
import type { VerifyReport } from '../../shared/contract/exports.ts'
import { SINGLE_LEAVES } from '../../shared/evidence/bundle-layout.ts'
import { formatFilter } from '../../shared/filter/format.ts'
import { filterOf } from '../catalog/handlers.ts'
import type { Handlers } from '../handlers.ts'
import type { Jobs } from '../jobs/jobs.ts'
import type { AppendResult, LeafDraft } from '../ledger/draft.ts'
import type { CheckpointRow } from '../ledger/store.ts'
import type { Projector } from '../threads/projector.ts'
import type { ReaderPool } from '../threads/reader-pool.ts'
import type { Identity } from '../workspace/identity.ts'
import { type ExportRunOperation, exportRuns } from './export-runs.ts'
import type { Print } from './printer.ts'
import { within } from './selection.ts'

export interface BundleDeps {
  readonly pool: ReaderPool
  readonly projector: Projector
  readonly jobs: Jobs
  readonly identity: Identity
  readonly size: () => number
  readonly checkpoint: () => Promise<CheckpointRow | null>
  /** Has the newest checkpoint timestamped where an authority is set; the size of the anchored tree, which holds everything committed before. */
  readonly anchored: () => Promise<number | undefined>
  readonly append: (drafts: readonly LeafDraft[]) => Promise<readonly AppendResult[]>
  /** Folder in which seen heads are remembered. */
  readonly state: string
  /** Folder of the journals of exports that are not finished. */
  readonly journals: string
  readonly appVersion: string
  readonly sample: boolean
  /** Prints a page as PDF; null where nothing here can. */
  readonly print: Print | null
}

/** Bytes of a bundle without leaves: verifiers, report, keys. Measured, as the rest, on bundles of 3 to 4,000 LLMDrift records. */
const EMPTY = 178_000
/** With a file for each leaf, proof and part: each is compressed alone and has its headers. */
const SINGLE = { share: 0.45, leaf: 2_240 }
/** In lists and tiles, which are compressed whole. */
const LISTED = { share: 0.25, leaf: 200 }

function estimateOf({ leaves, bytes }: { readonly leaves: number; readonly bytes: number }): number {
  const form = leaves <= SINGLE_LEAVES ? SINGLE : LISTED
  return Math.round(EMPTY + form.share * bytes + form.leaf * leaves)
}

const PATIENCE_MS = 5_000

/** Preview, writing and verification of bundles. */
export function bundleHandlers(deps: BundleDeps): Handlers<ExportRunOperation | 'export.preview' | 'verify.file' | 'verify.report'> {
  const { pool, projector, jobs } = deps
  /** Everything committed so far in the catalog and under a checkpoint. */
  const settle = async (at: number | undefined): Promise<void> => {
    if (at === undefined) await deps.checkpoint()
    else if (at > deps.size()) throw new AffidavitError('bad_request', `at: the tree has ${deps.size()} leaves, not ${at}`)
    await projector.waitFor(deps.size(), PATIENCE_MS)
  }
  const runs = exportRuns(deps, settle)
  return {
    'export.preview': async ({ query, at, range, withhold }) => {
      const filter = within(filterOf(query), range)
      await settle(at)
      const selection = await pool.run('selectLeaves', { filter, at, range })
      const scope = await pool.run('measureLeaves', { selection, withhold })
      return {
        query: formatFilter(filter),
        size: selection.checkpoint.size,
        range: selection.range,
        records: selection.records.length,
        leaves: scope.leaves,
        restricted: selection.restricted,
        erased: scope.erased,
        withheld_parts: scope.withheld,
        looks: selection.looks,
        from: selection.from,
        to: selection.to,
        estimated_bytes: estimateOf(scope)
      }
    },
    ...runs,
    'verify.file': async ({ path, trust, key }, caller) => {
      await requireKey(path, key)
      const job = jobs.start(
        'verify_file',
        `Verifying ${basename(path)}`,
        'bytes',
        caller.actor,
        async (control): Promise<VerifyReport> => {
          const report = await pool.alone(
            'verifyBundle',
            {
              path,
              memory: deps.state,
              state: deps.state,
              ...(trust === undefined ? {} : { trust }),
              ...(key === undefined ? {} : { key })
            },
            { signal: control.signal, onProgress: (p) => control.progress(p.done, p.total) }
          )
          const faults = report.steps.reduce((sum, step) => sum + step.reasons.length, 0)
          await deps.append([
            {
              type: 'verify.run',
              actor: caller.actor,
              data: { scope: 'bundle', verdict: report.kind, size: report.bundle.size ?? 0, faults },
              parts: []
            }
          ])
          return report
        }
      )
      return { job_id: job.id }
    },
    'verify.report': async ({ job_id }) => jobs.result<VerifyReport>(job_id, 'verify_file')
  }
}
