// SPDX-License-Identifier: Apache-2.0
import './compliance.css'
import { SegmentedControl } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { Screen } from '../../app/shell.tsx'
import { type ComplianceView, complianceViews, views } from './views.tsx'

export interface ComplianceProps {
  readonly view?: ComplianceView | undefined
}

export function Compliance({ view = complianceViews[0] }: ComplianceProps) {
  const navigate = useNavigate()
  const tools = (
    <SegmentedControl
      aria-label="View"
      data={complianceViews.map((value) => ({ value, label: views[value].label }))}
      value={view}
      onChange={(value) => void navigate({ to: '/compliance', search: { view: value as ComplianceView } })}
    />
  )
  return (
    <Screen title="Compliance" tools={tools}>
      {views[view].show()}
    </Screen>
  )
}
