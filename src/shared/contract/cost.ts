// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod'
import { priceKey, tokenPrices } from '../price/price.ts'

/** An entry of the price table: US dollars per million tokens, and the leaf that set it. */
export const priceRow = z.object({
  ...priceKey.shape,
  prices: tokenPrices,
  seq: z.int().min(0),
  set: z.iso.datetime(),
  actor: z.string()
})
export type PriceRow = z.infer<typeof priceRow>

/** What a call cost in US dollars, and where that is from. */
export const cost = z.discriminatedUnion('origin', [
  /** The record brought it, in this attribute. */
  z.object({ origin: z.literal('record'), usd: z.string(), attribute: z.string() }),
  z.object({ origin: z.literal('price'), usd: z.string(), price: priceRow }),
  /** No price is set, and the model ran on a machine or in a network of one's own, by `place` of the record or, where that is unknown, by its provider. */
  z.object({ origin: z.literal('local'), usd: z.literal('0') }),
  z.object({ origin: z.literal('unknown'), usd: z.null(), reason: z.enum(['no_price', 'tokens_unknown', 'content_gone']) })
])
