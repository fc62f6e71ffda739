// SPDX-License-Identifier: Apache-2.0
import type { PriceRow } from '../../shared/contract/cost.ts'
import type { TokenPrices } from '../../shared/price/price.ts'
import { isoMs } from '../catalog/rows.ts'
import type { AnyDb } from '../sqlite/open.ts'

interface StoredPrice {
  readonly seq: number
  readonly time_us: number
  readonly actor: string
  readonly model: string
  readonly provider: string | null
  readonly valid_from: string
  readonly prices: string
}

/** The price table by model, provider and day. */
export const priceTable = (catalog: AnyDb): PriceRow[] =>
  catalog
    .prepare<[], StoredPrice>('SELECT * FROM price ORDER BY lower(model), provider, valid_from')
    .all()
    .map(({ model, provider, valid_from, prices, seq, time_us, actor }) => ({
      model,
      provider,
      valid_from,
      prices: JSON.parse(prices) as TokenPrices,
      seq,
      set: isoMs(time_us),
      actor
    }))
