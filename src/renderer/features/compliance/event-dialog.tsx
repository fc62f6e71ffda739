// SPDX-License-Identifier: Apache-2.0
import { Button, Modal, Select, TextInput } from '@mantine/core'
import { useState } from 'react'
import { type TriggerEvent, triggerEvents } from '../../../shared/policy/retention.ts'
import { sentenceOf, useAction } from '../../client/hooks.ts'
import { DialogButtons } from '../../ui/dialog-buttons.tsx'
import { isDay } from '../../ui/format.ts'
import { Note } from '../../ui/parts.tsx'

const labels: Readonly<Record<TriggerEvent, string>> = { account_closed: 'Account closed', system_ended: 'End of life of the system' }

/** Records an event from which periods are counted. */
export function EventDialog({ onClose }: { readonly onClose: () => void }) {
  const [event, setEvent] = useState<TriggerEvent>('account_closed')
  const [scope, setScope] = useState<'source' | 'subject'>('source')
  const [value, setValue] = useState('')
  const [at, setAt] = useState('')
  const record = useAction('retention.event', ['retention.get', 'disposal.preview', 'retention.of'])
  return (
    <Modal opened onClose={onClose} title="Record an event">
      <div className="column gap-12">
        <p className="soft small">
          Periods that wait for this event begin to run from its date, for the records of this source or subject.
        </p>
        <Select
          label="What happened"
          data={triggerEvents.map((one) => ({ value: one, label: labels[one] }))}
          value={event}
          allowDeselect={false}
          onChange={(one) => setEvent(one as TriggerEvent)}
        />
        <Select
          label="To which records"
          data={[
            { value: 'source', label: 'Those of a source' },
            { value: 'subject', label: 'Those of a subject' }
          ]}
          value={scope}
          allowDeselect={false}
          onChange={(one) => setScope(one as typeof scope)}
        />
        <TextInput
          label={scope === 'source' ? 'Source' : 'Subject'}
          value={value}
          maxLength={256}
          onChange={(e) => setValue(e.currentTarget.value)}
        />
        <TextInput
          label="Date, UTC"
          placeholder="2026-11-23"
          value={at}
          error={at.length >= 10 && !isDay(at) ? 'No day of the calendar: year-month-day' : null}
          onChange={(e) => setAt(e.currentTarget.value)}
        />
        {record.isError && <Note is="broken">{sentenceOf(record.error)}</Note>}
        <DialogButtons onCancel={onClose}>
          <Button
            loading={record.isPending}
            disabled={value.trim() === '' || !isDay(at)}
            onClick={() => record.mutate({ event, scope, value, at: `${at}T00:00:00Z` }, { onSuccess: onClose })}
          >
            Record
          </Button>
        </DialogButtons>
      </div>
    </Modal>
  )
}
