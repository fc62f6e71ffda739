// SPDX-License-Identifier: Apache-2.0
import { AffidavitError } from '../../shared/contract/errors.ts'
import { MOST_PRICES } from '../../shared/contract/prices.ts'
import type { LeafData } from '../../shared/evidence/leaf-data.ts'
import { keyText, type PriceKey, plainPrice, type TokenPrices, tokenKinds } from '../../shared/price/price.ts'
import type { Handlers } from '../handlers.ts'
import { bodyPart } from '../ledger/body-part.ts'
import type { Actor, AppendResult, LeafDraft } from '../ledger/draft.ts'
import type { Projector } from '../threads/projector.ts'
import type { ReaderPool } from '../threads/reader-pool.ts'

export interface PriceDeps {
  readonly pool: ReaderPool
  readonly projector: Projector
  readonly ledgerSize: () => number
  readonly append: (drafts: readonly LeafDraft[]) => Promise<readonly AppendResult[]>
}

const PATIENCE_MS = 10_000

/** Prices in their shortest form, so that the same price is the same text. */
function plain(prices: TokenPrices): TokenPrices {
  const given = tokenKinds.flatMap((kind) => (prices[kind] === undefined ? [] : [[kind, plainPrice(prices[kind])] as const]))
  return Object.fromEntries(given) as TokenPrices
}

/** One leaf per change. */
function draftOf(actor: Actor, { model, provider, valid_from }: PriceKey, prices: TokenPrices | null, reason: string): LeafDraft {
  const priced = { model, ...(provider === null ? {} : { provider }), valid_from }
  const data: LeafData<'price.set'> = prices ? { what: 'set', ...priced, usd_per_million: prices } : { what: 'removed', ...priced }
  return { type: 'price.set', actor, data, parts: [bodyPart({ reason }).part] }
}

/** The price table: read from the catalog, changed by leaves alone. */
export function priceHandlers(deps: PriceDeps): Handlers<'prices.list' | 'prices.set' | 'prices.remove'> {
  const table = async () => {
    await deps.projector.waitFor(deps.ledgerSize(), PATIENCE_MS)
    return deps.pool.run('prices', {})
  }
  const append = async (drafts: readonly LeafDraft[]): Promise<void> => {
    const written = await deps.append(drafts)
    if (written.length < drafts.length) throw new AffidavitError('read_only', 'the workspace is open read-only')
  }
  // One change at a time: what is compared with the table is the table until it is on record.
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(change: () => Promise<T>): Promise<T> => {
    const mine = last.then(change, change)
    last = mine.catch(() => {})
    return mine
  }
  return {
    'prices.list': async () => ({ prices: await table() }),
    'prices.set': ({ prices, reason }, caller) =>
      inTurn(async () => {
        const keys = new Set(prices.map(keyText))
        if (keys.size < prices.length) throw new AffidavitError('bad_request', 'prices: two are for the same model, provider and day')
        const known = new Map((await table()).map((one) => [keyText(one), one]))
        const drafts: LeafDraft[] = []
        for (const one of prices) {
          const next = plain(one.prices)
          const before = known.get(keyText(one))
          if (before && tokenKinds.every((kind) => before.prices[kind] === next[kind])) continue
          drafts.push(draftOf(caller.actor, one, next, reason))
        }
        if (new Set([...known.keys(), ...keys]).size > MOST_PRICES)
          throw new AffidavitError('too_many', `at most ${MOST_PRICES} prices: remove some first`)
        if (drafts.length > 0) await append(drafts)
        return { prices: await table(), changed: drafts.length }
      }),
    'prices.remove': ({ model, provider, valid_from, reason }, caller) =>
      inTurn(async () => {
        const wanted = keyText({ model, provider, valid_from })
        const found = (await table()).find((one) => keyText(one) === wanted)
        if (!found) throw new AffidavitError('not_found', 'there is no such price')
        await append([draftOf(caller.actor, found, null, reason)])
        return { prices: await table() }
      })
  }
}
