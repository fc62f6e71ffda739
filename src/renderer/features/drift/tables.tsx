// SPDX-License-Identifier: Apache-2.0
import { Button } from '@mantine/core'
import type { UseQueryResult } from '@tanstack/react-query'
import type { OperationOutput } from '../../../shared/contract/contract.ts'
import type { DriftSeries } from '../../../shared/contract/drift.ts'
import { useStatus } from '../../app/engine-state.tsx'
import { useOperation } from '../../client/hooks.ts'
import { count, moment } from '../../ui/format.ts'
import { Hash, Hidden, type Meaning, Note, Panel, State } from '../../ui/parts.tsx'
import { PermittedButton } from '../../ui/permitted-button.tsx'
import { Empty, Failed, Loading } from '../../ui/states.tsx'
import { Who } from '../../ui/who.tsx'
import type { BaselineTarget } from './baseline-dialog.tsx'
import { clockWords, seriesSummary, seriesWords, stateWords } from './series-words.ts'

const meanings: Record<DriftSeries['state'], Meaning> = {
  no_baseline: 'none',
  not_looked: 'pending',
  collecting: 'pending',
  quiet: 'holds',
  waiting: 'attention',
  alarmed: 'attention'
}

interface SeriesTableProps {
  readonly query: UseQueryResult<OperationOutput<'drift.series'>, Error>
  readonly onPin: (target: BaselineTarget) => void
  readonly onAlert: (id: string) => void
}

/** Every (model, source) on record with its latest verdict. */
export function SeriesTable({ query, onPin, onAlert }: SeriesTableProps) {
  const status = useStatus()
  if (query.isError) return <Failed what="The series cannot be read" error={query.error} onRetry={() => void query.refetch()} />
  if (!query.data) return <Loading what="Reading series" />
  if (query.data.series.length === 0) {
    return (
      <Empty title="No series yet">
        <p>A series is one model as one source calls it. The first record makes the first series.</p>
      </Empty>
    )
  }
  const { series, last_look } = query.data
  const now = Date.now()
  const jumped = clockWords(status?.last_day.clock_jumps ?? 0)
  // What asks for somebody first: it may be one among a thousand.
  const rows = [...series.filter((row) => row.state === 'alarmed'), ...series.filter((row) => row.state !== 'alarmed')]
  return (
    <div className="drift-table">
      {jumped && <Note is="attention">{jumped}</Note>}
      <Panel title="All series" sub={seriesSummary(series)} flush>
        <table className="table">
          <thead>
            <tr>
              <th>Model</th>
              <th>Source</th>
              <th className="right">Records</th>
              <th>First, UTC</th>
              <th>Last, UTC</th>
              <th>State</th>
              <th className="right">Score L</th>
              <th>In words</th>
              <th>
                <Hidden>Action</Hidden>
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => {
              const words = seriesWords(row, last_look, now)
              const { alert_id } = row
              return (
                <tr key={`${row.model} ${row.source}`}>
                  <td className="strong">{row.model}</td>
                  <td>{row.source}</td>
                  <td className="right">{count(row.records)}</td>
                  <td className="num">{moment(row.first).replace(' UTC', '')}</td>
                  <td className="num">{moment(row.last).replace(' UTC', '')}</td>
                  <td>
                    <State is={meanings[row.state]}>{stateWords[row.state]}</State>
                  </td>
                  <td className="right">{row.score === null ? '–' : row.score.toFixed(3)}</td>
                  <td className="soft series-words">{words}</td>
                  <td className="right">
                    {alert_id === null ? (
                      <PermittedButton
                        permission="drift"
                        variant="default"
                        size="compact-xs"
                        onClick={() => onPin({ model: row.model, source: row.source })}
                      >
                        Pin baseline…
                      </PermittedButton>
                    ) : (
                      <Button variant="default" size="compact-xs" onClick={() => onAlert(alert_id)}>
                        Open alert
                      </Button>
                    )}
                  </td>
                </tr>
              )
            })}
          </tbody>
        </table>
      </Panel>
    </div>
  )
}

/** What was pinned, by whom; superseded ones stay listed. */
export function Baselines({ onPin }: { readonly onPin: () => void }) {
  const query = useOperation('drift.baselines', {})
  if (query.isError) return <Failed what="The baselines cannot be read" error={query.error} onRetry={() => void query.refetch()} />
  if (!query.data) return <Loading what="Reading baselines" />
  if (query.data.baselines.length === 0) {
    return (
      <Empty title="No baseline is pinned">
        <p>A baseline is a filter whose records are the reference of a series: last month, or another model version.</p>
        <PermittedButton permission="drift" onClick={onPin}>
          Pin a baseline…
        </PermittedButton>
      </Empty>
    )
  }
  return (
    <div className="drift-table">
      <Panel title="Baselines" sub="the newest of a series counts" flush>
        <table className="table">
          <thead>
            <tr>
              <th>Name</th>
              <th>Series</th>
              <th>Filter</th>
              <th className="right">Records</th>
              <th>Pinned, UTC</th>
              <th>By</th>
              <th>State</th>
              <th>Hash</th>
            </tr>
          </thead>
          <tbody>
            {query.data.baselines.map((row) => (
              <tr key={row.id}>
                <td className="strong">{row.name}</td>
                <td>
                  {row.model} <span className="soft">{row.source}</span>
                </td>
                <td>
                  <code>{row.query === '' ? 'everything' : row.query}</code>
                </td>
                <td className="right">{count(row.records)}</td>
                <td className="num">{moment(row.set_at).replace(' UTC', '')}</td>
                <td>
                  <Who actor={row.actor} />
                </td>
                <td>
                  <State is={row.active ? 'holds' : 'none'}>{row.active ? 'in use' : 'superseded'}</State>
                </td>
                <td>
                  <Hash value={row.hash} label="baseline hash" />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Panel>
    </div>
  )
}
