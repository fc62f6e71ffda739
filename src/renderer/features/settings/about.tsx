// SPDX-License-Identifier: Apache-2.0
import { useShellInfo, useStatus } from '../../app/engine-state.tsx'
import { Facts, Panel } from '../../ui/parts.tsx'

export function About() {
  const info = useShellInfo()
  const status = useStatus()
  return (
    <Panel title="About">
      <Facts
        width={104}
        rows={[
          ['Affidavit', info?.version ?? status?.version ?? '–'],
          ['Runtime', info ? `Electron ${info.electron}, Chrome ${info.chrome}` : '–'],
          [
            'Workspace',
            <span key="w" className="mono">
              {status?.path ?? '–'}
            </span>
          ],
          [
            'State',
            <span key="s" className="mono">
              {info?.state ?? '–'}
            </span>
          ],
          [
            'Origin',
            <span key="o" className="mono">
              {status?.origin ?? '–'}
            </span>
          ]
        ]}
      />
    </Panel>
  )
}
