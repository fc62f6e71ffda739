// SPDX-License-Identifier: Apache-2.0
import { Button, Modal, Select, Textarea } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useState } from 'react'
import type { DriftAlert } from '../../../shared/contract/drift.ts'
import { sentenceOf, useAction } from '../../client/hooks.ts'
import { DialogButtons } from '../../ui/dialog-buttons.tsx'
import { count, moment } from '../../ui/format.ts'
import { Note } from '../../ui/parts.tsx'
import { PermittedButton } from '../../ui/permitted-button.tsx'

/** Alerts that one call acknowledges. */
const MOST_AT_ONCE = 200

interface ManyAlertsProps {
  readonly ids: readonly string[]
  readonly onDone: () => void
}

/** What can be done with the chosen alerts: one note for all of them. */
export function ManyAlerts({ ids, onDone }: ManyAlertsProps) {
  const [asking, setAsking] = useState(false)
  const [note, setNote] = useState('')
  const acknowledge = useAction('drift.acknowledge_many', ['drift.alerts', 'drift.series'])
  const [busy, setBusy] = useState(false)
  const submit = async () => {
    setBusy(true)
    try {
      let done = 0
      let refused = 0
      // One call takes so many at most; those of a call that went well are no longer chosen when a later one fails.
      for (let at = 0; at < ids.length; at += MOST_AT_ONCE) {
        const reply = await acknowledge.mutateAsync({ ids: ids.slice(at, at + MOST_AT_ONCE), note: note.trim() })
        done += reply.alerts.length
        refused += reply.refused.length
      }
      notifications.show({
        title: `${count(done)} acknowledged`,
        message: refused === 0 ? 'Each has its own leaf.' : `${count(refused)} were not open any more.`
      })
      setAsking(false)
      setNote('')
      onDone()
    } catch {
      // Said in the dialog.
    } finally {
      setBusy(false)
    }
  }
  return (
    <div className="many-alerts" role="toolbar" aria-label="Chosen alerts">
      <span className="small nowrap num">{count(ids.length)} chosen</span>
      <Button size="compact-xs" variant="subtle" onClick={onDone}>
        Clear
      </Button>
      <PermittedButton permission="drift" size="compact-sm" className="many-wide" onClick={() => setAsking(true)}>
        Acknowledge…
      </PermittedButton>
      <Modal
        opened={asking}
        onClose={() => setAsking(false)}
        title={`Acknowledge ${count(ids.length)} alert${ids.length === 1 ? '' : 's'}`}
        closeButtonProps={{ 'aria-label': 'Close' }}
        transitionProps={{ duration: 0 }}
      >
        <div className="column gap-12">
          <Textarea
            label="Note for all of them"
            placeholder="What was found, what happens next"
            value={note}
            maxLength={2000}
            minRows={3}
            autosize
            data-autofocus
            onChange={(event) => setNote(event.currentTarget.value)}
          />
          {acknowledge.isError && <Note is="broken">{sentenceOf(acknowledge.error)}</Note>}
          <DialogButtons onCancel={() => setAsking(false)}>
            <Button disabled={note.trim() === ''} loading={busy} onClick={() => void submit()}>
              Acknowledge
            </Button>
          </DialogButtons>
        </div>
      </Modal>
    </div>
  )
}

const rests = [
  { value: '4', label: '4 hours' },
  { value: '24', label: '1 day' },
  { value: '168', label: '7 days' },
  { value: '720', label: '30 days' }
]

/** Lets an alert rest until a time, with a reason that becomes a leaf's content. */
export function Snooze({ alert }: { readonly alert: DriftAlert }) {
  const [asking, setAsking] = useState(false)
  const [reason, setReason] = useState('')
  const [hours, setHours] = useState('24')
  const snooze = useAction('drift.snooze', ['drift.alerts', 'drift.series'])
  const until = new Date(Date.now() + Number(hours) * 3_600_000).toISOString()
  return (
    <>
      <PermittedButton permission="drift" variant="default" onClick={() => setAsking(true)}>
        Snooze…
      </PermittedButton>
      <Modal
        opened={asking}
        onClose={() => setAsking(false)}
        title="Snooze this alert"
        closeButtonProps={{ 'aria-label': 'Close' }}
        transitionProps={{ duration: 0 }}
      >
        <div className="column gap-12">
          <Select label="For" data={rests} value={hours} onChange={(value) => setHours(value ?? '24')} allowDeselect={false} />
          <Textarea
            label="Reason"
            placeholder="Known deployment, ticket, person who looks into it"
            value={reason}
            maxLength={2000}
            minRows={2}
            autosize
            data-autofocus
            onChange={(event) => setReason(event.currentTarget.value)}
          />
          <p className="dim small">It rests until {moment(until)}. Its state stays what it is; the reason goes on record.</p>
          {snooze.isError && <Note is="broken">{sentenceOf(snooze.error)}</Note>}
          <DialogButtons onCancel={() => setAsking(false)}>
            <Button
              disabled={reason.trim() === ''}
              loading={snooze.isPending}
              onClick={() => snooze.mutate({ id: alert.id, until, reason: reason.trim() }, { onSuccess: () => setAsking(false) })}
            >
              Snooze
            </Button>
          </DialogButtons>
        </div>
      </Modal>
    </>
  )
}
