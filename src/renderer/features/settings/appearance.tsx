// SPDX-License-Identifier: Apache-2.0
import { Checkbox, SegmentedControl } from '@mantine/core'
import { useEffect, useState } from 'react'
import { useSingleKeysEnabled } from '../../app/single-keys.ts'
import { onShell, shell } from '../../client/bridge.ts'
import { Panel } from '../../ui/parts.tsx'

export function Appearance() {
  const [letters, setLetters] = useSingleKeysEnabled()
  const [theme, setTheme] = useState<'system' | 'light' | 'dark'>('system')
  useEffect(() => onShell('shell.theme', ({ choice }) => setTheme(choice)), [])
  return (
    <Panel title="Window">
      <div className="column gap-12" style={{ alignItems: 'flex-start' }}>
        <SegmentedControl
          aria-label="Theme"
          data={[
            { value: 'system', label: 'As the system' },
            { value: 'light', label: 'Light' },
            { value: 'dark', label: 'Dark' }
          ]}
          value={theme}
          onChange={(value) => void shell('shell.setTheme', { theme: value as 'system' | 'light' | 'dark' })}
        />
        <Checkbox
          label="Single letters are commands (A acknowledges, / filters)"
          checked={letters}
          onChange={(event) => setLetters(event.currentTarget.checked)}
        />
      </div>
    </Panel>
  )
}
