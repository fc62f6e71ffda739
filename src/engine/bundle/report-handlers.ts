// SPDX-License-Identifier: Apache-2.0

import type { DriftVerdict } from '../../shared/contract/drift.ts'
import { AffidavitError } from '../../shared/contract/errors.ts'
import type { WorkspaceStatus } from '../../shared/contract/workspace.ts'
import type { DriftEngine } from '../drift/handlers.ts'
import type { Handlers } from '../handlers.ts'
import { headLine } from '../policy/compliance/page.ts'
import type { ReaderPool } from '../threads/reader-pool.ts'
import { driftReportHtml } from './drift-report.ts'

export interface ReportDeps {
  readonly pool: ReaderPool
  readonly verdict: DriftEngine['handlers']['drift.verdict']
  readonly status: () => WorkspaceStatus
}

/** Reports that are no bundle. */
export function reportHandlers({ pool, verdict, status }: ReportDeps): Handlers<'report.drift'> {
  return {
    'report.drift': async ({ alert_id }, caller) => {
      const [alert] = await pool.run('alerts', { id: alert_id, limit: 1 })
      if (!alert) throw new AffidavitError('not_found', 'there is no such alert')
      const verdicts: DriftVerdict[] = []
      for (const { feature } of alert.features) verdicts.push(await verdict({ alert_id, feature }, caller))
      const { origin, checkpoint, sample } = status()
      return {
        html: driftReportHtml(alert, verdicts, origin, sample),
        footer: headLine({ origin, checkpoint }),
        name: `drift-${alert.timestamp.slice(0, 10)}-leaf-${alert.seq}`
      }
    }
  }
}
