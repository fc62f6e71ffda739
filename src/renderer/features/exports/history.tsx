// SPDX-License-Identifier: Apache-2.0
import { Button } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useOperation } from '../../client/hooks.ts'
import { bytes, count, moment } from '../../ui/format.ts'
import { Hash, Panel } from '../../ui/parts.tsx'
import { Empty, Failed, Loading } from '../../ui/states.tsx'
import { Who } from '../../ui/who.tsx'

/** Every bundle that left this workspace; each row is a leaf. */
export function History({ seq }: { readonly seq?: number | undefined }) {
  const navigate = useNavigate()
  const query = useOperation('export.list', {})
  if (query.isError) return <Failed what="The exports cannot be read" error={query.error} onRetry={() => void query.refetch()} />
  if (!query.data) return <Loading what="Reading exports" />
  if (query.data.exports.length === 0) {
    return (
      <Empty title="No bundle has left this workspace">
        <p>Each export is recorded here with its digest, recipient and purpose.</p>
        <Button onClick={() => void navigate({ to: '/exports', search: { view: 'new' } })}>New export</Button>
      </Empty>
    )
  }
  return (
    <div style={{ padding: 16, overflow: 'auto', flex: 1 }}>
      <Panel title="Exports" sub="newest first, times UTC" flush>
        <table className="table">
          <thead>
            <tr>
              <th className="right">Leaf</th>
              <th>Written</th>
              <th>By</th>
              <th>Recipient</th>
              <th>Purpose</th>
              <th>Filter</th>
              <th className="right">Records</th>
              <th className="right">Withheld</th>
              <th className="right">Size</th>
              <th>File, SHA-256</th>
            </tr>
          </thead>
          <tbody>
            {query.data.exports.map((row) => (
              <tr
                key={row.seq}
                className={row.seq === seq ? 'picked' : undefined}
                aria-current={row.seq === seq ? true : undefined}
                ref={(element) => {
                  if (row.seq === seq) element?.scrollIntoView({ block: 'nearest' })
                }}
              >
                <td className="right dim">{count(row.seq)}</td>
                <td className="num">{moment(row.time).replace(' UTC', '')}</td>
                <td>
                  <Who actor={row.actor} />
                </td>
                <td className="anywhere">{row.recipient}</td>
                <td className="anywhere">{row.purpose}</td>
                <td className="anywhere">
                  <code>{row.query === '' ? 'everything' : row.query}</code>
                  {row.range !== null && (
                    <div className="dim small">
                      every leaf of {count(row.range.first)} to {count(row.range.last)}
                    </div>
                  )}
                </td>
                <td className="right">{count(row.records)}</td>
                <td className="right">{count(row.withheld)}</td>
                <td className="right">{bytes(row.bytes)}</td>
                <td>
                  <div className="mono anywhere">{row.file}</div>
                  <Hash value={row.bundle_sha256} label="bundle SHA-256" />
                  {row.encrypted_sha256 !== null && (
                    <div className="dim small">
                      encrypted <Hash value={row.encrypted_sha256} label="SHA-256 of the encrypted file" />
                    </div>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Panel>
    </div>
  )
}
