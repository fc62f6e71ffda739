// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod'
import { priceKey, tokenPrices } from '../price/price.ts'
import { priceRow } from './cost.ts'
import { operation } from './operation.ts'

const count = z.int().min(0)
const reason = z.string().trim().min(3).max(500)

/** Most prices in the table. */
export const MOST_PRICES = 2000
/** Most prices of one change: each is a leaf of its own. */
export const MOST_AT_ONCE = 500

const table = z.object({ prices: z.array(priceRow) })

export const priceOperations = {
  'prices.list': operation({
    summary: 'The price table: US dollars per million tokens, by model and day',
    input: z.strictObject({}),
    output: table,
    access: 'read',
    leaves: []
  }),
  'prices.set': operation({
    summary: 'Adds or changes prices; one with the same model, provider and day takes the place of the former. Each change is recorded',
    input: z.strictObject({
      prices: z
        .array(z.strictObject({ ...priceKey.shape, prices: tokenPrices }))
        .min(1)
        .max(MOST_AT_ONCE),
      reason
    }),
    output: z.object({ ...table.shape, changed: count }),
    access: 'write',
    leaves: ['price.set']
  }),
  'prices.remove': operation({
    summary: 'Takes a price out of the table; recorded',
    input: z.strictObject({ ...priceKey.shape, reason }),
    output: table,
    access: 'write',
    leaves: ['price.set']
  })
} as const
