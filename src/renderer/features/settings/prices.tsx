// SPDX-License-Identifier: Apache-2.0
import { useState } from 'react'
import type { PriceRow } from '../../../shared/contract/cost.ts'
import { useOperation } from '../../client/hooks.ts'
import { count } from '../../ui/format.ts'
import { Panel } from '../../ui/parts.tsx'
import { PermittedButton } from '../../ui/permitted-button.tsx'
import { Failed, Loading } from '../../ui/states.tsx'
import { EditPrice, ImportPrices, RemovePrice } from './price-dialogs.tsx'

type Dialog =
  | { readonly what: 'add' }
  | { readonly what: 'change'; readonly price: PriceRow }
  | { readonly what: 'remove'; readonly price: PriceRow }
  | { readonly what: 'import' }

const kinds = [
  ['input', 'Input'],
  ['output', 'Output'],
  ['cache_read', 'Cached'],
  ['cache_write', 'Cache write'],
  ['reasoning', 'Reasoning']
] as const

/** What models cost: gives a record its cost where it brings none of its own. */
export function Prices() {
  const query = useOperation('prices.list', {})
  const [dialog, setDialog] = useState<Dialog | null>(null)
  const close = () => setDialog(null)
  const prices = query.data?.prices
  return (
    <Panel
      className="settings-wide"
      title="Prices"
      sub="US dollars per million tokens; each change is a leaf"
      flush={prices !== undefined && prices.length > 0}
      right={
        <>
          <PermittedButton permission="settings" size="compact-xs" variant="default" onClick={() => setDialog({ what: 'import' })}>
            Import a list…
          </PermittedButton>
          <PermittedButton permission="settings" size="compact-xs" variant="default" onClick={() => setDialog({ what: 'add' })}>
            Add a price…
          </PermittedButton>
        </>
      }
    >
      {query.isError ? (
        <Failed what="The prices cannot be read" error={query.error} onRetry={() => void query.refetch()} />
      ) : prices === undefined ? (
        <Loading what="Reading prices" />
      ) : prices.length === 0 ? (
        <p className="soft">
          No price yet. A record shows the cost that it brought; models of Ollama and llama.cpp on your own machine cost nothing; every
          other cost is unknown.
        </p>
      ) : (
        <PriceTable prices={prices} onChange={setDialog} />
      )}
      {(dialog?.what === 'add' || dialog?.what === 'change') && (
        <EditPrice price={dialog.what === 'change' ? dialog.price : null} onClose={close} />
      )}
      {dialog?.what === 'remove' && <RemovePrice price={dialog.price} onClose={close} />}
      {dialog?.what === 'import' && <ImportPrices onClose={close} />}
    </Panel>
  )
}

function PriceTable({ prices, onChange }: { readonly prices: readonly PriceRow[]; readonly onChange: (dialog: Dialog) => void }) {
  return (
    <div className="prices-scroll">
      <table className="table">
        <thead>
          <tr>
            <th>Model</th>
            <th>Provider</th>
            <th>From, UTC</th>
            {kinds.map(([kind, label]) => (
              <th key={kind} className="right">
                {label}
              </th>
            ))}
            <th className="right">Leaf</th>
            <th>
              <span className="hidden-text">Change</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {prices.map((price) => (
            <tr key={price.seq}>
              <td>
                <code>{price.model}</code>
              </td>
              <td>{price.provider ?? <span className="dim">any</span>}</td>
              <td className="num">{price.valid_from}</td>
              {kinds.map(([kind]) => (
                <td key={kind} className="right">
                  {price.prices[kind] ?? (
                    <span className="dim" title={kind === 'reasoning' ? 'as output' : 'as input'}>
                      –
                    </span>
                  )}
                </td>
              ))}
              <td className="right dim">{count(price.seq)}</td>
              <td className="right">
                <PermittedButton
                  permission="settings"
                  size="compact-xs"
                  variant="default"
                  onClick={() => onChange({ what: 'change', price })}
                >
                  Change…
                </PermittedButton>{' '}
                <PermittedButton
                  permission="settings"
                  size="compact-xs"
                  variant="default"
                  onClick={() => onChange({ what: 'remove', price })}
                >
                  Remove…
                </PermittedButton>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
