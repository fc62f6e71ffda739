// SPDX-License-Identifier: Apache-2.0
// What each column of an unknown file means: one line a field, with an example, a unit where there is one, and what does not fit.
import { Checkbox, Select, TextInput } from '@mantine/core'
import {
  type DurationUnit,
  durationUnits,
  type ImportMapping,
  type MappedField,
  mappedFields,
  type TimeUnit,
  timeUnits
} from '../../../shared/contract/import-mapping.ts'
import type { ImportPreview } from '../../../shared/contract/imports.ts'
import { count } from '../../ui/format.ts'
import { State } from '../../ui/parts.tsx'

const titles: Readonly<Record<MappedField, string>> = {
  time: 'Start',
  model: 'Model',
  prompt: 'Request',
  response: 'Response',
  latency: 'Latency',
  ttft: 'Time to first token',
  input_tokens: 'Input tokens',
  output_tokens: 'Output tokens',
  status: 'Status',
  error: 'Error message',
  source: 'Source',
  provider: 'Provider',
  user_id: 'User',
  conversation_id: 'Conversation',
  cost: 'Cost, US dollars',
  id: 'Id'
}

const timeTitles: Readonly<Record<TimeUnit, string>> = {
  text: 'Text, year first',
  text_mdy: 'Text, month/day/year',
  text_dmy: 'Text, day/month/year',
  s: 'Seconds since 1970',
  ms: 'Milliseconds since 1970',
  us: 'Microseconds since 1970',
  ns: 'Nanoseconds since 1970'
}
const durationTitles: Readonly<Record<DurationUnit, string>> = { s: 'Seconds', ms: 'Milliseconds', us: 'Microseconds', ns: 'Nanoseconds' }

const fixable = new Set<MappedField>(['model', 'source', 'provider'])
/** Stands in the list of columns for a fixed value; no column has this name, since it holds a NUL. */
const FIXED = '\u0000fixed'

type Given = { readonly from?: string; readonly value?: string; readonly unit?: string }

interface MappingProps {
  readonly mapping: NonNullable<ImportPreview['mapping']>
  readonly value: ImportMapping
  readonly onChange: (next: ImportMapping) => void
}

export function MappingTable({ mapping, value, onChange }: MappingProps) {
  const names = new Set(mapping.columns.map(({ from }) => from))
  for (const given of Object.values(value.fields)) if (given && 'from' in given) names.add(given.from)
  const columns = [...names].map((from) => ({ value: from, label: from }))
  const examples = new Map(mapping.columns.map(({ from, example }) => [from, example]))
  const set = (field: MappedField, given: Given | undefined) => {
    const { [field]: _, ...rest } = value.fields
    onChange({ ...value, fields: (given === undefined ? rest : { ...rest, [field]: given }) as ImportMapping['fields'] })
  }
  return (
    <div className="column gap-8">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard. */}
      <div className="mapping-table" role="region" aria-label="Columns of the file" tabIndex={0}>
        <table className="table">
          <thead>
            <tr>
              <th>Field</th>
              <th>Column of the file</th>
              <th>Unit or value</th>
              <th>First value</th>
            </tr>
          </thead>
          <tbody>
            {mappedFields.map((field) => (
              <MappingRow
                key={field}
                field={field}
                given={value.fields[field] as Given | undefined}
                columns={columns}
                example={examples.get((value.fields[field] as Given | undefined)?.from ?? '') ?? ''}
                likely={mapping.guessed && mapping.unsure.includes(field)}
                fault={mapping.faults.find((one) => one.field === field)}
                onChange={(given) => set(field, given)}
              />
            ))}
          </tbody>
        </table>
      </div>
      <Checkbox
        label="Keep the other columns as attributes of each record"
        checked={value.others === 'keep'}
        onChange={(event) => onChange({ ...value, others: event.currentTarget.checked ? 'keep' : 'drop' })}
      />
      {mapping.more_columns > 0 && (
        <p className="dim small">
          The first {count(mapping.columns.length)} of {count(mapping.columns.length + mapping.more_columns)} columns are listed.
        </p>
      )}
    </div>
  )
}

interface RowProps {
  readonly field: MappedField
  readonly given: Given | undefined
  readonly columns: readonly { readonly value: string; readonly label: string }[]
  readonly example: string
  readonly likely: boolean
  readonly fault: { readonly message: string; readonly rows: number } | undefined
  readonly onChange: (given: Given | undefined) => void
}

function MappingRow({ field, given, columns, example, likely, fault, onChange }: RowProps) {
  const title = titles[field]
  const units =
    field === 'time'
      ? timeUnits.map((unit) => ({ value: unit, label: timeTitles[unit] }))
      : field === 'latency' || field === 'ttft'
        ? durationUnits.map((unit) => ({ value: unit, label: durationTitles[unit] }))
        : null
  const choose = (from: string | null) => {
    if (from === null) onChange(undefined)
    else if (from === FIXED) onChange({ value: '' })
    else onChange(units === null ? { from } : { from, unit: given?.unit ?? units[0]?.value ?? 's' })
  }
  const fixed = given !== undefined && given.value !== undefined
  return (
    <tr>
      <td>
        {title}
        {field === 'model' && <span className="dim"> (needed)</span>}
      </td>
      <td>
        <Select
          aria-label={`Column of ${title}`}
          size="xs"
          placeholder="none"
          searchable
          clearable
          limit={100}
          data={[...(fixable.has(field) ? [{ value: FIXED, label: 'A fixed value…' }] : []), ...columns]}
          value={fixed ? FIXED : (given?.from ?? null)}
          onChange={choose}
          clearButtonProps={{ 'aria-label': `No column for ${title}` }}
        />
      </td>
      <td>
        {fixed ? (
          <TextInput
            aria-label={`Value of ${title}`}
            size="xs"
            maxLength={256}
            value={given.value ?? ''}
            onChange={(event) => onChange({ value: event.currentTarget.value })}
          />
        ) : units !== null && given?.from !== undefined ? (
          <Select
            aria-label={`Unit of ${title}`}
            size="xs"
            allowDeselect={false}
            data={units}
            value={given.unit ?? null}
            onChange={(unit) => unit !== null && onChange({ ...given, unit })}
          />
        ) : null}
      </td>
      <td className="clip">
        {fault ? (
          <State is="attention">
            <span title={fault.message}>
              {fault.rows > 0 && `${count(fault.rows)} ${fault.rows === 1 ? 'row' : 'rows'}: `}
              {fault.message.replace(/^\w+: /, '')}
            </span>
          </State>
        ) : (
          <>
            {likely && <span className="mapping-likely">likely, please check</span>}
            <span className="dim" title={example}>
              {example}
            </span>
          </>
        )}
      </td>
    </tr>
  )
}
