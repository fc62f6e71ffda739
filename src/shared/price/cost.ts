// SPDX-License-Identifier: Apache-2.0
import type { CanonicalEvent } from '../event/canonical-event.ts'
import { costOf, type Priced, priceOf } from './price.ts'

/** Where a cost comes from: the record itself, the price table, or the fact that the model ran on a machine of one's own. */
export type Cost<P extends Priced> =
  | { readonly origin: 'record'; readonly usd: string; readonly attribute: string }
  | { readonly origin: 'price'; readonly usd: string; readonly price: P }
  | { readonly origin: 'local'; readonly usd: '0' }
  | { readonly origin: 'unknown'; readonly usd: null; readonly reason: 'no_price' | 'tokens_unknown' | 'content_gone' }

/** Attributes that say what a call cost, all in US dollars: imports, OpenLIT, OpenInference. */
const costAttributes = ['cost_usd', 'gen_ai.usage.cost', 'llm.cost.total'] as const
/** Langfuse: an object, or its JSON, whose `total` is in US dollars. */
const LANGFUSE = 'langfuse.observation.cost_details'

/** Servers that run models on the machine they are on. */
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

/** What a call cost and where that is from. A cost that came with the record is never replaced. */
export function costOfCall<P extends Priced>(table: readonly P[], call: CostQuestion): Cost<P> {
  const { provider, model, served, event } = call
  if (event === null) return { origin: 'unknown', usd: null, reason: 'content_gone' }
  const brought = broughtBy(event.attributes)
  if (brought) return brought
  // An Ollama server may pass a call on to the cloud of its maker; then it is none of one's own.
  const own = local.has(provider.toLowerCase()) && event.remote_model === undefined && event.remote_host === undefined
  if (own) return { origin: 'local', usd: '0' }
  const price = (served === null ? undefined : priceOf(table, provider, served, call.day)) ?? priceOf(table, provider, model, call.day)
  if (!price) return { origin: 'unknown', usd: null, reason: 'no_price' }
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
