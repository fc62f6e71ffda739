// SPDX-License-Identifier: Apache-2.0
import { Button, Modal, Select, TextInput } from '@mantine/core'
import { useEffect, useState } from 'react'
import { formatFilter } from '../../../shared/filter/format.ts'
import { messageOf, sentenceOf, useAction, useOperation } from '../../client/hooks.ts'
import { DialogButtons } from '../../ui/dialog-buttons.tsx'
import { count, moment } from '../../ui/format.ts'
import { Note } from '../../ui/parts.tsx'

/** The series to pin for; null values are chosen in the dialog. */
export interface BaselineTarget {
  readonly model: string | null
  readonly source: string | null
}

interface BaselineDialogProps {
  readonly target: BaselineTarget | null
  readonly onClose: () => void
}

/** Any filter can be the reference of a series: also another model version, which is how a version change is judged. */
export function BaselineDialog({ target, onClose }: BaselineDialogProps) {
  const [model, setModel] = useState<string | null>(null)
  const [source, setSource] = useState<string | null>(null)
  const [name, setName] = useState('')
  const [query, setQuery] = useState('')
  // Counted when the field is left or Enter is pressed: what was searched for goes on record, so not at each letter.
  const [settled, setSettled] = useState('')
  const least = useOperation('settings.get', {}).data?.min_reference ?? 0
  const series = useOperation('drift.series', {}, { enabled: target !== null })
  const preview = useOperation('drift.baseline_preview', { query: settled }, { enabled: target !== null && settled.trim() !== '' })
  const pin = useAction('drift.set_baseline', ['drift.series', 'drift.baselines'])
  // Filled anew each time the dialog opens.
  useEffect(() => {
    if (!target) return
    setModel(target.model)
    setSource(target.source)
    setName('')
    const own = formatFilter({
      terms: (['model', 'source'] as const).flatMap((field) => {
        const value = target[field]
        return value === null ? [] : [{ kind: 'is' as const, field, value, negated: false }]
      })
    })
    setQuery(own)
    setSettled(own)
    pin.reset()
  }, [target])
  const rows = series.data?.series ?? []
  const models = [...new Set(rows.map((row) => row.model))]
  const sources = [...new Set(rows.filter((row) => model === null || row.model === model).map((row) => row.source))]
  const enough = preview.data !== undefined && preview.data.records > 0
  const ready = model !== null && source !== null && name.trim() !== '' && settled.trim() !== '' && settled === query && enough
  const submit = () => {
    if (model === null || source === null) return
    pin.mutate({ name: name.trim(), query: settled, model, source }, { onSuccess: onClose })
  }
  return (
    <Modal
      opened={target !== null}
      onClose={onClose}
      title="Pin a baseline"
      size={560}
      closeButtonProps={{ 'aria-label': 'Close' }}
      transitionProps={{ duration: 0 }}
    >
      <form
        className="column gap-12"
        onSubmit={(event) => {
          event.preventDefault()
          if (ready) submit()
        }}
      >
        <p className="soft">
          Later records of the series are compared with the records that the filter selects now. They may be of another model version.
        </p>
        <div className="row gap-12" style={{ alignItems: 'flex-end' }}>
          <Select
            className="grow"
            label="Series: model"
            placeholder="Choose"
            data={models}
            value={model}
            onChange={(value) => {
              setModel(value)
              const only = [...new Set(rows.filter((row) => row.model === value).map((row) => row.source))]
              setSource(only.length === 1 ? (only[0] ?? null) : null)
            }}
            searchable
          />
          <Select
            className="grow"
            label="Series: source"
            placeholder="Choose"
            data={sources}
            value={source}
            onChange={setSource}
            searchable
          />
        </div>
        <TextInput
          label="Reference records, as a filter"
          placeholder="model:gpt-4-0314 to:2023-07-20"
          value={query}
          onChange={(event) => setQuery(event.currentTarget.value)}
          onBlur={() => setSettled(query)}
          onKeyDown={(event) => {
            if (event.key !== 'Enter' || settled === query) return
            event.preventDefault()
            setSettled(query)
          }}
          error={preview.isError ? messageOf(preview.error) : undefined}
          spellCheck={false}
          data-autofocus
        />
        {preview.data && !preview.isError && settled.trim() !== '' && settled === query && (
          <Note is={preview.data.records >= least ? 'holds' : 'attention'}>
            {preview.data.records === 0
              ? 'No record matches this filter.'
              : `${count(preview.data.records)} record${preview.data.records === 1 ? '' : 's'}${preview.data.from !== null && preview.data.to !== null ? `, ${moment(preview.data.from)} to ${moment(preview.data.to)}` : ''}. ${preview.data.records < least ? `Below ${count(least)} a series stays collecting.` : `Latency of ${count(preview.data.per_feature.latency ?? 0)}, tokens of ${count(preview.data.per_feature.token_usage ?? 0)}, answer length of ${count(preview.data.per_feature.response_length ?? 0)}.`}`}
          </Note>
        )}
        <TextInput
          label="Name"
          placeholder="gpt-4 before the switch"
          value={name}
          maxLength={200}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        {pin.isError && <Note is="broken">{sentenceOf(pin.error)}</Note>}
        <DialogButtons
          onCancel={onClose}
          beside={
            <span className="dim small">
              Leaves a <span className="mono">baseline.set</span> leaf; the newest baseline of a series counts.
            </span>
          }
        >
          <Button type="submit" disabled={!ready} loading={pin.isPending}>
            Pin
          </Button>
        </DialogButtons>
      </form>
    </Modal>
  )
}
