// SPDX-License-Identifier: Apache-2.0
import type { ReactNode } from 'react'
import { Activity } from './activity.tsx'
import { Approvals } from './approvals.tsx'
import { IntegrityView } from './integrity.tsx'
import { ProcessingRecord } from './processing.tsx'
import { Requirements } from './requirements.tsx'
import { RetentionAndHolds } from './retention.tsx'
import { Subjects } from './subjects.tsx'

/** The views of this section in the order of their tabs. */
export const complianceViews = ['requirements', 'integrity', 'approvals', 'activity', 'subjects', 'retention', 'processing'] as const
export type ComplianceView = (typeof complianceViews)[number]

export const views: Readonly<Record<ComplianceView, { readonly label: string; readonly show: () => ReactNode }>> = {
  requirements: { label: 'Requirements', show: () => <Requirements /> },
  integrity: { label: 'Integrity', show: () => <IntegrityView /> },
  approvals: { label: 'Approvals', show: () => <Approvals /> },
  activity: { label: 'Activity', show: () => <Activity /> },
  subjects: { label: 'Subjects', show: () => <Subjects /> },
  retention: { label: 'Retention and holds', show: () => <RetentionAndHolds /> },
  processing: { label: 'Processing', show: () => <ProcessingRecord /> }
}
