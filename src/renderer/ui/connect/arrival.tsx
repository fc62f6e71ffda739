// SPDX-License-Identifier: Apache-2.0
import { useState } from 'react'
import type { RecordRow } from '../../../shared/contract/record.ts'
import type { WorkspaceStatus } from '../../../shared/contract/workspace.ts'
import { useTopic } from '../../client/hooks.ts'
import { count } from '../format.ts'
import { Mark, State } from '../parts.tsx'

/** A light that waits for the first record since it was shown, then says what arrived and how far it is sealed. */
export function Arrival({ status }: { readonly status: WorkspaceStatus }) {
  const [since] = useState(() => new Date().toISOString())
  const [first, setFirst] = useState<RecordRow | null>(null)
  useTopic('records', ({ newest }) => {
    // Newest first: the oldest of those that came since.
    const come = newest.filter((row) => row.appended >= since)
    setFirst((known) => known ?? come.at(-1) ?? null)
  })
  const sealed = first !== null && (status.checkpoint?.size ?? 0) > first.seq
  return (
    <div className="column gap-8">
      <div className="arrival" role="status">
        {first === null ? <span className="wait-light" aria-hidden="true" /> : <Mark is="holds" size={16} />}
        <div>
          <strong>{first === null ? 'Waiting for the first call' : `${first.model} for ${first.source} arrived`}</strong>
          <span className="dim small">
            {first === null
              ? `since ${since.slice(11, 19)} UTC, nothing yet`
              : `leaf ${count(first.seq)}, ${first.status}, through ${first.channel}${first.processing_time_ms === null ? '' : `, ${count(Math.round(first.processing_time_ms))} ms`}`}
          </span>
        </div>
      </div>
      <div className="row gap-16 small">
        <State is={first === null ? 'pending' : 'holds'}>on disk</State>
        <State is={sealed ? 'holds' : 'pending'}>in a checkpoint</State>
      </div>
    </div>
  )
}
