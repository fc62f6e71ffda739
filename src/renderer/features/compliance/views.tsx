// SPDX-License-Identifier: Apache-2.0
import type { ReactNode } from 'react'
import { Approvals } from './approvals.tsx'

/** The views of this section in the order of their tabs. */
export const complianceViews = ['approvals'] as const
export type ComplianceView = (typeof complianceViews)[number]

export const views: Readonly<Record<ComplianceView, { readonly label: string; readonly show: () => ReactNode }>> = {
  approvals: { label: 'Approvals', show: () => <Approvals /> }
}
