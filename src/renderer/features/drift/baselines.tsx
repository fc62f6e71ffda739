// SPDX-License-Identifier: Apache-2.0
import { useOperation } from '../../client/hooks.ts'
import { count, moment } from '../../ui/format.ts'
import { Masked } from '../../ui/masked.tsx'
import { Hash, Panel, State } from '../../ui/parts.tsx'
import { PermittedButton } from '../../ui/permitted-button.tsx'
import { Empty, Failed, Loading } from '../../ui/states.tsx'
import { Who } from '../../ui/who.tsx'

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
                <td className="strong anywhere">{row.name}</td>
                <td className="anywhere">
                  <Masked text={row.model} />{' '}
                  <span className="soft">
                    <Masked text={row.source} />
                  </span>
                </td>
                <td className="anywhere">
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
