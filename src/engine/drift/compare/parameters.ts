// SPDX-License-Identifier: Apache-2.0
// Whether the parameters of requests changed between two selections, from what the catalog holds of them.
import type { DriftComparison } from '../../../shared/contract/drift-compare.ts'
import { parametersIn } from '../../../shared/event/parameters.ts'
import { categoryTest } from '../../../shared/stats/categories.ts'
import { isoMs } from '../../catalog/rows.ts'

/** How many records have a value, and the earliest claimed start among them, microseconds. */
interface Seen {
  records: number
  first: number
}

/** Distinct values of a parameter that are told apart on a side. */
export const MOST_FORMS = 12
/** Distinct sets of parameters that are gathered before they are taken apart. */
const MOST_TEXTS = 4_096
/** Chance at which shares count as changed, over all parameters that are tested. */
const ALPHA = 0.01

const count = (into: Map<string, Seen>, value: string, records: number, first: number): void => {
  const known = into.get(value)
  if (known === undefined) into.set(value, { records, first })
  else {
    known.records += records
    known.first = Math.min(known.first, first)
  }
}

/** Gathers the parameters of the records of one side. */
export class ParameterTally {
  readonly #texts = new Map<string, Seen>()
  /** By name; null for a name with more than MOST_FORMS values. */
  readonly #values = new Map<string, Map<string, Seen> | null>()
  #recorded = 0

  /** @param text what the catalog holds of a record; null for nothing */
  add(text: string | null, time: number): void {
    if (text === null) return
    this.#recorded++
    count(this.#texts, text, 1, time)
    if (this.#texts.size === MOST_TEXTS) this.#fold()
  }

  #fold(): void {
    for (const [text, seen] of this.#texts)
      for (const [name, value] of parametersIn(text)) {
        let values = this.#values.get(name)
        if (values === null) continue
        if (values === undefined) {
          values = new Map()
          this.#values.set(name, values)
        }
        count(values, value, seen.records, seen.first)
        if (values.size > MOST_FORMS) this.#values.set(name, null)
      }
    this.#texts.clear()
  }

  /** What was gathered; counts of each value by name, and how many records had any parameter. */
  done(): ParameterCounts {
    this.#fold()
    return { recorded: this.#recorded, values: this.#values }
  }
}

export interface ParameterCounts {
  readonly recorded: number
  readonly values: ReadonlyMap<string, ReadonlyMap<string, Readonly<Seen>> | null>
}

type Parameter = DriftComparison['parameters']['found'][number]
type Form = NonNullable<Parameter['before']>[number]

/** The values of a name on a side, the most usual first; that a record with other parameters lacks it is a value too, null. Null for too many. */
function formsOf({ recorded, values }: ParameterCounts, name: string): Form[] | null {
  const known = values.get(name)
  if (known === null) return null
  const forms: Form[] = [...(known ?? [])].map(([value, { records }]) => ({ value, records }))
  const without = recorded - forms.reduce((sum, one) => sum + one.records, 0)
  if (without > 0) forms.push({ value: null, records: without })
  return forms.sort((a, b) => b.records - a.records || ((a.value ?? '') < (b.value ?? '') ? -1 : 1))
}

/** Chance of shares so far apart; null where a side has too many values or there is one value only. */
function chanceOf(before: readonly Form[] | null, after: readonly Form[] | null): number | null {
  if (before === null || after === null) return null
  const values = new Set([...before, ...after].map((one) => one.value))
  if (values.size < 2) return null
  const of = (forms: readonly Form[], value: string | null) => forms.find((one) => one.value === value)?.records ?? 0
  return categoryTest([...values].map((value) => ({ category: value ?? '', reference: of(before, value), current: of(after, value) }))).p
}

/**
 * Every parameter of either side with its values. It `changed` when each side has one value and they differ, when the shares differ by more than
 * chance (permutation chi-square, .01 over all that are tested), or when one side alone has more than MOST_FORMS values; it `varies` when both
 * have; it is `unknown` when no record of a side has any parameter. Never deciding.
 */
export function comparedParameters(a: ParameterCounts, b: ParameterCounts): DriftComparison['parameters'] {
  const names = [...new Set([...a.values.keys(), ...b.values.keys()])].sort()
  const compared = names.map((name) => {
    const before = formsOf(a, name)
    const after = formsOf(b, name)
    return { name, before, after, p: a.recorded > 0 && b.recorded > 0 ? chanceOf(before, after) : null }
  })
  const level = ALPHA / Math.max(1, compared.filter((one) => one.p !== null).length)
  const changeOf = ({ before, after, p }: (typeof compared)[number]): Parameter['change'] => {
    if (a.recorded === 0 || b.recorded === 0) return 'unknown'
    if (before === null || after === null) return before === after ? 'varies' : 'changed'
    if (p === null) return 'same'
    return (before.length === 1 && after.length === 1) || p <= level ? 'changed' : 'same'
  }
  const found = compared.map((one): Parameter => {
    const change = changeOf(one)
    const usual = one.after?.[0]?.value ?? null
    const isNew = change === 'changed' && usual !== null && one.before?.every(({ value }) => value !== usual)
    const first = isNew ? b.values.get(one.name)?.get(usual)?.first : undefined
    return { ...one, change, since: first === undefined ? null : isoMs(first) }
  })
  return { recorded: { before: a.recorded, after: b.recorded }, found }
}
