// SPDX-License-Identifier: Apache-2.0
import './exports.css'
import { SegmentedControl } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { Screen } from '../../app/shell.tsx'
import { History } from './history.tsx'
import { NewExport } from './new-export.tsx'
import { VerifyBundle } from './verify-bundle.tsx'

export interface ExportsProps {
  readonly view?: 'new' | 'verify' | 'history' | undefined
  readonly query?: string | undefined
  /** The export to show in the history, by its leaf. */
  readonly seq?: number | undefined
}

const views = [
  { value: 'new', label: 'New export' },
  { value: 'verify', label: 'Verify a bundle' },
  { value: 'history', label: 'History' }
]

export function Exports({ view = 'new', query = '', seq }: ExportsProps) {
  const navigate = useNavigate()
  const tools = (
    <SegmentedControl
      aria-label="View"
      data={views}
      value={view}
      onChange={(value) => void navigate({ to: '/exports', search: { view: value as NonNullable<ExportsProps['view']> } })}
    />
  )
  return (
    <Screen title="Exports" tools={tools}>
      {view === 'verify' ? <VerifyBundle /> : view === 'history' ? <History seq={seq} /> : <NewExport key={query} query={query} />}
    </Screen>
  )
}
