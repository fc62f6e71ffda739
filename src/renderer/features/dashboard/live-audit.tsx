// SPDX-License-Identifier: Apache-2.0
import { ActionIcon } from '@mantine/core'
import { IconPlayerPause, IconPlayerPlay } from '@tabler/icons-react'
import { Link, useNavigate } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import type { RecordRow } from '../../../shared/contract/record.ts'
import { useStatus } from '../../app/engine-state.tsx'
import { useTopic } from '../../client/hooks.ts'
import { count, duration, fixed, listTime } from '../../ui/format.ts'
import { Masked } from '../../ui/masked.tsx'
import { Hidden, Mark, Panel } from '../../ui/parts.tsx'

const SHOWN = 24
const columns = { gridTemplateColumns: '148px minmax(56px, 80px) minmax(72px, 122px) minmax(72px, 1fr) minmax(52px, 80px) 70px 76px 44px' }
const heads = ['Start, UTC', 'Source', 'Model', 'Request', 'Status', 'Latency', 'In / out', 'Seal'] as const

/** The newest rows as they arrive; stands still while a person reads. */
export function LiveAudit({ initial }: { readonly initial: readonly RecordRow[] }) {
  const status = useStatus()
  const navigate = useNavigate()
  const [rows, setRows] = useState<readonly RecordRow[]>(initial)
  const [paused, setPaused] = useState(false)
  useEffect(() => {
    // Rows of a fresh query carry newer seal states.
    if (!paused) setRows((before) => (before[0] && initial[0] && before[0].seq > initial[0].seq ? before : initial))
  }, [initial, paused])
  useTopic('records', ({ newest }) => {
    if (!paused) setRows((before) => [...newest, ...before.filter((row) => !newest.some((fresh) => fresh.seq === row.seq))].slice(0, SHOWN))
  })
  const sealedTo = status?.checkpoint?.size ?? 0
  const review = status?.review != null
  const right = (
    <>
      {!review && (
        <>
          <span className="soft small">{paused ? 'paused' : `following, ${fixed(status?.ingest.per_second ?? 0, 1)} per s`}</span>
          <ActionIcon aria-label={paused ? 'Follow live audit' : 'Pause live audit'} onClick={() => setPaused(!paused)}>
            {paused ? <IconPlayerPlay size={14} /> : <IconPlayerPause size={14} />}
          </ActionIcon>
        </>
      )}
      <Link className="link" to="/records">
        Open in Records
      </Link>
    </>
  )
  return (
    <Panel title={review ? 'Newest records' : 'Live audit'} sub="newest first" className="eight" flush right={right}>
      <div role="table" aria-label="Live audit" className="column grow">
        <div role="row" className="grid-head" style={{ ...columns, borderTop: '1px solid var(--a-line)' }}>
          {heads.map((head, i) => (
            <span key={head} role="columnheader" className={i === 5 || i === 6 ? 'right' : undefined}>
              {head}
            </span>
          ))}
        </div>
        <div className="live-rows">
          <div role="rowgroup">
            {rows.map((row) => (
              // biome-ignore lint/a11y/useKeyWithClickEvents: the same row is reached by keyboard in Records.
              <div
                key={row.seq}
                role="row"
                className="grid-row"
                style={columns}
                onClick={() => void navigate({ to: '/records', search: { seq: row.seq } })}
              >
                <span role="cell" className="num">
                  {listTime(row.timestamp)}
                </span>
                <span role="cell">
                  <Masked text={row.source} />
                </span>
                <span role="cell">
                  <Masked text={row.served_model ?? row.model} />
                </span>
                <span role="cell">
                  <Masked text={row.preview} />
                </span>
                <span role="cell" className={row.status === 'success' ? 'dim' : 'strong'}>
                  {row.status === 'success' ? 'ok' : row.status.replace('_', ' ')}
                  {row.http_status !== null && row.status !== 'success' ? ` ${row.http_status}` : ''}
                </span>
                <span role="cell" className="right num">
                  {row.processing_time_ms === null ? '–' : duration(row.processing_time_ms)}
                </span>
                <span role="cell" className="right num">
                  {row.input_tokens === null ? '–' : count(row.input_tokens)} /{' '}
                  {row.output_tokens === null ? '–' : count(row.output_tokens)}
                </span>
                <span role="cell">
                  <Hidden>{row.seq < sealedTo ? 'in checkpoint' : 'waits for checkpoint'}</Hidden>
                  <Mark is={row.seq < sealedTo ? 'holds' : 'pending'} />
                </span>
              </div>
            ))}
          </div>
        </div>
      </div>
    </Panel>
  )
}
