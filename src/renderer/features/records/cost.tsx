// SPDX-License-Identifier: Apache-2.0
import type { RecordDetail } from '../../../shared/contract/record.ts'
import { count } from '../../ui/format.ts'
import { Address } from './place.tsx'

const why = {
  no_price: 'no price for this model on this day, and the record brought none',
  tokens_unknown: 'the tokens of this call were not counted',
  content_gone: 'what the record brought is gone with its content'
} as const

/** What a call cost, never without where that is from. */
export function Cost({ detail }: { readonly detail: RecordDetail }) {
  const { cost } = detail
  if (cost.origin === 'unknown') return <>unknown: {why[cost.reason]}</>
  const from =
    cost.origin === 'record' ? (
      <>
        as the record brought it, in <code>{cost.attribute}</code>
      </>
    ) : cost.origin === 'local' ? (
      <OwnServer detail={detail} />
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

/** What the zero of a server of one's own rests on. */
function OwnServer({ detail }: { readonly detail: RecordDetail }) {
  if (detail.place === 'unknown')
    return (
      <>
        no price is set, and by its provider, <code>{detail.row.provider}</code>, it ran on a machine of its own; no server address is on
        record
      </>
    )
  return (
    <>
      no price is set, and its server address, <Address event={detail.event} />, is{' '}
      {detail.place === 'loopback' ? 'loopback' : 'in a private network'}
    </>
  )
}
