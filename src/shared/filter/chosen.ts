// SPDX-License-Identifier: Apache-2.0
import { type FilterExpression, MOST_FILTER_TEXT } from './filter.ts'
import { formatFilter } from './format.ts'
import { parseFilter } from './parse.ts'

/** The filter of some leaves, ascending; null when there are none, or so many that no filter names them. */
export function filterOfSeqs(seqs: readonly number[]): string | null {
  const ranges: [number, number][] = []
  for (const seq of seqs) {
    const last = ranges.at(-1)
    if (last && seq === last[1] + 1) last[1] = seq
    else ranges.push([seq, seq])
  }
  const [only] = ranges
  if (only === undefined) return null
  const text = ranges.length === 1 ? `seq:${only[0]}..${only[1]}` : formatFilter({ terms: [{ kind: 'seqs', ranges, negated: false }] })
  return text.length <= MOST_FILTER_TEXT ? text : null
}

/** A filter with this period in place of its own; bounds in microseconds since 1970 UTC, from ≤ t < to. The text as it is when it cannot be read. */
export function withPeriod(text: string, period: { readonly from?: number; readonly to?: number }): string {
  const parsed = parseFilter(text)
  if (!parsed.ok) return text
  const terms = parsed.filter.terms.filter((term) => term.kind !== 'time')
  const time = period.from === undefined && period.to === undefined ? [] : [{ kind: 'time' as const, ...period }]
  return formatFilter({ terms: [...terms, ...time] })
}

/** The period of a filter: the narrowest of its bounds. */
export function periodOf({ terms }: FilterExpression): { readonly from?: number; readonly to?: number } {
  const times = terms.filter((term) => term.kind === 'time')
  const froms = times.flatMap(({ from }) => (from === undefined ? [] : [from]))
  const tos = times.flatMap(({ to }) => (to === undefined ? [] : [to]))
  return { ...(froms.length === 0 ? {} : { from: Math.max(...froms) }), ...(tos.length === 0 ? {} : { to: Math.min(...tos) }) }
}
