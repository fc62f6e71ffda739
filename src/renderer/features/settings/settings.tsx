// SPDX-License-Identifier: Apache-2.0
import './settings.css'
import { SegmentedControl } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { Screen } from '../../app/shell.tsx'
import { type SettingsView, settingsViews, views } from './views.tsx'

export interface SettingsProps {
  readonly view?: SettingsView | undefined
}

export function Settings({ view = settingsViews[0] }: SettingsProps) {
  const navigate = useNavigate()
  const tools = (
    <SegmentedControl
      aria-label="View"
      data={settingsViews.map((value) => ({ value, label: views[value].label }))}
      value={view}
      onChange={(value) => void navigate({ to: '/settings', search: { view: value as SettingsView } })}
    />
  )
  return (
    <Screen title="Settings" tools={tools}>
      <div className="settings">{views[view].show()}</div>
    </Screen>
  )
}
