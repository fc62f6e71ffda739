// SPDX-License-Identifier: Apache-2.0
import type { CanonicalEvent } from '../event/canonical-event.ts'
import { isRemote, placeOf } from '../place/place.ts'
import { costOf, type Priced, priceOf } from './price.ts'

/** Where a cost comes from: the record itself, the price table, or the fact that the model ran on a machine or in a network of one's own. */
export type Cost<P extends Priced> =
  | { readonly origin: 'record'; readonly usd: string; readonly attribute: string }
  | { readonly origin: 'price'; readonly usd: string; readonly price: P }
  | { readonly origin: 'local'; readonly usd: '0' }
  | { readonly origin: 'unknown'; readonly usd: null; readonly reason: 'no_price' | 'tokens_unknown' | 'content_gone' }

/** Attributes that say what a call cost, all in US dollars: imports, OpenLIT, OpenInference. */
const costAttributes = ['cost_usd', 'gen_ai.usage.cost', 'llm.cost.total'] as const
/** Langfuse: an object, or its JSON, whose `total` is in US dollars. */
const LANGFUSE = 'langfuse.observation.cost_details'

/** Servers that run models on the machine they are on; also the providers on record that are not named after the API they speak. */
const local: ReadonlySet<string> = new Set(['ollama', 'llama.cpp', 'llamacpp', 'llama_cpp', 'llama-cpp', 'llamafile'])

/** A cost as it was given, without an exponent; undefined for what is none. */
function amount(value: unknown): string | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  if (typeof number !== 'number' || !(number >= 0 && number < 1e9)) return undefined
  const text = String(number)
  return text.includes('e') ? number.toFixed(12).replace(/\.?0+$/, '') : text
}

function totalOf(value: unknown): string | undefined {
  try {
    const details: unknown = typeof value === 'string' ? JSON.parse(value) : value
    return typeof details === 'object' && details !== null ? amount((details as { total?: unknown }).total) : undefined
  } catch {
    return undefined
  }
}

function broughtBy(attributes: Readonly<Record<string, unknown>> | undefined): Extract<Cost<Priced>, { origin: 'record' }> | undefined {
  for (const attribute of costAttributes) {
    const usd = amount(attributes?.[attribute])
    if (usd !== undefined) return { origin: 'record', usd, attribute }
  }
  const usd = totalOf(attributes?.[LANGFUSE])
  return usd === undefined ? undefined : { origin: 'record', usd, attribute: LANGFUSE }
}

export interface CostQuestion {
  readonly provider: string
  readonly model: string
  readonly served: string | null
  readonly input_tokens: number | null
  readonly output_tokens: number | null
  /** Day of the call, UTC. */
  readonly day: string
  /** The event as sealed; null when it is gone, and with it a cost that it may have brought. */
  readonly event: Partial<CanonicalEvent> | null
}

/** Whether a call was answered in a network of one's own: by the address on record, and by the provider only where there is none. */
function ranHere(provider: string, event: Partial<CanonicalEvent>): boolean {
  const remote = isRemote(placeOf(event))
  return remote === null ? local.has(provider) : !remote
}

/**
 * What a call cost and where that is from. A cost that came with the record is never replaced; a price that is set goes before the zero of a
 * server of one's own.
 */
export function costOfCall<P extends Priced>(table: readonly P[], call: CostQuestion): Cost<P> {
  const { provider, model, served, event } = call
  if (event === null) return { origin: 'unknown', usd: null, reason: 'content_gone' }
  const brought = broughtBy(event.attributes)
  if (brought) return brought
  const own = ranHere(provider.toLowerCase(), event)
  // The provider of a server of one's own is often the maker of the API that it speaks, whose prices are not meant for it.
  const seller = own && !local.has(provider.toLowerCase()) ? '' : provider
  const price = (served === null ? undefined : priceOf(table, seller, served, call.day)) ?? priceOf(table, seller, model, call.day)
  if (!price) return own ? { origin: 'local', usd: '0' } : { origin: 'unknown', usd: null, reason: 'no_price' }
  const usd = costOf(
    {
      input: call.input_tokens,
      output: call.output_tokens,
      cache_read: event.cache_read_tokens ?? null,
      cache_write: event.cache_creation_tokens ?? null,
      reasoning: event.reasoning_tokens ?? null
    },
    price.prices
  )
  return usd === null ? { origin: 'unknown', usd: null, reason: 'tokens_unknown' } : { origin: 'price', usd, price }
}
