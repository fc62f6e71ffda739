// SPDX-License-Identifier: Apache-2.0
import type { RecordDetail } from '../../../shared/contract/record.ts'
import { count } from '../../ui/format.ts'

const why = {
  no_price: 'no price for this model on this day, and the record brought none',
  tokens_unknown: 'the tokens of this call were not counted',
  content_gone: 'what the record brought is gone with its content'
} as const

/** What a call cost, never without where that is from. */
export function Cost({ cost }: { readonly cost: RecordDetail['cost'] }) {
  if (cost.origin === 'unknown') return <>unknown: {why[cost.reason]}</>
  const from =
    cost.origin === 'record' ? (
      <>
        as the record brought it, in <code>{cost.attribute}</code>
      </>
    ) : cost.origin === 'local' ? (
      'the model ran on your own machine'
    ) : (
      <>
        by the price of <code>{cost.price.model}</code> from {cost.price.valid_from}, leaf {count(cost.price.seq)}
      </>
    )
  return (
    <>
      <span className="num">USD {cost.usd}</span> <span className="dim">{from}</span>
    </>
  )
}
