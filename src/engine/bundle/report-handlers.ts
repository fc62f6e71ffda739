// SPDX-License-Identifier: Apache-2.0

import type { DriftVerdict } from '../../shared/contract/drift.ts'
import { AffidavitError } from '../../shared/contract/errors.ts'
import type { VerifyReport } from '../../shared/contract/exports.ts'
import type { WorkspaceStatus } from '../../shared/contract/workspace.ts'
import { footOfBundle, footOfCheckpoint } from '../../shared/report/foot.ts'
import type { DriftEngine } from '../drift/handlers.ts'
import type { Handlers } from '../handlers.ts'
import type { Jobs } from '../jobs/jobs.ts'
import type { ReaderPool } from '../threads/reader-pool.ts'
import { driftReportHtml } from './drift-report.ts'
import { verificationFooter, verificationReportHtml } from './verification-report.ts'

export interface ReportDeps {
  readonly pool: ReaderPool
  readonly verdict: DriftEngine['handlers']['drift.verdict']
  readonly status: () => WorkspaceStatus
  /** Signs what is not signed yet, so that the foot of a report names a checkpoint that holds its leaves. */
  readonly checkpoint: () => Promise<unknown>
  readonly jobs: Jobs
  /** The verdict on the bundle that is open for review; null in a workspace. */
  readonly reviewed: () => VerifyReport | null
}

/** Reports that are no bundle. */
export function reportHandlers({
  pool,
  verdict,
  status,
  checkpoint: sign,
  jobs,
  reviewed
}: ReportDeps): Handlers<'report.drift' | 'report.verification'> {
  return {
    'report.verification': async ({ job_id }) => {
      const report = job_id === null ? reviewed() : jobs.result<VerifyReport>(job_id, 'verify_file')
      if (report === null) throw new AffidavitError('not_found', 'no bundle is open for review')
      return {
        html: verificationReportHtml(report),
        footer: verificationFooter(report),
        name: `${report.kind === 'invalid' ? 'findings' : 'verification'}-${report.checked.slice(0, 10)}`
      }
    },
    'report.drift': async ({ alert_id }, caller) => {
      const [alert] = await pool.run('alerts', { id: alert_id, limit: 1 })
      if (!alert) throw new AffidavitError('not_found', 'there is no such alert')
      await sign()
      const verdicts: DriftVerdict[] = []
      for (const { feature } of alert.features) verdicts.push(await verdict({ alert_id, feature }, caller))
      const { origin, checkpoint, sample } = status()
      const manifest = reviewed()?.bundle.tag_manifest_sha256 ?? null
      return {
        html: driftReportHtml(alert, verdicts, origin, sample),
        footer: manifest === null ? footOfCheckpoint(origin, checkpoint) : footOfBundle(origin, manifest),
        name: `drift-${alert.timestamp.slice(0, 10)}-leaf-${alert.seq}`
      }
    }
  }
}
