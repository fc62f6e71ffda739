// SPDX-License-Identifier: Apache-2.0
import { TextInput } from '@mantine/core'
import { periodOf, withPeriod } from '../../../shared/filter/chosen.ts'
import { parseFilter } from '../../../shared/filter/parse.ts'

const DAY_US = 86_400_000_000
const dayOf = (us: number | undefined): string => (us === undefined ? '' : new Date(us / 1000).toISOString().slice(0, 10))
const usOf = (day: string): number | undefined => (day === '' ? undefined : Date.parse(day) * 1000)

/** The period of a filter as days in UTC, the last one included; changing it changes the filter. */
export function Period({ query, onQuery }: { readonly query: string; readonly onQuery: (query: string) => void }) {
  const parsed = parseFilter(query)
  const { from, to } = parsed.ok ? periodOf(parsed.filter) : {}
  const first = dayOf(from)
  const last = dayOf(to === undefined ? undefined : to - 1)
  const change = (days: { readonly first: string; readonly last: string }) => {
    const [start, end] = [usOf(days.first), usOf(days.last)]
    onQuery(withPeriod(query, { ...(start === undefined ? {} : { from: start }), ...(end === undefined ? {} : { to: end + DAY_US }) }))
  }
  return (
    <>
      <TextInput
        type="date"
        label="First day, UTC"
        value={first}
        max={last === '' ? undefined : last}
        disabled={!parsed.ok}
        onChange={(event) => change({ first: event.currentTarget.value, last })}
      />
      <TextInput
        type="date"
        label="Last day, UTC"
        value={last}
        min={first === '' ? undefined : first}
        disabled={!parsed.ok}
        onChange={(event) => change({ first, last: event.currentTarget.value })}
      />
    </>
  )
}
