// SPDX-License-Identifier: Apache-2.0
import type { UseQueryResult } from '@tanstack/react-query'
import { type ReactNode, useMemo, useState } from 'react'
import type { OperationOutput } from '../../../shared/contract/contract.ts'
import type { DriftSeries } from '../../../shared/contract/drift.ts'
import { useStatus } from '../../app/engine-state.tsx'
import { count, day, moment } from '../../ui/format.ts'
import { PAGE_ROWS } from '../../ui/grid-pages.ts'
import { Masked } from '../../ui/masked.tsx'
import { Note, Panel, State } from '../../ui/parts.tsx'
import { Empty, Failed, Loading } from '../../ui/states.tsx'
import { type GridColumn, VirtualGrid } from '../../ui/virtual-grid.tsx'
import { clockWords, seriesMeanings, seriesSummary, seriesWords, stateWords } from './series-words.ts'

interface SeriesTableProps {
  readonly query: UseQueryResult<OperationOutput<'drift.series'>, Error>
  readonly onOpen: (row: DriftSeries) => void
}

/** What asks for somebody first: it may be one among a thousand. */
const ranks: readonly DriftSeries['state'][] = ['alarmed', 'waiting']
const rankOf = (row: DriftSeries): number => (ranks.includes(row.state) ? ranks.indexOf(row.state) : ranks.length)

/** The cells hold positions, so that what is said of a series follows each reading without the list being put together anew. */
const columnsOf = (rows: readonly DriftSeries[], lastLook: string | null): readonly GridColumn<number>[] => {
  const column = (more: Omit<GridColumn<number>, 'cell'>, cell: (row: DriftSeries) => ReactNode): GridColumn<number> => ({
    ...more,
    cell: (at) => {
      const row = rows[at]
      return row && cell(row)
    }
  })
  return [
    column({ name: 'Model', width: 'minmax(144px, 1.5fr)', className: () => 'strong' }, (row) => <Masked text={row.model} />),
    column({ name: 'Source', width: 'minmax(88px, 1fr)' }, (row) => <Masked text={row.source} />),
    column({ name: 'Records', width: '76px', align: 'right' }, (row) => count(row.records)),
    column({ name: 'First, UTC', width: '98px' }, (row) => (
      <span className="num" title={moment(row.first)}>
        {day(row.first)}
      </span>
    )),
    column({ name: 'Last, UTC', width: '164px' }, (row) => <span className="num">{moment(row.last).replace(' UTC', '')}</span>),
    column({ name: 'State', width: '184px' }, (row) => <State is={seriesMeanings[row.state]}>{stateWords[row.state]}</State>),
    column({ name: 'Score L', width: '72px', align: 'right' }, (row) => (row.score === null ? '–' : row.score.toFixed(3))),
    column({ name: 'In words', width: 'minmax(190px, 2.5fr)' }, (row) => {
      const words = seriesWords(row, lastLook, Date.now())
      return (
        <span className="soft" title={words}>
          {words}
        </span>
      )
    })
  ]
}

const positions = async (offset: number): Promise<readonly number[]> => Array.from({ length: PAGE_ROWS }, (_, i) => offset + i)

/** Every (model, source) on record with its latest verdict; a row opens it. */
export function SeriesTable({ query, onOpen }: SeriesTableProps) {
  const status = useStatus()
  const [active, setActive] = useState(0)
  const { data } = query
  const rows = useMemo(() => [...(data?.series ?? [])].sort((a, b) => rankOf(a) - rankOf(b)), [data])
  const columns = useMemo(() => columnsOf(rows, data?.last_look ?? null), [rows, data?.last_look])
  if (query.isError) return <Failed what="The series cannot be read" error={query.error} onRetry={() => void query.refetch()} />
  if (!data) return <Loading what="Reading series" />
  if (rows.length === 0) {
    return (
      <Empty title="No series yet">
        <p>A series is one model as one source calls it. The first record makes the first series.</p>
      </Empty>
    )
  }
  const jumped = clockWords(status?.last_day.clock_jumps ?? 0)
  return (
    <div className="drift-table series-table">
      {jumped && <Note is="attention">{jumped}</Note>}
      <Panel title="All series" sub={seriesSummary(rows)} flush>
        <VirtualGrid
          label="All series"
          count={rows.length}
          columns={columns}
          getPage={positions}
          version="series"
          active={active}
          onActive={setActive}
          selected={null}
          onOpen={(at) => {
            const row = rows[at]
            if (row) onOpen(row)
          }}
        />
      </Panel>
    </div>
  )
}
