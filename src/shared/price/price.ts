// SPDX-License-Identifier: Apache-2.0
// What a model costs: entries of the price table and their match with a call. Money is exact: US dollars per million tokens with at most six
// decimals are whole picodollars per token.
import { z } from 'zod'

/** US dollars per million tokens, exact. */
export const price = z.string().regex(/^\d{1,6}(\.\d{1,6})?$/)

/** What may be said of a price: the kinds of tokens that cost differently. Cached and reasoning tokens without one cost as input and output do. */
export const tokenPrices = z.strictObject({
  input: price,
  output: price,
  cache_read: price.optional(),
  cache_write: price.optional(),
  reasoning: price.optional()
})
export type TokenPrices = z.infer<typeof tokenPrices>
export const tokenKinds = ['input', 'output', 'cache_read', 'cache_write', 'reasoning'] as const satisfies readonly (keyof TokenPrices)[]

/** What a price is for: an exact model or a pattern with `*`, of one provider or of any, from a day (UTC) on. */
export const priceKey = z.strictObject({
  model: z.string().regex(/^[\x21-\x7e]([\x20-\x7e]{0,126}[\x21-\x7e])?$/),
  provider: z
    .string()
    .regex(/^[\x21-\x7e]{1,64}$/)
    .nullable(),
  valid_from: z.iso.date()
})
export type PriceKey = z.infer<typeof priceKey>

export interface Priced extends PriceKey {
  readonly prices: TokenPrices
}

/** The same key, however it is written. */
export const keyText = ({ model, provider, valid_from }: PriceKey): string =>
  `${(provider ?? '').toLowerCase()}\u0000${model.toLowerCase()}\u0000${valid_from}`

/** Whether a name fits a pattern in which `*` is any run of characters; letter case does not count. */
export function fits(pattern: string, name: string): boolean {
  const p = pattern.toLowerCase()
  const n = name.toLowerCase()
  let i = 0
  let at = 0
  // Where to go on when the last star has to take one character more.
  let star = -1
  let taken = 0
  while (at < n.length) {
    if (p[i] === '*') {
      star = i++
      taken = at
    } else if (i < p.length && p[i] === n[at]) {
      i++
      at++
    } else if (star >= 0) {
      i = star + 1
      at = ++taken
    } else return false
  }
  while (p[i] === '*') i++
  return i === p.length
}

const literal = (pattern: string): number => pattern.replaceAll('*', '').length

/** Whether entry `a` says more exactly than `b` what it is for; of two prices for the same, the later one holds. */
function closer(a: PriceKey, b: PriceKey): boolean {
  const exact = Number(!a.model.includes('*')) - Number(!b.model.includes('*'))
  if (exact !== 0) return exact > 0
  const named = Number(a.provider !== null) - Number(b.provider !== null)
  if (named !== 0) return named > 0
  const letters = literal(a.model) - literal(b.model)
  if (letters !== 0) return letters > 0
  return a.valid_from > b.valid_from
}

/** The price that holds for a model on a day: an exact name before a pattern, one with a provider before one without, the longer pattern. */
export function priceOf<P extends PriceKey>(table: readonly P[], provider: string, model: string, day: string): P | undefined {
  let best: P | undefined
  for (const one of table) {
    if (one.valid_from > day || (one.provider !== null && one.provider.toLowerCase() !== provider.toLowerCase())) continue
    if (fits(one.model, model) && (best === undefined || closer(one, best))) best = one
  }
  return best
}

const DECIMALS = 6

/** Picodollars per token. */
const pico = (text: string): bigint => {
  const [whole = '0', fraction = ''] = text.split('.')
  return BigInt(whole + fraction.padEnd(DECIMALS, '0'))
}

/** Picodollars as US dollars, without trailing zeros. */
const dollars = (amount: bigint): string => {
  const digits = amount.toString().padStart(13, '0')
  return `${digits.slice(0, -12)}.${digits.slice(-12)}`.replace(/\.?0+$/, '')
}

/** The shortest form of a price. */
export const plainPrice = (text: string): string => dollars(pico(text) * 1_000_000n)

/** Token counts of a call; unknown is null. Cached tokens are part of the input, reasoning tokens part of the output. */
export interface Usage {
  readonly input: number | null
  readonly output: number | null
  readonly cache_read: number | null
  readonly cache_write: number | null
  readonly reasoning: number | null
}

/** What a call costs in US dollars; null when tokens that have a price were not counted. */
export function costOf(usage: Usage, prices: TokenPrices): string | null {
  const read = usage.cache_read ?? 0
  const written = usage.cache_write ?? 0
  const reasoned = usage.reasoning ?? 0
  const input = pico(prices.input)
  const output = pico(prices.output)
  if ((usage.input === null && input > 0n) || (usage.output === null && output > 0n)) return null
  // Servers that count a part beside the whole instead of in it leave nothing of the whole to count twice.
  const plain = Math.max(0, (usage.input ?? 0) - read - written)
  const said = Math.max(0, (usage.output ?? 0) - reasoned)
  const at = (given: string | undefined, otherwise: bigint): bigint => (given === undefined ? otherwise : pico(given))
  return dollars(
    BigInt(plain) * input +
      BigInt(read) * at(prices.cache_read, input) +
      BigInt(written) * at(prices.cache_write, input) +
      BigInt(said) * output +
      BigInt(reasoned) * at(prices.reasoning, output)
  )
}
