// SPDX-License-Identifier: Apache-2.0

/** The period a back-test goes over; `from` and `to` are as typed and count for `own` only. */
export interface Period {
  readonly kind: 'all' | '7' | '28' | 'own'
  readonly from: string
  readonly to: string
}

export const periodChoices = [
  { value: 'all', label: 'Everything on record' },
  { value: '28', label: 'The last 28 days on record' },
  { value: '7', label: 'The last 7 days on record' },
  { value: 'own', label: 'From and to' }
] as const satisfies readonly { readonly value: Period['kind']; readonly label: string }[]

const DAY_MS = 86_400_000

/** A date or a date and time, UTC, as ISO; null when it is neither; undefined when empty. */
export function typedTime(text: string): string | null | undefined {
  const trimmed = text.trim()
  if (trimmed === '') return undefined
  const parts = /^(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2}))?$/.exec(trimmed)
  if (!parts) return null
  const time = new Date(`${parts[1]}T${parts[2] ?? '00:00'}:00Z`)
  // A day that no month has would silently become another one.
  return Number.isNaN(time.getTime()) || time.toISOString().slice(0, 10) !== parts[1] ? null : time.toISOString()
}

/** What to ask the engine for; null when what was typed is no period. `last` is the newest time on record. */
export function rangeOf(period: Period, last: string | undefined): { from?: string; to?: string } | null {
  if (period.kind === 'all') return {}
  if (period.kind !== 'own')
    return last === undefined ? {} : { from: new Date(Date.parse(last) - Number(period.kind) * DAY_MS).toISOString() }
  const [from, to] = [typedTime(period.from), typedTime(period.to)]
  if (from === null || to === null || (from !== undefined && to !== undefined && from >= to)) return null
  return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }
}
