// SPDX-License-Identifier: Apache-2.0
import type { RecordRow, SortOrder } from '../../../shared/contract/record.ts'
import { count, duration, listTime } from '../../ui/format.ts'
import { Masked } from '../../ui/masked.tsx'
import { Hidden, Mark } from '../../ui/parts.tsx'
import type { GridColumn } from '../../ui/virtual-grid.tsx'

const known = (value: number | null): string => (value === null ? '–' : count(value))

/** Columns of the grid. `sealedTo`: leaves below it are in a checkpoint by now, whatever the row said when it was read. */
export function recordColumns(sort: SortOrder, onSort: (by: SortOrder['by']) => void, sealedTo: number): readonly GridColumn<RecordRow>[] {
  const sortable = (by: SortOrder['by']) => ({ sorted: sort.by === by ? sort.dir : undefined, onSort: () => onSort(by) })
  return [
    { name: 'Leaf', width: '84px', align: 'right', ...sortable('seq'), className: () => 'dim', cell: (row) => count(row.seq) },
    { name: 'Start, UTC', width: '148px', from: 500, ...sortable('time'), className: () => 'num', cell: (row) => listTime(row.timestamp) },
    { name: 'Source', width: '96px', from: 920, cell: (row) => <Masked text={row.source} /> },
    {
      name: 'Model',
      width: '150px',
      from: 650,
      cell: (row) =>
        row.served_model !== null && row.served_model !== row.model ? (
          <span title={`asked ${row.model}, served ${row.served_model}`}>
            <Masked text={row.served_model} />
          </span>
        ) : (
          <Masked text={row.model} />
        )
    },
    {
      name: 'Request',
      width: 'minmax(220px, 1fr)',
      cell: (row) =>
        row.preview ? <Masked text={row.preview} /> : <span className="dim">{row.restricted ? 'restricted' : 'no text kept'}</span>
    },
    {
      name: 'Status',
      width: '86px',
      from: 740,
      className: (row) => (row.status === 'success' ? 'dim' : 'strong'),
      cell: (row) =>
        row.status === 'success' ? 'ok' : `${row.status.replace('_', ' ')}${row.http_status === null ? '' : ` ${row.http_status}`}`
    },
    {
      name: 'Latency',
      width: '82px',
      from: 820,
      align: 'right',
      ...sortable('latency'),
      cell: (row) => (row.processing_time_ms === null ? '–' : duration(row.processing_time_ms))
    },
    {
      name: 'Tokens',
      width: '78px',
      from: 1000,
      align: 'right',
      ...sortable('tokens'),
      cell: (row) => `${known(row.input_tokens)}/${known(row.output_tokens)}`
    },
    {
      name: 'Seal',
      width: '44px',
      align: 'center',
      cell: (row) => (
        <>
          <Hidden>{row.seq < sealedTo ? 'in checkpoint' : 'waits for checkpoint'}</Hidden>
          <Mark is={row.seq < sealedTo ? 'holds' : 'pending'} />
        </>
      )
    }
  ]
}
