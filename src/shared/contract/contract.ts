// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod'
import { activityOperations } from './activity.ts'
import { anchorOperations } from './anchors.ts'
import { approvalOperations } from './approvals.ts'
import { backupOperations } from './backup.ts'
import { clientOperations } from './clients.ts'
import { complianceOperations } from './compliance.ts'
import { driftAlert, driftOperations } from './drift.ts'
import { backtestOperations } from './drift-backtest.ts'
import { driftCompareOperations } from './drift-compare.ts'
import { exportOperations } from './exports.ts'
import { foreignOperations } from './foreign.ts'
import { importOperations } from './imports.ts'
import { keyOperations } from './keys.ts'
import { peopleOperations, sessionState } from './people.ts'
import { priceOperations } from './prices.ts'
import { privacyOperations } from './privacy.ts'
import { proxyOperations } from './proxy.ts'
import { recordOperations, recordRow } from './record.ts'
import { reportOperations } from './reports.ts'
import { requestOperations } from './requests.ts'
import { retentionOperations } from './retention.ts'
import { reviewOperations } from './review.ts'
import { notice, webhookOperations } from './webhooks.ts'
import { witnessOperations } from './witness.ts'
import { job, workspaceOperations, workspaceStatus } from './workspace.ts'

/** THE boundary: every operation the engine answers. Operations of the desktop shell itself are in shell.ts. */
export const operations = {
  ...workspaceOperations,
  ...recordOperations,
  ...importOperations,
  ...proxyOperations,
  ...clientOperations,
  ...driftOperations,
  ...backtestOperations,
  ...webhookOperations,
  ...driftCompareOperations,
  ...exportOperations,
  ...approvalOperations,
  ...complianceOperations,
  ...peopleOperations,
  ...retentionOperations,
  ...priceOperations,
  ...privacyOperations,
  ...keyOperations,
  ...anchorOperations,
  ...witnessOperations,
  ...activityOperations,
  ...requestOperations,
  ...backupOperations,
  ...reportOperations,
  ...reviewOperations,
  ...foreignOperations
} as const

export type OperationName = keyof typeof operations
/** What a caller passes (defaults may be left out). */
export type OperationInput<N extends OperationName> = z.input<(typeof operations)[N]['input']>
/** What a handler receives (defaults filled in). */
export type ParsedInput<N extends OperationName> = z.output<(typeof operations)[N]['input']>
export type OperationOutput<N extends OperationName> = z.output<(typeof operations)[N]['output']>

/** Everything the engine pushes. A subscriber gets the present value first where there is one (`status`, `session`). */
export const topics = {
  /** When somebody signs in or out, the window locks itself, or a role changes. */
  session: { input: z.strictObject({}), event: sessionState },
  /** Once a second, and at once when the state changes. */
  status: { input: z.strictObject({}), event: workspaceStatus },
  /** At most four times a second while records arrive: what is visible to queries now, and the newest rows of the batch (at most 50). */
  records: {
    input: z.strictObject({}),
    event: z.object({ total: z.int().min(0), applied_seq: z.int().min(0), newest: z.array(recordRow) })
  },
  jobs: { input: z.strictObject({}), event: job },
  alerts: { input: z.strictObject({}), event: driftAlert },
  /** Alerts that open while the setting asks for notifications: what the shell shows. */
  notices: { input: z.strictObject({}), event: notice }
} as const

export type TopicName = keyof typeof topics
export type TopicEvent<T extends TopicName> = z.output<(typeof topics)[T]['event']>
