// SPDX-License-Identifier: Apache-2.0
// What the filter finds, or every leaf between two, so that the bundle shows that none is missing.
import { NumberInput, SegmentedControl } from '@mantine/core'
import { count } from '../../ui/format.ts'

export interface LeafRange {
  readonly first: number
  readonly last: number
}

const scopes = [
  { value: 'found', label: 'Only what is found' },
  { value: 'range', label: 'A whole range, nothing missing' }
] as const

/** @param size leaves of the tree the bundle would prove against: a range lies in it */
export function RangeChoice({
  value,
  size,
  onChange
}: {
  readonly value: LeafRange | null
  readonly size: number | null
  readonly onChange: (next: LeafRange | null) => void
}) {
  const end = size === null || size === 0 ? 0 : size - 1
  const numberOf = (typed: string | number, before: number): number =>
    typeof typed === 'number' && Number.isInteger(typed) ? typed : before
  return (
    <div className="scope-range">
      <SegmentedControl
        size="xs"
        aria-label="Scope"
        data={[...scopes]}
        value={value === null ? 'found' : 'range'}
        disabled={size === null || size === 0}
        onChange={(next) => onChange(next === 'range' ? { first: 0, last: end } : null)}
      />
      {value !== null && (
        <>
          <NumberInput
            size="xs"
            w={132}
            label="First leaf"
            min={0}
            max={value.last}
            clampBehavior="blur"
            allowDecimal={false}
            thousandSeparator=","
            value={value.first}
            onChange={(typed) => onChange({ ...value, first: Math.min(numberOf(typed, value.first), value.last) })}
          />
          <NumberInput
            size="xs"
            w={132}
            label="Last leaf"
            min={value.first}
            max={end}
            clampBehavior="blur"
            allowDecimal={false}
            thousandSeparator=","
            value={value.last}
            onChange={(typed) => onChange({ ...value, last: Math.max(numberOf(typed, value.last), value.first) })}
          />
          <span className="dim small grow">
            All {count(value.last - value.first + 1)} leaves go along; contents only of what the filter finds among them, of the others
            none.
          </span>
        </>
      )}
    </div>
  )
}
