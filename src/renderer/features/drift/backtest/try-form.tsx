// SPDX-License-Identifier: Apache-2.0
import { Button, NumberInput, Select, TextInput } from '@mantine/core'
import type { FormEvent, ReactNode } from 'react'
import type { BacktestSettings } from '../../../../shared/contract/drift-backtest.ts'
import { lookIntervalsWith, procedureChoices, referenceChoices } from '../../../ui/drift-words.ts'
import { PermittedButton } from '../../../ui/permitted-button.tsx'
import { type Period, periodChoices, rangeOf, typedTime } from './period.ts'
import { changedSettings, type SettingName, settingNames, valueWords } from './settings-words.ts'

interface TryFormProps {
  readonly present: BacktestSettings
  readonly edited: Partial<BacktestSettings>
  readonly onEdit: (next: Partial<BacktestSettings>) => void
  readonly period: Period
  readonly onPeriod: (next: Period) => void
  readonly running: boolean
  readonly onTry: () => void
}

const numbers = {
  effect_floor: [0, 1, 0.01],
  error_rate_floor: [0, 1, 0.01],
  looks_per_false_alarm: [2, 100_000, 1],
  min_current: [10, 1_000_000, 10],
  min_reference: [10, 1_000_000, 10],
  reference_days: [1, 90, 1],
  cooldown_hours: [0, 8760, 1]
} as const satisfies Partial<Record<SettingName, readonly [number, number, number]>>

/** Period and settings to try; what differs from the settings as they are says so. */
export function TryForm({ present, edited, onEdit, period, onPeriod, running, onTry }: TryFormProps) {
  const values = { ...present, ...edited }
  const changed = changedSettings(present, edited)
  const set = (change: Partial<BacktestSettings>) => onEdit({ ...edited, ...change })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    onTry()
  }
  const line = (name: SettingName, control: ReactNode) => (
    <div className="try-line" key={name}>
      <span>
        <span id={`try-${name}`}>{settingNames[name]}</span>
        {changed.includes(name) && <span className="try-now">now {valueWords(name, present[name])}</span>}
      </span>
      {control}
    </div>
  )
  const number = (name: keyof typeof numbers) => {
    const [min, max, step] = numbers[name]
    return line(
      name,
      <NumberInput
        size="xs"
        aria-labelledby={`try-${name}`}
        value={values[name]}
        min={min}
        max={max}
        step={step}
        decimalScale={step < 1 ? 3 : 0}
        thousandSeparator=","
        allowNegative={false}
        onChange={(value) => typeof value === 'number' && set({ [name]: value })}
      />
    )
  }
  const select = <N extends 'reference' | 'procedure'>(
    name: N,
    data: readonly { readonly value: BacktestSettings[N]; readonly label: string }[]
  ) =>
    line(
      name,
      <Select
        size="xs"
        aria-labelledby={`try-${name}`}
        allowDeselect={false}
        data={[...data]}
        value={values[name]}
        comboboxProps={{ width: 240, position: 'bottom-end' }}
        onChange={(value) => set({ [name]: value ?? present[name] })}
      />
    )
  const own = period.kind === 'own'
  const wrong = (text: string) => typedTime(text) === null && 'A date, or a date and time'
  const range = rangeOf(period, undefined)
  return (
    <form className="try-form" onSubmit={submit} aria-label="What to try">
      <div className="column gap-8">
        <h2 className="panel-title">Period</h2>
        <Select
          size="xs"
          aria-label="Period"
          allowDeselect={false}
          data={[...periodChoices]}
          value={period.kind}
          onChange={(value) => onPeriod({ ...period, kind: periodChoices.find((one) => one.value === value)?.value ?? 'all' })}
        />
        {own && (
          <div className="try-times">
            <TextInput
              size="xs"
              label="From, UTC"
              placeholder="2026-11-01"
              value={period.from}
              error={wrong(period.from)}
              onChange={(event) => onPeriod({ ...period, from: event.currentTarget.value })}
            />
            <TextInput
              size="xs"
              label="To, not included"
              placeholder="2026-11-08 12:00"
              value={period.to}
              error={wrong(period.to) || (range === null && typedTime(period.from) !== null && 'Not later than the start')}
              onChange={(event) => onPeriod({ ...period, to: event.currentTarget.value })}
            />
          </div>
        )}
      </div>
      <div className="column gap-4">
        <h2 className="panel-title">Settings to try</h2>
        {number('effect_floor')}
        {number('error_rate_floor')}
        {number('looks_per_false_alarm')}
        {line(
          'look_every_minutes',
          <Select
            size="xs"
            aria-labelledby="try-look_every_minutes"
            allowDeselect={false}
            data={lookIntervalsWith(values.look_every_minutes)}
            value={String(values.look_every_minutes)}
            onChange={(value) => set({ look_every_minutes: Number(value ?? present.look_every_minutes) })}
          />
        )}
        {number('min_current')}
        {number('min_reference')}
        {select('reference', referenceChoices)}
        {number('reference_days')}
        {number('cooldown_hours')}
        {select('procedure', procedureChoices)}
      </div>
      <p className="dim small">
        Looks are at whole hours here: more often, or never, counts as every hour. Nothing alarms for anybody; that it was tried, and with
        which settings, becomes a leaf.
      </p>
      <div className="row try-buttons">
        <Button variant="default" disabled={changed.length === 0} onClick={() => onEdit({})}>
          As they are
        </Button>
        <span className="grow" />
        <PermittedButton permission="drift" type="submit" disabled={running || range === null}>
          Test on the history
        </PermittedButton>
      </div>
    </form>
  )
}
