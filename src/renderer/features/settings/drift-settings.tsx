// SPDX-License-Identifier: Apache-2.0
import { Button, Checkbox, NumberInput, Select } from '@mantine/core'
import type { Settings as Values } from '../../../shared/contract/workspace.ts'
import { useDraft } from '../../client/draft.ts'
import { sentenceOf, useAction, useOperation } from '../../client/hooks.ts'
import { useMay } from '../../client/session.tsx'
import { lookIntervalsWith, procedureChoices, referenceChoices } from '../../ui/drift-words.ts'
import { Note, Panel } from '../../ui/parts.tsx'
import { Failed, Loading } from '../../ui/states.tsx'

export function DriftSettings() {
  const saved = useOperation('settings.get', {})
  const save = useAction('settings.set', ['settings.get'])
  const { may, why } = useMay('settings')
  const [draft, setDraft] = useDraft<Partial<Values>>('drift settings', saved.data)
  const edited = draft ?? {}
  const setEdited = (change: Partial<Values>) => setDraft({ ...edited, ...change })
  if (saved.isError) {
    return (
      <Panel title="Drift">
        <Failed what="The settings cannot be read" error={saved.error} />
      </Panel>
    )
  }
  if (!saved.data) {
    return (
      <Panel title="Drift">
        <Loading what="Reading settings" />
      </Panel>
    )
  }
  const values = { ...saved.data, ...edited }
  const changed = Object.keys(edited).some((name) => edited[name as keyof Values] !== saved.data[name as keyof Values])
  const number = (
    name:
      | 'look_every_records'
      | 'reference_days'
      | 'cooldown_hours'
      | 'looks_per_false_alarm'
      | 'effect_floor'
      | 'error_rate_floor'
      | 'min_current'
      | 'min_reference',
    label: string,
    min: number,
    max: number,
    step: number,
    description?: string
  ) => (
    <NumberInput
      label={label}
      value={values[name]}
      min={min}
      max={max}
      step={step}
      decimalScale={step < 1 ? 3 : 0}
      allowNegative={false}
      {...(description === undefined ? {} : { description })}
      onChange={(value) => typeof value === 'number' && setEdited({ [name]: value })}
    />
  )
  return (
    <Panel title="Drift" sub="each change is a leaf">
      <form
        className="column gap-12"
        onSubmit={(event) => {
          event.preventDefault()
          save.mutate(edited)
        }}
      >
        <div className="settings-grid">
          <Select
            label="Look"
            data={lookIntervalsWith(values.look_every_minutes)}
            value={String(values.look_every_minutes)}
            onChange={(value) => setEdited({ look_every_minutes: Number(value ?? 0) })}
          />
          {number('look_every_records', 'Look after new requests of a series, 0 never', 0, 1_000_000, 10)}
          <Select
            label="Series without a pinned baseline"
            data={[...referenceChoices]}
            value={values.reference}
            allowDeselect={false}
            onChange={(value) => setEdited({ reference: referenceChoices.find((one) => one.value === value)?.value ?? 'none' })}
          />
          {number('reference_days', 'Days of a rolling reference', 1, 90, 1)}
          {number('cooldown_hours', 'Hours without a new alert after one was resolved', 0, 8760, 1)}
          {number('looks_per_false_alarm', 'Budget: looks per false alarm', 2, 100_000, 1)}
          {number('effect_floor', 'Smallest shift that alarms, L', 0, 1, 0.01)}
          {number('error_rate_floor', 'Smallest shift of the error rate', 0, 1, 0.01)}
          {number('min_current', 'Current requests needed', 10, 1_000_000, 10)}
          {number('min_reference', 'Reference requests needed', 10, 1_000_000, 10)}
          <Select
            label="Family correction"
            data={[...procedureChoices]}
            value={values.procedure}
            onChange={(value) => setEdited({ procedure: value === 'BY' ? 'BY' : 'BH' })}
          />
        </div>
        <Checkbox
          label="Notification of the system when an alert opens"
          checked={values.notify_on_alert}
          onChange={(event) => {
            const { checked } = event.currentTarget
            setEdited({ notify_on_alert: checked })
          }}
        />
        <p className="dim small">
          At most one false alarm in {values.looks_per_false_alarm} looks while nothing drifts.{' '}
          {values.procedure === 'BH'
            ? 'Holds under positive dependence of the series; Benjamini-Yekutieli drops that condition.'
            : 'Holds under any dependence of the series.'}
        </p>
        {save.isError && <Note is="broken">{sentenceOf(save.error)}</Note>}
        <div className="row">
          <span className="grow" />
          <Button variant="default" disabled={!changed} onClick={() => setDraft(null)}>
            Undo
          </Button>
          <Button type="submit" disabled={!changed || !may} title={why} loading={save.isPending}>
            Save
          </Button>
        </div>
      </form>
    </Panel>
  )
}
