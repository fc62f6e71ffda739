// SPDX-License-Identifier: Apache-2.0
import './exports.css'
import { SegmentedControl } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useStatus } from '../../app/engine-state.tsx'
import { Screen } from '../../app/shell.tsx'
import { History } from './history.tsx'
import { NewExport } from './new-export.tsx'
import { ReviewVerification } from './review-verification.tsx'
import { VerifyBundle } from './verify-bundle.tsx'

export interface ExportsProps {
  readonly view?: 'new' | 'verify' | 'history' | undefined
  readonly query?: string | undefined
  /** A bundle to verify. */
  readonly file?: string | undefined
  /** How many other files were dropped with it. */
  readonly others?: number | undefined
  /** The export to show in the history, by its leaf. */
  readonly seq?: number | undefined
}

const views = [
  { value: 'new', label: 'New export' },
  { value: 'verify', label: 'Verify a bundle' },
  { value: 'history', label: 'History' }
]

export function Exports({ view = 'new', query = '', seq, file, others }: ExportsProps) {
  const review = useStatus()?.review ?? null
  const navigate = useNavigate()
  if (review !== null) {
    return (
      <Screen title="Verification">
        <ReviewVerification />
      </Screen>
    )
  }
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
      {view === 'verify' ? (
        <VerifyBundle file={file} others={others} />
      ) : view === 'history' ? (
        <History seq={seq} />
      ) : (
        <NewExport key={query} query={query} />
      )}
    </Screen>
  )
}
