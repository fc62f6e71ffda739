// SPDX-License-Identifier: Apache-2.0
// What is said of request parameters beside a verdict: which changed, which did not, and of which nothing can be said.
import type { DriftComparison } from '../contract/drift-compare.ts'
import { formatNumber } from '../stats/explain.ts'

type Parameters = DriftComparison['parameters']
type Parameter = Parameters['found'][number]

const names: Readonly<Record<string, string>> = { system: 'system prompt', stop: 'stop sequences' }

/** Letters of a fingerprint that are shown: enough to tell a few texts apart. */
const SHOWN = 6
/** Values of a side that are written out. */
const MOST_NAMED = 3

/** A parameter by the name that APIs give it; what is a text of the conversation by its own. */
export const parameterName = (name: string): string => names[name] ?? name

const valueWords = (value: string | null): string =>
  value === null ? 'not on record' : value.startsWith('#') ? `text ${value.slice(1, 1 + SHOWN)}` : value

/** The values of a side with the number of records that have each, the most usual first. */
export function parameterSide(forms: Parameter['before']): string {
  if (forms === null) return 'more than 12 values'
  if (forms.length === 0) return 'not on record'
  const named = forms.slice(0, MOST_NAMED).map((one) => `${valueWords(one.value)} (${formatNumber(one.records)})`)
  const rest = forms.slice(MOST_NAMED)
  const left = rest.reduce((sum, one) => sum + one.records, 0)
  return [...named, ...(rest.length > 0 ? [`${rest.length} more (${formatNumber(left)})`] : [])].join(', ')
}

/** A parameter that did not change, with its value where one number or switch is all there is. */
function unchanged({ name, before }: Parameter): string {
  const [only] = before ?? []
  const clear = before?.length === 1 && only?.value && !only.value.startsWith('#')
  return clear ? `${parameterName(name)} ${only.value}` : parameterName(name)
}

/**
 * Sentences on all parameters that did not change, and on records that say nothing of theirs.
 * @param sides what both selections are called, and how many records each has
 */
export function parameterNotes(
  { recorded, found }: Parameters,
  sides: readonly [before: { readonly name: string; readonly records: number }, after: { readonly name: string; readonly records: number }]
): string[] {
  const [a, b] = sides
  const on = [recorded.before, recorded.after] as const
  if (on[0] === 0 && on[1] === 0) return ['No request parameter is on record in either window, so whether any changed cannot be said.']
  const silent = on[0] === 0 ? a : on[1] === 0 ? b : undefined
  if (silent) {
    const known = found.map((one) => `${parameterName(one.name)} ${parameterSide(silent === a ? one.after : one.before)}`)
    return [
      `No request parameter is on record for ${silent.name}, so whether any changed cannot be said.`,
      `On record for ${(silent === a ? b : a).name}: ${known.join('; ')}.`
    ]
  }
  const of = (change: Parameter['change']): Parameter[] => found.filter((one) => one.change === change)
  const notes: string[] = []
  const same = of('same')
  if (same.length > 0)
    notes.push(
      `${of('changed').length === 0 && of('varies').length === 0 ? 'No request parameter changed' : 'Unchanged'}: ${same.map(unchanged).join(', ')}.`
    )
  const varies = of('varies')
  if (varies.length > 0)
    notes.push(
      `Differs from request to request on both sides, so that a change cannot be told: ${varies.map((one) => parameterName(one.name)).join(', ')}.`
    )
  if (on[0] < a.records || on[1] < b.records)
    notes.push(
      `Parameters are on record for ${formatNumber(on[0])} of ${formatNumber(a.records)} requests of ${a.name} and ${formatNumber(on[1])} of ${formatNumber(b.records)} of ${b.name}.`
    )
  return notes
}
