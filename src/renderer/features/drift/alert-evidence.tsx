// SPDX-License-Identifier: Apache-2.0
import { Button } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import type { DriftVerdict } from '../../../shared/contract/drift.ts'
import { formatFilter } from '../../../shared/filter/format.ts'
import { messageOf, useCancelRead, useOperation } from '../../client/hooks.ts'
import { Note, Panel } from '../../ui/parts.tsx'
import { Reading } from '../../ui/states.tsx'
import { AroundPanel } from './around-panel.tsx'
import { HistogramPanel, neededWords, SegmentsPanel } from './comparison-parts.tsx'
import { TimelinePanel, type Windows } from './timeline-panel.tsx'
import { type TimeWindow, withWindow } from './windows.ts'

/** Why the records of today's filters are not quite those of the verdict. */
const otherwise = (verdict: DriftVerdict): string =>
  verdict.reference.kind === 'baseline'
    ? 'some were erased or restricted, or their asked and served names differ.'
    : 'a reference that moves is made of whole hours, records that claim an earlier hour than the window count as its history, and some may have been erased or restricted.'

const rangeOf = (from: string | null, to: string | null, whole: TimeWindow): TimeWindow | undefined => {
  if (from === null || to === null) return undefined
  const start = Math.max(whole.from, Date.parse(from))
  const end = Math.min(whole.to, Date.parse(to) + 1)
  return start < end ? { from: start, to: end } : undefined
}

/** The series over time with both windows, and what the records of both windows say beside the stored tables. */
export function AlertEvidence({ verdict }: { readonly verdict: DriftVerdict }) {
  const navigate = useNavigate()
  const [windows, setWindows] = useState<Windows | null>(null)
  const { feature } = verdict.numbers
  const { reference, current } = verdict
  const series = formatFilter({
    terms: [
      { kind: 'is', field: 'model', value: verdict.model, negated: false },
      { kind: 'is', field: 'source', value: verdict.source, negated: false }
    ]
  })
  // A baseline holds the records there were when it was pinned.
  const pinned = `${reference.query} seq:0..${Math.max(0, reference.seq - 1)}`.trim()
  const asked = { a: pinned, b: current.query, feature, apart: true }
  const found = useOperation('drift.compare', asked)
  const cancel = useCancelRead()
  const compare = () => {
    const search = {
      view: 'compare' as const,
      a: windows?.reference ? withWindow(reference.query, windows.reference) : reference.query,
      b: windows?.current ? withWindow(series, windows.current) : current.query,
      feature
    }
    void navigate({ to: '/drift', search })
  }
  const same = found.data?.a.table_sha256 === verdict.hashes.reference_table && found.data.b.table_sha256 === verdict.hashes.current_table
  return (
    <>
      <TimelinePanel
        query={series}
        feature={feature}
        windows={(whole) =>
          windows ?? { reference: rangeOf(reference.from, reference.to, whole), current: rangeOf(current.from, current.to, whole) }
        }
        onChange={setWindows}
        right={
          windows && (
            <span className="row">
              <Button size="compact-xs" variant="default" onClick={() => setWindows(null)}>
                Put back
              </Button>
              <Button size="compact-xs" onClick={compare}>
                Compare these windows
              </Button>
            </span>
          )
        }
      />
      {found.isError ? (
        <Note is="attention">Segments cannot be computed: {messageOf(found.error)}. The verdict rests on its stored tables.</Note>
      ) : !found.data ? (
        <Panel title="Segments" level={3} className="segments-panel">
          <Reading
            what="Reading the records of both windows"
            under={found.fetchStatus !== 'idle'}
            onCancel={() => cancel('drift.compare', asked)}
            onAgain={() => void found.refetch()}
          />
        </Panel>
      ) : (
        <>
          <AroundPanel found={found.data} names={['the reference', 'the current window']} />
          <SegmentsPanel found={found.data} sides="times" />
          <HistogramPanel found={found.data} names={['reference', 'current']} />
          <p className="dim small">
            {feature === 'error_rate' ? '' : `${neededWords(found.data)} `}
            {same
              ? 'Segments and histogram come from the records as they are now; their tables equal those of the verdict.'
              : `Segments and histogram come from the records as they are now; these are not quite the records of the verdict: ${otherwise(verdict)}`}
          </p>
        </>
      )}
    </>
  )
}
